//! A hook Pod that starts again instead of ending.

use json_patch::PatchOperation;

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    mode::Severity,
    patch,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// The `restartPolicy` of a hook Pod is not `Never`. The fix makes `Always`, also where it is absent, to `Never`; `OnFailure` is
    /// not changed, only reported unless a policy names the mode of this rule, and not at all for test hooks.
    ///
    /// ## Why it matters
    ///
    /// Helm waits until the Pod has succeeded or failed. With `Always` it never does either, so the release waits until the timeout and
    /// fails. With `OnFailure` it can succeed but never fail.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: smoke, annotations: {helm.sh/hook: test}}
    /// spec: {containers: [{name: smoke, image: "shop:1"}]}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: smoke, annotations: {helm.sh/hook: test}}
    /// spec: {restartPolicy: Never, containers: [{name: smoke, image: "shop:1"}]}
    /// ```
    PodRestartPolicy, "pod-restart-policy", severity: High, release: Audit, object: Audit, fix: Default
}

/// Where a Pod says it.
const FIELD: &str = "/spec/restartPolicy";
/// What to do about it.
const HELP: &str = "set spec.restartPolicy to Never";

impl Rule for PodRestartPolicy {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        match policy(cx) {
            Some("Always") => {
                let message = format!(
                    "{} starts again whenever it ends: Helm waits for it until the timeout",
                    cx.object
                );
                findings.push(Finding::new(FIELD, message, HELP).label("Always is the default").fixable());
            }
            Some("OnFailure") if !cx.hook.events.is_test() => {
                let message = format!(
                    "{} starts again whenever it fails: Helm learns of no failure until the timeout",
                    cx.object
                );
                findings.push(Finding::new(FIELD, message, HELP).severity(Severity::Low));
            }
            _ => {}
        }
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if policy(cx) != Some("Always") {
            return Vec::new();
        }
        vec![patch::set(FIELD, "Never")]
    }
}

/// The policy of a Pod; absent and empty are `Always`.
fn policy<'a>(cx: &Context<'a>) -> Option<&'a str> {
    let spec =
        cx.object.spec().filter(|spec| cx.object.is_pod() && matches!(spec.value, hooks::Value::Map(_)))?;
    let written = spec.get("restartPolicy").map_or(Some(""), hooks::Node::as_str)?;
    Some(if written.is_empty() { "Always" } else { written })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mode::Mode,
        settings::Settings,
        testing::{accepts, findings, fixed, rejects, shipped},
    };

    fn pod(event: &str, spec: &str) -> String {
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: smoke, annotations: {{helm.sh/hook: {event}}}}}
spec: {{{spec}}}"
        )
    }

    #[test]
    fn always_never_ends() {
        rejects(
            &PodRestartPolicy,
            &pod("test", "restartPolicy: Always"),
            "Pod \"smoke\" starts again whenever it ends",
        );
        let after =
            fixed(&PodRestartPolicy, None, &Settings::default(), &pod("test", "restartPolicy: Always"));
        assert_eq!(after["spec"]["restartPolicy"], "Never");
    }

    #[test]
    fn on_failure_is_reported_and_left_as_it_is() {
        let yaml = pod("pre-upgrade", "restartPolicy: OnFailure");
        let found = shipped(&PodRestartPolicy, &Settings::default(), &yaml);
        assert_eq!((found[0].mode, found[0].fixable), (Mode::Audit, false));
        let after = fixed(&PodRestartPolicy, None, &Settings::default(), &yaml);
        assert_eq!(after["spec"]["restartPolicy"], "OnFailure");
    }

    #[test]
    fn a_mode_that_a_policy_names_was_lowered() {
        let yaml = pod("pre-upgrade", "restartPolicy: OnFailure");
        assert_eq!(findings(&PodRestartPolicy, None, &Settings::default(), &yaml)[0].mode, Mode::Deny);
    }

    #[test]
    fn empty_text_was_taken_for_a_policy() {
        let yaml = pod("test", "restartPolicy: ''");
        rejects(&PodRestartPolicy, &yaml, "starts again whenever it ends");
        let after = fixed(&PodRestartPolicy, None, &Settings::default(), &yaml);
        assert_eq!(after["spec"]["restartPolicy"], "Never");
    }

    #[test]
    fn a_test_may_be_tried_again() {
        accepts(&PodRestartPolicy, &pod("test", "restartPolicy: OnFailure"));
    }

    #[test]
    fn pods_of_jobs_are_not_meant() {
        accepts(
            &PodRestartPolicy,
            &pod("test", "restartPolicy: Always").replace("v1", "batch/v1").replace("Pod", "Job"),
        );
    }
}
