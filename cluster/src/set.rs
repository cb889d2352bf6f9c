//! The set of policies and exceptions in force, kept up with the cluster by watches.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use kube::Client;
use policies::{PolicySet, Profile, documents::Documents};
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinSet},
};

use crate::{metrics::Metrics, namespaces::Namespaces, status::desk::Desk};

mod keeper;

use keeper::Keeper;

/// Who this replica is, and what it starts from.
#[derive(Debug, Clone)]
pub struct Options {
    /// The profile where no policy names one.
    pub profile: Profile,
    /// Name of this replica, its pod: the key of its entries in statuses.
    pub pod: String,
    /// The namespace in which the replicas are pods; entries of pods that are gone are pruned there. `None` where replicas are no pods.
    pub namespace: Option<String>,
    /// What holds besides the objects: the file that the chart mounts. A new value is put in force at once.
    pub base: watch::Receiver<Arc<Documents>>,
    /// Whether this replica writes what only one should write.
    pub leader: watch::Receiver<bool>,
    /// Whether the leader writes Events about exceptions that end soon.
    pub events: bool,
    /// Where it is counted what is not in force.
    pub metrics: Metrics,
}

/// What is let go of when something has been read once; whatever waits for it lives in the boxes.
pub struct Synced {
    /// Dropped when the policies are in force, and the labels are known that they select by.
    pub policies: Box<dyn Send>,
    /// Dropped when the exceptions are in force.
    pub exceptions: Box<dyn Send>,
}

impl fmt::Debug for Synced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Synced").finish_non_exhaustive()
    }
}

/// The watches; they end when the value is dropped.
#[derive(Debug)]
pub struct Watched {
    namespaces: Namespaces,
    tasks: JoinSet<()>,
    handles: [AbortHandle; 3],
}

impl Watched {
    /// Begins to watch policies, exceptions and namespaces, and to write their statuses. Must be called within a runtime.
    ///
    /// `policies` is replaced as a whole whenever something changes, each time with the next generation, and for the first time when
    /// both policies and exceptions have been read: nobody ever sees half of a set. Whatever goes wrong with the API server, the last set
    /// stays in force and the watches come back.
    ///
    /// Needs `get`, `list` and `watch` on hookpolicies, hookexceptions and namespaces, `patch` on hookpolicies/status and
    /// hookexceptions/status, `create` on events of events.k8s.io in the namespace default, and `get` on pods in its own namespace.
    #[must_use]
    pub fn start(
        client: Client,
        options: Options,
        policies: Arc<ArcSwap<PolicySet>>,
        synced: Synced,
    ) -> Self {
        let desk = Desk::default();
        let (namespaces, watch) = Namespaces::watch(client.clone(), &options.metrics);
        let mut tasks = JoinSet::new();
        let handles = [
            tasks.spawn(watch),
            tasks.spawn(desk.clone().write(client.clone(), options.leader.clone())),
            tasks.spawn(Keeper::new(options, policies, synced, desk, namespaces.synced()).run(client)),
        ];
        Self { namespaces, tasks, handles }
    }

    /// The labels of namespaces.
    #[must_use]
    pub fn namespaces(&self) -> Namespaces {
        self.namespaces.clone()
    }

    /// What does all this: it ends with the value only, or by a bug.
    #[must_use]
    pub fn tasks(&self) -> Vec<AbortHandle> {
        self.handles.to_vec()
    }

    /// Ends the watches and waits until nothing is under way any more.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
