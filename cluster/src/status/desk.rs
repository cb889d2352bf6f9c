//! Where writes to statuses wait: the newest for each place, one at a time, tried again until the API server takes it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use crate::{
    client::{hasty, is_status, one_line},
    set::resource::{self, Kind},
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

/// What to write there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// These fields of the status, and no others of this owner.
    Fields(Value),
    /// Nothing in these policies, if there is no pod of that name in the namespace.
    Prune {
        /// Where the replicas are pods.
        namespace: String,
        /// The policies that have an entry of it.
        policies: Vec<String>,
    },
}

/// Writes that wait. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Desk {
    waiting: Arc<Mutex<BTreeMap<Place, Entry>>>,
    arrived: Arc<Notify>,
}

impl Desk {
    /// Puts a write into the queue; it takes the place of an older one for the same place.
    pub(crate) fn put(&self, place: Place, entry: Entry) {
        self.lock().insert(place, entry);
        self.arrived.notify_one();
    }

    /// Takes a write back that failed, unless there is a newer one.
    fn put_back(&self, place: Place, entry: Entry) {
        self.lock().entry(place).or_insert(entry);
    }

    /// The next write.
    pub(crate) fn take(&self) -> Option<(Place, Entry)> {
        self.lock().pop_first()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Place, Entry>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes for ever; what only the leader writes is dropped as soon as this is not the leader.
    pub(crate) async fn write(self, client: Client, leader: watch::Receiver<bool>) {
        let client = hasty(&client);
        let (mut failures, mut said) = (0, None);
        loop {
            let Some((place, entry)) = self.take() else {
                self.arrived.notified().await;
                continue;
            };
            if place.is_for_the_leader() && !*leader.borrow() {
                continue;
            }
            let Err(error) = write(&client, &place, &entry).await else {
                (failures, said) = (0, None);
                continue;
            };
            if is_status(&error, 404) || is_status(&error, 422) {
                tracing::debug!(?place, error = one_line(&error), "a status cannot be written there");
                continue;
            }
            let error = one_line(&error);
            if said.as_ref() != Some(&error) {
                tracing::warn!(error, "cannot write a status; it will be tried again");
                said = Some(error);
            }
            self.put_back(place, entry);
            let [first, longest] = PAUSES;
            sleep(first.saturating_mul(1 << failures.min(10)).min(longest)).await;
            failures += 1;
        }
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
            Self::Conditions(..) => "hookward".to_owned(),
        }
    }
}

/// The field manager of one replica; the end of a very long name tells pods apart.
fn manager(pod: &str) -> String {
    const PREFIX: &str = "hookward/";
    let start = pod.len().saturating_sub(MANAGER_LENGTH - PREFIX.len());
    format!("{PREFIX}{}", pod.get(start..).unwrap_or(pod))
}

async fn write(client: &Client, place: &Place, entry: &Entry) -> Result<(), kube::Error> {
    let manager = place.manager();
    match (place, entry) {
        (Place::Replica { policy, .. }, Entry::Fields(status)) => {
            apply(client, &Kind::HookPolicy.resource(), policy, &manager, status).await
        }
        (Place::Conditions(kind, name), Entry::Fields(status)) => {
            apply(client, &kind.resource(), name, &manager, status).await
        }
        (Place::Gone { pod }, Entry::Prune { namespace, policies }) => {
            if resource::pod_exists(client, namespace, pod).await? {
                return Ok(());
            }
            tracing::info!(pod, "the entries of a pod that is gone are taken out");
            for policy in policies {
                // Whoever applies nothing gives up what it owned.
                let nothing = json!({});
                match apply(client, &Kind::HookPolicy.resource(), policy, &manager, &nothing).await {
                    Err(error) if is_status(&error, 404) => {}
                    other => other?,
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

async fn apply(
    client: &Client,
    resource: &ApiResource,
    name: &str,
    manager: &str,
    status: &Value,
) -> Result<(), kube::Error> {
    let api = Api::<DynamicObject>::all_with(client.clone(), resource);
    let body = json!({
        "apiVersion": resource.api_version, "kind": resource.kind,
        "metadata": {"name": name}, "status": status,
    });
    // Nobody else has any business in our own fields.
    let params = PatchParams::apply(manager).force();
    api.patch_status(name, &params, &Patch::Apply(body)).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(policy: &str) -> Place {
        Place::Replica { policy: policy.to_owned(), pod: "pod-0".to_owned() }
    }

    fn fields(value: i64) -> Entry {
        Entry::Fields(json!({"value": value}))
    }

    #[test]
    fn only_the_newest_write_for_a_place_waits() {
        let desk = Desk::default();
        desk.put(place("a"), fields(1));
        desk.put(place("a"), fields(2));
        desk.put(place("b"), fields(3));
        assert_eq!(desk.take(), Some((place("a"), fields(2))));
        assert_eq!(desk.take(), Some((place("b"), fields(3))));
        assert_eq!(desk.take(), None);
    }

    #[test]
    fn a_write_that_failed_does_not_come_after_a_newer_one() {
        let desk = Desk::default();
        desk.put(place("a"), fields(2));
        desk.put_back(place("a"), fields(1));
        assert_eq!(desk.take(), Some((place("a"), fields(2))));
    }

    #[test]
    fn the_name_of_a_field_manager_has_a_bound() {
        assert_eq!(manager("hookward-7d9f-x2k4p"), "hookward/hookward-7d9f-x2k4p");
        let long = format!("{}-x2k4p", "a".repeat(240));
        assert_eq!((manager(&long).len(), manager(&long).ends_with("-x2k4p")), (MANAGER_LENGTH, true));
    }
}
