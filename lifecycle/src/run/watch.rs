//! One watch: all objects of a kind in a namespace, or the records of a release.

use std::{pin::pin, sync::Arc, time::Duration};

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

/// A watch that goes on until it is dropped.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) api: Api<DynamicObject>,
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) labels: Option<String>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a watch is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    /// Its number in the journal.
    pub(super) number: usize,
    pub(super) resource: ApiResource,
    /// Only with these labels: the records of a release.
    pub(super) labels: Option<String>,
    /// The objects that are meant.
    pub(super) ids: Arc<Vec<ObjectId>>,
}

struct Watcher {
    api: Api<DynamicObject>,
    subject: Subject,
    journal: Arc<Journal>,
}

impl Watch {
    /// Looks at what is there, and begins.
    pub(super) async fn start(
        api: Api<DynamicObject>,
        subject: Subject,
        first: Change,
        journal: &Arc<Journal>,
    ) -> Result<Self, Error> {
        let (api_version, kind) = (subject.resource.api_version.clone(), subject.resource.kind.clone());
        let labels = subject.labels.clone();
        let watcher = Watcher { api: api.clone(), subject, journal: Arc::clone(journal) };
        let version = watcher.list(first).await.map_err(|error| asked(format!("list {kind}s"), &error))?;
        let task = tokio::spawn(watcher.run(version));
        Ok(Self { api, api_version, kind, labels, task })
    }

    /// What is there now.
    pub(super) async fn now(&self) -> Result<Vec<DynamicObject>, kube::Error> {
        Ok(self.api.list(&list_params(self.labels.as_deref())).await?.items)
    }

    /// What is seen of one of them.
    pub(super) fn sight(&self, object: &DynamicObject) -> Sight {
        Sight::of(object, &self.api_version, &self.kind, Change::Found)
    }
}

fn list_params(labels: Option<&str>) -> ListParams {
    labels.map_or_else(ListParams::default, |labels| ListParams::default().labels(labels))
}

impl Watcher {
    async fn list(&self, change: Change) -> Result<String, kube::Error> {
        let list = self.api.list(&list_params(self.subject.labels.as_deref())).await?;
        let known = self.journal.alive(self.subject.number);
        for object in &list.items {
            let uid = object.metadata.uid.clone().unwrap_or_default();
            let change = if known.contains_key(&uid) { Change::Modified } else { change };
            self.write(object, change);
        }
        let is_gone =
            |uid: &&String| !list.items.iter().any(|object| object.metadata.uid.as_ref() == Some(*uid));
        for uid in known.keys().filter(is_gone) {
            self.journal.write(self.subject.number, uid, 0, Change::Deleted, None);
        }
        Ok(list.metadata.resource_version.unwrap_or_default())
    }

    async fn run(self, mut version: String) {
        loop {
            let params = WatchParams::default();
            let params = match &self.subject.labels {
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
        let ApiResource { api_version, kind, .. } = &self.subject.resource;
        let version = object.metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        let what = if self.subject.labels.is_some() {
            Stored::of(object, change).map(What::Revision)
        } else {
            let sight = Sight::of(object, api_version, kind, change);
            let is_meant = self.subject.ids.iter().any(|id| id.is_same(&sight.id));
            is_meant.then_some(What::Object(sight))
        };
        let uid = object.metadata.uid.as_deref().unwrap_or_default();
        self.journal.write(self.subject.number, uid, version.unwrap_or_default(), change, what);
    }
}
