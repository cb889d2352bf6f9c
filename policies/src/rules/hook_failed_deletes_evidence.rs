//! A failed hook that takes its logs with it.

use hooks::{
    DeletePolicy,
    annotations::{DELETE_POLICY, OUTPUT_LOG_POLICY},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook Job or Pod is deleted when it fails (`hook-failed`), and `helm.sh/hook-output-log-policy` does not have Helm print its
    /// logs first.
    ///
    /// ## Why it matters
    ///
    /// All that is left of the failure is Helm's sentence that there was one: pods and logs are gone. Helm 3.18 and later print the
    /// logs before they delete; leaving `hook-failed` out keeps them until the next run.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations:
    ///     helm.sh/hook: pre-upgrade
    ///     helm.sh/hook-delete-policy: "before-hook-creation,hook-failed"
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations:
    ///     helm.sh/hook: pre-upgrade
    ///     helm.sh/hook-delete-policy: before-hook-creation,hook-failed
    ///     helm.sh/hook-output-log-policy: hook-failed
    /// ```
    HookFailedDeletesEvidence, "hook-failed-deletes-evidence", severity: Medium, release: Audit, object: Audit, options: Options
}

/// Options of this rule.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Whether the logs of pods are kept outside the cluster anyway.
    logs_shipped: bool,
}

impl Rule for HookFailedDeletesEvidence {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let has_logs = cx.object.is_job() || cx.object.is_pod();
        if !has_logs
            || cx.options::<Options>().logs_shipped
            || !cx.hook.delete_policies.contains(DeletePolicy::HookFailed)
            || cx.hook.output_log_policies.contains(DeletePolicy::HookFailed)
        {
            return;
        }
        let message = format!("{} is deleted as soon as it fails, and its logs with it", cx.object);
        let help = format!("remove hook-failed, or add {OUTPUT_LOG_POLICY}: hook-failed");
        findings.push(
            Finding::new(wording::annotation(DELETE_POLICY), message, help)
                .label("nothing is left to look at"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings, rejects},
    };

    fn object(kind: &str, more: &str) -> String {
        format!(
            "{{{kind}, metadata: {{name: a, annotations: {{helm.sh/hook: test, helm.sh/hook-delete-policy: hook-failed{more}}}}}}}"
        )
    }

    #[test]
    fn logs_of_another_outcome_do_not_help() {
        let yaml = object("apiVersion: v1, kind: Pod", ", helm.sh/hook-output-log-policy: hook-succeeded");
        rejects(&HookFailedDeletesEvidence, &yaml, "as soon as it fails");
    }

    #[test]
    fn what_has_no_logs_loses_none() {
        accepts(&HookFailedDeletesEvidence, &object("apiVersion: v1, kind: ConfigMap", ""));
    }

    #[test]
    fn logs_may_be_shipped() {
        let options = serde_json::json!({"logsShipped": true});
        let yaml = object("apiVersion: v1, kind: Pod", "");
        assert!(findings(&HookFailedDeletesEvidence, Some(options), &Settings::default(), &yaml).is_empty());
    }
}
