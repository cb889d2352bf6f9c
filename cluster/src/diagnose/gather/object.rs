//! Hook objects that are neither Jobs nor Pods: whether they are there, and who holds them.

use kube::{
    Api,
    api::{ApiResource, DynamicObject, GroupVersionKind},
};
use serde_json::{Value, json};

use super::{HookFacts, Look, Seen};

/// Kinds without a namespace.
const OF_CLUSTER: [&str; 12] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// Its metadata: what it holds may be secret, and is not read.
pub(super) async fn read(look: &Look<'_>, hook: &HookFacts) -> Seen<Value> {
    let (group, version) = hook.api_version.split_once('/').unwrap_or(("", &hook.api_version));
    let is_word = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    if hook.kind == "Pod" || hook.kind.is_empty() || ![group, version, &hook.kind].into_iter().all(is_word) {
        return Seen::Unknown;
    }
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &hook.kind));
    let api: Api<DynamicObject> = if OF_CLUSTER.contains(&hook.kind.as_str()) {
        Api::all_with(look.client.clone(), &resource)
    } else {
        Api::namespaced_with(look.client.clone(), look.namespace, &resource)
    };
    match api.get_metadata_opt(&hook.name).await {
        Ok(Some(object)) => {
            let finalizers = object.metadata.finalizers.unwrap_or_default();
            Seen::There(Box::new(json!({"metadata": {"finalizers": finalizers}})))
        }
        // A kind that is not served, or is one of the cluster, is not there either way: nothing can be said.
        Ok(None) if group.is_empty() || group == "rbac.authorization.k8s.io" => Seen::Gone,
        Ok(None) | Err(_) => Seen::Unknown,
    }
}
