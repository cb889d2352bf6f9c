//! The hooks of one event, one after the other.

use hooks::{DeletePolicy, Event, order};

use super::{Play, create::validate, errors::Failure, storage::Stored};
use crate::chart::Hook;

/// How far the hooks of an event came.
pub(super) enum Ending {
    /// All of them succeeded.
    Succeeded,
    /// The one at this place ran and did not succeed.
    Failed(usize, Failure),
    /// One could not be deleted, built or sent: nothing is cleaned up.
    Stopped(Failure),
}

impl Play<'_> {
    /// Runs the hooks of `event`, then deletes those whose policy says so.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/hooks.go`, `execHook`.
    pub(super) fn event(&mut self, event: Event, stored: &Stored) -> Result<(), Failure> {
        let ending = self.run_hooks(event, stored);
        let cleaned = self.clean_up(event, stored, ending);
        self.forget_what_is_gone();
        cleaned
    }

    /// Runs them, and prints the logs of the one that fails.
    ///
    /// Source: Helm 4.2.4 `pkg/action/hooks.go`, `execHookWithDelayedShutdown`.
    pub(super) fn run_hooks(&mut self, event: Event, stored: &Stored) -> Ending {
        for (place, hook) in executing(event, stored).into_iter().enumerate() {
            if let Err(failure) = self.delete_by_policy(event, hook, DeletePolicy::BeforeHookCreation) {
                return Ending::Stopped(failure);
            }
            if let Err(failure) = validate(hook).and_then(|()| self.build(hook)) {
                let words = format!("unable to build kubernetes object for {event} hook {}", hook.path);
                return Ending::Stopped(failure.after(words));
            }
            self.forget_what_is_gone();
            self.storage.update(stored);
            let sent = match self.create_hook(event, hook) {
                Ok(sent) => sent,
                Err(failure) => {
                    let words = format!("warning: Hook {event} {} failed", hook.path);
                    return Ending::Stopped(failure.after(words));
                }
            };
            if let Err(failure) = self.await_hook(event, &sent, stored) {
                if self.endless.is_some() {
                    return Ending::Stopped(failure);
                }
                self.print_logs(event, hook, DeletePolicy::HookFailed);
                return Ending::Failed(place, failure);
            }
        }
        Ending::Succeeded
    }

    /// Deletes by policy what has run: all in reverse when all succeeded; else the failed one, then those before it.
    ///
    /// Source: Helm 4.2.4 `pkg/action/hooks.go`, the functions that `execHookWithDelayedShutdown` returns.
    pub(super) fn clean_up(&mut self, event: Event, stored: &Stored, ending: Ending) -> Result<(), Failure> {
        let hooks = executing(event, stored);
        match ending {
            Ending::Succeeded => {
                for hook in hooks.into_iter().rev() {
                    self.print_logs(event, hook, DeletePolicy::HookSucceeded);
                    self.delete_by_policy(event, hook, DeletePolicy::HookSucceeded)?;
                }
                Ok(())
            }
            Ending::Failed(place, failure) => {
                // Helm only logs what goes wrong here.
                let _ = self.delete_by_policy(event, hooks[place], DeletePolicy::HookFailed);
                if self.endless.is_some() {
                    return Err(failure);
                }
                for hook in &hooks[..place] {
                    self.delete_by_policy(event, hook, DeletePolicy::HookSucceeded)?;
                }
                Err(failure)
            }
            Ending::Stopped(failure) => Err(failure),
        }
    }
}

/// The hooks of an event in the order in which they run; one that names the event twice runs twice.
fn executing(event: Event, stored: &Stored) -> Vec<&Hook> {
    let times = |hook: &Hook| hook.events.iter().filter(|own| **own == event).count();
    let mut hooks: Vec<_> = stored.hooks().flat_map(|hook| std::iter::repeat_n(hook, times(hook))).collect();
    order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
    hooks
}
