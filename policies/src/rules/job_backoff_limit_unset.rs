//! A hook Job that retries for ten minutes because nobody said otherwise.

use json_patch::PatchOperation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::{Context, Origin},
    declare_rule,
    finding::Finding,
    job::{self, DEFAULT_BACKOFF_LIMIT},
    patch,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.backoffLimit` of a hook Job is absent, and neither `podFailurePolicy` nor `backoffLimitPerIndex` decides about retries.
    /// At admission absent is `6`: the API server fills that in before anybody is asked, so a `6` counts as absent there; the option
    /// `treatSixAsUnset: false` says that yours are meant. The fix sets the option `default`, which is `3`.
    ///
    /// ## Why it matters
    ///
    /// Six retries wait 10, 20, 40, 80, 160 and 320 seconds: more than ten minutes. Helm waits five. Its user sees a timeout instead of
    /// the reason, and the Job goes on retrying after Helm has given up.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "shop:1"}]}}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec:
    ///   backoffLimit: 3
    ///   template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "shop:1"}]}}
    /// ```
    JobBackoffLimitUnset, "job-backoff-limit-unset", severity: Medium, release: Audit, object: Audit,
    fix: Default, off_for_tests: true, options: Options
}

/// How often a Job should retry where its author does not say.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The limit that the fix sets.
    #[schemars(range(min = 0, max = 2_147_483_647))]
    pub(crate) default: u32,
    /// Whether a 6 at admission counts as absent: the API server writes a 6 where nothing was written.
    treat_six_as_unset: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { default: 3, treat_six_as_unset: true }
    }
}

impl Rule for JobBackoffLimitUnset {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !is_unset(cx) {
            return;
        }
        let seconds = job::backoff_seconds(DEFAULT_BACKOFF_LIMIT);
        let message = format!(
            "{} retries {DEFAULT_BACKOFF_LIMIT} times over {seconds} s, since it says nothing else: Helm gives up after {} s without the reason",
            cx.object, cx.engine.timeout_seconds
        );
        let help = format!("set spec.backoffLimit to {}", cx.options::<Options>().default);
        findings.push(Finding::new("/spec/backoffLimit", message, help).label("no backoffLimit").fixable());
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if !is_unset(cx) {
            return Vec::new();
        }
        vec![patch::set("/spec/backoffLimit", cx.options::<Options>().default)]
    }
}

fn is_unset(cx: &Context<'_>) -> bool {
    let options = cx.options::<Options>();
    let Some(spec) = job::spec(cx.object).filter(|spec| !job::has_own_failure_rules(spec)) else {
        return false;
    };
    match spec.get("backoffLimit") {
        None => true,
        Some(limit) => {
            cx.origin == Origin::Admitted
                && options.treat_six_as_unset
                && limit.as_i64() == Some(DEFAULT_BACKOFF_LIMIT)
                && i64::from(options.default) != DEFAULT_BACKOFF_LIMIT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, admitted, fixed, rejects},
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
    fn null_is_absent() {
        rejects(
            &JobBackoffLimitUnset,
            &job("pre-upgrade", "backoffLimit: null"),
            "Job \"migrate\" retries 6 times over 630 s",
        );
    }

    #[test]
    fn offline_a_six_is_meant_and_at_admission_it_may_be_the_default() {
        let six = job("pre-upgrade", "backoffLimit: 6");
        accepts(&JobBackoffLimitUnset, &six);
        assert_eq!(admitted(&JobBackoffLimitUnset, None, &six).len(), 1);
        let meant = serde_json::json!({"treatSixAsUnset": false});
        assert!(admitted(&JobBackoffLimitUnset, Some(meant), &six).is_empty());
        assert!(admitted(&JobBackoffLimitUnset, None, &job("pre-upgrade", "backoffLimit: 5")).is_empty());
    }

    #[test]
    fn other_rules_about_failure_are_left_alone() {
        accepts(&JobBackoffLimitUnset, &job("pre-upgrade", "podFailurePolicy: {rules: []}"));
        accepts(&JobBackoffLimitUnset, &job("pre-upgrade", "backoffLimitPerIndex: 1"));
    }

    #[test]
    fn test_hooks_and_other_kinds_are_left_alone() {
        accepts(&JobBackoffLimitUnset, &job("test", ""));
        accepts(&JobBackoffLimitUnset, &job("pre-upgrade", "").replace("kind: Job", "kind: CronJob"));
    }

    #[test]
    fn the_fix_sets_the_default() {
        let six = job("pre-upgrade", "backoffLimit: 6");
        assert_eq!(fixed(&JobBackoffLimitUnset, None, &Settings::default(), &six)["spec"]["backoffLimit"], 3);
        let one = serde_json::json!({"default": 1});
        assert_eq!(
            fixed(&JobBackoffLimitUnset, Some(one), &Settings::default(), &six)["spec"]["backoffLimit"],
            1
        );
        let six_too = serde_json::json!({"default": 6});
        let settings =
            serde_json::from_str(r#"{"rules": {"job-backoff-limit-high": {"options": {"max": 6}}}}"#).unwrap();
        let after = fixed(&JobBackoffLimitUnset, Some(six_too), &settings, &six);
        assert_eq!(after["metadata"]["annotations"].as_object().unwrap().len(), 1);
    }
}
