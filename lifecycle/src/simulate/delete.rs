//! The objects of a hook are deleted by policy, and their end is awaited.

use hooks::{DeletePolicy, Event};

use super::{
    Play,
    errors::{Failure, Request, cause},
};
use crate::{
    answer::{ObjectId, StepResult, Verb},
    chart::Hook,
    profile::{Deletion, Engine},
    world::{Deleted, Live, Millis},
};

/// How often Helm looks whether something is gone or ready.
///
/// Source: Helm 4.2.4 `pkg/kube/wait.go`, `WaitForDelete`; Helm 3.21.4 `waitForDeletedResources`.
pub(super) const LOOKS: Millis = 2_000;

/// What a kstatus waiter takes for no timeout.
///
/// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `DefaultStatusWatcherTimeout`.
pub(super) const STATUS_TIMEOUT: Millis = 30_000;

/// As good as never: a simulation does not wait longer.
pub(super) const FOREVER: Millis = 24 * 3_600_000;

impl Play<'_> {
    /// Deletes the objects of a hook if this policy is its own.
    ///
    /// Source: Helm 4.2.4 `pkg/action/hooks.go`, `deleteHookByPolicy`.
    pub(super) fn delete_by_policy(
        &mut self,
        event: Event,
        hook: &Hook,
        policy: DeletePolicy,
    ) -> Result<(), Failure> {
        if !self.profile.engine.deletes(hook, policy) {
            return Ok(());
        }
        self.build(hook).map_err(|failure| {
            failure.after(format!("unable to build kubernetes object for deleting hook {}", hook.path))
        })?;
        if hook.objects.is_empty() {
            return Err(Failure("object not found, skipping delete: no objects visited".to_owned()));
        }
        let mut errors = Vec::new();
        let mut asked = Vec::new();
        for object in &hook.objects {
            let deleted = self.world.delete(&object.id);
            let result = match deleted {
                Ok(Deleted::Absent) => StepResult::Absent,
                Ok(Deleted::Asked) => StepResult::Ok,
                Err(_) => StepResult::Failed,
            };
            let step = self.step(Some(event), Verb::Delete, Some(&object.id), result);
            if let Err(refusal) = deleted {
                let words = cause(Request::Delete, &object.id, &refusal);
                self.explain(step, words.clone());
                errors.push(words);
            }
            asked.push((&object.id, step));
        }
        if !errors.is_empty() {
            return Err(Failure(errors.join("; ")));
        }
        self.await_deletion(&asked)
    }

    /// Waits until the objects are gone, in the way of the profile; those that stay get it said at their step.
    fn await_deletion(&mut self, asked: &[(&ObjectId, usize)]) -> Result<(), Failure> {
        let ids: Vec<_> = asked.iter().map(|(id, _)| *id).collect();
        let awaited = self.await_gone(&ids);
        for (id, step) in asked {
            let Some(live) = self.world.live(id) else { continue };
            if awaited.is_err() {
                let message = format!("it is still there: {}", what_holds(live));
                self.steps[*step].result = StepResult::Timeout;
                self.explain(*step, message);
            } else {
                self.explain(*step, "Helm does not wait until it is gone");
            }
        }
        awaited
    }

    /// Waits until nothing is left under these ids.
    ///
    /// Source: Helm 3.21.4 `pkg/kube/wait.go`, `waitForDeletedResources`; Helm 4.2.4 `pkg/kube/statuswait.go`, `waitForDelete`.
    pub(super) fn await_gone(&mut self, ids: &[&ObjectId]) -> Result<(), Failure> {
        let timeout = Millis::try_from(self.flags.timeout.as_millis()).unwrap_or(FOREVER);
        let now = self.world.now();
        match self.waiter.deletion {
            Deletion::Forget => Ok(()),
            Deletion::Poll => {
                let is_unlimited = timeout == 0 && self.profile.engine != Engine::Helm3;
                let deadline = now.saturating_add(if is_unlimited { FOREVER } else { timeout });
                let is_gone = |play: &Self| ids.iter().all(|id| play.world.live(id).is_none());
                if self.look(deadline, LOOKS, is_gone) {
                    return Ok(());
                }
                let left = ids.iter().find(|id| is_unlimited && self.world.live(id).is_some());
                self.endless = left.map(|id| ObjectId::clone(id));
                Err(Failure("context deadline exceeded".to_owned()))
            }
            Deletion::Watch => {
                let deadline = now.saturating_add(if timeout == 0 { STATUS_TIMEOUT } else { timeout });
                let is_gone =
                    |world: &crate::World| ids.iter().all(|id| world.live(id).is_none()).then_some(());
                if self.world.until(deadline, is_gone).is_some() {
                    return Ok(());
                }
                let left = ids.iter().filter(|id| self.world.live(id).is_some()).map(|id| {
                    format!(
                        "resource {}/{}/{} still exists. status: Terminating, message: Resource scheduled for deletion",
                        id.kind,
                        id.namespace.as_deref().unwrap_or_default(),
                        id.name
                    )
                });
                let lines: Vec<_> = left.chain(["context deadline exceeded".to_owned()]).collect();
                Err(Failure(lines.join("\n")))
            }
        }
    }

    /// Looks now and then whether something is so, until `deadline`.
    ///
    /// Source: apimachinery 0.36 `pkg/util/wait/loop.go`, `loopConditionUntilContext`: the first look is at once, whatever the deadline.
    pub(super) fn look(&mut self, deadline: Millis, every: Millis, is_so: impl Fn(&Self) -> bool) -> bool {
        loop {
            if is_so(self) {
                return true;
            }
            // Where nothing changes any more, no look finds anything else.
            let now = self.world.now();
            let looks = self.world.next_change().map(|next| next.saturating_sub(now).div_ceil(every).max(1));
            let then = looks.map(|looks| now + looks * every).filter(|then| *then < deadline);
            self.world.advance(then.unwrap_or_else(|| deadline.max(now)));
            if then.is_none() {
                return false;
            }
        }
    }
}

/// Why something is there that somebody has asked to delete.
pub(super) fn what_holds(live: &Live) -> String {
    let id = &live.object.id;
    let words = match (id.group(), id.kind.as_str()) {
        _ if live.object.finalizers => "a finalizer holds it",
        ("", "PersistentVolumeClaim") => "a pod still uses it",
        ("", "Namespace") => "what is in it takes longer to go",
        ("apiextensions.k8s.io", "CustomResourceDefinition") => "objects of its kind take longer to go",
        ("", "Pod") => {
            let grace = live.object.run.as_ref().map_or(0, |run| run.grace);
            return format!("its containers have {grace}s to stop");
        }
        _ => "something holds it",
    };
    words.to_owned()
}
