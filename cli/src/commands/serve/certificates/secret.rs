//! A Secret of the cluster as a store of certificates.

use std::{
    future,
    sync::{Mutex, PoisonError},
};

use certs::{
    Store, Stored,
    store::{Cause, Entries, ReplaceError},
};
use cluster::secret::{Error, SecretFile};
use futures::StreamExt as _;
use tokio::sync::watch;

/// The Secret, and what its watch has told.
#[derive(Debug)]
pub(super) struct SecretStore {
    file: SecretFile,
    told: Mutex<watch::Receiver<String>>,
}

impl SecretStore {
    /// Watches the Secret until the store is dropped.
    pub(super) fn new(file: SecretFile) -> Self {
        let (tell, told) = watch::channel(String::new());
        let mut seen = file.watch().boxed();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tell.closed() => return,
                    stored = seen.next() => match stored {
                        Some(stored) => tell.send_replace(stored.unwrap_or_default().version),
                        None => return,
                    },
                };
            }
        });
        Self { file, told: Mutex::new(told) }
    }
}

impl Store for SecretStore {
    async fn read(&self) -> Result<Stored, Cause> {
        // What is told from here on may be newer than what is read now.
        self.told.lock().unwrap_or_else(PoisonError::into_inner).mark_unchanged();
        let stored = self.file.read().await?;
        Ok(Stored { version: stored.version, data: stored.data, read_at: self.file.date() })
    }

    async fn replace(&self, version: &str, data: Entries) -> Result<(), ReplaceError> {
        match self.file.replace(version, &data).await {
            Ok(_) => Ok(()),
            Err(Error::Conflict { .. }) => Err(ReplaceError::Conflict),
            Err(error) => Err(ReplaceError::Failed(error.into())),
        }
    }

    async fn changed(&self, version: &str) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        loop {
            if told.changed().await.is_err() {
                return future::pending().await;
            }
            if *told.borrow_and_update() != version {
                return;
            }
        }
    }
}
