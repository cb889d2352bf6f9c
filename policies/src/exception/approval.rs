//! The approval of an exception: by somebody else, for exactly what it says now.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ExceptionSpec;

/// People who may ask for one exception or change it; whoever is one too many makes a new one.
pub const MOST_AUTHORS: usize = 16;

/// The part of the status of a `HookException` that approves it. Who and when are written by the server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Approval {
    /// The `metadata.generation` that is approved; the exception counts only as long as it has that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_generation: Option<i64>,
    /// The `metadata.uid` of the exception that was read: another of the same name begins with the same generation.
    #[serde(rename = "approvedUID", skip_serializing_if = "Option::is_none")]
    pub approved_uid: Option<String>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<String>,
}

/// Why an exception does not count as approved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unapproved {
    /// Nobody has.
    #[error("nobody has approved it")]
    Missing,
    /// It was made when nobody wrote down by whom.
    #[error("it has no spec.requestedBy, so nobody knows who may approve it; delete it and make it again")]
    NoRequester,
    /// It says something else now.
    #[error("generation {approved} was approved, and it is at generation {generation}")]
    Voided {
        /// What was approved.
        approved: i64,
        /// What there is.
        generation: i64,
    },
    /// Two people are needed.
    #[error("{person:?} {part} it, so somebody else has to approve it")]
    SamePerson {
        /// The user.
        person: String,
        /// `asked for` or `changed`.
        part: &'static str,
    },
}

impl Approval {
    /// Whether it is an approval of an exception that says `spec` and is at `generation`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn verify(&self, spec: &ExceptionSpec, generation: i64) -> Result<(), Unapproved> {
        let (Some(approved), Some(person)) = (self.approved_generation, self.approved_by.as_deref()) else {
            return Err(Unapproved::Missing);
        };
        if approved != generation {
            return Err(Unapproved::Voided { approved, generation });
        }
        let requested_by = spec.requested_by.as_deref().unwrap_or("");
        if requested_by.is_empty() {
            return Err(Unapproved::NoRequester);
        }
        if person.is_empty() {
            return Err(Unapproved::Missing);
        }
        let has_changed = || spec.authors.iter().chain(&spec.changed_by).any(|author| author == person);
        let same = |part| Err(Unapproved::SamePerson { person: person.to_owned(), part });
        match () {
            () if requested_by == person => same("asked for"),
            () if has_changed() => same("changed"),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verify(
        approval: &Approval,
        requested_by: Option<&str>,
        changed_by: Option<&str>,
    ) -> Result<(), Unapproved> {
        let spec = ExceptionSpec {
            rules: vec!["job-*".into()],
            namespaces: vec!["shop".into()],
            kinds: Vec::new(),
            names: Vec::new(),
            reason: "ticket 7".into(),
            expires_at: "2026-12-24T00:00:00Z".into(),
            requested_by: requested_by.map(str::to_owned),
            changed_by: changed_by.map(str::to_owned),
            authors: vec!["alice".into(), "erin".into()],
        };
        approval.verify(&spec, 3)
    }

    fn by(person: &str, generation: i64) -> Approval {
        Approval {
            approved_generation: Some(generation),
            approved_by: Some(person.into()),
            ..Approval::default()
        }
    }

    #[test]
    fn somebody_else_approves_what_it_says_now() {
        assert_eq!(verify(&by("bob", 3), Some("alice"), Some("alice")), Ok(()));
        assert_eq!(verify(&by("bob", 3), Some("alice"), None), Ok(()));
    }

    #[test]
    fn neither_the_requester_nor_any_editor_counts_as_somebody_else() {
        for (person, part) in [("alice", "asked for"), ("carol", "changed"), ("erin", "changed")] {
            let refused = verify(&by(person, 3), Some("alice"), Some("carol"));
            assert_eq!(refused, Err(Unapproved::SamePerson { person: person.into(), part }));
        }
    }

    #[test]
    fn an_approval_of_another_generation_is_void() {
        for approved in [2, 4] {
            let refused = verify(&by("bob", approved), Some("alice"), None);
            assert_eq!(refused, Err(Unapproved::Voided { approved, generation: 3 }));
        }
    }

    #[test]
    fn what_has_no_requester_or_no_approver_is_not_approved() {
        assert_eq!(verify(&by("bob", 3), None, None), Err(Unapproved::NoRequester));
        assert_eq!(verify(&by("bob", 3), Some(""), None), Err(Unapproved::NoRequester));
        assert_eq!(verify(&by("", 3), Some("alice"), None), Err(Unapproved::Missing));
        assert_eq!(verify(&Approval::default(), Some("alice"), None), Err(Unapproved::Missing));
    }
}
