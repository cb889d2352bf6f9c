//! What failed stays, and Helm will not take it away: it is in the way of the next run.

use hooks::{DeletePolicy, annotations::DELETE_POLICY, release::Status};

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let status = evidence.release.status;
    if !evidence.is_in_the_way() || matches!(status, Status::Uninstalling | Status::Uninstalled) {
        return None;
    }
    let what = "is in the way of the next run: it stays, and its delete policy does not let Helm replace it";
    Some(cause("left-behind", what).rules(&["hook-policy-no-before-creation"]).advice(advice(evidence)))
}

/// How to keep that from happening again.
pub(super) fn advice(evidence: &Evidence) -> String {
    format!("add {} to {DELETE_POLICY} in {}", DeletePolicy::BeforeHookCreation, template(evidence))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn a_job_that_failed_was_not_told_to_be_in_the_way_of_the_next_run() {
        let of = |job: serde_json::Value, policy: serde_json::Value| {
            find(&evidence(&json!({"job": job, "policy": policy})))
        };
        let found = of(job("BackoffLimitExceeded"), json!("hook-succeeded")).unwrap();
        assert!(found.repair[0].text.contains("add before-hook-creation to helm.sh/hook-delete-policy"));
        assert!(of(json!(null), json!("hook-succeeded")).is_none());
        assert!(of(job("BackoffLimitExceeded"), json!(null)).is_none());
    }
}
