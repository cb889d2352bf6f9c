//! The cluster that a rollout is played on.

use std::{path::PathBuf, sync::Arc};

use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::{
    Api, Client, Config,
    api::{GroupVersionKind, ListParams},
    config::{KubeConfigOptions, Kubeconfig},
    discovery::pinned_kind,
};

use super::{Error, objects};
use crate::{
    Chart, World,
    chart::{Definition, scope},
    world::Nodes,
};

/// What kwok writes on the nodes that it plays.
const KWOK: &str = "kwok.x-k8s.io/node";

/// Which cluster, as kubectl is told.
#[derive(Debug, Clone)]
pub struct Target {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
}

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    pub(super) target: Target,
    nodes: Nodes,
    version: String,
}

impl Cluster {
    /// Goes there, and asks what it is.
    ///
    /// # Errors
    /// When the kubeconfig cannot be used, or the cluster does not answer.
    pub async fn connect(target: Target) -> Result<Self, Error> {
        let options = KubeConfigOptions { context: target.context.clone(), ..KubeConfigOptions::default() };
        let config = match &target.kubeconfig {
            Some(path) => match Kubeconfig::read_from(path) {
                Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
                Err(error) => Err(error),
            },
            None => Config::from_kubeconfig(&options).await,
        };
        let mut config = config.map_err(|error| Error::Kubeconfig(Box::new(error)))?;
        // A watch on which nothing happens is no reason to give up.
        config.read_timeout = None;
        let client =
            Client::try_from(config).map_err(|error| asked("make a client for the cluster", error))?;
        let version = client.apiserver_version().await;
        let version = version.map_err(|error| asked("reach the cluster", error))?.git_version;
        let nodes = Api::<Node>::all(client.clone()).list(&ListParams::default().limit(1)).await;
        // Who may not see the nodes has real ones.
        let is_kwok = nodes.is_ok_and(|nodes| {
            let first = nodes.items.first().and_then(|node| node.metadata.annotations.as_ref());
            first.is_some_and(|annotations| annotations.contains_key(KWOK))
        });
        let nodes = if is_kwok { Nodes::Kwok } else { Nodes::Real };
        Ok(Self { client, target, nodes, version })
    }

    /// The version of Kubernetes, as in `v1.36.3`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A simulated cluster that has what this one has of the namespaces and kinds that the charts name.
    ///
    /// # Errors
    /// When the cluster does not say.
    pub async fn world(&self, charts: &[Arc<Chart>]) -> Result<World, Error> {
        let mut world = World::on(self.nodes);
        let ids = charts.iter().flat_map(|chart| objects(chart));
        for id in ids {
            if let Some(name) = &id.namespace {
                let api: Api<Namespace> = Api::all(self.client.clone());
                let found = api.get_opt(name).await;
                if found.map_err(|error| asked(format!("look for namespace {name:?}"), error))?.is_some() {
                    world.assume_namespace(name);
                }
            }
            if scope::built_in(&id.api_version, &id.kind).is_some() {
                continue;
            }
            let version = id.api_version.rsplit('/').next().unwrap_or_default();
            let kind = GroupVersionKind::gvk(id.group(), version, &id.kind);
            if pinned_kind(&self.client, &kind).await.is_ok() {
                world.assume_kind(Definition {
                    group: id.group().to_owned(),
                    kind: id.kind.clone(),
                    versions: vec![version.to_owned()],
                    cluster_scoped: id.namespace.is_none(),
                });
            }
        }
        Ok(world)
    }
}

/// The error for what the cluster did not do.
pub(super) fn asked(what: impl Into<String>, error: kube::Error) -> Error {
    Error::Cluster { what: what.into(), source: Box::new(error) }
}

/// A client says nothing.
impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("target", &self.target).finish_non_exhaustive()
    }
}
