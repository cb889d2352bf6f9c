//! Helm went away while the hook ran, or failed without writing it down.

use hooks::release::Status;

use super::{super::evidence::Evidence, cause};
use crate::diagnose::Cause;

/// What programs may call it.
pub(super) const ID: &str = "interrupted";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    if !evidence.is_running() {
        return None;
    }
    let status = evidence.release.status;
    if !status.is_pending() && status != Status::Uninstalling {
        return None;
    }
    let ended = evidence.job_end().map(|(kind, _)| kind);
    // Source: Helm 4.2.4 `pkg/action/rollback.go` and `uninstall.go`: on a failure of a hook nothing more is stored.
    let is_silent = matches!(status, Status::PendingRollback | Status::Uninstalling);
    let what = match ended {
        Some("Complete") => {
            "ended well, but nobody wrote it down: Helm was interrupted while it ran, or has just begun with the next one"
        }
        Some(_) if is_silent => "failed, and Helm leaves such a release as it is",
        Some(_) => "failed, and nobody wrote it down: Helm was interrupted",
        None if evidence.job.is_gone() => {
            "is gone, and nobody wrote down how it ended: Helm was interrupted, or has deleted it"
        }
        None => return None,
    };
    Some(cause(ID, what))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn an_end_that_nobody_wrote_down_is_told() {
        let of = |status: &str, reason: &str| {
            find(&evidence(&json!({"status": status, "phase": "Running", "job": job(reason)})))
        };
        assert!(
            of("pending-upgrade", "Complete")
                .unwrap()
                .what
                .starts_with("ended well, but nobody wrote it down")
        );
        assert!(
            of("uninstalling", "BackoffLimitExceeded")
                .unwrap()
                .what
                .contains("Helm leaves such a release as it is")
        );
        assert!(of("pending-upgrade", "").is_none());
        assert!(of("failed", "Complete").is_none());
    }

    #[test]
    fn a_job_that_is_gone_is_told_too() {
        assert!(
            find(&evidence(&json!({"status": "pending-upgrade", "phase": "Running", "job": null}))).is_some()
        );
    }
}
