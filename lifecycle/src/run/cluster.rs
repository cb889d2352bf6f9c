//! The cluster that a rollout is played on.

use std::{path::PathBuf, sync::Arc, time::Duration};

use hooks::{plain::shell_word, scope};
use k8s_openapi::api::core::v1::{Namespace, Node};
use kube::{
    Api, Client, Config,
    api::{GroupVersionKind, ListParams},
    discovery::pinned_kind,
};

use super::{Error, Refusal, error::asked, objects};
use crate::{Chart, World, chart::Definition, world::Nodes};

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

/// Whoever does not answer within this is not there.
const ANSWER: Duration = Duration::from_secs(15);

/// A cluster that can be asked.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    pub(super) target: Target,
    nodes: Nodes,
    version: String,
}

impl Cluster {
    /// Goes to where `config` leads, and asks what it is; Helm is told of it by `target`.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub async fn connect(mut config: Config, target: Target) -> Result<Self, Error> {
        // A watch on which nothing happens is no reason to give up.
        config.read_timeout = None;
        let reach = format!("reach the cluster at {}", config.cluster_url.to_string().trim_end_matches('/'));
        let client =
            Client::try_from(config).map_err(|error| asked("make a client for the cluster", &error))?;
        let version = tokio::time::timeout(ANSWER, client.apiserver_version()).await;
        let version = match version {
            Ok(version) => version.map_err(|error| asked(reach, &error))?.git_version,
            Err(_) => return Err(Error::Cluster { what: reach, source: Refusal::silent(ANSWER) }),
        };
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
                if found.map_err(|error| asked(format!("look for namespace {name:?}"), &error))?.is_some() {
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

impl Target {
    /// How somebody says this in a shell, with a space before it.
    pub(super) fn flags(&self, context: &str) -> String {
        let path = self.kubeconfig.as_ref().map(|path| ("--kubeconfig", path.display().to_string()));
        let context = self.context.as_ref().map(|name| (context, name.clone()));
        let given = path.into_iter().chain(context);
        given.fold(String::new(), |flags, (flag, value)| format!("{flags} {flag} {}", shell_word(&value)))
    }
}

/// A client says nothing.
impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cluster").field("target", &self.target).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_cluster_as_it_was_named() {
        let target = Target { kubeconfig: Some("my config".into()), context: Some("dev@eu".to_owned()) };
        assert_eq!(target.flags("--context"), " --kubeconfig 'my config' --context dev@eu");
        assert_eq!(Target { kubeconfig: None, context: None }.flags("--context"), "");
    }
}
