//! `helm upgrade`.

use std::{collections::HashSet, sync::Arc};

use hooks::{Event, release::Status};

use super::{
    Play,
    adopt::key,
    errors::Failure,
    storage::{HISTORY, Stored},
};
use crate::{chart::Object, profile::Engine};

impl Play<'_> {
    /// Upgrades.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/upgrade.go`, `prepareUpgrade` and `performUpgrade`.
    pub(super) fn upgrade(&mut self) -> Result<(), Failure> {
        let chart = self.chart();
        let undeployed = || Failure(format!("\"{}\" has no deployed releases", self.release));
        let last = self.storage.last().ok_or_else(undeployed)?;
        if last.status.is_pending() {
            return Err(Failure("another operation (install/upgrade/rollback) is in progress".to_owned()));
        }
        let is_base = matches!(last.status, Status::Failed | Status::Superseded);
        let base =
            self.storage.deployed().or_else(|| is_base.then(|| last.clone())).ok_or_else(undeployed)?;
        self.applies = self.profile.applies && self.flags.server_side.unwrap_or(last.applied);
        self.build_resources(&chart)?;
        self.map(base.chart.resources.iter()).map_err(|failure| {
            failure.after("unable to build kubernetes objects from current release manifest")
        })?;
        let known: HashSet<_> = base.chart.resources.iter().map(|old| key(old)).collect();
        let is_new = |object: &&Arc<Object>| !known.contains(&key(object));
        let new: Vec<_> = chart.resources.iter().filter(is_new).cloned().collect();
        let adopted = self.adopted(&new).map_err(|failure| failure.after(self.unable_to("update")))?;
        let current: Vec<_> = base.chart.resources.iter().chain(&adopted).cloned().collect();
        let stored = Stored::new(last.revision + 1, Status::PendingUpgrade, &chart, self.applies);
        self.storage.create(&stored, Some(HISTORY));
        self.revision = Some(stored.revision);
        let mut created = Vec::new();
        self.perform_upgrade(stored.clone(), base, &current, &mut created)
            .or_else(|failure| self.fail_upgrade(stored, &created, failure))
    }

    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/upgrade.go`, `releasingUpgrade`.
    fn perform_upgrade(
        &mut self,
        mut stored: Stored,
        mut base: Stored,
        current: &[Arc<Object>],
        created: &mut Vec<Arc<Object>>,
    ) -> Result<(), Failure> {
        if !self.flags.no_hooks {
            self.event(Event::PreUpgrade, &stored)
                .map_err(|failure| failure.after("pre-upgrade hooks failed"))?;
        }
        let chart = Arc::clone(&stored.chart);
        let updated = self.update_resources(current, &chart.resources);
        created.clone_from(&self.created);
        updated?;
        self.await_resources(&chart.resources)?;
        if !self.flags.no_hooks {
            self.event(Event::PostUpgrade, &stored)
                .map_err(|failure| failure.after("post-upgrade hooks failed"))?;
        }
        base.status = Status::Superseded;
        self.storage.update(&base);
        stored.status = Status::Deployed;
        self.storage.update(&stored);
        Ok(())
    }

    /// Records the failure, and rolls back where that was asked for.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/upgrade.go`, `failRelease`.
    fn fail_upgrade(
        &mut self,
        mut stored: Stored,
        created: &[Arc<Object>],
        failure: Failure,
    ) -> Result<(), Failure> {
        if self.endless.is_some() {
            return Err(failure);
        }
        stored.status = Status::Failed;
        self.storage.update(&stored);
        if self.flags.cleanup_on_fail {
            self.delete_created(created);
        }
        if !self.flags.rollback_on_failure {
            return Err(failure);
        }
        let is_good = |status| matches!(status, Status::Superseded | Status::Deployed);
        let Some(good) = self.storage.newest(is_good) else {
            return Err(failure.after(
                "unable to find a previously successful release when attempting to rollback. original upgrade error",
            ));
        };
        self.flags.cleanup_on_fail = false;
        let flag = if self.profile.engine == Engine::Helm3 { "atomic" } else { "rollback-on-failure" };
        Err(match self.rollback_within(Some(good.revision), None) {
            Ok(()) => failure.after(format!(
                "release {} failed, and has been rolled back due to {flag} being set",
                self.release
            )),
            Err(second) => Failure(format!(
                "an error occurred while rolling back the release. original upgrade error: {}: {}",
                failure.0, second.0
            )),
        })
    }
}
