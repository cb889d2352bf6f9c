//! Small objects to try a [`World`] with.

use std::{sync::Arc, time::Duration};

use super::{Deleted, Millis, Nodes, Origin, Refusal, RunState, World};
use crate::{Chart, Outcome, answer::ObjectId, chart::Object};

pub(super) const OK: Outcome = Outcome::Succeeds(Duration::from_secs(1));
pub(super) const FAIL: Outcome = Outcome::Fails(Duration::from_secs(1));
pub(super) const HANG: Outcome = Outcome::Hangs;

/// The first object of a rendered text; namespace `demo`.
pub(super) fn object(text: &str) -> Arc<Object> {
    let chart = Chart::read(text, "demo").unwrap();
    Arc::clone(&chart.resources[0])
}

/// A Job `x` with these members of its spec, and these of the spec of its pods.
pub(super) fn job(spec: &str, pods: &str) -> Arc<Object> {
    object(&format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{{spec} template: {{spec: {{restartPolicy: Never, {pods}}}}}}}}}"
    ))
}

/// A Pod `x` with these members of its spec.
pub(super) fn pod(spec: &str) -> Arc<Object> {
    object(&format!("{{apiVersion: v1, kind: Pod, metadata: {{name: x}}, spec: {{{spec}}}}}"))
}

/// A core object with nothing but a name.
pub(super) fn plain(kind: &str, name: &str) -> Arc<Object> {
    object(&format!("{{apiVersion: v1, kind: {kind}, metadata: {{name: {name}}}}}"))
}

/// A volume that mounts the claim `data`.
pub(super) const MOUNTS_CLAIM: &str = "volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]";

/// A cluster with the namespace `demo`.
pub(super) fn demo() -> World {
    let mut world = World::new();
    world.assume_namespace("demo");
    world
}

/// The same with kwok.
pub(super) fn kwok() -> World {
    let mut world = World::on(Nodes::Kwok);
    world.assume_namespace("demo");
    world
}

impl World {
    /// Posts a hook that must be let in.
    #[track_caller]
    pub(super) fn put(&mut self, object: &Arc<Object>, outcome: Outcome) {
        self.post(object, Origin::Hook, outcome).unwrap();
    }

    /// Why a hook is not let in.
    #[track_caller]
    pub(super) fn refuses(&mut self, object: &Arc<Object>) -> Refusal {
        self.post(object, Origin::Hook, OK).unwrap_err()
    }

    /// Deletes what must be there.
    #[track_caller]
    pub(super) fn take(&mut self, object: &Object) {
        assert_eq!(self.delete(&object.id), Ok(Deleted::Asked));
    }

    /// What its pods do.
    #[track_caller]
    pub(super) fn run(&self, id: &ObjectId) -> RunState {
        self.live(id).unwrap().run.clone()
    }

    /// What its pods do at `at`.
    #[track_caller]
    pub(super) fn run_at(&mut self, at: Millis, id: &ObjectId) -> RunState {
        self.advance(at);
        self.run(id)
    }

    /// When it goes by itself, if it does.
    pub(super) fn gone_at(&mut self, id: &ObjectId) -> Option<Millis> {
        self.until(Millis::MAX / 8, |world| world.live(id).is_none().then(|| world.now()))
    }

    /// How its pods end, if they do.
    pub(super) fn ends(&mut self, id: &ObjectId) -> Option<RunState> {
        self.until(Millis::MAX / 8, |world| {
            let run = &world.live(id)?.run;
            matches!(run, RunState::Complete { .. } | RunState::Failed { .. }).then(|| run.clone())
        })
    }
}
