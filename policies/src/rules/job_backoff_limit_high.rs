//! A hook Job that retries for longer than anybody waits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, Origin},
    declare_rule,
    finding::Finding,
    job::{self, DEFAULT_BACKOFF_LIMIT},
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.backoffLimit` of a hook Job is above the option `max`, which is `4`. At admission a `6` is left to
    /// `job-backoff-limit-unset`, since the API server writes it where nothing was written. Jobs with `backoffLimitPerIndex` are left
    /// alone.
    ///
    /// ## Why it matters
    ///
    /// Each retry waits twice as long as the one before, up to ten minutes: five take more than five minutes, ten take more than fifty.
    /// Helm's user sees a timeout instead of the reason, and the Job goes on after Helm has given up. For a dependency that is slow to
    /// start, let the script wait for it.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 10}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 4}
    /// ```
    JobBackoffLimitHigh, "job-backoff-limit-high", severity: Medium, release: Warn, object: Warn,
    off_for_tests: true, options: Options
}

/// How many retries are too many.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The highest limit that passes.
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub(crate) max: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { max: 4 }
    }
}

impl Rule for JobBackoffLimitHigh {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let max = cx.options::<Options>().max;
        let Some(spec) = job::spec(cx.object).filter(|spec| spec.get("backoffLimitPerIndex").is_none())
        else {
            return;
        };
        let Some(limit) = spec.get("backoffLimit").and_then(hooks::Node::as_i64) else { return };
        let may_be_default = cx.origin == Origin::Admitted && limit == DEFAULT_BACKOFF_LIMIT;
        if limit <= i64::from(max) || may_be_default {
            return;
        }
        let seconds = job::backoff_seconds(limit);
        let message =
            format!("{} retries {limit} times and waits {seconds} s in between before it fails", cx.object);
        findings.push(
            Finding::new("/spec/backoffLimit", message, format!("set spec.backoffLimit to {max} or less"))
                .label(format!("{seconds} s of waiting")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, admitted, findings, rejects},
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
    fn the_message_says_how_long() {
        rejects(
            &JobBackoffLimitHigh,
            &job("pre-install", "backoffLimit: 5"),
            "Job \"migrate\" retries 5 times and waits 310 s",
        );
    }

    #[test]
    fn at_admission_a_six_may_be_the_default() {
        let six = job("pre-upgrade", "backoffLimit: 6");
        rejects(&JobBackoffLimitHigh, &six, "6 times");
        assert!(admitted(&JobBackoffLimitHigh, None, &six).is_empty());
        assert_eq!(admitted(&JobBackoffLimitHigh, None, &job("pre-upgrade", "backoffLimit: 7")).len(), 1);
    }

    #[test]
    fn the_limit_is_an_option() {
        let max = serde_json::json!({"max": 100});
        let found = findings(
            &JobBackoffLimitHigh,
            Some(max),
            &Settings::default(),
            &job("pre-upgrade", "backoffLimit: 100"),
        );
        assert!(found.is_empty());
    }

    #[test]
    fn absent_limits_per_index_and_tests_are_left_alone() {
        accepts(&JobBackoffLimitHigh, &job("pre-upgrade", ""));
        accepts(
            &JobBackoffLimitHigh,
            &job("pre-upgrade", "backoffLimitPerIndex: 1, backoffLimit: 2147483647"),
        );
        accepts(&JobBackoffLimitHigh, &job("test", "backoffLimit: 100"));
    }
}
