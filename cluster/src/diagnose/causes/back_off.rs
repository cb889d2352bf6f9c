//! The Job tried as often as it may and gave up, or tries longer than Helm waits.

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::{Cause, words};

/// What Kubernetes fills in.
const DEFAULT_LIMIT: i32 = 6;
/// Seconds between the first two tries; each pause is twice as long as the one before, up to the longest.
///
/// Source: Kubernetes `pkg/controller/job/job_controller.go`, `DefaultJobPodFailureBackOff` and `MaxJobPodFailureBackOff`.
const PAUSES: [i64; 2] = [10, 600];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let limit = evidence.any_job().and_then(|job| job.spec.as_ref()?.backoff_limit);
    let shown = limit.unwrap_or(DEFAULT_LIMIT);
    if evidence.gave_up("BackoffLimitExceeded") {
        let tries = words::plural(usize::try_from(shown).unwrap_or_default() + 1, "try", "tries");
        return Some(cause("back-off", format!("gave up after {tries}: its backoffLimit is {shown}")));
    }
    let failed = evidence.job.there().and_then(|job| job.status.as_ref()?.failed).unwrap_or_default();
    if !evidence.is_job_active() || failed == 0 || !evidence.timed_out() {
        return None;
    }
    let pauses: i64 =
        (0..shown.clamp(0, 30)).map(|n| PAUSES[0].saturating_mul(1 << n.min(20)).min(PAUSES[1])).sum();
    let what = format!(
        "tries longer than Helm waits: with a backoffLimit of {shown} the pauses alone take {}, and {} failed so far",
        words::duration(pauses),
        words::plural(usize::try_from(failed).unwrap_or_default(), "try", "tries")
    );
    Some(
        cause("back-off", what)
            .rules(&["job-backoff-limit-unset", "job-backoff-limit-high", "job-retry-budget"])
            .advice(format!(
                "set backoffLimit to 3 or less in {}, so that Helm is told before it stops waiting",
                template(evidence)
            )),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn a_job_that_gave_up_says_after_how_many_tries() {
        let mut job = job("BackoffLimitExceeded");
        job["spec"] = json!({"backoffLimit": 0, "template": {}});
        assert_eq!(
            find(&evidence(&json!({"job": job}))).unwrap().what,
            "gave up after 1 try: its backoffLimit is 0"
        );
    }

    #[test]
    fn a_job_that_still_tries_outlasts_helm() {
        let mut job = job("");
        job["status"]["failed"] = json!(3);
        let seen = |said: &str| evidence(&json!({"job": job, "description": said}));
        let found = find(&seen("timed out waiting for the condition")).unwrap();
        assert!(
            found
                .what
                .contains("a backoffLimit of 6 the pauses alone take 10m 30s, and 3 tries failed so far"),
            "{}",
            found.what
        );
        assert!(find(&seen("")).is_none());
    }
}
