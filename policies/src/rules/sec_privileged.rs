//! A hook that runs as root on the node.

use hooks::Node;

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// A container of a hook, also an init container, has `securityContext.privileged: true`.
    ///
    /// ## Why it matters
    ///
    /// A privileged container can do what root on the node can do. A hook runs for a moment with whatever the release brings, outside
    /// what people review, and nothing of it is left to be found. Installers of node software need an exception.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: tune, annotations: {helm.sh/hook: post-install}}
    /// spec:
    ///   template:
    ///     spec: {containers: [{name: tune, image: "shop:1", securityContext: {privileged: true}}]}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: tune, annotations: {helm.sh/hook: post-install}}
    /// spec:
    ///   template:
    ///     spec: {containers: [{name: tune, image: "shop:1", securityContext: {privileged: false}}]}
    /// ```
    SecPrivileged, "sec-privileged", severity: Critical, release: Deny, object: Deny
}

impl Rule for SecPrivileged {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(pods) = cx.object.pods() else { return };
        for container in pods.containers() {
            if container.node.at(&["securityContext", "privileged"]).and_then(Node::as_bool) != Some(true) {
                continue;
            }
            let message = format!(
                "{} runs container \"{}\" privileged: it can do on the node what root can do",
                cx.object,
                container.name()
            );
            let field = container.pointer(&pods, "/securityContext/privileged");
            findings.push(Finding::new(
                field,
                message,
                "remove privileged, and add the few capabilities that are needed",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings},
    };

    fn pods(kind: &str, spec: &str) -> String {
        format!(
            "apiVersion: {kind}
metadata: {{name: tune, annotations: {{helm.sh/hook: post-install}}}}
spec: {spec}"
        )
    }

    #[test]
    fn init_containers_count_and_the_place_is_exact() {
        let yaml = pods(
            "v1\nkind: Pod",
            "{containers: [{name: a}], initContainers: [{name: b}, {name: c, securityContext: {privileged: true}}]}",
        );
        let found = findings(&SecPrivileged, None, &Settings::default(), &yaml);
        assert_eq!(found[0].finding.field, "/spec/initContainers/1/securityContext/privileged");
        assert!(found[0].finding.message.contains("container \"c\""));
    }

    #[test]
    fn every_kind_with_pods_counts() {
        let privileged = "{spec: {containers: [{name: a, securityContext: {privileged: true}}]}}";
        for (kind, spec) in [
            ("apps/v1\nkind: DaemonSet", format!("{{template: {privileged}}}")),
            ("batch/v1\nkind: CronJob", format!("{{jobTemplate: {{spec: {{template: {privileged}}}}}}}")),
        ] {
            assert_eq!(
                findings(&SecPrivileged, None, &Settings::default(), &pods(kind, &spec)).len(),
                1,
                "{kind}"
            );
        }
    }

    #[test]
    fn ordinary_containers_pass() {
        accepts(
            &SecPrivileged,
            &pods("v1\nkind: Pod", "{containers: [{name: a, securityContext: {runAsUser: 0}}, {name: b}]}"),
        );
    }
}
