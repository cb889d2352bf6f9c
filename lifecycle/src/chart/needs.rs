//! What pods cannot start without.

use hooks::{Node, Pods};

use super::Need;

/// The account that every namespace has.
const USUAL_ACCOUNT: &str = "default";

/// All that the pods mount or read, but for what they call optional; without duplicates.
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
    let mut seen = std::collections::HashSet::new();
    needs.retain(|need| seen.insert(need.clone()));
    needs
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

fn reference(kind: &'static str, source: Option<&Node<'_>>, name: &str) -> Option<Need> {
    let source = source?;
    let is_optional = source.get("optional").and_then(Node::as_bool) == Some(true);
    source.str_at(name).filter(|_| !is_optional).map(|name| Need::new(kind, name))
}

fn items<'n, 'a>(node: &'n Node<'a>, name: &str) -> &'n [Node<'a>] {
    node.get(name).map_or(&[][..], Node::items)
}
