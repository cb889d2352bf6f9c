//! What the objects' statuses say: the types that the definitions are made from, and how conditions change.

use policies::exception::{Approval, timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

pub(crate) mod desk;

/// The status of a `HookPolicy`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PolicyStatus {
    /// `Accepted`: what the replicas say, in one sentence; written by the leader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<Condition>,
    /// What each replica made of the policy; each writes its own entry.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) replicas: Vec<Replica>,
}

/// What one replica made of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Replica {
    /// Name of the pod.
    pub(crate) pod: String,
    /// The generation of the policy that is in force there; absent when none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<i64>,
    /// The generation of the policy that was looked at last.
    pub(crate) observed_generation: i64,
    /// `Accepted`: whether the policy is in force there as it is written.
    #[serde(default)]
    pub(crate) conditions: Vec<Condition>,
}

/// The status of a `HookException`. Whoever approves writes `approvedGeneration` and `approvedUID`; the server adds who and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExceptionStatus {
    /// The approval, by the protocol of exceptions.
    #[serde(flatten)]
    pub(crate) approval: Approval,
    /// `Active`: whether the exception counts, in one sentence; written by the leader.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) conditions: Vec<Condition>,
}

/// One condition, as Kubernetes' `metav1.Condition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// `True`, `False` or `Unknown`.
    pub(crate) status: String,
    /// One word for programs.
    pub(crate) reason: String,
    /// One sentence for people.
    pub(crate) message: String,
    /// When `status` changed.
    pub(crate) last_transition_time: String,
    /// The generation of the object that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed_generation: Option<i64>,
}

/// Characters of a message: what was written by others may be repeated in it, and may be long.
const LONGEST: usize = 1024;

/// What a condition should say; its time follows from what was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What it is about.
    pub(crate) kind: &'static str,
    /// `None` where nobody can say yet.
    pub(crate) status: Option<bool>,
    /// One word for programs.
    pub(crate) reason: &'static str,
    /// One sentence for people.
    pub(crate) message: String,
    /// The generation of the object that it is about.
    pub(crate) generation: i64,
}

impl Wanted {
    /// The condition to write at `now`, in seconds since 1970; `None` when `said` says it already.
    pub(crate) fn change(&self, said: &[Condition], now: i64) -> Option<Condition> {
        let said = said.iter().find(|condition| condition.kind == self.kind);
        let status = match self.status {
            Some(true) => "True",
            Some(false) => "False",
            None => "Unknown",
        };
        let same = said.filter(|said| said.status == status);
        let condition = Condition {
            kind: self.kind.to_owned(),
            status: status.to_owned(),
            reason: self.reason.to_owned(),
            message: self.message.chars().take(LONGEST).collect(),
            last_transition_time: same
                .map_or_else(|| timestamp(now), |same| same.last_transition_time.clone()),
            observed_generation: Some(self.generation),
        };
        (said != Some(&condition)).then_some(condition)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(status: bool, message: &str) -> Wanted {
        Wanted {
            kind: "Active",
            status: Some(status),
            reason: "Word",
            message: message.to_owned(),
            generation: 2,
        }
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let said = wanted(true, "in force").change(&[], 60).unwrap();
        assert_eq!(said.last_transition_time, "1970-01-01T00:01:00Z");
        assert_eq!(wanted(true, "in force").change(&[said], 120), None);
    }

    #[test]
    fn only_another_status_is_a_transition() {
        let said = wanted(true, "in force").change(&[], 60).unwrap();
        let reworded = wanted(true, "in force until May").change(std::slice::from_ref(&said), 120).unwrap();
        assert_eq!(reworded.last_transition_time, said.last_transition_time);
        assert_eq!(
            wanted(false, "").change(&[said], 120).unwrap().last_transition_time,
            "1970-01-01T00:02:00Z"
        );
    }
}
