//! An Application of Argo CD is deleted, with its hooks for that.

use std::{collections::HashMap, sync::Arc};

use hooks::{DeletePolicy, Event, release::Status};

use super::{
    super::{
        Play,
        create::{Sent, ended},
        delete::{FOREVER, what_holds},
        errors::Failure,
        manifest::KEEP,
        storage::Stored,
        wait::Seen,
    },
    Phase, hooks_of, qualified, waiting_for,
};
use crate::{
    World,
    answer::{ObjectId, Step, StepResult, Verb},
    world::{Live, Millis, Origin},
};

/// Source: argo-cd 3.5.1 `controller/hook.go`, `hookTypeAnnotations`.
const PRE_DELETE: Phase = [Event::PreDelete; 2];
const POST_DELETE: Phase = [Event::PostDelete; 2];

/// How often a hook is tried: Argo CD never ends.
const TRIES: usize = 2;

impl Play<'_> {
    /// Source: argo-cd 3.5.1 `controller/appcontroller.go`, `finalizeApplicationDeletion`; `controller/hook.go`.
    pub(super) fn delete_application(&mut self) -> Result<(), Failure> {
        let Some(mut last) = self.storage.last() else {
            return Err(Failure(format!("applications.argoproj.io \"{}\" not found", self.release)));
        };
        self.revision = Some(last.revision);
        last.status = Status::Uninstalling;
        self.storage.update(&last);
        self.run_until_well(&last, PRE_DELETE, "PreDelete")?;
        let asked = self.delete_all(&last)?;
        let deadline = self.world.now().saturating_add(FOREVER);
        let is_there = |world: &World| asked.iter().any(|uid| world.with_uid(*uid).is_some());
        if self.world.until(deadline, |world| (!is_there(world)).then_some(())).is_none() {
            return Err(self.remaining(&asked));
        }
        self.run_until_well(&last, POST_DELETE, "PostDelete")?;
        let asked = self.ask_hooks(&last, &[PRE_DELETE, POST_DELETE], DeletePolicy::HookSucceeded);
        self.await_hooks_gone(&asked)?;
        self.storage.purge();
        Ok(())
    }

    /// Waits until what was deleted is gone; what stays is all that is heard of the deletion from then on.
    fn await_hooks_gone(&mut self, asked: &[(usize, u64)]) -> Result<(), Failure> {
        if self.are_gone(asked) {
            return Ok(());
        }
        let left = asked.iter().filter_map(|(_, uid)| self.world.with_uid(*uid));
        let left: Vec<_> = left.map(|live| qualified(&live.object)).collect();
        Err(Failure(waiting_for("deletion of", &left)))
    }

    /// Deletes all that carries the name of the Application, hooks too, whichever sync has made it; gives the uids of all that.
    ///
    /// Source: argo-cd 3.5.1 `controller/appcontroller.go`, `finalizeApplicationDeletion`, `shouldBeDeleted`;
    /// `gitops-engine/pkg/sync/resource/annotations.go`, `HasAnnotationOption`.
    fn delete_all(&mut self, stored: &Stored) -> Result<Vec<u64>, Failure> {
        let goes = |live: &&Live| {
            let policy = live.object.resource_policy.as_deref().unwrap_or_default();
            let is_kept = policy.split(',').any(|option| option.trim() == KEEP);
            live.origin != Origin::Outside && live.object.defines.is_none() && !is_kept
        };
        let all = self.world.lives().filter(goes).map(|live| (live.uid, Arc::clone(&live.object)));
        let all: Vec<_> = all.collect();
        let mut events = HashMap::new();
        for hook in &stored.chart.hooks {
            events.extend(hook.objects.iter().map(|object| (&object.id, hook.events.first())));
        }
        let mut others = Vec::new();
        for (uid, object) in &all {
            match events.get(&object.id) {
                Some(event) => {
                    self.step(event.copied(), Verb::Delete, Some(&object.id), StepResult::Ok);
                    // By what it is called there: its text may leave that to the API server. What stays is told in the end.
                    self.world.delete_with_uid(*uid);
                }
                None if object.generates_name => self.world.delete_with_uid(*uid),
                None => others.push(Arc::clone(object)),
            }
        }
        self.delete_resources(&others, &[])?;
        Ok(all.into_iter().map(|(uid, _)| uid).collect())
    }

    /// What of `asked` is still there, and why; the number is all that Argo CD says of it.
    fn remaining(&self, asked: &[u64]) -> Failure {
        let left = asked.iter().filter_map(|uid| self.world.with_uid(*uid));
        let left: Vec<_> = left.map(|live| format!("{} ({})", live.object.id, what_holds(live))).collect();
        Failure(format!("{} objects remaining for deletion: {}", left.len(), left.join(", ")))
    }

    /// Runs all hooks of a phase at the same time, whatever their waves; as soon as one has failed, it is deleted and made again.
    ///
    /// Source: argo-cd 3.5.1 `controller/hook.go`, `executeHooks`.
    fn run_until_well(&mut self, stored: &Stored, phase: Phase, name: &str) -> Result<(), Failure> {
        self.applies = false;
        let (began, event) = (self.world.now(), phase[0]);
        let (mut failed, mut well) = (Vec::new(), Vec::new());
        for _ in 0..TRIES {
            let mut asked = Vec::new();
            for (id, uid) in failed.drain(..) {
                asked.push((self.step(Some(event), Verb::Delete, Some(id), StepResult::Ok), uid));
                self.world.delete_with_uid(uid);
            }
            self.await_hooks_gone(&asked)?;
            let mut sent = self.make_missing(stored, phase, began)?;
            sent.retain(|(_, sent)| !well.contains(&sent.uid));
            let mut open = 0;
            for (sent, end) in self.ends(stored, &sent, true) {
                match end.seen {
                    Seen::Failed(_) => failed.push((&sent.object.id, sent.uid)),
                    Seen::InProgress(_) => open += 1,
                    _ => well.push(sent.uid),
                }
            }
            match (failed.len(), open) {
                (0, 0) => return Ok(()),
                (0, _) => return Err(Failure(format!("waiting for {open} {name} hooks to complete"))),
                _ => {}
            }
        }
        let has_failed = |step: &Step| step.verb == Verb::Wait && step.result == StepResult::Failed;
        if let Some(step) = self.steps.iter().rposition(has_failed) {
            let why = self.steps[step].message.take().unwrap_or_default();
            self.explain(step, format!("{why}; Argo CD deletes it and makes it again, for ever"));
        }
        let named = |id: &ObjectId| format!("{}/{}", id.namespace.as_deref().unwrap_or_default(), id.name);
        let named: Vec<_> = failed.iter().map(|(id, _)| named(id)).collect();
        Err(Failure(format!("{name} hook(s) failed: {}", named.join(", "))))
    }

    /// Makes what is not there; what is there counts as it is, and is of an earlier run if that ended before the phase `began`.
    fn make_missing<'h>(
        &mut self,
        stored: &'h Stored,
        phase: Phase,
        began: Millis,
    ) -> Result<Vec<(Event, Sent<'h>)>, Failure> {
        let mut all = Vec::new();
        for (event, hook) in hooks_of(stored, phase) {
            self.build(hook)?;
            for object in &hook.objects {
                let there = self.world.live(&object.id).map(|live| (live.uid, ended(&live.run)));
                let sent = match there {
                    Some((uid, ended)) => Sent { object, uid, stale: ended.filter(|at| *at <= began) },
                    None => self.send(event, object).map_err(Failure)?,
                };
                all.push((event, sent));
            }
        }
        Ok(all)
    }
}
