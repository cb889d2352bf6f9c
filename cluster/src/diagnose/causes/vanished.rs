//! The Job was gone before Helm had seen its end.

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let said = &evidence.release.description;
    // Source: Helm 4.2.4 `pkg/kube/statuswait.go`; Helm 3 takes a Job that is gone for one that ended well.
    let is_told = said.contains("status: NotFound") || said.contains("status: Unknown");
    if !evidence.job.is_gone() || !is_told {
        return None;
    }
    let ttl = evidence.hook.job.as_ref().and_then(|job| job.spec.as_ref()?.ttl_seconds_after_finished);
    let found = cause(
        "vanished",
        match ttl {
            Some(ttl) => {
                format!("was gone before Helm had seen its end: its ttlSecondsAfterFinished is {ttl}")
            }
            None => "was gone before Helm had seen its end: somebody deleted it".to_owned(),
        },
    );
    let found = found.said(said).rules(&["job-ttl-too-low"]);
    Some(match ttl {
        Some(_) => {
            found.advice(format!("set ttlSecondsAfterFinished to 300 or more in {}", template(evidence)))
        }
        None => found.advice("keep cleaners away from Jobs that Helm waits for"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    const SAID: &str = "resource Job/demo/migrate not ready. status: NotFound, message: Resource not found";

    #[test]
    fn a_short_life_after_the_end_is_named() {
        let hook = json!({"metadata": {}, "spec": {"ttlSecondsAfterFinished": 0, "template": {}}});
        let found = find(&evidence(&json!({"job": null, "hook": hook, "description": SAID}))).unwrap();
        assert!(found.what.ends_with("its ttlSecondsAfterFinished is 0"));
        assert!(
            find(&evidence(&json!({"job": null, "description": SAID})))
                .unwrap()
                .what
                .ends_with("somebody deleted it")
        );
    }

    #[test]
    fn a_job_that_helm_itself_deleted_has_not_vanished() {
        assert!(
            find(&evidence(&json!({"job": null, "description": "job migrate failed: BackoffLimitExceeded"})))
                .is_none()
        );
    }
}
