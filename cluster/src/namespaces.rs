//! Labels of namespaces by a watch of their metadata; nothing else of a namespace is kept.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use futures::StreamExt as _;
use hooks::name;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event},
};
use tokio::sync::watch;

use crate::{
    client,
    metrics::{Metrics, Watch},
    watching::Trouble,
};

/// Labels of one namespace.
pub type Labels = Arc<BTreeMap<String, String>>;

/// How often a namespace is asked for while the watch tells of others that go.
const TRIES: usize = 3;

/// Labels by name of namespace. Clones share what they know.
///
/// One entry costs about 100 bytes and its labels: 10,000 namespaces with five labels each take about 6 MB.
#[derive(Clone)]
pub struct Namespaces {
    client: Client,
    known: Known,
    synced: watch::Receiver<bool>,
}

/// What the watch has told so far. Clones share it.
#[derive(Clone, Default)]
struct Known(Arc<RwLock<Told>>);

#[derive(Default)]
struct Told {
    labels: HashMap<String, Labels>,
    /// How often the watch has told that something may be gone.
    farewells: u64,
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Namespaces")
            .field("known", &self.known.read().labels.len())
            .finish_non_exhaustive()
    }
}

impl Namespaces {
    /// Nothing is known until the future, which never ends, has been polled; it needs `get`, `list` and `watch` on namespaces.
    pub(crate) fn watch(
        client: Client,
        metrics: &Metrics,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let trouble = Trouble::new(Watch::Namespaces, metrics);
        let (synced, receiver) = watch::channel(false);
        let namespaces = Self { client: client.clone(), known: Known::default(), synced: receiver };
        let known = namespaces.known.clone();
        (namespaces, known.keep(client, synced, trouble))
    }

    /// The labels of a namespace as last heard; `None` when it is not known.
    #[must_use]
    pub fn labels(&self, namespace: &str) -> Option<Labels> {
        self.known.read().labels.get(namespace).cloned()
    }

    /// Asks for one namespace that the watch has not told of yet, as when a hook follows at the heels of its new namespace.
    ///
    /// Whether there is one; `None` when nobody can say. What the watch says always wins.
    pub async fn learn(&self, namespace: &str) -> Option<bool> {
        // Any other text would lead the request elsewhere.
        if !name::is_label(namespace) {
            return Some(false);
        }
        let api = Api::<PartialObjectMeta<Namespace>>::all(self.client.clone());
        for _ in 0..TRIES {
            let farewells = self.known.read().farewells;
            match api.get_opt(namespace).await {
                Ok(Some(mut found)) => {
                    let labels = Arc::new(std::mem::take(found.labels_mut()));
                    if self.known.learn(namespace, labels, farewells) {
                        return Some(true);
                    }
                }
                Ok(None) => return Some(false),
                Err(error) => {
                    tracing::debug!(namespace, %error, "cannot ask for a namespace");
                    return None;
                }
            }
        }
        None
    }

    /// Turns true, and stays so, when all namespaces that there are have been told of once.
    pub(crate) fn synced(&self) -> watch::Receiver<bool> {
        self.synced.clone()
    }
}

impl Known {
    fn read(&self) -> RwLockReadGuard<'_, Told> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Told> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was found by asking when the watch had told of so many farewells. After another one it is left: if that was to this
    /// namespace, nobody would tell of it again.
    fn learn(&self, namespace: &str, labels: Labels, farewells: u64) -> bool {
        let mut told = self.write();
        let is_sure = told.farewells == farewells;
        if is_sure {
            told.labels.entry(namespace.to_owned()).or_insert(labels);
        }
        is_sure
    }

    async fn keep(self, client: Client, synced: watch::Sender<bool>, mut trouble: Trouble) {
        let api = Api::<PartialObjectMeta<Namespace>>::all(client);
        let mut events = Box::pin(client::watch(api, watcher::Config::default()));
        let mut listed = BTreeSet::new();
        while let Some(event) = events.next().await {
            if let Some(event) = trouble.event(event) {
                let is_done = matches!(event, Event::InitDone);
                self.take(event, &mut listed);
                if is_done {
                    synced.send_replace(true);
                }
            }
        }
    }

    fn take(&self, event: Event<PartialObjectMeta<Namespace>>, listed: &mut BTreeSet<String>) {
        let Told { labels: known, farewells } = &mut *self.write();
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(mut namespace) | Event::Apply(mut namespace) => {
                let labels = std::mem::take(namespace.labels_mut());
                let name = namespace.name_any();
                listed.insert(name.clone());
                known.insert(name, Arc::new(labels));
            }
            Event::Delete(namespace) => {
                *farewells += 1;
                known.remove(&namespace.name_any());
            }
            Event::InitDone => {
                *farewells += 1;
                known.retain(|name, _| listed.contains(name));
                listed.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    };

    use super::*;

    fn namespace(name: &str, label: &str) -> PartialObjectMeta<Namespace> {
        let meta = serde_json::json!({"metadata": {"name": name, "labels": {"env": label}}});
        serde_json::from_value(meta).unwrap()
    }

    fn told(events: Vec<Event<PartialObjectMeta<Namespace>>>) -> Known {
        let (known, mut listed) = (Known::default(), BTreeSet::new());
        for event in events {
            known.take(event, &mut listed);
        }
        known
    }

    fn env(known: &Known, namespace: &str) -> Option<String> {
        known.read().labels.get(namespace).map(|labels| labels["env"].clone())
    }

    #[test]
    fn the_labels_are_the_ones_told_last() {
        let events = vec![Event::Apply(namespace("shop", "dev")), Event::Apply(namespace("shop", "prod"))];
        assert_eq!(env(&told(events), "shop").as_deref(), Some("prod"));
    }

    #[test]
    fn a_namespace_that_went_while_nobody_listened_is_forgotten() {
        let mut events = vec![Event::Apply(namespace("gone", "dev")), Event::Apply(namespace("shop", "dev"))];
        events.extend([Event::Init, Event::InitApply(namespace("shop", "prod")), Event::InitDone]);
        let known = told(events);
        assert_eq!((env(&known, "gone"), env(&known, "shop").as_deref()), (None, Some("prod")));
    }

    #[tokio::test]
    async fn nobody_is_asked_for_what_cannot_be_a_namespace() {
        let (client, log) = crate::testing::client(|_| crate::testing::refusal(404, "NotFound"));
        let (namespaces, _) = Namespaces::watch(client, &Metrics::new(&prometheus::Registry::new()));
        assert_eq!(namespaces.learn("shop/secrets/key").await, Some(false));
        assert!(log.lock().unwrap().is_empty());
        assert_eq!(namespaces.learn("shop").await, Some(false));
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_namespace_that_was_deleted_while_it_was_asked_for_stayed() {
        let known = Known::default();
        let (watch, listed) = (known.clone(), Mutex::new(BTreeSet::new()));
        let tell = move |event| watch.take(event, &mut listed.lock().unwrap());
        let shown = serde_json::to_value(namespace("shop", "dev")).unwrap();
        let asked = AtomicU32::new(0);
        // It is shown, and before anybody has read that it is deleted.
        let (client, _) = crate::testing::client(move |_| {
            if asked.fetch_add(1, Ordering::Relaxed) > 0 {
                return crate::testing::refusal(404, "NotFound");
            }
            tell(Event::Delete(namespace("shop", "dev")));
            (200, shown.clone())
        });
        let synced = watch::channel(true).1;
        let namespaces = Namespaces { client, known, synced };
        assert_eq!(namespaces.learn("shop").await, Some(false));
        assert_eq!(namespaces.labels("shop"), None);
    }

    #[test]
    fn a_deleted_namespace_is_forgotten() {
        let events = vec![Event::Apply(namespace("shop", "dev")), Event::Delete(namespace("shop", "dev"))];
        assert_eq!(env(&told(events), "shop"), None);
    }
}
