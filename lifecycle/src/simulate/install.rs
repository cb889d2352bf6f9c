//! `helm install`.

use std::sync::Arc;

use hooks::{Event, release::Status};

use super::{
    Play,
    errors::{Failure, Request, cause},
    storage::Stored,
};
use crate::{
    chart::Object,
    command::Wait,
    profile::Engine,
    world::{Origin, Refusal},
};

impl Play<'_> {
    /// Whether `helm upgrade --install` installs: there is no release, or it is uninstalled.
    ///
    /// Source: Helm 4.2.4 `pkg/cmd/upgrade.go`, `isReleaseUninstalled`.
    pub(super) fn installs_instead(&self) -> bool {
        self.storage.last().is_none_or(|last| last.status == Status::Uninstalled)
    }

    /// Installs; `replaces` one that is uninstalled and whose history was kept.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/install.go`, `RunWithContext`.
    pub(super) fn install(&mut self, replaces: bool) -> Result<(), Failure> {
        let chart = self.chart();
        self.applies = self.profile.applies && self.flags.server_side.unwrap_or(true);
        let last = self.storage.last();
        if last.is_some() && !replaces {
            return Err(self.name_in_use());
        }
        self.install_definitions(&chart.crds)?;
        self.build_resources(&chart)
            .map_err(|failure| failure.after("unable to build kubernetes objects from release manifest"))?;
        let adopted =
            self.adopted(&chart.resources).map_err(|failure| failure.after(self.unable_to("install")))?;
        let revision = last.as_ref().map_or(1, |last| last.revision + 1);
        if let Some(mut last) = last {
            last.status = Status::Superseded;
            self.storage.update(&last);
        }
        let stored = Stored::new(revision, Status::PendingInstall, &chart, self.applies);
        self.storage.create(&stored, None);
        self.revision = Some(revision);
        self.perform_install(stored.clone(), &adopted).or_else(|failure| self.fail_install(stored, failure))
    }

    fn perform_install(&mut self, mut stored: Stored, adopted: &[Arc<Object>]) -> Result<(), Failure> {
        if !self.flags.no_hooks {
            self.event(Event::PreInstall, &stored).map_err(|failure| failure.after("failed pre-install"))?;
        }
        let chart = Arc::clone(&stored.chart);
        if adopted.is_empty() {
            self.create_resources(&chart.resources)?;
        } else {
            self.update_resources(adopted, &chart.resources)?;
        }
        self.await_resources(&chart.resources)?;
        if !self.flags.no_hooks {
            self.event(Event::PostInstall, &stored)
                .map_err(|failure| failure.after("failed post-install"))?;
        }
        stored.status = Status::Deployed;
        self.storage.update(&stored);
        Ok(())
    }

    /// Records the failure, or takes everything back.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/install.go`, `failRelease`: what is taken back is not recorded as failed before.
    fn fail_install(&mut self, mut stored: Stored, failure: Failure) -> Result<(), Failure> {
        if self.endless.is_some() {
            return Err(failure);
        }
        if !self.flags.rollback_on_failure {
            stored.status = Status::Failed;
            self.storage.update(&stored);
            return Err(failure);
        }
        self.flags.keep_history = false;
        let flag = if self.profile.engine == Engine::Helm3 {
            self.wait_by(Wait::HookOnly);
            "atomic"
        } else {
            "rollback-on-failure"
        };
        Err(match self.uninstall() {
            Ok(()) => failure.after(format!(
                "release {} failed, and has been uninstalled due to {flag} being set",
                self.release
            )),
            Err(second) => Failure(format!(
                "an error occurred while uninstalling the release. original install error: {}: {}",
                failure.0, second.0
            )),
        })
    }

    fn name_in_use(&self) -> Failure {
        Failure(if self.profile.engine == Engine::Helm3 {
            "cannot re-use a name that is still in use".to_owned()
        } else {
            "release name check failed: cannot reuse a name that is still in use".to_owned()
        })
    }

    /// What stands in `crds/` folders, unless it is there already.
    fn install_definitions(&mut self, definitions: &[Arc<Object>]) -> Result<(), Failure> {
        for object in definitions {
            let owner = Origin::Resource { release: Arc::from("") };
            match self.world.post(object, owner, crate::Outcome::default()) {
                Ok(()) | Err(Refusal::AlreadyExists { .. }) => {}
                Err(refusal) => {
                    let words = cause(Request::Create, &object.id, &refusal);
                    return Err(Failure(format!("failed to install CRD crds/{}: {words}", object.id.name)));
                }
            }
        }
        Ok(())
    }

    /// The words for an ownership conflict, which the two Helms write differently.
    pub(super) fn unable_to(&self, what: &str) -> String {
        let unable = if self.profile.engine == Engine::Helm3 { "Unable" } else { "unable" };
        format!("{unable} to continue with {what}")
    }
}
