//! Helm stopped waiting.

use super::{super::evidence::Evidence, TIMEOUT, cause, template};
use crate::diagnose::{Cause, words};

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    // A deletion that takes too long is told by its own words, before the hook has begun.
    if !evidence.timed_out() || evidence.hook.phase.is_none() {
        return None;
    }
    let waited = evidence.waited().filter(|_| evidence.hook.ended.is_some());
    let time = waited.map_or_else(String::new, |seconds| format!(" after {}", words::duration(seconds)));
    let (kind, found) = match evidence.job_end() {
        Some(("Complete", _)) => (" but it has ended well since", cause(TIMEOUT, "")),
        _ => ("", cause(TIMEOUT, "").rules(&["job-deadline-missing", "job-retry-budget"])),
    };
    let what = if kind.is_empty() {
        format!("had not ended when Helm stopped waiting{time}")
    } else {
        format!("had not ended when Helm stopped waiting{time},{kind}")
    };
    let advice = format!(
        "raise Helm's --timeout above what it takes, and set activeDeadlineSeconds in {} below it",
        template(evidence)
    );
    Some(Cause { what, ..found }.advice(advice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn either_helm_says_so_in_its_own_words() {
        for said in [
            "timed out waiting for the condition",
            "status: InProgress, message: Job in progress\ncontext deadline exceeded",
        ] {
            let found = find(&evidence(&json!({"job": job(""), "description": said, "ended": 300}))).unwrap();
            assert_eq!(found.what, "had not ended when Helm stopped waiting after 5m");
        }
        assert!(find(&evidence(&json!({"description": "job migrate failed"}))).is_none());
    }

    #[test]
    fn a_job_that_ended_well_later_is_told_so() {
        let seen = json!({"job": job("Complete"), "description": "timed out waiting for the condition"});
        let found = find(&evidence(&seen)).unwrap();
        assert!(found.what.ends_with("Helm stopped waiting, but it has ended well since"), "{}", found.what);
    }

    #[test]
    fn a_hook_that_was_never_begun_is_another_matter() {
        assert!(find(&evidence(&json!({"phase": "", "description": "context deadline exceeded"}))).is_none());
    }
}
