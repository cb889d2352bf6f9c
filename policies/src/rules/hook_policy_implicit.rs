//! No delete policy: what happens to the hook is said nowhere.

use hooks::{Object, annotations::DELETE_POLICY};
use json_patch::PatchOperation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    patch,
    rule::{Meta, Rule},
    wording,
};

declare_rule! {
    /// ## What it checks
    ///
    /// A hook has no `helm.sh/hook-delete-policy`. Test hooks are left alone unless `includeTests` says otherwise, and so are definitions:
    /// no policy acts on them.
    ///
    /// ## Why it matters
    ///
    /// Helm then deletes the object before it creates it again, and keeps it until then. For a Job that is what most people want,
    /// and hardly anybody knows it. For a claim or a namespace it is a disaster; other rules deny that.
    ///
    /// Jobs and Pods get the policy that Helm follows anyway. Helm reads it from its own record, so this changes nothing for Helm; Argo CD
    /// reads it from the object when it cleans up after its deletion hooks.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: before-hook-creation}
    /// ```
    HookPolicyImplicit, "hook-policy-implicit", severity: Low, release: Audit, object: Audit, fix: Default, options: Options
}

/// Options of this rule.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Whether test hooks need a policy too.
    include_tests: bool,
}

impl Rule for HookPolicyImplicit {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !is_implicit(cx) {
            return;
        }
        let message = format!(
            "{} has no delete policy: Helm deletes it before it creates it again, and not sooner",
            cx.object
        );
        let finding = Finding::new(wording::annotation(DELETE_POLICY), message, "say before-hook-creation");
        findings.push(if is_repairable(cx.object) { finding.fixable() } else { finding });
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if is_implicit(cx) && is_repairable(cx.object) {
            vec![patch::annotate(DELETE_POLICY, "before-hook-creation")]
        } else {
            Vec::new()
        }
    }
}

fn is_implicit(cx: &Context<'_>) -> bool {
    // No policy acts on a definition, not even the default; only the policy of a List does.
    let is_definition = cx.object.is("apiextensions.k8s.io", "CustomResourceDefinition") && !cx.is_item;
    cx.hook.delete_policies.is_absent()
        && !is_definition
        && (cx.options::<Options>().include_tests || !cx.hook.events.is_test())
}

/// Nobody loses anything when a Job or a Pod is deleted before its next run.
fn is_repairable(object: Object<'_>) -> bool {
    object.is_job() || object.is_pod()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings, fixed},
    };

    fn object(kind: &str, event: &str) -> String {
        format!("{{{kind}, metadata: {{name: a, annotations: {{helm.sh/hook: {event}}}}}}}")
    }

    #[test]
    fn tests_need_none_unless_asked() {
        let pod = object("apiVersion: v1, kind: Pod", "test");
        accepts(&HookPolicyImplicit, &pod);
        let options = serde_json::json!({"includeTests": true});
        assert_eq!(findings(&HookPolicyImplicit, Some(options), &Settings::default(), &pod).len(), 1);
    }

    #[test]
    fn a_definition_was_said_to_be_deleted() {
        let definition = object("apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition", "pre-install");
        accepts(&HookPolicyImplicit, &definition);
    }

    #[test]
    fn only_jobs_and_pods_are_repaired() {
        let fixable = |kind: &str| {
            findings(&HookPolicyImplicit, None, &Settings::default(), &object(kind, "pre-upgrade"))[0]
                .fixable
        };
        assert!(fixable("apiVersion: batch/v1, kind: Job"));
        assert!(!fixable("apiVersion: v1, kind: PersistentVolumeClaim"));
        assert!(!fixable("apiVersion: example.org/v1, kind: Job"));
    }

    #[test]
    fn the_fix_says_what_helm_does_anyway() {
        let policy = |yaml: &str| {
            let after = fixed(&HookPolicyImplicit, None, &Settings::default(), yaml);
            after["metadata"]["annotations"].as_object().and_then(|all| all.get(DELETE_POLICY)).cloned()
        };
        let job = object("apiVersion: batch/v1, kind: Job", "pre-upgrade");
        assert_eq!(policy(&job), Some("before-hook-creation".into()));
        assert_eq!(policy(&object("apiVersion: v1, kind: PersistentVolumeClaim", "pre-upgrade")), None);
        assert_eq!(policy(&object("apiVersion: v1, kind: Pod", "test")), None);
        let written = job.replace("pre-upgrade", "pre-upgrade, helm.sh/hook-delete-policy: hook-failed");
        assert_eq!(policy(&written), Some("hook-failed".into()));
    }
}
