//! `helm rollback`, and the one that a failed upgrade ends with.

use std::sync::Arc;

use hooks::{Event, release::Status};

use super::{
    Play,
    errors::Failure,
    storage::{HISTORY, Stored},
};
use crate::profile::Engine;

impl Play<'_> {
    /// Rolls back to a revision, or to the one before the last.
    pub(super) fn rollback(&mut self, to: Option<u32>) -> Result<(), Failure> {
        self.rollback_within(to, Some(HISTORY))
    }

    /// Makes a new revision of an old one, hooks included.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/rollback.go`, `prepareRollback`.
    pub(super) fn rollback_within(&mut self, to: Option<u32>, limit: Option<usize>) -> Result<(), Failure> {
        let last = self.storage.last().ok_or_else(|| Failure("release: not found".to_owned()))?;
        let to = to.filter(|to| *to > 0).unwrap_or(last.revision - 1);
        let missing = || Failure(format!("release has no {to} version"));
        let target = self.storage.find(to).ok_or_else(missing)?;
        self.applies = self.profile.applies && self.flags.server_side.unwrap_or(target.applied);
        let stored = target.again(last.revision + 1, Status::PendingRollback, self.applies);
        self.storage.create(&stored, limit);
        self.revision.get_or_insert(stored.revision);
        self.perform_rollback(last, stored)
    }

    /// A hook that fails leaves the revision pending; anything else makes it failed.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/rollback.go`, `performRollback`.
    fn perform_rollback(&mut self, mut last: Stored, mut stored: Stored) -> Result<(), Failure> {
        let chart = Arc::clone(&stored.chart);
        for (objects, which) in [(&last.chart.resources, "current"), (&chart.resources, "new")] {
            self.map(objects.iter()).map_err(|failure| {
                failure.after(format!("unable to build kubernetes objects from {which} release manifest"))
            })?;
        }
        if !self.flags.no_hooks {
            self.event(Event::PreRollback, &stored)?;
        }
        if let Err(failure) = self.update_resources(&last.chart.resources, &chart.resources) {
            last.status = Status::Superseded;
            stored.status = Status::Failed;
            self.storage.update(&last);
            self.storage.update(&stored);
            if self.flags.cleanup_on_fail {
                let created = std::mem::take(&mut self.created);
                if created.is_empty() {
                    return Err(self.nothing_to_clean_up(&failure));
                }
                self.delete_created(&created);
            }
            return Err(failure);
        }
        if let Err(failure) = self.await_resources(&chart.resources) {
            if self.endless.is_some() {
                return Err(failure);
            }
            stored.status = Status::Failed;
            self.storage.update(&stored);
            return Err(failure.after(format!("release {} failed", self.release)));
        }
        if !self.flags.no_hooks {
            self.event(Event::PostRollback, &stored)?;
        }
        self.storage.supersede();
        stored.status = Status::Deployed;
        self.storage.update(&stored);
        Ok(())
    }

    /// A rollback, unlike an upgrade, does not look whether it has made anything before it takes it away.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/rollback.go`, `performRollback`; Helm 4 says the second error alone.
    fn nothing_to_clean_up(&self, failure: &Failure) -> Failure {
        let original =
            if self.profile.engine == Engine::Helm3 { format!("{}: ", failure.0) } else { String::new() };
        Failure(format!(
            "an error occurred while cleaning up resources. original rollback error: {original}unable to cleanup resources: object \
             not found, skipping delete: no objects visited"
        ))
    }
}
