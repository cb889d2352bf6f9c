//! A hook Job that is gone before it has been seen to succeed.

use json_patch::PatchOperation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    job, patch,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.ttlSecondsAfterFinished` of a hook Job is below the option `min`, which is `60`. The fix raises it to that.
    ///
    /// ## Why it matters
    ///
    /// Who waits for a Job must see it finish. If it is deleted first, Helm 4 waits until its timeout and fails the release, Helm 3
    /// calls it a success even if the Job has failed, and Flux and Argo CD have their own troubles with it. `0` deletes it at once.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {ttlSecondsAfterFinished: 0}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {ttlSecondsAfterFinished: 60}
    /// ```
    JobTtlTooLow, "job-ttl-too-low", severity: High, release: Audit, object: Audit, fix: Default, options: Options
}

/// How long a finished Job has to stay.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The fewest seconds that pass; the fix raises to them.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub(crate) min: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { min: 60 }
    }
}

impl Rule for JobTtlTooLow {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(seconds) = too_low(cx) else { return };
        let after = if seconds == 0 {
            "as soon as it finishes".to_owned()
        } else {
            format!("{seconds} s after it finishes")
        };
        let message =
            format!("{} is deleted {after}: Helm may miss the result and wait until its timeout", cx.object);
        let help = format!("set spec.ttlSecondsAfterFinished to {} or more", cx.options::<Options>().min);
        findings
            .push(Finding::new("/spec/ttlSecondsAfterFinished", message, help).label("too soon").fixable());
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if too_low(cx).is_none() {
            return Vec::new();
        }
        vec![patch::set("/spec/ttlSecondsAfterFinished", cx.options::<Options>().min)]
    }
}

/// The seconds, if they are too few. Negative ones are left to the API server, which refuses them.
fn too_low(cx: &Context<'_>) -> Option<i64> {
    let seconds = job::spec(cx.object)?.get("ttlSecondsAfterFinished")?.as_i64()?;
    (0..i64::from(cx.options::<Options>().min)).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, admitted, fixed, rejects},
    };

    fn job(event: &str, seconds: &str) -> String {
        format!(
            "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{helm.sh/hook: {event}}}}}
spec: {{ttlSecondsAfterFinished: {seconds}}}"
        )
    }

    #[test]
    fn the_message_says_how_soon() {
        rejects(&JobTtlTooLow, &job("pre-upgrade", "0"), "Job \"migrate\" is deleted as soon as it finishes");
        rejects(
            &JobTtlTooLow,
            &job("pre-upgrade", "59"),
            "Job \"migrate\" is deleted 59 s after it finishes",
        );
    }

    #[test]
    fn tests_are_waited_for_too() {
        rejects(&JobTtlTooLow, &job("test", "10"), "10 s");
    }

    #[test]
    fn absent_and_impossible_values_are_not_low() {
        accepts(&JobTtlTooLow, &job("pre-upgrade", "null"));
        accepts(&JobTtlTooLow, &job("pre-upgrade", "-1"));
        accepts(&JobTtlTooLow, &job("pre-upgrade", "'0'"));
    }

    #[test]
    fn the_fix_raises_it_and_nothing_is_left_to_find() {
        let fixed = |options, seconds| {
            let after = fixed(&JobTtlTooLow, options, &Settings::default(), &job("pre-upgrade", seconds));
            assert!(admitted(&JobTtlTooLow, None, &after.to_string()).is_empty());
            after["spec"]["ttlSecondsAfterFinished"].as_i64()
        };
        assert_eq!(fixed(None, "0"), Some(60));
        assert_eq!(fixed(None, "61"), Some(61));
        assert_eq!(fixed(Some(serde_json::json!({"min": 600})), "60"), Some(600));
    }
}
