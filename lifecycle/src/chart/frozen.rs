//! The parts of an object that the API server lets nobody change.

use hooks::Node;

use super::{Frozen, Holds, digest, typed};

const MUTABLE_OF_STATEFUL_SET: [&str; 7] = [
    "minReadySeconds",
    "ordinals",
    "persistentVolumeClaimRetentionPolicy",
    "replicas",
    "revisionHistoryLimit",
    "template",
    "updateStrategy",
];

/// Those of one kind are always the same, in the order in which the API server looks at them.
///
/// Source: Kubernetes 1.36 `pkg/apis/*/validation`, the functions `Validate…Update`.
pub(super) fn of(written: hooks::Object<'_>) -> Vec<Frozen> {
    let root = written.root();
    let spec = written.spec();
    let below = |name| spec.and_then(|spec| spec.get(name));
    let part = |field, digest| Frozen { field, digest, holds: Holds::Always };
    let whole = |field, node| part(field, digest::digest(node));
    match (written.group(), written.kind()) {
        ("batch", "Job") => job(spec),
        ("", "Pod") => vec![part("spec", digest::pod(spec))],
        ("", "PersistentVolumeClaim") => vec![
            part("spec", digest::without(spec, &["resources", "volumeAttributesClassName"])),
            Frozen { holds: Holds::Unbound, ..whole("spec", below("resources")) },
        ],
        ("", "Secret") => {
            let kind = root.str_at("type").unwrap_or("Opaque");
            let kind = part("type", digest::text(kind));
            [vec![kind], sealed(root, ["data", "stringData"])].concat()
        }
        ("", "ConfigMap") => sealed(root, ["data", "binaryData"]),
        ("discovery.k8s.io", "EndpointSlice") => vec![whole("addressType", root.get("addressType"))],
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => {
            vec![whole("roleRef", root.get("roleRef"))]
        }
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet") => {
            vec![whole("spec.selector", below("selector"))]
        }
        ("apps", "StatefulSet") => vec![part("spec", digest::without(spec, &MUTABLE_OF_STATEFUL_SET))],
        ("scheduling.k8s.io", "PriorityClass") => vec![whole("value", root.get("value"))],
        ("storage.k8s.io", "StorageClass") => {
            vec![whole("parameters", root.get("parameters")), whole("provisioner", root.get("provisioner"))]
        }
        _ => Vec::new(),
    }
}

/// Defaults that are written out are no change.
fn job(spec: Option<&Node<'_>>) -> Vec<Frozen> {
    let below = |name| spec.and_then(|spec| spec.get(name));
    let mode = below("completionMode").filter(|mode| mode.as_str() != Some("NonIndexed"));
    // Those of an indexed Job may change with its parallelism.
    let completions = below("completions").filter(|_| mode.is_none());
    let is_default = |node: &&Node<'_>| typed::whole(node) == Some(1) && below("parallelism").is_none();
    let parts = [
        ("spec.completions", completions.filter(|node| !is_default(node))),
        ("spec.selector", below("selector")),
        ("spec.template", below("template")),
        ("spec.completionMode", mode),
        ("spec.podFailurePolicy", below("podFailurePolicy")),
        ("spec.backoffLimitPerIndex", below("backoffLimitPerIndex")),
        ("spec.managedBy", below("managedBy")),
        ("spec.successPolicy", below("successPolicy")),
    ];
    let whole = |(field, node)| Frozen { field, digest: digest::digest(node), holds: Holds::Always };
    parts.into_iter().map(whole).collect()
}

/// What `immutable: true` seals, itself first; `stringData` of a Secret becomes its `data`.
fn sealed(root: &Node<'_>, [data, more]: [&'static str; 2]) -> Vec<Frozen> {
    let seal = root.get("immutable").filter(|seal| seal.as_bool() == Some(true));
    let more_field = if more == "stringData" { data } else { more };
    let parts = [("immutable", seal), (data, root.get(data)), (more_field, root.get(more))];
    let part = |(field, node)| Frozen { field, digest: digest::digest(node), holds: Holds::Immutable };
    parts.into_iter().map(part).collect()
}

impl Frozen {
    /// Whether anything is written there.
    pub(crate) fn is_written(&self) -> bool {
        self.digest != digest::digest(None)
    }
}
