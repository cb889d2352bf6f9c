//! The ordinary resources of a release: created, updated, deleted, all of them as one step.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Play,
    errors::{Failure, NO_NAME, Request, cause, refused},
};
use crate::{
    Chart,
    answer::{LOST, ObjectId, Step, StepResult, Verb},
    chart::{Object, Workload},
    profile::Engine,
    world::{Applied, Deleted, Refusal},
};

/// The value of `helm.sh/resource-policy` that keeps a live object from being deleted by an upgrade; case counts, which it does not to
/// an uninstall.
pub(super) const KEEP: &str = "keep";

/// How many objects got what, and which of them went.
#[derive(Debug, Default)]
struct Count {
    created: usize,
    updated: usize,
    deleted: usize,
    /// Those that went although the release stays; of an uninstall nobody asks which.
    gone: Vec<ObjectId>,
    /// Those that stay although they should go, as their policy says.
    kept: Vec<ObjectId>,
    /// Those that stay although their policy says something else.
    passed_over: Vec<ObjectId>,
}

/// More that are gone are counted.
const NAMED: usize = 6;

/// Of those that Helm prints nothing, although they stay.
const PASSED_OVER: &str = "kept although the resource policy is not \"keep\", of which Helm says nothing";

impl Play<'_> {
    /// Whether Helm can make requests of the ordinary resources.
    pub(super) fn build_resources(&self, chart: &Chart) -> Result<(), Failure> {
        match &chart.unbuildable {
            Some(words) => Err(Failure(words.clone())),
            None => self.map(chart.resources.iter()),
        }
    }

    /// Creates them all; one that is refused does not stop the others.
    ///
    /// Source: Helm 4.2.4 `pkg/kube/client.go`, `Create`.
    pub(super) fn create_resources(&mut self, objects: &[Arc<Object>]) -> Result<(), Failure> {
        if objects.is_empty() {
            return Ok(());
        }
        let step = self.step(None, Verb::Manifest, None, StepResult::Ok);
        let mut count = Count::default();
        let mut errors = Vec::new();
        for object in objects {
            match self.send_new(object) {
                Ok(()) => count.created += 1,
                Err(words) => errors.push(words),
            }
        }
        let failure = (!errors.is_empty()).then(|| self.joined(&errors));
        self.end_manifest(step, &count, errors.first());
        failure.map_or(Ok(()), Err)
    }

    /// Brings what is there to what should be: creates, changes, then deletes what is no longer named.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/kube/client.go`, `update`.
    pub(super) fn update_resources(
        &mut self,
        current: &[Arc<Object>],
        target: &[Arc<Object>],
    ) -> Result<(), Failure> {
        self.created.clear();
        if current.is_empty() && target.is_empty() {
            return Ok(());
        }
        let step = self.step(None, Verb::Manifest, None, StepResult::Ok);
        let mut count = Count::default();
        let updated = self.update_each(current, target, &mut count);
        let updated = updated.and_then(|()| {
            let named: HashSet<_> = target.iter().map(|new| new.id.key()).collect();
            let is_gone = |old: &&Arc<Object>| !named.contains(&old.id.key());
            let errors = self.prune(current.iter().filter(is_gone), &mut count);
            if errors.is_empty() || self.profile.engine == Engine::Helm3 {
                return Ok(());
            }
            Err(Failure(errors.join(" && ")))
        });
        self.end_manifest(step, &count, updated.as_ref().err().map(|failure| &failure.0));
        updated
    }

    fn update_each(
        &mut self,
        current: &[Arc<Object>],
        target: &[Arc<Object>],
        count: &mut Count,
    ) -> Result<(), Failure> {
        let request = if self.applies { Request::Apply } else { Request::Patch };
        let old: HashMap<_, _> = current.iter().rev().map(|old| (old.id.key(), old)).collect();
        let mut errors = Vec::new();
        for object in target {
            if !object.is_named() {
                return Err(Failure(NO_NAME.to_owned()).after("could not get information about the resource"));
            }
            if self.world.live(&object.id).is_none() {
                self.created.push(Arc::clone(object));
                self.send_new(object).map_err(|words| Failure(words).after("failed to create resource"))?;
                count.created += 1;
                continue;
            }
            let old = old.get(&object.id.key()).copied();
            if old.is_none() && self.profile.engine == Engine::Helm3 {
                let ObjectId { kind, name, .. } = &object.id;
                return Err(Failure(format!("no {kind} with the name \"{name}\" found")));
            }
            let (owned, outcome) = (self.owned(), self.outcome(object));
            if old.is_none()
                && !self.applies
                && let Some(words) = bared(object)
            {
                errors.push(words);
                continue;
            }
            let ready = self.world.live(&object.id).filter(|live| live.is_ready()).map(|live| live.uid);
            let updated = if self.applies {
                self.world.apply(object, owned, outcome)
            } else {
                let merged = self.merged(old, object);
                self.world.patch(&merged, owned, outcome)
            };
            match updated {
                Ok(applied) => {
                    count.updated += 1;
                    self.rolled.extend(ready.filter(|_| applied == Applied::Changed));
                }
                Err(refusal) => errors.push(refused(request, object, &refusal)),
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(Failure(errors.join(" && "))) }
    }

    /// What a patch makes of an object: what neither the old manifest nor the new one writes stays as it is.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/kube/client.go`, `createPatch`.
    fn merged(&self, old: Option<&Arc<Object>>, new: &Arc<Object>) -> Arc<Object> {
        let (Some(old), Some(live)) = (old, self.world.live(&new.id)) else { return Arc::clone(new) };
        let mut frozen = new.frozen.clone();
        for ((part, old), live) in frozen.iter_mut().zip(&old.frozen).zip(&live.object.frozen) {
            if !part.is_written() && !old.is_written() {
                part.digest = live.digest;
            }
        }
        if frozen == new.frozen {
            return Arc::clone(new);
        }
        Arc::new(Object { frozen, ..Object::clone(new) })
    }

    /// Deletes what is no longer named, unless the live object says otherwise.
    fn prune<'o>(
        &mut self,
        objects: impl Iterator<Item = &'o Arc<Object>>,
        count: &mut Count,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        for object in objects {
            let id = &object.id;
            let Some(live) = self.world.live(id).filter(|_| object.is_named()) else { continue };
            if live.object.resource_policy.as_deref() == Some(KEEP) {
                count.kept.push(id.clone());
                continue;
            }
            match self.world.delete(id) {
                Ok(_) => {
                    count.deleted += 1;
                    count.gone.push(id.clone());
                }
                Err(refusal) => errors.push(format!(
                    "failed to delete resource namespace={}, name={}, kind={}: {}",
                    id.namespace.as_deref().unwrap_or_default(),
                    id.name,
                    id.kind,
                    cause(Request::Delete, id, &refusal)
                )),
            }
        }
        errors
    }

    /// Sends one that is not there.
    fn send_new(&mut self, object: &Arc<Object>) -> Result<(), String> {
        let (owned, outcome) = (self.owned(), self.outcome(object));
        if self.applies {
            let applied = self.world.apply(object, owned, outcome);
            applied.map(drop).map_err(|refusal| refused(Request::Apply, object, &refusal))
        } else {
            let posted = self.world.post(object, owned, outcome);
            posted.map_err(|refusal| refused(Request::Create, object, &refusal))
        }
    }

    /// Asks for the deletion of them all, as an uninstall does, but of those that have a policy, whatever it says.
    ///
    /// Source: Helm 3.21.4 and 4.2.4 `pkg/action/uninstall.go`, `deleteRelease`; `resource_policy.go`, `filterManifestsToKeep`.
    pub(super) fn delete_resources(
        &mut self,
        objects: &[Arc<Object>],
        with_policy: &[Arc<Object>],
    ) -> Result<(), Failure> {
        if objects.is_empty() && with_policy.is_empty() {
            return Ok(());
        }
        self.map(objects.iter())?;
        let step = self.step(None, Verb::Manifest, None, StepResult::Ok);
        let mut count = Count::default();
        for object in with_policy.iter().filter(|object| self.world.live(&object.id).is_some()) {
            let policy = object.document_policy.as_deref().unwrap_or_default();
            let is_kept = policy.trim().eq_ignore_ascii_case(KEEP);
            let stays = if is_kept { &mut count.kept } else { &mut count.passed_over };
            stays.push(object.id.clone());
        }
        let mut errors = Vec::new();
        for object in objects {
            match self.world.delete(&object.id) {
                Ok(Deleted::Asked) => count.deleted += 1,
                Ok(Deleted::Absent) => {}
                Err(refusal) => errors.push(cause(Request::Delete, &object.id, &refusal)),
            }
        }
        self.end_manifest(step, &count, errors.first());
        if errors.is_empty() { Ok(()) } else { Err(Failure(errors.join("; "))) }
    }

    /// `--cleanup-on-fail`: takes away what an update made.
    pub(super) fn delete_created(&mut self, created: &[Arc<Object>]) {
        if created.is_empty() {
            return;
        }
        let step = self.step(None, Verb::Manifest, None, StepResult::Ok);
        let is_deleted = |id: &ObjectId| self.world.delete(id) == Ok(Deleted::Asked);
        let gone: Vec<_> = created.iter().map(|object| object.id.clone()).filter(is_deleted).collect();
        self.end_manifest(step, &Count { deleted: gone.len(), gone, ..Count::default() }, None);
    }

    fn end_manifest(&mut self, step: usize, count: &Count, error: Option<&String>) {
        if let Some(error) = error {
            self.steps[step].result = StepResult::Failed;
            self.explain(step, error.lines().next().unwrap_or_default());
            return;
        }
        let parts: [(usize, &str, &[ObjectId]); 5] = [
            (count.created, "created", &[]),
            (count.updated, "updated", &[]),
            (count.kept.len(), "kept by resource policy", &count.kept),
            (count.passed_over.len(), PASSED_OVER, &count.passed_over),
            (count.deleted, "deleted", &count.gone),
        ];
        let parts: Vec<_> = parts
            .iter()
            .filter(|(number, ..)| *number > 0)
            .map(|(number, what, which)| format!("{number} {what}{}", named(which)))
            .collect();
        let lost = count.gone.iter().filter_map(|id| self.lost(id));
        let told = (!parts.is_empty()).then(|| parts.join(", "));
        let told: Vec<_> = told.into_iter().chain(lost).collect();
        self.steps[step].message = (!told.is_empty()).then(|| told.join("; "));
    }

    /// What to say of a resource that went although a hook had just made it: Helm's update knows no hooks.
    fn lost(&self, id: &ObjectId) -> Option<String> {
        let is_made = |step: &Step| {
            step.event.is_some()
                && matches!(step.verb, Verb::Create | Verb::Apply)
                && step.result == StepResult::Ok
                && step.object.as_ref().is_some_and(|made| made.is_same(id))
        };
        self.steps.iter().any(is_made).then(|| {
            let was = self.storage.last_with(id, self.revision);
            let was = was.map_or_else(|| "the revision before".to_owned(), |was| format!("revision {was}"));
            format!("{id}{LOST}, since it was a resource of {was}")
        })
    }
}

/// Which ones, behind their count.
fn named(ids: &[ObjectId]) -> String {
    let mut names: Vec<_> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    if ids.len() > NAMED {
        names.push(format!("{} more", ids.len() - NAMED));
    }
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}

/// Why Helm 4 cannot patch what is there without the base having it: it takes the live object for what it once sent, and so deletes
/// all that Kubernetes has added.
///
/// Source: Helm 4.2.4 `pkg/kube/client.go`, `update`.
fn bared(object: &Object) -> Option<String> {
    let refusal = match object.run.as_ref()?.workload {
        Workload::Job => Refusal::Invalid("[spec.selector: Required value, …".to_owned()),
        Workload::Pod => Refusal::Immutable(vec!["spec"]),
        Workload::Lasting => return None,
    };
    Some(refused(Request::Patch, object, &refusal))
}
