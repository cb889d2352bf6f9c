//! Where writes to statuses wait: the newest for each place, one at a time, tried again until the API server takes it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{
    Client,
    api::{Patch, PatchParams},
};
use policies::documents::API_VERSION;
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep_until},
};

use crate::{
    client::{FIELD_MANAGER, hasty, is_status, one_line},
    resource::{self, Kind},
    said::Said,
};

/// The first and the longest pause after a failure.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];

/// The longest name of a field manager; Kubernetes `apimachinery/pkg/apis/meta/v1/validation`, `FieldManagerMaxLength`.
const MANAGER_LENGTH: usize = 128;

/// One place in one status, and so one owner of fields there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The entry of a replica in the status of a policy.
    Replica {
        /// The policy.
        policy: String,
        /// The pod.
        pod: String,
    },
    /// The conditions of an object, written by the leader.
    Conditions(Kind, String),
    /// The entries of a pod that may be gone, looked at by the leader.
    Gone {
        /// The pod.
        pod: String,
    },
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Write {
    /// What a replica made of a policy: its entry.
    Replica {
        /// The policy.
        policy: String,
        /// The pod.
        pod: String,
        /// The fields of the status that it owns.
        status: Value,
    },
    /// What the leader says of an object: its conditions.
    Conditions {
        /// The kind of the object.
        kind: Kind,
        /// Its name.
        name: String,
        /// The fields of the status that the leader owns.
        status: Value,
    },
    /// Nothing in these policies, if there is no pod of that name in the namespace.
    Prune {
        /// Where the replicas are pods.
        namespace: String,
        /// The pod.
        pod: String,
        /// The policies that have an entry of it.
        policies: Vec<String>,
    },
}

/// Writes that wait. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Desk {
    waiting: Arc<Mutex<BTreeMap<Place, Write>>>,
    arrived: Arc<Notify>,
}

impl Desk {
    /// Puts a write into the queue; it takes the place of an older one for the same place.
    pub(crate) fn put(&self, write: Write) {
        self.lock().insert(write.place(), write);
        self.arrived.notify_one();
    }

    /// Takes a write back that failed, unless there is a newer one.
    fn put_back(&self, write: Write) {
        self.lock().entry(write.place()).or_insert(write);
    }

    /// The next write.
    pub(crate) fn take(&self) -> Option<Write> {
        self.lock().pop_first().map(|(_, write)| write)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Place, Write>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes for ever; what only the leader writes is dropped as soon as this is not the leader. What fails waits, and nothing else
    /// waits for it.
    pub(crate) async fn write(self, client: Client, leader: watch::Receiver<bool>) {
        let (client, mut failed) = (hasty(&client), Failed::default());
        loop {
            let Some(write) = self.take() else {
                tokio::select! {
                    () = self.arrived.notified() => {}
                    () = sleep_until(failed.again), if !failed.writes.is_empty() => {
                        for write in std::mem::take(&mut failed.writes).into_values() {
                            self.put_back(write);
                        }
                    }
                }
                continue;
            };
            let place = write.place();
            if place.is_for_the_leader() && !*leader.borrow() {
                continue;
            }
            match write.send(&client).await {
                Ok(()) => failed.succeeded(&place),
                Err(error) if is_status(&error, 404) || is_status(&error, 422) => {
                    tracing::debug!(?place, error = one_line(&error), "a status cannot be written there");
                }
                Err(error) => failed.add(write, &error),
            }
        }
    }
}

/// Writes that have failed, and when they are tried again.
struct Failed {
    writes: BTreeMap<Place, Write>,
    again: Instant,
    count: u32,
    said: Said,
}

impl Default for Failed {
    fn default() -> Self {
        Self { writes: BTreeMap::new(), again: Instant::now(), count: 0, said: Said::default() }
    }
}

impl Failed {
    fn succeeded(&mut self, place: &Place) {
        self.writes.remove(place);
        if self.writes.is_empty() {
            self.count = 0;
            self.said.passed("write");
        }
    }

    fn add(&mut self, write: Write, error: &kube::Error) {
        let error = one_line(error);
        if self.said.is_news("write", &error) {
            tracing::warn!(error, "cannot write a status; it will be tried again");
        }
        // The first of a round decides when the next one is.
        if self.writes.is_empty() {
            let [first, longest] = PAUSES;
            self.again = Instant::now() + first.saturating_mul(1 << self.count.min(10)).min(longest);
            self.count += 1;
        }
        self.writes.insert(write.place(), write);
    }
}

impl Place {
    const fn is_for_the_leader(&self) -> bool {
        !matches!(self, Self::Replica { .. })
    }

    /// Who owns the fields of this place.
    fn manager(&self) -> String {
        match self {
            Self::Replica { pod, .. } | Self::Gone { pod } => manager(pod),
            Self::Conditions(..) => FIELD_MANAGER.to_owned(),
        }
    }
}

/// The field manager of one replica; the end of a very long name tells pods apart.
fn manager(pod: &str) -> String {
    const PREFIX: &str = "hookward/";
    let start = pod.len().saturating_sub(MANAGER_LENGTH - PREFIX.len());
    format!("{PREFIX}{}", pod.get(start..).unwrap_or(pod))
}

impl Write {
    /// Where it goes.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Replica { policy, pod, .. } => Place::Replica { policy: policy.clone(), pod: pod.clone() },
            Self::Conditions { kind, name, .. } => Place::Conditions(*kind, name.clone()),
            Self::Prune { pod, .. } => Place::Gone { pod: pod.clone() },
        }
    }

    async fn send(&self, client: &Client) -> Result<(), kube::Error> {
        let manager = self.place().manager();
        match self {
            Self::Replica { policy, status, .. } => {
                apply(client, Kind::HookPolicy, policy, &manager, status).await
            }
            Self::Conditions { kind, name, status } => apply(client, *kind, name, &manager, status).await,
            Self::Prune { namespace, pod, policies } => {
                if resource::pod_exists(client, namespace, pod).await? {
                    return Ok(());
                }
                tracing::info!(pod, "the entries of a pod that is gone are taken out");
                for policy in policies {
                    // Whoever applies nothing gives up what it owned.
                    let nothing = json!({});
                    match apply(client, Kind::HookPolicy, policy, &manager, &nothing).await {
                        Err(error) if is_status(&error, 404) => {}
                        other => other?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// Writes what `manager` owns of the status of an object: these fields, and no others.
pub(crate) async fn apply(
    client: &Client,
    kind: Kind,
    name: &str,
    manager: &str,
    status: &Value,
) -> Result<(), kube::Error> {
    let body = json!({
        "apiVersion": API_VERSION, "kind": kind.name(),
        "metadata": {"name": name}, "status": status,
    });
    // Nobody else has any business in our own fields.
    let params = PatchParams::apply(manager).force();
    kind.api(client.clone()).patch_status(name, &params, &Patch::Apply(body)).await.map(drop)
}

#[cfg(test)]
mod tests;
