//! A hook Job whose retries outlast Helm.

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    job::{self, DEFAULT_BACKOFF_LIMIT},
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// The waits between the retries of a hook Job add up to `engine.timeoutSeconds` (300) or more, and no `activeDeadlineSeconds` ends
    /// it sooner. An absent `backoffLimit` counts as the `6` that Kubernetes makes of it; Jobs with `backoffLimitPerIndex` are left
    /// alone.
    ///
    /// ## Why it matters
    ///
    /// Helm stops waiting before the Job has failed. The release fails with a timeout that names no cause, and the Job goes on
    /// retrying beside whatever is done about it. Where releases use a longer `--timeout`, say so in `engine.timeoutSeconds`.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 5}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 5, activeDeadlineSeconds: 240}
    /// ```
    JobRetryBudget, "job-retry-budget", severity: Medium, release: Audit, object: Audit, off_for_tests: true
}

impl Rule for JobRetryBudget {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(spec) = job::spec(cx.object).filter(|spec| spec.get("backoffLimitPerIndex").is_none()) else {
            return;
        };
        if spec.get("activeDeadlineSeconds").is_some() {
            return;
        }
        let limit = spec.get("backoffLimit").map_or(Some(DEFAULT_BACKOFF_LIMIT), hooks::Node::as_i64);
        let timeout = cx.engine.timeout_seconds;
        let Some(seconds) = limit.map(job::backoff_seconds).filter(|seconds| *seconds >= timeout) else {
            return;
        };
        let message = format!(
            "{} waits {seconds} s between its retries: Helm gives up after {timeout} s, and it goes on",
            cx.object
        );
        let help = "lower spec.backoffLimit, or set spec.activeDeadlineSeconds below Helm's timeout";
        findings
            .push(Finding::new("/spec/backoffLimit", message, help).label(format!("{seconds} s of waiting")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::{Engine, Settings},
        testing::{accepts, findings, rejects},
    };

    fn job(event: &str, spec: &str) -> String {
        format!(
            "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{helm.sh/hook: {event}}}}}
spec: {{{spec}}}"
        )
    }

    #[test]
    fn absent_is_six() {
        rejects(&JobRetryBudget, &job("pre-upgrade", ""), "Job \"migrate\" waits 630 s between its retries");
    }

    #[test]
    fn the_timeout_of_the_engine_is_the_budget() {
        let within = |timeout_seconds| {
            let settings = Settings {
                engine: Some(Engine { timeout_seconds, ..Engine::default() }),
                ..Settings::default()
            };
            findings(&JobRetryBudget, None, &settings, &job("pre-upgrade", "backoffLimit: 5")).is_empty()
        };
        assert!(!within(310));
        assert!(within(311));
    }

    #[test]
    fn four_retries_fit_and_tests_may_take_their_time() {
        accepts(&JobRetryBudget, &job("pre-upgrade", "backoffLimit: 4"));
        accepts(&JobRetryBudget, &job("test", "backoffLimit: 6"));
        accepts(&JobRetryBudget, &job("pre-upgrade", "backoffLimitPerIndex: 6"));
    }

    #[test]
    fn a_policy_about_failures_was_taken_for_an_end_of_the_waiting() {
        rejects(&JobRetryBudget, &job("pre-upgrade", "podFailurePolicy: {rules: []}"), "waits 630 s");
    }
}
