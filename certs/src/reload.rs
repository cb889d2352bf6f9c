//! Polls a folder of PEM files and exchanges the served certificate when the files change.
//!
//! A kubelet replaces a mounted Secret by renaming the symlink `..data`, which file watches miss from the second time on; so
//! the bytes are read and compared on an interval.

use std::{
    error::Error as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::time::MissedTickBehavior;

use crate::{
    Resolver,
    folder::{self, Contents},
};

/// How often a folder is read where nothing else is said.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// How many reads are tried to get two equal ones, while somebody is writing.
const READS: usize = 3;

/// What one look at the folder led to.
#[derive(Debug)]
pub enum Outcome {
    /// The files hold what they held at the last look, good or bad.
    Unchanged,
    /// The files changed, and are served from now on.
    Exchanged {
        /// When the new certificate ends.
        not_after: OffsetDateTime,
    },
    /// The files changed into something that cannot be served; the old certificate stays. Said once per content.
    Kept(folder::Error),
}

/// Keeps a [`Resolver`] at what a folder holds.
pub struct Reloader {
    folder: PathBuf,
    resolver: Arc<Resolver>,
    seen: Contents,
}

impl Reloader {
    /// Reads the folder for the first time; there must be a pair to start with.
    ///
    /// # Errors
    /// As [`folder::read`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, folder::Error> {
        let folder = folder.into();
        let seen = settled(&folder);
        let resolver = Arc::new(Resolver::new(seen.pair(&folder)?));
        Ok(Self { folder, resolver, seen })
    }

    /// What rustls asks for certificates; the same for the whole life of this reloader.
    #[must_use]
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// Looks at the folder once. Reads files, so not for an event loop.
    pub fn check_once(&mut self) -> Outcome {
        if Contents::read(&self.folder) == self.seen {
            return Outcome::Unchanged;
        }
        let found = settled(&self.folder);
        if found == self.seen {
            return Outcome::Unchanged;
        }
        self.seen = found;
        match self.seen.pair(&self.folder) {
            Ok(pair) => {
                let not_after = pair.leaf().not_after;
                self.resolver.store(pair);
                Outcome::Exchanged { not_after }
            }
            Err(error) => Outcome::Kept(error),
        }
    }

    /// Looks at the folder every `interval`, logs what changed and hands it to `report` (for a metric); ends with the runtime
    /// or when dropped.
    pub async fn run(mut self, interval: Duration, mut report: impl FnMut(&Outcome)) {
        let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let looked = tokio::task::spawn_blocking(move || {
                let outcome = self.check_once();
                (self, outcome)
            });
            let Ok((reloader, outcome)) = looked.await else { return };
            self = reloader;
            log(&self.folder, &outcome);
            report(&outcome);
        }
    }
}

/// Reads until two reads in a row agree, so that a symlink renamed between two files is not taken for a broken pair.
fn settled(folder: &Path) -> Contents {
    let mut last = Contents::read(folder);
    for _ in 1..READS {
        let next = Contents::read(folder);
        if next == last {
            break;
        }
        last = next;
    }
    last
}

fn log(folder: &Path, outcome: &Outcome) {
    let folder = folder.display();
    match outcome {
        Outcome::Unchanged => {}
        Outcome::Exchanged { not_after } => {
            let not_after = written(*not_after);
            tracing::info!(%folder, not_after, "serving the new certificate");
        }
        Outcome::Kept(error) => {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(%folder, %error, cause, "keeping the old certificate");
        }
    }
}

/// As RFC 3339, which every date of a certificate has: its year has four digits.
pub(crate) fn written(moment: OffsetDateTime) -> String {
    moment.format(&Rfc3339).unwrap_or_else(|_| moment.to_string())
}

#[cfg(test)]
mod tests;
