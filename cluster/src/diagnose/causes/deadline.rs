//! The Job, or the Pod, had a deadline of its own and did not make it.

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::{Cause, words};

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let of_pod = evidence.pods.iter().any(|pod| {
        pod.status.as_ref().is_some_and(|status| status.reason.as_deref() == Some("DeadlineExceeded"))
    });
    if !evidence.gave_up("DeadlineExceeded") && !of_pod {
        return None;
    }
    let of_job = evidence.any_job().and_then(|job| job.spec.as_ref()?.active_deadline_seconds);
    let seconds = of_job.or_else(|| evidence.pod_spec().and_then(|spec| spec.active_deadline_seconds));
    let limit = seconds.map_or_else(String::new, |seconds| format!(" of {}", words::duration(seconds)));
    let what = format!(
        "did not end within its activeDeadlineSeconds{limit}, and Kubernetes stopped it with its pods and their logs"
    );
    Some(cause("deadline", what).advice(format!(
        "raise activeDeadlineSeconds in {}, and Helm's --timeout above it; or let it take less time",
        template(evidence)
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn the_deadline_is_told() {
        let mut job = job("DeadlineExceeded");
        job["spec"] = json!({"activeDeadlineSeconds": 90, "template": {}});
        let found = find(&evidence(&json!({"job": job}))).unwrap();
        assert!(
            found.what.starts_with("did not end within its activeDeadlineSeconds of 1m 30s"),
            "{}",
            found.what
        );
    }

    #[test]
    fn a_deadline_was_taken_for_retries_while_the_pod_was_being_stopped() {
        let mut job = job("DeadlineExceeded");
        job["status"]["conditions"][0]["type"] = json!("FailureTarget");
        let evidence = evidence(&json!({"job": job}));
        assert!(find(&evidence).is_some() && !evidence.is_job_active());
    }

    #[test]
    fn a_job_that_helm_deleted_has_left_an_event() {
        let events =
            [["Job", "migrate", "DeadlineExceeded", "Job was active longer than specified deadline"]];
        assert!(find(&evidence(&json!({"job": null, "events": events}))).is_some());
        assert!(find(&evidence(&json!({"job": job("BackoffLimitExceeded")}))).is_none());
    }

    #[test]
    fn a_pod_has_deadlines_too() {
        let pod = json!({"metadata": {}, "status": {"phase": "Failed", "reason": "DeadlineExceeded"}});
        assert!(find(&evidence(&json!({"kind": "Pod", "pods": [pod]}))).is_some());
    }
}
