//! A delete policy that Helm does not know, and that switches the default off.

use hooks::{DeletePolicy, annotations::DELETE_POLICY};

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
    /// An item of `helm.sh/hook-delete-policy` is neither `before-hook-creation` nor `hook-succeeded` nor `hook-failed`.
    ///
    /// ## Why it matters
    ///
    /// Helm stores any word and acts on none but these. Worse, a hook with any policy at all, even an empty one, loses the default
    /// `before-hook-creation`: the object of the last run stays, and the next run fails in Helm 3, or reads the old result in Helm 4.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-success}
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
    ///     helm.sh/hook-delete-policy: "before-hook-creation, hook-succeeded"
    /// ```
    HookDeletePolicyUnknown, "hook-delete-policy-unknown", severity: High, release: Warn, object: Warn
}

impl Rule for HookDeletePolicyUnknown {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let policies = &cx.hook.delete_policies;
        let unknown: Vec<&str> = policies.unknown().collect();
        if unknown.is_empty() {
            return;
        }
        let verb = if unknown.len() == 1 { "is no delete policy" } else { "are no delete policies" };
        let words = wording::quoted(unknown.iter().copied());
        let message = if unknown.len() == policies.items.len() {
            format!(
                "{} is never deleted by Helm, not even before it is created again: {words} {verb}",
                cx.object
            )
        } else {
            format!("{} is deleted less often than written: {words} {verb}", cx.object)
        };
        let help = match wording::suggestion(&unknown, DeletePolicy::ALL.map(DeletePolicy::name)) {
            Some(policy) => format!("write {policy}"),
            None => format!("use {}, or remove the annotation", wording::listed(DeletePolicy::ALL)),
        };
        findings.push(
            Finding::new(wording::annotation(DELETE_POLICY), message, help)
                .label("Helm ignores what it does not know"),
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

    fn job(policy: &str) -> String {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, annotations: {{helm.sh/hook: test, helm.sh/hook-delete-policy: {policy:?}}}}}}}"
        )
    }

    #[test]
    fn an_empty_policy_is_none_and_loses_the_default() {
        rejects(&HookDeletePolicyUnknown, &job(""), "never deleted");
        rejects(&HookDeletePolicyUnknown, &job("hook-succeeded null"), "never deleted");
    }

    #[test]
    fn an_event_is_no_policy() {
        rejects(
            &HookDeletePolicyUnknown,
            &job("before-hook-creation,post-delete"),
            "\"post-delete\" is no delete policy",
        );
    }

    #[test]
    fn the_nearest_policy_is_suggested() {
        let found = findings(&HookDeletePolicyUnknown, None, &Settings::default(), &job("hook-success"));
        assert_eq!(found[0].finding.help, "write hook-succeeded");
    }

    #[test]
    fn case_and_spaces_do_not_matter() {
        accepts(&HookDeletePolicyUnknown, &job(" Before-Hook-Creation ,HOOK-FAILED"));
    }
}
