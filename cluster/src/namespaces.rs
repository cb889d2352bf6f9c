//! Labels of namespaces by a watch of their metadata; nothing else of a namespace is kept.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::watcher::{self, Event},
};
use tokio::sync::watch;

use crate::{client, watching::Trouble};

/// Labels of one namespace.
pub type Labels = Arc<BTreeMap<String, String>>;

/// Labels by name of namespace. Clones share what they know.
///
/// One entry costs about 100 bytes and its labels: 10,000 namespaces with five labels each take about 6 MB.
#[derive(Clone)]
pub struct Namespaces {
    client: Option<Client>,
    known: Arc<RwLock<HashMap<String, Labels>>>,
    synced: watch::Receiver<bool>,
}

/// Whether a namespace may be called so; anything else would lead a request elsewhere.
///
/// Source: Kubernetes `k8s.io/apimachinery/pkg/util/validation`, `IsDNS1123Label`.
pub(crate) fn is_name(text: &str) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = text.as_bytes().first().filter(|byte| is_plain(byte)).and(text.as_bytes().last());
    text.len() <= 63 && ends.is_some_and(is_plain) && text.bytes().all(|byte| is_plain(&byte) || byte == b'-')
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).len();
        formatter.debug_struct("Namespaces").field("known", &known).finish_non_exhaustive()
    }
}

impl Namespaces {
    /// Nothing is known until the future, which never ends, has been polled; it needs `get`, `list` and `watch` on namespaces.
    pub(crate) fn watch(client: Client) -> (Self, impl Future<Output = ()> + Send) {
        let (synced, receiver) = watch::channel(false);
        let namespaces = Self { client: Some(client.clone()), known: Arc::default(), synced: receiver };
        let keeper = namespaces.clone();
        (namespaces, keeper.keep(client, synced))
    }

    /// The labels of a namespace as last heard; `None` when it is not known.
    #[must_use]
    pub fn labels(&self, namespace: &str) -> Option<Labels> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(namespace).cloned()
    }

    /// Asks for one namespace that the watch has not told of yet, as when a hook follows at the heels of its new namespace.
    ///
    /// Whether there is one; `None` when nobody can say. What the watch says always wins.
    pub async fn learn(&self, namespace: &str) -> Option<bool> {
        let client = self.client.clone()?;
        if !is_name(namespace) {
            return Some(false);
        }
        let api = Api::<PartialObjectMeta<Namespace>>::all(client);
        match api.get_opt(namespace).await {
            Ok(Some(mut found)) => {
                let labels = Arc::new(std::mem::take(found.labels_mut()));
                let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
                known.entry(namespace.to_owned()).or_insert(labels);
                Some(true)
            }
            Ok(None) => Some(false),
            Err(error) => {
                tracing::debug!(namespace, %error, "cannot ask for a namespace");
                None
            }
        }
    }

    /// Turns true, and stays so, when all namespaces that there are have been told of once.
    pub(crate) fn synced(&self) -> watch::Receiver<bool> {
        self.synced.clone()
    }

    async fn keep(self, client: Client, synced: watch::Sender<bool>) {
        let api = Api::<PartialObjectMeta<Namespace>>::all(client);
        let mut events = Box::pin(client::watch(api, watcher::Config::default()));
        let (mut trouble, mut listed) = (Trouble::new("namespaces"), BTreeSet::new());
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
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(mut namespace) | Event::Apply(mut namespace) => {
                let labels = std::mem::take(namespace.labels_mut());
                let name = namespace.name_any();
                listed.insert(name.clone());
                known.insert(name, Arc::new(labels));
            }
            Event::Delete(namespace) => {
                known.remove(&namespace.name_any());
            }
            Event::InitDone => {
                known.retain(|name, _| listed.contains(name));
                listed.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(name: &str, label: &str) -> PartialObjectMeta<Namespace> {
        let meta = serde_json::json!({"metadata": {"name": name, "labels": {"env": label}}});
        serde_json::from_value(meta).unwrap()
    }

    fn told(events: Vec<Event<PartialObjectMeta<Namespace>>>) -> Namespaces {
        let namespaces = Namespaces { client: None, known: Arc::default(), synced: watch::channel(true).1 };
        let mut listed = BTreeSet::new();
        for event in events {
            namespaces.take(event, &mut listed);
        }
        namespaces
    }

    #[test]
    fn the_labels_are_the_ones_told_last() {
        let events = vec![Event::Apply(namespace("shop", "dev")), Event::Apply(namespace("shop", "prod"))];
        assert_eq!(told(events).labels("shop").unwrap()["env"], "prod");
    }

    #[test]
    fn a_namespace_that_went_while_nobody_listened_is_forgotten() {
        let mut events = vec![Event::Apply(namespace("gone", "dev")), Event::Apply(namespace("shop", "dev"))];
        events.extend([Event::Init, Event::InitApply(namespace("shop", "prod")), Event::InitDone]);
        let namespaces = told(events);
        assert_eq!(
            (namespaces.labels("gone"), namespaces.labels("shop").unwrap()["env"].as_str()),
            (None, "prod")
        );
    }

    #[test]
    fn what_leads_elsewhere_is_no_name_of_a_namespace() {
        for name in ["a", "shop-2", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "Shop", "a.b", "a/secrets/b", "..", "a?b", "a%2fb", "ä", &"x".repeat(64)]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[tokio::test]
    async fn nobody_is_asked_for_what_cannot_be_a_namespace() {
        let (client, log) = crate::testing::client(|_| crate::testing::refusal(404, "NotFound"));
        let (namespaces, _) = Namespaces::watch(client);
        assert_eq!(namespaces.learn("shop/secrets/key").await, Some(false));
        assert!(log.lock().unwrap().is_empty());
        assert_eq!(namespaces.learn("shop").await, Some(false));
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_deleted_namespace_is_forgotten() {
        let events = vec![Event::Apply(namespace("shop", "dev")), Event::Delete(namespace("shop", "dev"))];
        assert_eq!(told(events).labels("shop"), None);
    }
}
