//! The Job of an earlier run stood in the way, or was taken for the new one.

use hooks::release::{Phase, Status};

use super::{super::evidence::Evidence, cause, left_behind};
use crate::diagnose::Cause;

/// What programs may call it.
pub(super) const ID: &str = "stale-rerun";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let said = evidence.release.description.as_str();
    let told = evidence.refused().any(|text| text == said);
    let kind = &evidence.hook.kind;
    let what = if told && said.contains(&format!("\"{}\" already exists", evidence.hook.name)) {
        format!("was not run: the {kind} of an earlier run is still there, and Helm does not replace it")
    } else if told && said.contains("field is immutable") {
        format!("was not run: the {kind} of an earlier run is still there, and its pods cannot be changed")
    } else if evidence.is_of_an_earlier_run() {
        taken_for_the_new_one(evidence)?
    } else {
        return None;
    };
    let found = cause(ID, what).rules(&["hook-stale-rerun", "hook-policy-no-before-creation"]);
    let found = if told { found.said(said) } else { found };
    Some(found.advice(left_behind::advice(evidence)).only_if(!evidence.hook.deletes_before_creation))
}

/// What Helm did with a Job that is older than the revision: it writes its reasons down for some of that only.
///
/// Source: Helm 4.2.4 `pkg/action/hooks.go`, `execHook`, and `rollback.go`: of a rollback that fails nothing more is stored.
fn taken_for_the_new_one(evidence: &Evidence) -> Option<String> {
    let kind = &evidence.hook.kind;
    match evidence.hook.phase? {
        Phase::Failed if evidence.release.status == Status::Failed && evidence.is_refused() => None,
        Phase::Failed if evidence.is_job_active() => {
            Some(format!("was not run: Helm waited for the {kind} of an earlier run, which goes on"))
        }
        Phase::Failed | Phase::Succeeded => Some(format!(
            "was not run: Helm took the {kind} of an earlier run for this one, and its old end for the new one"
        )),
        Phase::Running => Some(format!(
            "was not run: the {kind} of an earlier run is still there, and Helm does not replace it"
        )),
        Phase::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn helm_3_is_told_that_it_exists() {
        let said = "pre-upgrade hooks failed: jobs.batch \"migrate\" already exists";
        let found = find(&evidence(&json!({"description": said, "policy": "hook-succeeded"}))).unwrap();
        assert!(found.repair[0].text.contains("add before-hook-creation"));
    }

    #[test]
    fn helm_4_is_told_that_pods_cannot_be_changed() {
        let said = "Job.batch \"migrate\" is invalid: spec.template: Invalid value: {}: field is immutable";
        assert!(find(&evidence(&json!({"description": said}))).unwrap().what.contains("cannot be changed"));
    }

    #[test]
    fn a_job_that_is_older_than_its_revision_was_not_run() {
        let of = |created: &str, phase: &str, policy: serde_json::Value| {
            let job = json!({"metadata": {"name": "migrate", "creationTimestamp": created}});
            find(&evidence(&json!({"status": "deployed", "phase": phase, "job": job, "policy": policy})))
                .is_some()
        };
        let (before, after) = ("1970-01-12T13:46:39Z", "1970-01-12T13:46:40Z");
        assert!(of(before, "Succeeded", json!("hook-failed")));
        assert!(!of(after, "Succeeded", json!("hook-failed")));
        assert!(of(before, "Failed", json!("hook-failed")));
        assert!(!of(before, "Succeeded", json!(null)));
    }

    fn older(status: &str, phase: &str, reason: &str, description: &str) -> Evidence {
        let mut job = crate::diagnose::testing::job(reason);
        job["metadata"]["creationTimestamp"] = json!("1970-01-12T13:46:00Z");
        evidence(&json!({
            "status": status, "phase": phase, "job": job, "policy": "hook-succeeded", "description": description,
        }))
    }

    #[test]
    fn a_rollback_that_was_refused_was_told_as_the_failure_of_the_run_before() {
        for (reason, phase) in [("BackoffLimitExceeded", "Running"), ("", "Running")] {
            let found = find(&older("pending-rollback", phase, reason, "Rollback to 1")).unwrap();
            assert!(found.what.contains("of an earlier run is still there"), "{}", found.what);
        }
        assert!(find(&older("uninstalling", "Running", "", "")).is_none());
    }

    #[test]
    fn helm_4_waits_for_the_old_job_as_if_it_were_the_new_one() {
        let found = find(&older("failed", "Failed", "", "context deadline exceeded")).unwrap();
        assert!(found.what.contains("Helm waited for the Job of an earlier run"), "{}", found.what);
        let refused = "warning: Hook pre-upgrade a failed: admission webhook \"a\" denied the request";
        assert!(find(&older("failed", "Failed", "BackoffLimitExceeded", refused)).is_none());
    }
}
