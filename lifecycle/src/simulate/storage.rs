//! What Helm stores of a release: its revisions, each with the hooks it was rendered with.

use std::sync::Arc;

use hooks::release::Status;

use crate::{
    Chart,
    answer::{ObjectId, Revision},
    chart::Hook,
};

/// How many revisions an upgrade or a rollback keeps, the new one included.
///
/// Source: Helm 4.2.4 `pkg/cli/environment.go`, `defaultMaxHistory`; Helm 3 has the same.
pub(super) const HISTORY: usize = 10;

/// One revision.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    /// Its number, from 1.
    pub(super) revision: u32,
    /// Where it stands.
    pub(super) status: Status,
    /// What it was rendered to.
    pub(super) chart: Arc<Chart>,
    /// The places of its hooks in the chart, in the order in which they are stored.
    pub(super) hooks: Vec<usize>,
    /// Whether its objects were sent by server-side apply.
    pub(super) applied: bool,
}

impl Stored {
    pub(super) fn new(revision: u32, status: Status, chart: &Arc<Chart>, applied: bool) -> Self {
        Self { revision, status, hooks: (0..chart.hooks.len()).collect(), chart: Arc::clone(chart), applied }
    }

    /// The next revision, made of this one.
    pub(super) fn again(&self, revision: u32, status: Status, applied: bool) -> Self {
        Self { revision, status, chart: Arc::clone(&self.chart), hooks: self.hooks.clone(), applied }
    }

    /// Its hooks, in the order in which they are stored.
    pub(super) fn hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().map(|index| &self.chart.hooks[*index])
    }
}

/// All revisions of one release, oldest first.
#[derive(Debug, Default)]
pub(super) struct Storage(Vec<Stored>);

impl Storage {
    pub(super) fn last(&self) -> Option<Stored> {
        self.0.last().cloned()
    }

    pub(super) fn find(&self, revision: u32) -> Option<Stored> {
        self.0.iter().find(|stored| stored.revision == revision).cloned()
    }

    /// The newest one that is deployed.
    pub(super) fn deployed(&self) -> Option<Stored> {
        self.newest(|status| status == Status::Deployed)
    }

    /// The newest revision, but for `other`, that has the object among its resources.
    pub(super) fn last_with(&self, id: &ObjectId, other: Option<u32>) -> Option<u32> {
        let has = |stored: &&Stored| {
            Some(stored.revision) != other
                && stored.chart.resources.iter().any(|object| object.id.is_same(id))
        };
        self.0.iter().rfind(has).map(|stored| stored.revision)
    }

    /// The newest one whose status `is_meant`.
    pub(super) fn newest(&self, is_meant: impl Fn(Status) -> bool) -> Option<Stored> {
        self.0.iter().rfind(|stored| is_meant(stored.status)).cloned()
    }

    /// Stores a new revision; makes room for it first where there is a limit.
    ///
    /// Source: Helm 4.2.4 `pkg/storage/storage.go`, `removeLeastRecent`.
    pub(super) fn create(&mut self, stored: &Stored, limit: Option<usize>) {
        let deployed = self.deployed().map(|deployed| deployed.revision);
        while limit.is_some_and(|limit| self.0.len() >= limit) {
            let oldest = self.0.iter().position(|stored| Some(stored.revision) != deployed);
            let Some(oldest) = oldest else { break };
            self.0.remove(oldest);
        }
        self.0.push(stored.clone());
    }

    /// Stores a revision again; what is not there stays away.
    pub(super) fn update(&mut self, stored: &Stored) {
        if let Some(slot) = self.0.iter_mut().find(|known| known.revision == stored.revision) {
            slot.clone_from(stored);
        }
    }

    /// Gives every deployed revision another status.
    pub(super) fn supersede(&mut self) {
        for stored in self.0.iter_mut().filter(|stored| stored.status == Status::Deployed) {
            stored.status = Status::Superseded;
        }
    }

    /// Gives the newest revision another status, and another number unless an older one has that or a higher one.
    pub(super) fn restate(&mut self, revision: u32, status: Status) {
        if let Some((newest, older)) = self.0.split_last_mut() {
            newest.status = status;
            if older.iter().all(|stored| stored.revision < revision) {
                newest.revision = revision;
            }
        }
    }

    pub(super) fn purge(&mut self) {
        self.0.clear();
    }

    pub(super) fn history(&self) -> Vec<Revision> {
        let revision =
            |stored: &Stored| Revision { revision: stored.revision, status: stored.status.name().to_owned() };
        self.0.iter().map(revision).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(revision: u32, status: Status) -> Stored {
        Stored::new(revision, status, &Arc::default(), true)
    }

    #[test]
    fn the_oldest_makes_room_but_never_the_deployed_one() {
        let mut storage = Storage::default();
        storage.create(&stored(1, Status::Deployed), None);
        for revision in 2..=11 {
            storage.create(&stored(revision, Status::Failed), Some(HISTORY));
        }
        let kept: Vec<_> = storage.history().iter().map(|kept| kept.revision).collect();
        assert_eq!(kept, [1, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }

    #[test]
    fn what_was_purged_is_not_stored_again() {
        let mut storage = Storage::default();
        storage.create(&stored(1, Status::Deployed), None);
        storage.purge();
        storage.update(&stored(1, Status::Failed));
        assert!(storage.history().is_empty());
    }
}
