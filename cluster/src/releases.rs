//! Which release a hook belongs to, by the records that Helm stores: an opt-in watch that keeps names and nothing else.
//!
//! Before Helm makes a hook, it stores in the release's Secret that this hook is running. A record is read as a stream, and what
//! stays of it are the name of the release and the names of its hooks, as long as something is under way: 2,000 releases and 20,000
//! hooks, about 12 MB, at the most. A record is read when there is [`Memory`] for it, one at a time also beside others who read
//! such things; what waits to be read are 4 Secrets. Whoever may write such a Secret decides what is said of the hooks it names in the same namespace.

use std::{
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
};

use futures::StreamExt as _;
use hooks::{annotations::RELEASE_TYPE, release::Limits};
use kube::{Api, Client, runtime::watcher};
use policies::{HookKey, Membership};
use tokio::{
    sync::{Semaphore, watch},
    task::{AbortHandle, JoinHandle, spawn_blocking},
};

use self::{
    index::{Index, Place},
    stored::StoredRelease,
};
use crate::{
    client,
    metrics::{Metrics, Watch},
    status::now,
    watching::Trouble,
};

mod index;
mod record;
mod stored;

/// Secrets that are held at once while all are listed.
const PAGE: u32 = 4;
/// What can have hooks that run: neither old revisions nor what is gone.
const LABELS: &str = "owner=helm,status notin (superseded,uninstalled)";

/// The releases with something under way, until it is dropped.
#[derive(Debug)]
pub struct Releases {
    index: Arc<RwLock<Index>>,
    synced: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

impl Releases {
    /// Begins to watch; must be called within a runtime. Needs to list and watch Secrets in all namespaces.
    #[must_use]
    pub fn start(client: &Client, metrics: &Metrics, memory: Memory) -> Self {
        let index = Arc::new(RwLock::new(Index::default()));
        let (sender, synced) = watch::channel(false);
        let reader = Reader {
            index: Arc::clone(&index),
            metrics: metrics.clone(),
            memory,
            synced: sender,
            listed: None,
        };
        let task = tokio::spawn(reader.run(Api::all(client.clone())));
        Self { index, synced, task }
    }

    /// What does all this: it ends with the value only, or by a bug.
    #[must_use]
    pub fn task(&self) -> AbortHandle {
        self.task.abort_handle()
    }

    /// Whether all releases have been looked at once.
    #[must_use]
    pub fn synced(&self) -> watch::Receiver<bool> {
        self.synced.clone()
    }

    /// The release that this hook belongs to now, and what is done to it. One that Helm says is running comes first, the latest of
    /// several. A hook that is not running belongs to a release only while something is done to that release.
    ///
    /// Helm stores that a hook runs and then makes it; between the two are some milliseconds in which we may not have heard of it.
    /// What is done to the release was stored before that.
    ///
    /// What is done is [`Moment::Unknown`](policies::Moment::Unknown) unless the Secret, the release and the hook are in the same
    /// namespace, and so for all hooks without one.
    #[must_use]
    pub fn membership(&self, hook: &HookKey) -> Option<Membership> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).membership(hook, now())
    }
}

impl Drop for Releases {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The memory in which records are read, shared with whoever else reads such things: nobody reads one unless there is room for it.
#[derive(Debug, Clone)]
pub struct Memory {
    /// The KiB that are left.
    pub kib: Arc<Semaphore>,
    /// The KiB that one record takes.
    pub record: u32,
}

/// Reads one record after the other.
#[derive(Debug)]
struct Reader {
    index: Arc<RwLock<Index>>,
    metrics: Metrics,
    memory: Memory,
    synced: watch::Sender<bool>,
    /// What a new list has shown so far.
    listed: Option<Vec<Place>>,
}

impl Reader {
    async fn run(mut self, api: Api<StoredRelease>) {
        let kind = format!("type={RELEASE_TYPE}");
        let config = watcher::Config::default().labels(LABELS).fields(&kind).page_size(PAGE);
        let mut events = pin!(client::watch(api, config));
        let mut trouble = Trouble::new(Watch::Releases, &self.metrics);
        while let Some(event) = events.next().await {
            if let Some(event) = trouble.event(event) {
                self.take(event).await;
            }
        }
    }

    async fn take(&mut self, event: watcher::Event<StoredRelease>) {
        match event {
            watcher::Event::Init => self.listed = Some(Vec::new()),
            watcher::Event::InitApply(secret) => {
                if let Some(listed) = &mut self.listed {
                    listed.push(secret.place());
                }
                // Almost all are at rest, and reading them all would take long.
                if secret.is_under_way() {
                    self.read(secret).await;
                }
            }
            watcher::Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                self.change(|index| index.retain(&listed));
                self.synced.send_replace(true);
            }
            watcher::Event::Apply(secret) => self.read(secret).await,
            watcher::Event::Delete(secret) => self.change(|index| index.forget(&secret.place())),
        }
    }

    async fn read(&self, secret: StoredRelease) {
        let place = secret.place();
        // What is kept besides the largest text, which is there three times while it is read, has a quarter.
        let text = self.memory.record as usize * 1024 / 4;
        let limits = Limits { text: text.min(Limits::default().text), ..Limits::default() };
        let stored_in = place.namespace.clone();
        let permit = Arc::clone(&self.memory.kib).acquire_many_owned(self.memory.record).await;
        let read = spawn_blocking(move || {
            let _permit = permit;
            secret.decode(&limits).map(|record| record::claims(&record, &stored_in))
        });
        let read = read.await;
        let claims = match read {
            Ok(Ok(claims)) => Some(claims),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a release record was left out");
                None
            }
            Err(error) => {
                tracing::error!(%error, "a release record could not be read to its end");
                None
            }
        };
        let is_kept = self.change(|index| {
            index.forget(&place);
            claims.is_some_and(|claims| index.put(place, claims))
        });
        if !is_kept {
            self.metrics.records_left_out.inc();
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Index) -> T) -> T {
        change(&mut self.index.write().unwrap_or_else(PoisonError::into_inner))
    }
}
