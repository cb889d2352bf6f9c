//! What pods cannot start without.

use std::collections::HashMap;

use hooks::{Node, Pods};

use super::{Need, Object, digest};

/// The account that every namespace has.
const USUAL_ACCOUNT: &str = "default";

/// The type of a Secret that Kubernetes itself fills.
const FILLED: &str = "kubernetes.io/service-account-token";

/// All that the pods mount or read, but for what they call optional; each object once, with the keys that must be in it.
///
/// Source: Kubernetes 1.36 `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`; `pkg/volume/secret/secret.go` and
/// `pkg/volume/configmap/configmap.go`, `MakePayload`.
pub(super) fn of(pods: &Pods<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    let account = pods.spec.str_at("serviceAccountName").or_else(|| pods.spec.str_at("serviceAccount"));
    if let Some(account) = account.filter(|account| !account.is_empty() && *account != USUAL_ACCOUNT) {
        needs.push(Need::new("ServiceAccount", account));
    }
    for volume in items(pods.spec, "volumes") {
        needs.extend(of_volume(volume));
    }
    for container in pods.containers() {
        for source in items(container.node, "envFrom") {
            needs.extend(reference("ConfigMap", source.get("configMapRef"), "name"));
            needs.extend(reference("Secret", source.get("secretRef"), "name"));
        }
        for from in items(container.node, "env").iter().filter_map(|variable| variable.get("valueFrom")) {
            needs.extend(reference("ConfigMap", from.get("configMapKeyRef"), "name"));
            needs.extend(reference("Secret", from.get("secretKeyRef"), "name"));
        }
    }
    merged(needs)
}

fn of_volume(volume: &Node<'_>) -> Vec<Need> {
    let mut needs: Vec<_> = [
        reference("ConfigMap", volume.get("configMap"), "name"),
        reference("Secret", volume.get("secret"), "secretName"),
        reference("PersistentVolumeClaim", volume.get("persistentVolumeClaim"), "claimName"),
    ]
    .into_iter()
    .flatten()
    .collect();
    for source in volume.get("projected").map_or(&[][..], |projected| items(projected, "sources")) {
        needs.extend(reference("ConfigMap", source.get("configMap"), "name"));
        needs.extend(reference("Secret", source.get("secret"), "name"));
    }
    needs
}

/// A variable names its key itself, a volume those that it shows, if not all.
fn reference(kind: &'static str, source: Option<&Node<'_>>, name: &str) -> Option<Need> {
    let source = source?;
    let is_optional = source.get("optional").and_then(Node::as_bool) == Some(true);
    let name = source.str_at(name).filter(|_| !is_optional)?;
    let shown = items(source, "items").iter().filter_map(|item| item.str_at("key"));
    let keys = source.str_at("key").into_iter().chain(shown).map(str::to_owned).collect();
    Some(Need { keys, ..Need::new(kind, name) })
}

fn merged(needs: Vec<Need>) -> Vec<Need> {
    let mut merged: Vec<Need> = Vec::with_capacity(needs.len());
    let mut places = HashMap::new();
    for need in needs {
        let place = *places.entry((need.kind, need.name.clone())).or_insert(merged.len());
        match merged.get_mut(place) {
            Some(same) => same.keys.extend(need.keys),
            None => merged.push(need),
        }
    }
    merged
}

fn items<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    node.get(name).map_or(&[][..], Node::items)
}

/// The numbers of the keys of a Secret or `ConfigMap`, in their order. Who writes it without any means that somebody else fills it.
pub(super) fn keys(written: hooks::Object<'_>) -> Option<Vec<u64>> {
    let root = written.root();
    let members = match (written.group(), written.kind()) {
        ("", "Secret") if root.str_at("type") != Some(FILLED) => ["data", "stringData"],
        ("", "ConfigMap") => ["data", "binaryData"],
        _ => return None,
    };
    let members = members.iter().filter_map(|name| root.get(name)).flat_map(Node::members);
    let mut keys: Vec<_> = members.map(|member| digest::text(&member.name)).collect();
    keys.sort_unstable();
    (!keys.is_empty()).then_some(keys)
}

impl Object {
    /// Whether a key of this one may stay when `next` is written over it, which lacks it: what `stringData` of a Secret has written
    /// once is not taken out of its `data`.
    pub(crate) fn keeps_keys_in(&self, next: &Self) -> bool {
        let (Some(keys), Some(others)) = (&self.keys, &next.keys) else { return false };
        self.id.kind == "Secret" && keys.iter().any(|key| others.binary_search(key).is_err())
    }

    /// Whether pods find this key in it, as far as anybody can tell.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        self.keys.as_ref().is_none_or(|keys| keys.binary_search(&digest::text(key)).is_ok())
    }
}
