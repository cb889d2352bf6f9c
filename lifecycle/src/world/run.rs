//! How pods run and end.

use std::{sync::Arc, time::Duration};

use super::{Live, Millis, Nodes, Reason, RunState, World, job::Job};
use crate::{
    Outcome,
    chart::{Need, Restart, Run, Workload},
};

/// The end of something: when, and how.
pub(super) type End = Option<(Millis, RunState)>;

impl World {
    /// The pods of a new object, or of one whose pods could not start, begin to run if they can.
    pub(super) fn begin(&mut self, uid: u64) {
        let live = &self.lives[uid];
        let id = &live.object.id;
        let Some(run) = &live.object.run else {
            let is_unbound = id.kind == "PersistentVolumeClaim" && self.nodes == Nodes::Kwok;
            self.lives[uid].run = if is_unbound { RunState::Starting } else { RunState::None };
            return;
        };
        let missing = self.missing(live);
        let job = Job::new(self.nodes, run, live.began);
        let (state, end) = if let Some(end) = job.end_without_pods(self.now) {
            (RunState::Running, Some(end))
        } else if run.suspended {
            (RunState::Suspended, None)
        } else if let Some(lack) = missing {
            let missing = lack.missing();
            let end = job.end_waiting(&missing);
            (RunState::Waiting(missing), end)
        } else {
            self.nodes.start(run, live.outcome, live.began, self.now)
        };
        let live = &mut self.lives[uid];
        (live.run, live.end, live.started) = (state, end, self.now);
    }

    /// An object is another now: the pods of a Job or a Pod go on from where they are, those of anything else are made anew.
    pub(super) fn changed(&mut self, uid: u64, outcome: Outcome) {
        let live = &mut self.lives[uid];
        if !live.is_terminating() {
            let object = Arc::clone(&live.object);
            match (&live.run, &object.run) {
                (RunState::Complete { .. } | RunState::Failed { .. }, _) => live.expire(),
                (RunState::Starting | RunState::Running, Some(run)) if run.workload != Workload::Lasting => {
                    (live.run, live.end) = if run.suspended {
                        (RunState::Suspended, None)
                    } else {
                        self.nodes.start(run, live.outcome, live.began, live.started)
                    };
                }
                (before, _) => {
                    if *before == RunState::Suspended {
                        live.began = self.now;
                    }
                    live.outcome = outcome;
                    self.begin(uid);
                }
            }
        }
        self.settle();
    }

    /// The first of what its pods need that is not there.
    pub(super) fn missing<'a>(&self, live: &'a Live) -> Option<Lack<'a>> {
        let namespace = live.object.id.namespace.as_deref();
        live.object.needs.iter().find_map(|need| self.lack(need, namespace))
    }

    /// What pods in `namespace` do not find of what they need.
    pub(super) fn lack<'a>(&self, need: &'a Need, namespace: Option<&str>) -> Option<Lack<'a>> {
        let whole = Some(Lack { need, key: None });
        match (self.nodes, need.kind) {
            (Nodes::Kwok, "Secret" | "ConfigMap") => return None,
            (Nodes::Kwok, "PersistentVolumeClaim") => return whole,
            _ => {}
        }
        let is_gone = |live: &Live| need.kind == "PersistentVolumeClaim" && live.is_terminating();
        let there = self.lives.core(need.kind, namespace, &need.name).find(|live| !is_gone(live));
        let Some(there) = there else { return whole };
        let key = need.keys.iter().find(|key| !there.may_hold_more && !there.object.has_key(key))?;
        Some(Lack { need, key: Some(key) })
    }
}

/// What pods do not find: all of what they need, or one key of it.
#[derive(Clone, Copy)]
pub(super) struct Lack<'a> {
    need: &'a Need,
    key: Option<&'a String>,
}

impl Lack<'_> {
    fn missing(self) -> Need {
        Need { keys: self.key.cloned().into_iter().collect(), ..Need::new(self.need.kind, &self.need.name) }
    }
}

impl Live {
    /// A Job that has ended goes some time after, if it says so.
    pub(super) fn expire(&mut self) {
        let ttl = self.object.run.as_ref().and_then(|run| run.ttl);
        if let RunState::Complete { at } | RunState::Failed { at, .. } = self.run {
            self.goes = ttl.map(|ttl| later(at, ttl).saturating_add(super::go::REACTION));
        }
    }
}

impl Nodes {
    /// How long pods take to stop.
    pub(super) const fn grace(self, run: &Run) -> Millis {
        match self {
            Self::Real => later(0, run.grace),
            Self::Kwok => 0,
        }
    }

    /// What pods that can start do at once, and in the end.
    fn start(self, run: &Run, outcome: Outcome, began: Millis, now: Millis) -> (RunState, End) {
        match run.workload {
            Workload::Job => (RunState::Running, Job::new(self, run, began).end(outcome, now)),
            Workload::Pod => self.pod(run, outcome, now),
            Workload::Lasting => match outcome {
                Outcome::Succeeds(after) => {
                    (RunState::Starting, Some((now.saturating_add(millis(after)), RunState::Running)))
                }
                Outcome::Fails(_) => (RunState::Starting, None),
                Outcome::Hangs => (RunState::Running, None),
            },
        }
    }

    fn pod(self, run: &Run, outcome: Outcome, now: Millis) -> (RunState, End) {
        let failed = |at, reason| Some((at, RunState::Failed { at, reason, failed: 1, completions: 1 }));
        let is_restarted =
            run.restart == Restart::Always || (run.restart == Restart::OnFailure && self == Self::Real);
        let end = match outcome {
            Outcome::Succeeds(after) if run.restart != Restart::Always => {
                let at = now.saturating_add(millis(after));
                Some((at, RunState::Complete { at }))
            }
            Outcome::Fails(after) if !is_restarted => {
                failed(now.saturating_add(millis(after)), Reason::Ended)
            }
            _ => None,
        };
        let deadline = run.pod_limit(self).map(|limit| now.saturating_add(limit));
        let is_late = |at: Millis| end.as_ref().is_none_or(|(end, _)| at < *end);
        let is_unready = run.restart == Restart::Always && matches!(outcome, Outcome::Fails(_));
        let state = if is_unready { RunState::Starting } else { RunState::Running };
        (
            state,
            match deadline.filter(|at| is_late(*at)) {
                Some(at) => failed(at, Reason::DeadlineExceeded),
                None => end,
            },
        )
    }
}

/// A moment some seconds after another.
pub(super) const fn later(moment: Millis, seconds: u64) -> Millis {
    moment.saturating_add(seconds.saturating_mul(1000))
}

pub(super) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests;
