//! Names of releases and namespaces, refused as Helm and the API server would refuse them.

use hooks::name::{self, LABEL_LENGTH, RELEASE_LENGTH};

/// The name of a release.
pub(crate) fn release(name: &str) -> Result<String, String> {
    if name::is_release(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "Helm would refuse this name: lower case letters, digits, - and . between them, at most {RELEASE_LENGTH}"
    ))
}

/// The name of a namespace.
pub(crate) fn namespace(name: &str) -> Result<String, String> {
    if name::is_label(name) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "no namespace has such a name: lower case letters, digits and - between them, at most {LABEL_LENGTH}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_helm_takes() {
        for name in ["a", "shop-1", "1-a", "shop.one", &"a".repeat(53)] {
            assert_eq!(release(name).as_deref(), Ok(name));
        }
        for name in ["", "Foo_Bar", "-a", "a-", "a..b", ".a", "a b", &"a".repeat(54)] {
            assert!(release(name).is_err(), "{name}");
        }
        for name in ["", "Foo Bar", "a.b", "-a", "a-", &"a".repeat(64)] {
            assert!(namespace(name).is_err(), "{name}");
        }
        assert!(namespace(&"a".repeat(63)).is_ok());
    }
}
