//! `helm uninstall`, and the one that a failed install ends with.

use std::sync::Arc;

use hooks::{Event, order, release::Status};

use super::{Play, errors::Failure};
use crate::{chart::Object, command::Wait};

impl Play<'_> {
    /// Uninstalls the last revision.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/uninstall.go`, `Run`.
    pub(super) fn uninstall(&mut self) -> Result<(), Failure> {
        let Some(mut last) = self.storage.last() else {
            let words = format!("uninstall: Release not loaded: {}: release: not found", self.release);
            return Err(Failure(words));
        };
        self.revision.get_or_insert(last.revision);
        if last.status == Status::Uninstalled {
            if self.flags.keep_history {
                return Err(Failure(format!("the release named \"{}\" is already deleted", self.release)));
            }
            self.storage.purge();
            return Ok(());
        }
        // From here on the hooks that run store it so.
        last.status = Status::Uninstalling;
        self.applies = self.profile.applies;
        if !self.flags.no_hooks {
            self.event(Event::PreDelete, &last)?;
        }
        self.storage.update(&last);
        // Whatever the policy says.
        let has_policy = |object: &Arc<Object>| object.document_policy.is_some();
        let (kept, mut objects): (Vec<_>, Vec<_>) =
            last.chart.resources.iter().cloned().partition(has_policy);
        order::by_kind(&mut objects, |object| &object.id.kind);
        objects.reverse();
        self.delete_resources(&objects, &kept)
            .map_err(|_| Failure(format!("failed to delete release: {}", self.release)))?;
        let mut errors = Vec::new();
        if self.flags.wait != Wait::HookOnly {
            let ids: Vec<_> = objects.iter().map(|object| &object.id).collect();
            errors.extend(self.await_gone(&ids).err());
        }
        if !self.flags.no_hooks && self.endless.is_none() {
            errors.extend(self.event(Event::PostDelete, &last).err());
        }
        if self.endless.is_some() {
            return errors.pop().map_or(Ok(()), Err);
        }
        last.status = Status::Uninstalled;
        if self.flags.keep_history {
            self.storage.update(&last);
            self.storage.supersede();
        } else {
            self.storage.purge();
        }
        if errors.is_empty() {
            return Ok(());
        }
        let words: Vec<_> = errors.iter().map(|error| error.0.as_str()).collect();
        Err(Failure(format!("uninstallation completed with {} error(s): {}", errors.len(), words.join("; "))))
    }
}
