//! The name of an image: refused before anything is built, if no registry and no container engine would take it.

use std::{fmt, str::FromStr};

/// What a registry takes at most for everything before the tag.
///
/// Source: distribution/reference `reference.go`, `RepositoryNameTotalLengthMax`; the grammar below is that of its `regexp.go`.
const LONGEST_NAME: usize = 255;

/// Source: the same, `tag`.
const LONGEST_TAG: usize = 128;

/// A full name with a tag, such as `docker.io/library/hookward:0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    /// The name of the image where nobody gives another.
    pub(super) fn of_this_version() -> Self {
        Self(format!("docker.io/library/hookward:{}", env!("CARGO_PKG_VERSION")))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Reference {
    type Err = String;

    /// Takes what container engines take, and makes it full as they do: `hookward:1` is `docker.io/library/hookward:1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => return Err("there is no tag; write NAME:TAG".to_owned()),
        };
        if !is_tag(tag) {
            return Err(format!(
                "{tag:?} is no tag: letters, digits, `_`, `.` and `-`, at most {LONGEST_TAG}, the first no `.` or `-`"
            ));
        }
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if is_registry(first) => (first, path.to_owned()),
            Some(_) => ("docker.io", name.to_owned()),
            None => ("docker.io", format!("library/{name}")),
        };
        if !is_host(registry) {
            return Err(format!("{registry:?} is no address of a registry: HOST or HOST:PORT"));
        }
        if let Some(part) = path.split('/').find(|part| !is_part(part)) {
            return Err(format!(
                "{part:?} is no part of a name: lower-case letters and digits, with `.`, `_`, `__` or hyphens between them"
            ));
        }
        if registry.len() + 1 + path.len() > LONGEST_NAME {
            return Err(format!("the name has more than {LONGEST_NAME} characters"));
        }
        Ok(Self(format!("{registry}/{path}:{tag}")))
    }
}

/// Whether the first part of a name is where it is kept, and not part of a path there.
///
/// Source: distribution/reference `normalize.go`, `splitDockerDomain`.
fn is_registry(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase)
}

fn is_host(registry: &str) -> bool {
    let (host, port) = registry.split_once(':').map_or((registry, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|one| one.is_ascii_alphanumeric() || one == '-')
    };
    let is_port = |port: &str| port.bytes().all(|one| one.is_ascii_digit()) && port.parse::<u16>().is_ok();
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

/// Words of lower-case letters and digits, with `.`, `_`, `__` or any number of hyphens between two.
fn is_part(part: &str) -> bool {
    let is_letter = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit();
    let is_between =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|one| one == b'-');
    part.starts_with(is_letter) && part.ends_with(is_letter) && part.split(is_letter).all(is_between)
}

fn is_tag(tag: &str) -> bool {
    let is_inside = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '-');
    (1..=LONGEST_TAG).contains(&tag.len()) && !tag.starts_with(['.', '-']) && tag.chars().all(is_inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_and_made_full() {
        for (text, full) in [
            ("hookward:1", "docker.io/library/hookward:1"),
            ("team/hookward:v1_2.3-rc", "docker.io/team/hookward:v1_2.3-rc"),
            ("localhost/hookward:1", "localhost/hookward:1"),
            ("registry.example.com:5000/a/b__c/d--e.f:1", "registry.example.com:5000/a/b__c/d--e.f:1"),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), full);
        }
        let own = Reference::of_this_version();
        assert_eq!(own.to_string().parse(), Ok(own));
    }

    #[test]
    fn what_no_registry_would_take_is_refused_with_what_is_wrong() {
        for (text, because) in [
            ("", "no tag"),
            ("hookward", "no tag"),
            ("localhost:5000/hookward", "no tag"),
            ("hookward:", "\"\" is no tag"),
            ("hookward:.1", "\".1\" is no tag"),
            ("hookward:1 ", "\"1 \" is no tag"),
            ("hookward@sha256:0123", "\"hookward@sha256\" is no part"),
            ("bad tag", "no tag"),
            ("bad name:1", "\"bad name\" is no part"),
            ("UPPER/Name:1", "\"Name\" is no part"),
            ("Upper:1", "\"Upper\" is no part"),
            ("a:b:c", "\"a:b\" is no part"),
            (":1", "\"\" is no part"),
            ("a//b:1", "\"\" is no part"),
            ("a/b/:1", "\"\" is no part"),
            ("a___b:1", "\"a___b\" is no part"),
            ("a.-b:1", "\"a.-b\" is no part"),
            ("-a.example.com/b:1", "no address of a registry"),
            ("a.example.com:port/b:1", "no address of a registry"),
            ("a.example.com:70000/b:1", "no address of a registry"),
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert!(error.contains(because), "{text:?}: {error}");
        }
        let long = |count: usize| format!("{}:1", "a".repeat(count)).parse::<Reference>();
        assert!(long(LONGEST_NAME - "docker.io/library/".len()).is_ok());
        assert!(long(LONGEST_NAME).unwrap_err().contains("more than 255"));
        assert!(format!("a:{}", "b".repeat(LONGEST_TAG + 1)).parse::<Reference>().is_err());
    }
}
