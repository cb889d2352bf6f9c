//! A hook that never ends, so that Helm does not wait for it.

use hooks::annotations::HOOK;
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
    /// A hook is a Deployment, DaemonSet, StatefulSet, ReplicaSet, CronJob, `HorizontalPodAutoscaler` or Service.
    ///
    /// ## Why it matters
    ///
    /// Helm waits for Jobs and Pods alone; everything else is ready as soon as it exists. The next hook starts before the pods of a
    /// Deployment run. And since it is a hook, Helm deletes it before each run, so that it stops serving, does not show it in the
    /// manifest, and leaves it behind at uninstall.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: worker, annotations: {helm.sh/hook: "post-install,post-upgrade"}}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: "post-install,post-upgrade"}}
    /// ```
    HookNotRunToCompletion, "hook-not-run-to-completion", severity: Medium, release: Warn, object: Warn, options: Options
}

/// Options of this rule.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// Kinds that may be hooks all the same, such as `Service`.
    allowed_kinds: Vec<String>,
}

/// Groups and kinds that go on for ever.
const ENDLESS: [(&str, &str); 7] = [
    ("", "Service"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("batch", "CronJob"),
];

impl Rule for HookNotRunToCompletion {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let is_endless = ENDLESS.iter().any(|(group, kind)| cx.object.is(group, kind));
        let is_allowed = || cx.options::<Options>().allowed_kinds.iter().any(|kind| kind == cx.object.kind());
        if !is_endless || is_allowed() {
            return;
        }
        let again = if cx.hook.events.any(hooks::Event::repeats)
            && cx.hook.delete_policies.deletes_before_creation()
        {
            ", and deletes it before it creates it again"
        } else {
            ""
        };
        let message = format!("{} never finishes: Helm goes on as soon as it exists{again}", cx.object);
        let help = "make it an ordinary resource, or a Job if it is to end";
        findings.push(
            Finding::new(wording::annotation(HOOK), message, help).label("Helm waits for Jobs and Pods only"),
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

    const SERVICE: &str =
        "{apiVersion: v1, kind: Service, metadata: {name: a, annotations: {helm.sh/hook: pre-upgrade}}}";

    #[test]
    fn kinds_can_be_allowed() {
        rejects(&HookNotRunToCompletion, SERVICE, "never finishes");
        let options = serde_json::json!({"allowedKinds": ["Service"]});
        assert!(findings(&HookNotRunToCompletion, Some(options), &Settings::default(), SERVICE).is_empty());
    }

    #[test]
    fn a_kind_of_the_same_name_elsewhere_is_something_else() {
        accepts(&HookNotRunToCompletion, &SERVICE.replace("v1", "serving.knative.dev/v1"));
    }
}
