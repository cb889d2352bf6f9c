//! What rules about Jobs share: where their settings stand, and how long they retry.

use hooks::{Node, Object, Value};

/// What the API server makes of an absent `backoffLimit`.
///
/// Source: Kubernetes `pkg/apis/batch/v1/defaults.go`, `SetDefaults_Job`.
pub(crate) const DEFAULT_BACKOFF_LIMIT: i64 = 6;

/// The `spec` of a `batch` Job; `None` for any other kind, and for a `spec` that is no map, which nobody could build.
pub(crate) fn spec(object: Object<'_>) -> Option<&Node<'_>> {
    object.spec().filter(|spec| object.is_job() && matches!(spec.value, Value::Map(_)))
}

/// Whether something other than `backoffLimit` decides how often pods are tried again.
pub(crate) fn has_own_failure_rules(spec: &Node<'_>) -> bool {
    spec.get("podFailurePolicy").is_some() || spec.get("backoffLimitPerIndex").is_some()
}

/// Seconds that a Job waits between its tries, all together: 10, 20, 40 … and never more than 600 at once.
///
/// Source: Kubernetes `pkg/controller/job/backoff_utils.go` and `job_controller.go`, `DefaultJobPodFailureBackOff`, `MaxJobPodFailureBackOff`.
pub(crate) fn backoff_seconds(limit: i64) -> i64 {
    const FIRST: i64 = 10;
    const LONGEST: i64 = 600;
    /// How many waits double before they are cut to the longest.
    const DOUBLING: i64 = 6;
    let limit = limit.max(0);
    let doubled = FIRST * ((1 << limit.min(DOUBLING)) - 1);
    doubled.saturating_add((limit - DOUBLING).max(0).saturating_mul(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::backoff_seconds;

    #[test]
    fn waits_double_until_ten_minutes() {
        let sums: Vec<_> = (0..=8).map(backoff_seconds).collect();
        assert_eq!(sums, [0, 10, 30, 70, 150, 310, 630, 1230, 1830]);
    }

    #[test]
    fn no_limit_overflows() {
        assert_eq!(backoff_seconds(-1), 0);
        assert_eq!(backoff_seconds(i64::MAX), i64::MAX);
    }
}
