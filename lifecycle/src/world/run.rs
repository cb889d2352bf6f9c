//! How pods run and end.

use super::{Millis, Nodes, Reason, RunState, World};
use crate::{
    Outcome,
    chart::{Need, Restart, Run, Workload},
};

/// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `DefaultJobPodFailureBackOff`; kubelet's for containers is the same.
const BACK_OFF: Millis = 10_000;

/// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `MaxJobPodFailureBackOff`.
const JOB_BACK_OFF_LIMIT: Millis = 600_000;

/// Source: Kubernetes 1.36 `pkg/kubelet/kubelet.go`, `MaxCrashLoopBackOff`.
const CONTAINER_BACK_OFF_LIMIT: Millis = 300_000;

/// Tries after which nobody waits for the end any longer.
const TRIES: u32 = 10_000;

/// The end of something: when, and how.
type End = Option<(Millis, RunState)>;

impl World {
    /// The pods of a new object, or of one whose pods could not start, begin to run if they can.
    pub(super) fn begin(&mut self, index: usize) {
        let live = &self.lives[index];
        let id = &live.object.id;
        let Some(run) = &live.object.run else {
            let is_unbound = id.kind == "PersistentVolumeClaim" && self.nodes == Nodes::Kwok;
            self.lives[index].run = if is_unbound { RunState::Starting } else { RunState::None };
            return;
        };
        let missing = live.object.needs.iter().find(|need| !self.has(need, id.namespace.as_deref()));
        let (state, end) = if run.suspended {
            (RunState::Suspended, None)
        } else if let Some(missing) = missing {
            let pods = u32::from(missing.kind != "ServiceAccount") * run.width();
            (RunState::Waiting(missing.clone()), self.nodes.out_of_time(run, live.began, pods, 0))
        } else {
            self.nodes.start(run, live.outcome, live.began, self.now)
        };
        let live = &mut self.lives[index];
        (live.run, live.end) = (state, end);
    }

    /// An object is another now, though its pods may be the same.
    pub(super) fn changed(&mut self, index: usize) {
        let live = &mut self.lives[index];
        let is_over = matches!(live.run, RunState::Complete { .. } | RunState::Failed { .. });
        let is_up = matches!(live.run, RunState::Running | RunState::Starting);
        let run = live.object.run.as_ref();
        if run.is_some() && !is_over && !live.is_terminating() {
            // The pods of a Job or a Pod go on from where they are; those of anything else are made anew.
            let now = self.now;
            if !is_up {
                live.began = now;
            }
            self.begin(index);
        }
        self.settle();
    }

    /// Whether pods in `namespace` find what they need.
    pub(super) fn has(&self, need: &Need, namespace: Option<&str>) -> bool {
        match (self.nodes, need.kind) {
            (Nodes::Kwok, "Secret" | "ConfigMap") => return true,
            (Nodes::Kwok, "PersistentVolumeClaim") => return false,
            _ => {}
        }
        self.lives.iter().any(|live| {
            let id = &live.object.id;
            let is_gone = need.kind == "PersistentVolumeClaim" && live.is_terminating();
            id.name == need.name
                && id.kind == need.kind
                && id.namespace.as_deref() == namespace
                && id.group().is_empty()
                && !is_gone
        })
    }
}

impl Nodes {
    /// How long pods take to stop.
    pub(super) const fn grace(self, run: &Run) -> Millis {
        match self {
            Self::Real => run.grace * 1000,
            Self::Kwok => super::go::REACTION,
        }
    }

    /// What pods that can start do at once, and in the end.
    fn start(self, run: &Run, outcome: Outcome, began: Millis, now: Millis) -> (RunState, End) {
        match run.workload {
            Workload::Job => (RunState::Running, self.job_end(run, outcome, began, now)),
            Workload::Pod => self.pod(run, outcome, now),
            Workload::Service => match outcome {
                Outcome::Succeeds(after) => {
                    (RunState::Starting, Some((now + millis(after), RunState::Running)))
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
                let at = now + millis(after);
                Some((at, RunState::Complete { at }))
            }
            Outcome::Fails(after) if !is_restarted => failed(now + millis(after), Reason::Ended),
            _ => None,
        };
        let deadline = run.deadline.filter(|_| self == Self::Real).map(|deadline| now + deadline * 1000);
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

    fn job_end(self, run: &Run, outcome: Outcome, began: Millis, now: Millis) -> End {
        let width = run.width();
        if width == 0 {
            return None;
        }
        let deadline = run.deadline.map(|deadline| began + deadline * 1000);
        let is_in_time = |at: Millis| deadline.is_none_or(|deadline| at <= deadline);
        let mut failed = 0;
        let end = match outcome {
            Outcome::Succeeds(after) => {
                let at = now + millis(after) * u64::from(run.completions.div_ceil(width));
                Some((at, RunState::Complete { at }))
            }
            Outcome::Fails(after) if run.restart == Restart::OnFailure && self == Self::Real => {
                let restarts = run.backoff_limit.max(1);
                let waits =
                    (1..=restarts.min(TRIES)).map(|restart| back_off(restart, CONTAINER_BACK_OFF_LIMIT));
                let at = now + waits.map(|wait| wait + millis(after)).sum::<Millis>();
                (restarts <= TRIES).then(|| (at, run.failed(at, Reason::BackoffLimitExceeded, width)))
            }
            Outcome::Fails(after) => {
                let mut at = now + millis(after);
                let mut tries = 1;
                failed = width;
                while is_in_time(at) && failed <= run.backoff_limit && tries < TRIES {
                    at += back_off(failed, JOB_BACK_OFF_LIMIT) + millis(after);
                    failed += width;
                    tries += 1;
                }
                if !is_in_time(at) {
                    failed -= width;
                }
                (failed > run.backoff_limit)
                    .then(|| (at, run.failed(at, Reason::BackoffLimitExceeded, failed)))
            }
            Outcome::Hangs => None,
        };
        let is_late = end.as_ref().is_none_or(|(at, _)| !is_in_time(*at));
        if is_late { self.out_of_time(run, began, width, failed) } else { end }
    }

    /// The end of a Job that runs into its deadline with `active` pods after `failed` ones: the active ones are stopped and count as
    /// failed, and only when they are gone is it over.
    ///
    /// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `syncJob` and `trackJobStatusAndRemoveFinalizers`.
    fn out_of_time(self, run: &Run, began: Millis, active: u32, failed: u32) -> End {
        let deadline = run.deadline.filter(|_| run.workload == Workload::Job)?;
        let at = began + deadline * 1000 + if active > 0 { self.grace(run) } else { 0 };
        Some((at, run.failed(at, Reason::DeadlineExceeded, failed + active)))
    }
}

impl Run {
    /// How many pods run at once.
    fn width(&self) -> u32 {
        self.parallelism.min(self.completions)
    }

    const fn failed(&self, at: Millis, reason: Reason, failed: u32) -> RunState {
        RunState::Failed { at, reason, failed, completions: self.completions }
    }
}

/// How long the next try waits after so many failures.
fn back_off(failures: u32, limit: Millis) -> Millis {
    let doublings = failures.saturating_sub(1).min(16);
    (BACK_OFF << doublings).min(limit)
}

fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 4)
}
