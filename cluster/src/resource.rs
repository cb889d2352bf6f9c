//! Our own kinds, and pods, as the API server knows them.

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    core::{GroupVersionKind, PartialObjectMeta},
};
use policies::documents::{GROUP, VERSION};

/// A kind of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Settings of rules.
    HookPolicy,
    /// Findings that count for nothing, until a day.
    HookException,
}

impl Kind {
    /// The kind as it is written.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HookPolicy => "HookPolicy",
            Self::HookException => "HookException",
        }
    }

    /// The word in paths.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::HookPolicy => "hookpolicies",
            Self::HookException => "hookexceptions",
        }
    }

    /// How to ask for it.
    pub(crate) fn resource(self) -> ApiResource {
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, self.name()), self.plural())
    }

    /// All objects of it, untyped: one that makes no sense must not hide the others.
    pub(crate) fn api(self, client: Client) -> Api<DynamicObject> {
        Api::all_with(client, &self.resource())
    }
}

/// Whether there is a pod of this name.
pub(crate) async fn pod_exists(client: &Client, namespace: &str, pod: &str) -> Result<bool, kube::Error> {
    let api = Api::<PartialObjectMeta<Pod>>::namespaced(client.clone(), namespace);
    Ok(api.get_opt(pod).await?.is_some())
}
