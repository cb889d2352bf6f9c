//! One watch: all objects of a kind in a namespace, or the records of a release.

use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};

use futures::{Stream, TryStreamExt as _};
use kube::{
    Api, ResourceExt as _,
    api::{ApiResource, DynamicObject, ListParams, WatchEvent, WatchParams},
};
use tokio::task::JoinHandle;

use super::{
    Error,
    error::asked,
    journal::Journal,
    sight::{Change, Sight, Stored, What},
};
use crate::answer::ObjectId;

/// Before a watch that broke is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// What the API server says when a watch is too old to go on.
const GONE: u16 = 410;

/// The watches of one rollout, which end with the value.
#[derive(Debug, Default)]
pub(super) struct Watches {
    /// On the records of the release; `None` before it begins, and when it is not ours.
    pub(super) records: Option<Watch>,
    /// On the objects of the charts, one for each kind and namespace.
    pub(super) objects: Vec<Watch>,
}

impl Watches {
    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Watch> {
        self.records.iter().chain(&self.objects)
    }
}

/// A watch that goes on until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Arc<Watcher>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a watch is about.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// The records of a release: the Secrets with these labels.
    Records(String),
    /// Of all objects of a kind, these.
    Objects(Vec<ObjectId>),
}

#[derive(Debug)]
struct Watcher {
    api: Api<DynamicObject>,
    resource: ApiResource,
    subject: Subject,
    journal: Arc<Journal>,
    /// Which of those that write in the journal.
    number: usize,
}

impl Watch {
    /// Looks at what is there, and begins.
    pub(super) async fn start(
        api: Api<DynamicObject>,
        resource: ApiResource,
        subject: Subject,
        first: Change,
        journal: &Arc<Journal>,
    ) -> Result<Self, Error> {
        let (journal, number) = (Arc::clone(journal), journal.number());
        let watcher = Arc::new(Watcher { api, resource, subject, journal, number });
        let listed = watcher.list(first).await;
        let version = listed.map_err(|error| asked(format!("list {}s", watcher.resource.kind), &error))?;
        let task = tokio::spawn(Arc::clone(&watcher).run(version));
        Ok(Self { watcher, task })
    }

    /// Where its objects can be asked for.
    pub(super) fn api(&self) -> &Api<DynamicObject> {
        &self.watcher.api
    }

    /// Their kind.
    pub(super) fn kind(&self) -> &str {
        &self.watcher.resource.kind
    }

    /// What is there now.
    pub(super) async fn now(&self) -> Result<Vec<DynamicObject>, kube::Error> {
        Ok(self.watcher.api.list(&self.watcher.list_params()).await?.items)
    }

    /// What it has heard of and knows to be there: each uid with its version.
    pub(super) fn known(&self) -> BTreeMap<String, u64> {
        self.watcher.journal.alive(self.watcher.number)
    }

    /// What is seen of one of them.
    pub(super) fn sight(&self, object: &DynamicObject) -> Sight {
        let ApiResource { api_version, kind, .. } = &self.watcher.resource;
        Sight::of(object, api_version, kind, Change::Found)
    }
}

impl Watcher {
    fn labels(&self) -> Option<&str> {
        match &self.subject {
            Subject::Records(labels) => Some(labels),
            Subject::Objects(_) => None,
        }
    }

    fn list_params(&self) -> ListParams {
        self.labels().map_or_else(ListParams::default, |labels| ListParams::default().labels(labels))
    }

    async fn list(&self, change: Change) -> Result<String, kube::Error> {
        let list = self.api.list(&self.list_params()).await?;
        let known = self.journal.alive(self.number);
        for object in &list.items {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            let change = if known.contains_key(&uid) { Change::Modified } else { change };
            self.write(object, change);
        }
        let is_gone =
            |uid: &&String| !list.items.iter().any(|object| object.metadata.uid.as_ref() == Some(*uid));
        for uid in known.keys().filter(is_gone) {
            self.journal.write(self.number, uid, 0, Change::Deleted, None);
        }
        Ok(list.metadata.resource_version.unwrap_or_default())
    }

    async fn run(self: Arc<Self>, mut version: String) {
        loop {
            let params = WatchParams::default();
            let params = match self.labels() {
                Some(labels) => params.labels(labels),
                None => params,
            };
            let ended = match self.api.watch(&params, &version).await {
                Ok(stream) => self.follow(stream, &mut version).await,
                Err(error) => Err(error),
            };
            let is_too_old = matches!(&ended, Err(kube::Error::Api(status)) if status.code == GONE);
            if ended.is_err() {
                tokio::time::sleep(PAUSE).await;
            }
            if is_too_old && let Ok(now) = self.list(Change::Added).await {
                version = now;
            }
        }
    }

    async fn follow(
        &self,
        stream: impl Stream<Item = Result<WatchEvent<DynamicObject>, kube::Error>>,
        version: &mut String,
    ) -> Result<(), kube::Error> {
        let mut stream = pin!(stream);
        while let Some(event) = stream.try_next().await? {
            let (object, change) = match event {
                WatchEvent::Added(object) => (object, Change::Added),
                WatchEvent::Modified(object) => (object, Change::Modified),
                WatchEvent::Deleted(object) => (object, Change::Deleted),
                WatchEvent::Bookmark(bookmark) => {
                    version.clone_from(&bookmark.metadata.resource_version);
                    continue;
                }
                WatchEvent::Error(status) => return Err(kube::Error::Api(status)),
            };
            self.write(&object, change);
            *version = object.resource_version().unwrap_or_default();
        }
        Ok(())
    }

    fn write(&self, object: &DynamicObject, change: Change) {
        let ApiResource { api_version, kind, .. } = &self.resource;
        let version = object.metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        let what = match &self.subject {
            Subject::Records(_) => Stored::of(object, change).map(What::Revision),
            Subject::Objects(ids) => {
                let sight = Sight::of(object, api_version, kind, change);
                let is_meant = ids.iter().any(|id| id.is_same(&sight.id));
                is_meant.then_some(What::Object(sight))
            }
        };
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        self.journal.write(self.number, uid, version.unwrap_or_default(), change, what);
    }
}
