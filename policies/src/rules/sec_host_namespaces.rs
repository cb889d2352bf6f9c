//! A hook that shares the network, the processes or the memory of its node.

use hooks::{Node, Pods};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// The pods of a hook have `hostNetwork`, `hostPID` or `hostIPC`, or a container opens a `hostPort`.
    ///
    /// ## Why it matters
    ///
    /// Such a pod sees what belongs to the node: its ports and its traffic, the processes and the memory of other pods. No network
    /// policy holds it back. A hook hardly ever needs that, and is gone before anybody looks. Installers of node software need an
    /// exception.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: probe, annotations: {helm.sh/hook: post-install}}
    /// spec: {template: {spec: {hostNetwork: true, containers: [{name: probe, image: "shop:1"}]}}}
    /// ```
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: probe, annotations: {helm.sh/hook: post-install}}
    /// spec:
    ///   template:
    ///     spec:
    ///       containers: [{name: probe, image: "shop:1", ports: [{containerPort: 80, hostPort: 80}]}]
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: probe, annotations: {helm.sh/hook: post-install}}
    /// spec:
    ///   template: {spec: {containers: [{name: probe, image: "shop:1", ports: [{containerPort: 80}]}]}}
    /// ```
    SecHostNamespaces, "sec-host-namespaces", severity: High, release: Deny, object: Deny
}

/// What a pod can share with its node, and what that opens.
const SHARED: [(&str, &str); 3] = [
    ("hostNetwork", "the network of its node"),
    ("hostPID", "all processes of its node"),
    ("hostIPC", "the IPC namespace of its node"),
];

impl Rule for SecHostNamespaces {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let Some(pods) = cx.object.pods() else { return };
        for (field, what) in SHARED.into_iter().filter(|(field, _)| is_true(&pods, field)) {
            let message = format!("{} shares {what}", cx.object);
            findings.push(Finding::new(
                format!("{}/{field}", pods.pointer),
                message,
                format!("remove {field}"),
            ));
        }
        // With the network of the node, the API server makes every port a port of the node.
        if !is_true(&pods, SHARED[0].0) {
            host_ports(cx, &pods, findings);
        }
    }
}

fn host_ports(cx: &Context<'_>, pods: &Pods<'_>, findings: &mut Vec<Finding>) {
    for container in pods.containers() {
        let ports = container.node.get("ports").map_or(&[][..], Node::items);
        for (index, port) in ports.iter().enumerate() {
            let Some(number) = port.get("hostPort").and_then(Node::as_i64).filter(|number| *number != 0)
            else {
                continue;
            };
            let message = format!("{} opens port {number} of its node", cx.object);
            let field = container.pointer(pods, &format!("/ports/{index}/hostPort"));
            findings.push(Finding::new(
                field,
                message,
                "remove hostPort, and use a Service where the port must be reached",
            ));
        }
    }
}

fn is_true(pods: &Pods<'_>, field: &str) -> bool {
    pods.spec.get(field).and_then(Node::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings},
    };

    fn pod(spec: &str) -> String {
        format!(
            "apiVersion: v1
kind: Pod
metadata: {{name: probe, annotations: {{helm.sh/hook: test}}}}
spec: {{{spec}}}"
        )
    }

    fn found(spec: &str) -> Vec<String> {
        let found = findings(&SecHostNamespaces, None, &Settings::default(), &pod(spec));
        found
            .into_iter()
            .map(|judged| format!("{} {}", judged.finding.field, judged.finding.message))
            .collect()
    }

    #[test]
    fn each_namespace_is_one_finding() {
        assert_eq!(
            found("hostPID: true, hostIPC: true"),
            [
                "/spec/hostPID Pod \"probe\" shares all processes of its node",
                "/spec/hostIPC Pod \"probe\" shares the IPC namespace of its node",
            ]
        );
    }

    #[test]
    fn ports_of_the_node_are_named() {
        assert_eq!(
            found(
                "initContainers: [{name: a, ports: [{containerPort: 1}, {containerPort: 2, hostPort: 8080}]}]"
            ),
            ["/spec/initContainers/0/ports/1/hostPort Pod \"probe\" opens port 8080 of its node"]
        );
    }

    #[test]
    fn the_network_of_the_node_includes_its_ports() {
        let filled_in =
            "hostNetwork: true, containers: [{name: a, ports: [{containerPort: 80, hostPort: 80}]}]";
        assert_eq!(found(filled_in), ["/spec/hostNetwork Pod \"probe\" shares the network of its node"]);
    }

    #[test]
    fn false_and_zero_share_nothing() {
        accepts(
            &SecHostNamespaces,
            &pod("hostNetwork: false, hostPID: null, containers: [{name: a, ports: [{hostPort: 0}]}]"),
        );
    }
}
