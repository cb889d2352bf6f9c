//! How objects go.

use super::{Live, Millis, Orphan, Reason, RunState, State, World, namespace::LOOK};
use crate::{
    answer::ObjectId,
    chart::{Definition, Workload},
};

/// What passes between the end of pods and the deletion that follows from it, so that whoever watches sees both. Other controllers
/// act before Helm asks next, on the test cluster within 50 ms: here at once.
pub(super) const REACTION: Millis = 100;

impl World {
    /// Somebody asks for the deletion of an object.
    pub(super) fn ask(&mut self, uid: u64) {
        if self.lives[uid].is_terminating() {
            return;
        }
        let stopped = self.stopped(&self.lives[uid]);
        let now = self.now;
        let live = &mut self.lives[uid];
        let state = State::Terminating { since: now };
        match (live.object.id.group(), live.object.id.kind.as_str()) {
            ("", "Namespace") => (live.state, live.goes) = (state, Some(now + LOOK)),
            ("", "PersistentVolumeClaim") => live.state = state,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                live.state = state;
                let defines = live.object.defines.clone();
                self.ask_where(|live| {
                    defines.as_ref().is_some_and(|defines| defines.covers(&live.object.id))
                });
            }
            ("", "Pod") if stopped > now => {
                live.state = state;
                live.stop(stopped);
            }
            _ if live.object.finalizers => (live.state, live.goes) = (state, None),
            _ => self.remove(uid),
        }
        self.settle();
    }

    /// The time of an object has come.
    pub(super) fn go(&mut self, uid: u64) {
        self.lives[uid].goes = None;
        let live = &self.lives[uid];
        if !live.is_terminating() {
            self.ask(uid);
        } else if (live.object.id.group(), live.object.id.kind.as_str()) == ("", "Namespace") {
            self.look_through(uid);
        } else if !live.object.finalizers {
            self.remove(uid);
        }
        self.settle();
    }

    /// Somebody asks for the deletion of everything that `is_meant`.
    pub(super) fn ask_where(&mut self, is_meant: impl Fn(&Live) -> bool) {
        let meant: Vec<_> = self.lives().filter(|live| is_meant(live)).map(|live| live.uid).collect();
        for uid in meant {
            if self.lives.get(uid).is_some() {
                self.ask(uid);
            }
        }
    }

    /// It is gone; its pods take their time.
    pub(super) fn remove(&mut self, uid: u64) {
        let stopped = self.stopped(&self.lives[uid]);
        let Some(live) = self.lives.remove(uid) else { return };
        let is_pod = live.object.run.as_ref().is_some_and(|run| run.workload == Workload::Pod);
        if stopped > self.now && !is_pod {
            self.orphans.push(Orphan {
                namespace: live.object.id.namespace.clone(),
                needs: live.object.needs.clone(),
                goes: stopped,
            });
        }
    }

    /// When its pods would have stopped if somebody told them now: at once when none runs, and earlier than they must when they end
    /// by themselves.
    fn stopped(&self, live: &Live) -> Millis {
        let is_up = matches!(live.run, RunState::Running | RunState::Starting);
        let grace = live.object.run.as_ref().filter(|_| is_up).map_or(0, |run| self.nodes.grace(run));
        let end = live.end.as_ref().filter(|(_, run)| *run != RunState::Running).map(|(at, _)| *at);
        end.unwrap_or(Millis::MAX).min(self.now.saturating_add(grace))
    }

    /// What follows from what has just come or gone.
    pub(super) fn settle(&mut self) {
        self.lives.tidy();
        while let Some(uid) = self.released() {
            self.remove(uid);
        }
        // They may wait for something else now; if for nothing, they start when time moves on.
        let lacks = |live: &&Live| self.missing(live).is_some();
        let waiting: Vec<_> = self.lives.waiting().filter(lacks).map(|live| live.uid).collect();
        for uid in waiting {
            self.begin(uid);
        }
        self.lives.tidy();
    }

    /// The first of those on their way out that nothing holds any longer.
    fn released(&self) -> Option<u64> {
        let is_due = |live: &&Live| live.goes.is_none() && self.is_free(live);
        self.lives.going().find(is_due).map(|live| live.uid)
    }

    /// Whether nothing holds an object any longer that waits for something.
    fn is_free(&self, live: &Live) -> bool {
        if live.object.finalizers {
            return false;
        }
        let id = &live.object.id;
        match (id.group(), id.kind.as_str()) {
            ("", "Namespace") => self.is_empty(&id.name),
            ("", "PersistentVolumeClaim") => !self.is_mounted(id),
            ("apiextensions.k8s.io", "CustomResourceDefinition") => {
                let is_of = |defines: &Definition| self.lives().any(|live| defines.covers(&live.object.id));
                !live.object.defines.as_ref().is_some_and(is_of)
            }
            _ => true,
        }
    }

    pub(super) fn is_empty(&self, namespace: &str) -> bool {
        let is_here = |here: &Option<String>| here.as_deref() == Some(namespace);
        !self.lives().any(|live| is_here(&live.object.id.namespace))
            && !self.orphans.iter().any(|orphan| is_here(&orphan.namespace))
    }

    /// Whether a pod that has a node mounts the claim, even if it has ended.
    ///
    /// Source: Kubernetes 1.36 `pkg/controller/volume/pvcprotection/pvc_protection_controller.go`, `podUsesPVCForDeletion`.
    fn is_mounted(&self, claim: &ObjectId) -> bool {
        let mounts = |needs: &[crate::chart::Need]| {
            needs.iter().any(|need| need.kind == "PersistentVolumeClaim" && need.name == claim.name)
        };
        let has_node = |live: &&Live| {
            !matches!(live.run, RunState::None | RunState::Suspended | RunState::Waiting(_))
                && live.object.id.namespace == claim.namespace
        };
        self.lives().filter(has_node).any(|live| mounts(&live.object.needs))
            || self.orphans.iter().any(|orphan| orphan.namespace == claim.namespace && mounts(&orphan.needs))
    }
}

impl Live {
    /// Its pods stop, at the latest at `by`, and then it goes.
    fn stop(&mut self, by: Millis) {
        let stopped = RunState::Failed { at: by, reason: Reason::Stopped, failed: 1, completions: 1 };
        self.end = self.end.take().filter(|(at, _)| *at <= by).or(Some((by, stopped)));
        self.goes = Some(by.saturating_add(REACTION));
    }
}

impl Definition {
    /// Whether the object is of this kind.
    #[must_use]
    pub fn covers(&self, id: &ObjectId) -> bool {
        self.kind == id.kind && self.group == id.group()
    }
}

#[cfg(test)]
mod tests;
