//! How a namespace goes: look by look, pods first.
//!
//! A look that leaves something says so in the status of the namespace, and where that is news, the next one comes as soon as the
//! first did; else it waits for half of what it believes the rest to need.
//!
//! Source: Kubernetes 1.36 `pkg/controller/namespace/namespace_controller.go`, `worker`;
//! `deletion/namespaced_resources_deleter.go`, `deleteAllContent`.

use super::{Live, Millis, Reason, RunState, State, World, run::later};
use crate::chart::{Run, Workload};

/// Before the first look, and after news: `namespaceDeletionGracePeriod`.
pub(super) const LOOK: Millis = 5_000;

/// What finalizers are given to go, in seconds: `finalizerEstimateSeconds`.
const FINALIZERS: u64 = 15;

impl World {
    /// The namespace with this uid, which is being deleted, is looked through: what can go is told to, and if something is left, there
    /// will be another look.
    pub(super) fn look_through(&mut self, uid: u64) {
        let State::Terminating { since } = self.lives[uid].state else { return };
        let namespace = self.lives[uid].object.id.name.clone();
        // While it is looked through it does not go.
        self.lives[uid].goes = Some(self.now);
        let next = match self.pods_left(&namespace, since) {
            Some(grace) => {
                self.ask_where(|live| live.is_in(&namespace) && live.is(Workload::Pod));
                let is_news = self.now == since + LOOK;
                // An estimate that has passed is none; pods of Jobs have a finalizer.
                let seconds = if self.now < later(since, grace) { grace } else { FINALIZERS };
                Some(if is_news { self.now + LOOK } else { later(self.now, seconds / 2 + 1) })
            }
            None => self.empty(&namespace).then_some(self.now + LOOK),
        };
        if let Some(live) = self.lives.get_mut(uid) {
            live.goes = next;
        }
    }

    /// The longest grace period of pods that still run, in seconds, if any does.
    fn pods_left(&self, namespace: &str, since: Millis) -> Option<u64> {
        let told = since + LOOK;
        let is_left = |live: &&Live| {
            let Some(run) = &live.object.run else { return false };
            let is_running = match &live.run {
                RunState::Running | RunState::Starting => true,
                RunState::Waiting(need) => run.workload == Workload::Job && need.kind != "ServiceAccount",
                _ => false,
            };
            let is_slow = run.workload == Workload::Job || run.grace > 0;
            live.is_in(namespace)
                && is_running
                && if self.now == told {
                    is_slow
                } else {
                    self.now < told.saturating_add(self.nodes.grace(run))
                }
        };
        let left = self.lives().filter(is_left).filter_map(|live| live.object.run.as_ref());
        let orphans = self.orphans.iter().filter(|orphan| orphan.namespace.as_deref() == Some(namespace));
        let orphaned = orphans.map(|orphan| (orphan.goes.saturating_sub(self.now)).div_ceil(1000));
        left.map(|run: &Run| run.grace).chain(orphaned).max()
    }

    /// Tells everything in a namespace whose pods are gone to go; whether something takes longer, which will go by itself.
    fn empty(&mut self, namespace: &str) -> bool {
        let now = self.now;
        let is_up = |live: &&Live| {
            live.is_in(namespace) && matches!(live.run, RunState::Running | RunState::Starting)
        };
        let up: Vec<_> = self.lives().filter(is_up).map(|live| live.uid).collect();
        for uid in up {
            let live = &mut self.lives[uid];
            live.end = None;
            live.run = RunState::Failed { at: now, reason: Reason::Stopped, failed: 1, completions: 1 };
        }
        // Their finalizer is taken from them, but not before the look is over.
        let has_claims =
            self.lives().any(|live| live.is_in(namespace) && live.object.id.kind == "PersistentVolumeClaim");
        self.ask_where(|live| live.is_in(namespace));
        has_claims && self.is_empty(namespace)
    }
}

impl Live {
    fn is_in(&self, namespace: &str) -> bool {
        self.object.id.namespace.as_deref() == Some(namespace)
    }

    fn is(&self, workload: Workload) -> bool {
        self.object.run.as_ref().is_some_and(|run| run.workload == workload)
    }
}
