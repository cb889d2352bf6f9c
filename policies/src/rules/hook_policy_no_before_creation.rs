//! A delete policy without before-hook-creation: what one run leaves behind stands in the way of the next.

use hooks::{DeletePolicy, Object, annotations::DELETE_POLICY};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    references::RBAC,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// `helm.sh/hook-delete-policy` is written and lacks `before-hook-creation`, on a Job, Pod, ServiceAccount, Role, binding or ConfigMap
    /// with a fixed name.
    ///
    /// ## Why it matters
    ///
    /// Without the annotation Helm deletes the old object before it creates a new one; any value switches that off. With
    /// `hook-succeeded` alone, one failed or interrupted run leaves its object behind. The next run then fails with `already exists`
    /// in Helm 3. Helm 4 takes the result of the old Job for the new run, which is worse: the hook is skipped and the release is
    /// `deployed`.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-succeeded}
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
    ///     helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"
    /// ```
    HookPolicyNoBeforeCreation, "hook-policy-no-before-creation", severity: High, release: Warn, object: Warn, options: Options
}

/// Options of this rule.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Whether names that end in a checksum or a time (eight or more digits, or hexadecimal digits with at least one digit) are taken to
    /// be new at every run.
    ignore_unique_names: bool,
}

impl Rule for HookPolicyNoBeforeCreation {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let policies = &cx.hook.delete_policies;
        let Some(name) = cx.object.name().filter(|_| is_concerned(cx.object)) else { return };
        if policies.deletes_before_creation()
            || (cx.options::<Options>().ignore_unique_names && is_unique(name))
        {
            return;
        }
        let (succeeded, failed) =
            (policies.contains(DeletePolicy::HookSucceeded), policies.contains(DeletePolicy::HookFailed));
        let left = match (succeeded, failed) {
            (true, true) => "an interrupted run",
            (true, false) => "a failed run",
            (false, true) => "a successful run",
            (false, false) => "every run",
        };
        let is_awaited = cx.object.is_job() || cx.object.is_pod();
        let then = match cx.engine.helm_version {
            Some(4) if is_awaited => "Helm 4 takes its result for the next run",
            Some(4) => "the next run finds the old one",
            Some(3) => "the next run fails with \"already exists\"",
            _ if is_awaited => "the next run fails (Helm 3), or takes its result (Helm 4)",
            _ => "the next run fails with \"already exists\" (Helm 3)",
        };
        let message = format!("{} of {left} stays, and {then}", cx.object);
        findings.push(
            Finding::new(wording::annotation(DELETE_POLICY), message, "add before-hook-creation")
                .label("any value switches before-hook-creation off"),
        );
    }
}

/// Whether a leftover of this kind stands in the way, and deleting it costs nothing.
fn is_concerned(object: Object<'_>) -> bool {
    object.is_job()
        || match object.group() {
            "" => matches!(object.kind(), "Pod" | "ServiceAccount" | "ConfigMap"),
            RBAC => matches!(object.kind(), "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding"),
            _ => false,
        }
}

/// Whether the last part of a name looks like a checksum or a time.
fn is_unique(name: &str) -> bool {
    let tail = name.rsplit(['-', '.']).next().unwrap_or(name);
    tail.len() >= 8
        && tail.bytes().all(|byte| byte.is_ascii_hexdigit())
        && tail.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mode::Severity,
        settings::{Engine, Settings},
        testing::{accepts, findings, rejects},
    };

    fn object(kind: &str, name: &str, policy: &str) -> String {
        format!(
            "{{{kind}, metadata: {{{name}, annotations: {{helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: {policy:?}}}}}}}"
        )
    }

    const JOB: &str = "apiVersion: batch/v1, kind: Job";

    #[test]
    fn the_message_says_which_run_stays_and_what_the_version_does_then() {
        rejects(
            &HookPolicyNoBeforeCreation,
            &object(JOB, "name: a", "hook-succeeded"),
            "of a failed run stays",
        );
        rejects(
            &HookPolicyNoBeforeCreation,
            &object(JOB, "name: a", "hook-failed"),
            "of a successful run stays",
        );
        let settings = Settings {
            engine: Some(Engine { helm_version: Some(4), ..Engine::default() }),
            ..Settings::default()
        };
        let found = findings(&HookPolicyNoBeforeCreation, None, &settings, &object(JOB, "name: a", ""));
        assert!(found[0].finding.message.ends_with("Helm 4 takes its result for the next run"));
    }

    #[test]
    fn an_interrupted_run_was_held_to_be_harmless() {
        let yaml = object(JOB, "name: a", "hook-succeeded,hook-failed");
        let found = findings(&HookPolicyNoBeforeCreation, None, &Settings::default(), &yaml);
        assert_eq!(found[0].severity, Severity::High);
        assert!(found[0].finding.message.contains("an interrupted run stays"));
    }

    #[test]
    fn data_and_generated_names_are_left_alone() {
        accepts(
            &HookPolicyNoBeforeCreation,
            &object("apiVersion: v1, kind: Secret", "name: a", "hook-failed"),
        );
        accepts(
            &HookPolicyNoBeforeCreation,
            &object("apiVersion: v1, kind: PersistentVolumeClaim", "name: a", "never"),
        );
        accepts(&HookPolicyNoBeforeCreation, &object(JOB, "generateName: a-", "hook-succeeded"));
    }

    #[test]
    fn checksums_in_names_can_be_trusted() {
        let options = || Some(serde_json::json!({"ignoreUniqueNames": true}));
        let found = |name: &str| {
            findings(
                &HookPolicyNoBeforeCreation,
                options(),
                &Settings::default(),
                &object(JOB, name, "hook-failed"),
            )
        };
        assert!(found("name: migrate-1f2e3d4c").is_empty());
        assert!(!found("name: migrate-feedface").is_empty());
        assert!(!found("name: migrate-2").is_empty());
    }
}
