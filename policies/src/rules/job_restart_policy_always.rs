//! A hook Job that the API server refuses.

use json_patch::PatchOperation;

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    patch,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// The pods of a hook Job have the `restartPolicy` `Always`, or none, which means `Always`. The fix makes it `Never`.
    ///
    /// ## Why it matters
    ///
    /// A Job must not restart its pods for ever, so the API server refuses it, and the release fails at that hook: after the hooks
    /// before it have run, and after the Job of the last run has been deleted.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {template: {spec: {containers: [{name: migrate, image: "shop:1"}]}}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: "shop:1"}]}}}
    /// ```
    JobRestartPolicyAlways, "job-restart-policy-always", severity: High, release: Audit, object: Audit, fix: Default
}

/// Where a Job says it.
const FIELD: &str = "/spec/template/spec/restartPolicy";

impl Rule for JobRestartPolicyAlways {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(written) = always(cx) else { return };
        let message = format!(
            "{} has {written} for its pods: the API server refuses it, and Helm fails there",
            cx.object
        );
        findings
            .push(Finding::new(FIELD, message, "set restartPolicy of the pod template to Never").fixable());
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if always(cx).is_none() {
            return Vec::new();
        }
        vec![patch::set(FIELD, "Never")]
    }
}

/// What is written where it amounts to `Always`.
fn always(cx: &Context<'_>) -> Option<&'static str> {
    let pods = cx.object.pods().filter(|_| cx.object.is_job())?;
    if !matches!(pods.spec.value, hooks::Value::Map(_)) {
        return None;
    }
    match pods.spec.get("restartPolicy").map(hooks::Node::as_str) {
        // The API server takes empty text for absent.
        None | Some(Some("")) => Some("no restartPolicy"),
        Some(Some("Always")) => Some("the restartPolicy Always"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, fixed, rejects},
    };

    fn job(event: &str, pods: &str) -> String {
        format!(
            "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{helm.sh/hook: {event}}}}}
spec: {{template: {{spec: {pods}}}}}"
        )
    }

    #[test]
    fn always_is_refused_for_tests_too() {
        rejects(
            &JobRestartPolicyAlways,
            &job("test", "{restartPolicy: Always}"),
            "Job \"migrate\" has the restartPolicy Always",
        );
        rejects(&JobRestartPolicyAlways, &job("pre-install", "{}"), "Job \"migrate\" has no restartPolicy");
    }

    #[test]
    fn empty_text_was_taken_for_a_policy() {
        rejects(&JobRestartPolicyAlways, &job("test", "{restartPolicy: ''}"), "has no restartPolicy");
    }

    #[test]
    fn what_a_job_may_do_passes() {
        accepts(&JobRestartPolicyAlways, &job("pre-install", "{restartPolicy: OnFailure}"));
        accepts(&JobRestartPolicyAlways, &job("pre-install", "null"));
        accepts(&JobRestartPolicyAlways, &job("pre-install", "{}").replace("kind: Job", "kind: Deployment"));
    }

    #[test]
    fn the_fix_is_never() {
        for pods in ["{restartPolicy: Always}", "{restartPolicy: ''}", "{}"] {
            let after = fixed(&JobRestartPolicyAlways, None, &Settings::default(), &job("pre-install", pods));
            assert_eq!(after["spec"]["template"]["spec"]["restartPolicy"], "Never");
        }
    }
}
