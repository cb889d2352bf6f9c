//! Exceptions: findings that count for nothing in some places, for a reason, until a day.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use hooks::Object;

mod approval;
mod place;
mod terms;

pub use approval::{Approval, MOST_AUTHORS, Unapproved};
pub use terms::{Broken, Terms, usable};

/// The spec of a `HookException`. Patterns know `*` (any text) and `?` (any character); an empty list of kinds or names means all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExceptionSpec {
    /// Ids of the rules, as patterns; at least one.
    #[schemars(length(min = 1))]
    pub rules: Vec<String>,
    /// The namespaces, as patterns; at least one.
    #[schemars(length(min = 1))]
    pub namespaces: Vec<String>,
    /// The kinds, as patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
    /// The names, as patterns; an object with `generateName` is known by that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Why.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Until when, as RFC 3339: `2026-12-24T00:00:00Z`.
    pub expires_at: String,
    /// Who asked for it: written by the server when the exception is made, whatever anybody else writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<String>,
    /// Who last changed what it says: written by the server like `requestedBy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Everybody who has asked for it or changed what it says, and so cannot approve it: written by the server like `requestedBy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
}

/// An exception that can be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// Name of the object.
    pub name: String,
    /// What it says.
    pub spec: ExceptionSpec,
    /// Seconds since 1970 after which it counts no more.
    pub expires_at: i64,
}

/// Why an exception cannot be put in force.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The date is none.
    #[error("expiresAt {written:?} is no RFC 3339 time such as 2026-12-24T00:00:00Z")]
    Date {
        /// As written.
        written: String,
    },
    /// A list or a text that must say something says nothing.
    #[error("{field} is empty; {}", wanted(field))]
    Empty {
        /// The field.
        field: &'static str,
    },
}

/// What an empty field needs.
fn wanted(field: &str) -> &'static str {
    if field == "reason" { "say why, such as reason: ticket 7" } else { "name at least one" }
}

impl Error {
    /// The field in the object that it is about, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &'static str {
        match self {
            Self::Date { .. } => "/spec/expiresAt",
            Self::Empty { field: "rules" } => "/spec/rules",
            Self::Empty { field: "namespaces" } => "/spec/namespaces",
            Self::Empty { .. } => "/spec/reason",
        }
    }
}

impl Exception {
    /// Reads what serde cannot.
    ///
    /// # Errors
    ///
    /// When the date is none, or rules, namespaces or the reason are empty.
    pub fn new(name: impl Into<String>, spec: ExceptionSpec) -> Result<Self, Error> {
        let empty = [
            ("rules", spec.rules.is_empty()),
            ("namespaces", spec.namespaces.is_empty()),
            ("reason", spec.reason.trim().is_empty()),
        ];
        if let Some((field, _)) = empty.into_iter().find(|(_, is_empty)| *is_empty) {
            return Err(Error::Empty { field });
        }
        let expires_at =
            seconds(&spec.expires_at).ok_or_else(|| Error::Date { written: spec.expires_at.clone() })?;
        Ok(Self { name: name.into(), spec, expires_at })
    }

    /// Whether it covers findings of `rule` about `object` in `namespace`. What is in no namespace is covered by `*` alone.
    #[must_use]
    pub fn covers(&self, rule: &str, namespace: Option<&str>, object: Object<'_>) -> bool {
        let any = |patterns: &[String], text: &str| patterns.iter().any(|pattern| glob(pattern, text));
        any(&self.spec.rules, rule)
            && any(&self.spec.namespaces, namespace.unwrap_or(""))
            && (self.spec.kinds.is_empty() || any(&self.spec.kinds, object.kind()))
            && (self.spec.names.is_empty() || names(object).any(|name| any(&self.spec.names, name)))
    }

    /// Whether it covers findings of `rule` about `object` of a release in the namespace `release`, wherever Helm may create it.
    #[must_use]
    pub fn covers_in_release(&self, rule: &str, release: Option<&str>, object: Object<'_>) -> bool {
        place::of(release, object).all(|namespace| self.covers(rule, namespace, object))
    }
}

/// An RFC 3339 time as seconds since 1970.
#[must_use]
pub fn seconds(written: &str) -> Option<i64> {
    OffsetDateTime::parse(written, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

/// Seconds since 1970 as an RFC 3339 time; the year 9999 for what lies beyond it.
///
/// # Panics
///
/// Never.
#[must_use]
pub fn timestamp(seconds: i64) -> String {
    const LAST: i64 = 253_402_300_799;
    let time = OffsetDateTime::from_unix_timestamp(seconds.clamp(0, LAST));
    let text = time.ok().and_then(|time| time.format(&Rfc3339).ok());
    text.expect("every second from 1970 to 9999 can be written")
}

/// The names an object is known by: its name, and `generateName` where the name is made of it. The API server has generated the
/// name before it asks validating webhooks, and anybody can write a `generateName` that has nothing to do with the name.
fn names(object: Object<'_>) -> impl Iterator<Item = &str> {
    let (name, prefix) = (object.name(), object.generate_name());
    let is_generated = |prefix: &&str| {
        name.is_none_or(|name| name.strip_prefix(prefix).is_some_and(|rest| rest.len() == GENERATED_LENGTH))
    };
    name.into_iter().chain(prefix.filter(is_generated))
}

/// Characters that the API server adds to a `generateName`; Kubernetes `k8s.io/apiserver/pkg/storage/names`, `randomLength`.
const GENERATED_LENGTH: usize = 5;

/// `*` matches any text, `?` any one character; linear in both lengths but for the last star.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == text[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star_at, star_from)) = star else { return false };
                star = Some((star_at, star_from + 1));
                at = star_at + 1;
                from = star_from + 1;
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        for (pattern, text) in
            [("*", ""), ("*", "a"), ("a*c", "abbc"), ("a?c", "abc"), ("*-x-*", "a-x-b"), ("a", "a")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("a*c", "abcd"), ("?", ""), ("", "a"), ("a*b*c", "acb")] {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_generated_name_was_unknown_once_it_was_generated() {
        let known = |text: &str| {
            let root = hooks::json::object(text.as_bytes(), hooks::Interest::Judged).unwrap();
            names(Object::new(&root)).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(known(r#"{"metadata":{"generateName":"migrate-"}}"#), ["migrate-"]);
        assert_eq!(
            known(r#"{"metadata":{"name":"migrate-x7k2p","generateName":"migrate-"}}"#),
            ["migrate-x7k2p", "migrate-"]
        );
        assert_eq!(known(r#"{"metadata":{"name":"anything","generateName":"migrate-"}}"#), ["anything"]);
    }

    #[test]
    fn an_exception_needs_a_day_and_a_reason() {
        let spec = |reason: &str, expires_at: &str| ExceptionSpec {
            rules: vec!["job-*".into()],
            namespaces: vec!["shop".into()],
            kinds: Vec::new(),
            names: Vec::new(),
            reason: reason.into(),
            expires_at: expires_at.into(),
            requested_by: None,
            changed_by: None,
            authors: Vec::new(),
        };
        assert!(Exception::new("x", spec("ticket 7", "2026-12-24T00:00:00Z")).is_ok());
        assert_eq!(
            Exception::new("x", spec(" ", "2026-12-24T00:00:00Z")),
            Err(Error::Empty { field: "reason" })
        );
        assert!(matches!(Exception::new("x", spec("r", "tomorrow")), Err(Error::Date { .. })));
    }
}
