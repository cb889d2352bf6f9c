//! What a release did or would do, action by action and step by step; also the JSON that `plan` and `rollout` answer with.

use std::fmt;

use hooks::Event;
use schemars::JsonSchema;
use serde::Serialize;

/// The actions that were played on one release.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Answer {
    /// The version of Helm whose behaviour this is, as in `4.2.4`; or `argocd`, `flux`.
    pub helm: String,
    /// The name of the release.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// In the order they were played.
    pub actions: Vec<Played>,
}

/// One action and all it did.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Played {
    /// What was asked.
    pub action: Action,
    /// The revision that was made; of an uninstall or a test, the one it was about; null when there is none.
    pub revision: Option<u32>,
    /// Helm's exit code.
    pub exit: i32,
    /// The first line of what Helm says after `Error: `; null when it exits with 0.
    pub error: Option<String>,
    /// All lines of it; they are no part of the answer.
    #[serde(skip)]
    pub said: Option<String>,
    /// What happened, in order; hooks that are not run have no step.
    pub steps: Vec<Step>,
    /// Every revision that is stored afterwards, oldest first.
    pub history: Vec<Revision>,
    /// All hook objects alive after the action, also those of earlier ones; sorted by kind, namespace, name.
    pub leftovers: Vec<ObjectId>,
}

/// What can be asked of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `helm install`.
    Install,
    /// `helm upgrade`.
    Upgrade,
    /// `helm rollback`.
    Rollback,
    /// `helm uninstall`.
    Uninstall,
    /// `helm test`.
    Test,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// Seconds since the action began, simulated or real; of a wait, when it ended: it began with the step that sent its object.
    pub at: f64,
    /// The event whose hook this is; null for the ordinary resources.
    #[serde(serialize_with = "event_name")]
    #[schemars(with = "Option<String>")]
    pub event: Option<Event>,
    /// What was done.
    pub verb: Verb,
    /// To what; null for the ordinary resources together.
    pub object: Option<ObjectId>,
    /// How it ended.
    pub result: StepResult,
    /// Why, where it did not end well, and what a reader could not guess; null when there is nothing to say.
    pub message: Option<String>,
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// A deletion by a delete policy, and the wait for its end where there is one.
    Delete,
    /// A POST.
    Create,
    /// A server-side apply.
    Apply,
    /// The wait for a Job or a Pod to end.
    Wait,
    /// Logs were printed.
    Log,
    /// All ordinary resources were created, updated or deleted.
    Manifest,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepResult {
    /// As it should.
    Ok,
    /// There was nothing to delete.
    Absent,
    /// It did not work, or the hook failed.
    Failed,
    /// Admission refused it.
    Denied,
    /// Helm gave up waiting.
    Timeout,
    /// The wait ended at once since the end of an earlier run was still there: the hook did not run.
    Stale,
    /// It was not tried, because of what came before.
    Skipped,
}

/// How the message of a [`Verb::Manifest`] says, behind the name of an object, that nothing is left of what a hook has just made.
pub const LOST: &str = " is gone: the hook made it, then Helm deleted it";

/// How the message of a [`Verb::Create`] or a [`Verb::Apply`] begins that has not made the object: it has met one.
pub const ONTO: &str = "onto the one that ";

/// What an apply that changed nothing says.
pub const SAME: &str = "the one that was there is the same";

/// How the message of a [`StepResult::Stale`] begins where that end was a bad one.
pub const FAILED_BEFORE: &str = "an earlier run failed";

/// How it begins where it was a good one.
pub const SUCCEEDED_BEFORE: &str = "an earlier run succeeded";

/// One stored revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Revision {
    /// Its number, from 1.
    pub revision: u32,
    /// Helm's word for where it stands.
    pub status: String,
}

/// By what Kubernetes knows an object: group, kind, namespace and name.
pub type Key<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// As in `batch/v1`.
    pub api_version: String,
    /// As in `Job`.
    pub kind: String,
    /// As written, else that of the release; null for objects that have none.
    pub namespace: Option<String>,
    /// Its name; where the API server makes it up, `generateName` and `*`.
    pub name: String,
}

impl Action {
    /// Helm's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
            Self::Test => "test",
        }
    }
}

impl ObjectId {
    /// The group of `apiVersion`, empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// Whether both are the same object to Kubernetes, in whichever version of their group.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    /// The same for all versions of its group.
    #[must_use]
    pub fn key(&self) -> Key<'_> {
        (self.group(), &self.kind, self.namespace.as_deref(), &self.name)
    }

    /// `Job/shop/migrate`, as Helm's errors name it; without a namespace as it is displayed.
    #[must_use]
    pub fn in_full(&self) -> String {
        let Self { kind, namespace, name, .. } = self;
        namespace.as_ref().map_or_else(|| self.to_string(), |namespace| format!("{kind}/{namespace}/{name}"))
    }

    /// Whether somebody who writes `Job/migrate`, or `Job/shop/migrate`, means it.
    #[must_use]
    pub fn is_called(&self, written: &str) -> bool {
        let Some((kind, rest)) = written.split_once('/') else { return false };
        let is_named = match rest.split_once('/') {
            Some((namespace, name)) => self.namespace.as_deref() == Some(namespace) && self.name == name,
            None => self.name == rest,
        };
        self.kind == kind && is_named
    }

    /// Kind, namespace and name: the order of leftovers.
    #[must_use]
    pub fn sort_key(&self) -> (&str, &str, &str) {
        (&self.kind, self.namespace.as_deref().unwrap_or_default(), &self.name)
    }
}

/// `Job/migrate`, as people write it.
impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.name)
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn event_name<S: serde::Serializer>(event: &Option<Event>, serializer: S) -> Result<S::Ok, S::Error> {
    event.map(Event::name).serialize(serializer)
}

/// Whether what Helm said is what is expected, where `…` stands for anything: what the API server prints of values and fields nobody
/// could foresee.
#[must_use]
pub fn is_like(expected: &str, said: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else { return false };
    // Only the last part has a fixed place; any other may stand once more in what is left out before it.
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_left_out_of_an_error_may_be_any() {
        for (expected, said) in [
            ("job a failed", "job a failed"),
            ("x: …: field is … here", r#"x: {"a":0xc0}: field is immutable here"#),
            ("spec.template…", "spec.template: Invalid value"),
            ("…", ""),
        ] {
            assert!(is_like(expected, said), "{expected}");
        }
        for (expected, said) in [
            ("job a failed", "job a failed: twice"),
            ("x: …: field is … here", "x: {}: field is gone"),
            ("x: …: must be set", "x: {}: field is gone"),
            ("spec", "spec.template"),
            ("a…a", "a"),
        ] {
            assert!(!is_like(expected, said), "{expected}");
        }
    }

    #[test]
    fn a_value_that_held_the_words_behind_it_was_a_difference() {
        let said = r#"x: Invalid value: "a: field is immutable": field is immutable"#;
        assert!(is_like("x: Invalid value: …: field is immutable", said));
    }

    #[test]
    fn an_object_is_called_by_its_name_in_any_namespace_or_in_its_own() {
        let job = ObjectId {
            api_version: "batch/v1".to_owned(),
            kind: "Job".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "migrate".to_owned(),
        };
        assert!(job.is_called("Job/migrate") && job.is_called(&job.in_full()));
        for other in ["Job/demo/migrate", "Job/shop", "Pod/migrate", "migrate", "Job/shop/migrate/x"] {
            assert!(!job.is_called(other), "{other}");
        }
        let role = ObjectId { namespace: None, ..job };
        assert!(role.is_called("Job/migrate") && !role.is_called("Job/shop/migrate"));
        assert_eq!(role.in_full(), "Job/migrate");
    }
}
