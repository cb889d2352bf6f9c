//! Where replicas share their certificates: named bytes that are replaced only by those who have seen what is there.

use std::{
    collections::BTreeMap,
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use time::OffsetDateTime;
use tokio::sync::watch;

pub mod format;

/// What a store holds: bytes by name, as the `data` of a Secret.
pub type Entries = BTreeMap<String, Vec<u8>>;

/// What a store of somebody else failed with.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Everything a store holds, as it was at one moment.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// Names the moment: only who knows it may replace the entries. A Secret's `resourceVersion`.
    pub version: String,
    /// The entries.
    pub data: Entries,
    /// When they were read, by the clock of those who will be shown the certificate, such as the API server; `None` if unknown.
    pub read_at: Option<OffsetDateTime>,
}

/// Why entries were not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Somebody else has replaced them since they were read; read again.
    #[error("the certificates have been replaced by another replica meanwhile")]
    Conflict,
    /// The store did not do it.
    #[error("cannot write the certificates")]
    Failed(#[source] Cause),
}

/// A place that several replicas read and write, such as a Secret.
pub trait Store: Send + Sync + 'static {
    /// Reads everything; an empty store is no error.
    fn read(&self) -> impl Future<Output = Result<Stored, Cause>> + Send;

    /// Replaces everything if the store still is at `version`.
    fn replace(&self, version: &str, data: Entries) -> impl Future<Output = Result<(), ReplaceError>> + Send;

    /// Ends when the store may be at another version than this one; never, if it cannot tell.
    fn changed(&self, version: &str) -> impl Future<Output = ()> + Send;
}

/// A store in memory; clones share their content. For tests, and for a server that nobody else stands beside.
#[derive(Debug, Clone)]
pub struct Memory {
    content: Arc<Mutex<(u64, Entries)>>,
    told: watch::Sender<u64>,
}

impl Memory {
    /// Starts with these entries.
    #[must_use]
    pub fn new(data: Entries) -> Self {
        Self { content: Arc::new(Mutex::new((0, data))), told: watch::Sender::new(0) }
    }

    /// What is there now.
    #[must_use]
    pub fn stored(&self) -> Stored {
        let content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        Stored { version: content.0.to_string(), data: content.1.clone(), read_at: None }
    }

    /// Replaces everything, as somebody would who does not care what is there.
    pub fn overwrite(&self, data: Entries) {
        let version = self.stored().version;
        // It fails only when somebody else has written, and they have been told.
        let _ = self.exchange(&version, data);
    }

    fn exchange(&self, version: &str, data: Entries) -> Result<(), ReplaceError> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        if content.0.to_string() != version {
            return Err(ReplaceError::Conflict);
        }
        *content = (content.0 + 1, data);
        self.told.send_replace(content.0);
        Ok(())
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new(Entries::new())
    }
}

impl Store for Memory {
    async fn read(&self) -> Result<Stored, Cause> {
        Ok(self.stored())
    }

    async fn replace(&self, version: &str, data: Entries) -> Result<(), ReplaceError> {
        self.exchange(version, data)
    }

    async fn changed(&self, version: &str) {
        // The sender lives as long as `self`.
        let _ = self.told.subscribe().wait_for(|told| told.to_string() != version).await;
    }
}

impl fmt::Debug for Stored {
    /// The names alone: the bytes hold keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.data.keys().collect();
        formatter
            .debug_struct("Stored")
            .field("version", &self.version)
            .field("names", &names)
            .finish_non_exhaustive()
    }
}
