//! How a Job tries, tries again, and ends.

use std::time::Duration;

use super::{
    Live, Millis, Nodes, Reason, RunState, Tried, World,
    run::{End, later, millis},
};
use crate::{
    Outcome,
    chart::{Need, Restart, Run, Workload},
};

/// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `DefaultJobPodFailureBackOff`; the kubelet's for containers is the
/// same.
const BACK_OFF: Millis = 10_000;

/// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `MaxJobPodFailureBackOff`.
const POD_BACK_OFF_LIMIT: Millis = 600_000;

/// Source: Kubernetes 1.36 `pkg/kubelet/kubelet.go`, `MaxCrashLoopBackOff`.
const CONTAINER_BACK_OFF_LIMIT: Millis = 300_000;

/// Tries after which nobody waits for the end any longer.
const TRIES: u32 = 10_000;

/// A Job that is not suspended.
pub(super) struct Job<'a> {
    nodes: Nodes,
    run: &'a Run,
    /// Since when its deadline runs.
    began: Millis,
    /// When it must be over.
    deadline: Option<Millis>,
}

impl<'a> Job<'a> {
    /// Its deadline counts from `began`.
    pub(super) fn new(nodes: Nodes, run: &'a Run, began: Millis) -> Self {
        Self {
            nodes,
            run,
            began,
            deadline: run.deadline.map(|deadline| began.saturating_add(allowed(deadline))),
        }
    }

    /// Its end if it needs no pods for it: its time is over before there is one, or none has to end well.
    ///
    /// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `syncJob` and `manageJob`.
    pub(super) fn end_without_pods(&self, now: Millis) -> End {
        if self.run.workload != Workload::Job {
            None
        } else if self.deadline == Some(self.began) && !self.run.suspended {
            Some((now, self.failed(now, Reason::DeadlineExceeded, 0)))
        } else {
            (self.run.completions == 0).then_some((now, RunState::Complete { at: now }))
        }
    }

    /// Its end if nothing happens: its pods cannot start since `missing` is, and those that a node has may not wait for ever.
    pub(super) fn end_waiting(&self, missing: &Need) -> End {
        let has_node = matches!(missing.kind, "Secret" | "ConfigMap");
        match self.run.pod_limit(self.nodes).filter(|_| has_node) {
            Some(limit) if self.run.workload == Workload::Job => self.failing(limit, self.began),
            Some(limit) => {
                let at = self.began.saturating_add(limit);
                Some((at, self.failed(at, Reason::DeadlineExceeded, 1)))
            }
            None => {
                let pods = u32::from(missing.kind != "ServiceAccount") * self.run.width();
                self.out_of_time(pods, 0)
            }
        }
    }

    /// Its end, if its pods start `now` and do what `outcome` says.
    pub(super) fn end(&self, outcome: Outcome, now: Millis) -> End {
        let width = self.run.width();
        if width == 0 {
            return self.out_of_time(0, 0);
        }
        if let Some(limit) = self.cut(outcome) {
            return self.failing(limit, now);
        }
        match outcome {
            Outcome::Hangs => self.out_of_time(width, 0),
            Outcome::Succeeds(after) => {
                let rounds = u64::from(self.run.completions.div_ceil(width));
                let at = now.saturating_add(millis(after).saturating_mul(rounds));
                if self.is_late(at) {
                    self.out_of_time(width, 0)
                } else {
                    Some((at, RunState::Complete { at }))
                }
            }
            Outcome::Fails(after) if self.run.fails_at_once => {
                let at = now.saturating_add(millis(after));
                if self.is_late(at) {
                    self.out_of_time(width, 0)
                } else {
                    Some((at, self.failed(at, Reason::PodFailurePolicy, width)))
                }
            }
            Outcome::Fails(after) if self.restarts() => self.restarting(after, now),
            Outcome::Fails(after) => self.failing(millis(after), now),
        }
    }

    /// What has failed by `now`, if its pods started at `since`, do what `outcome` says, and are tried again.
    pub(super) fn tried(&self, outcome: Outcome, since: Millis, now: Millis) -> Tried {
        let cut = self.cut(outcome);
        let restarts = cut.is_none() && self.restarts();
        let fails = match outcome {
            _ if self.run.width() == 0 => None,
            Outcome::Fails(after) if cut.is_none() && !self.run.fails_at_once => Some(millis(after)),
            _ => cut,
        };
        let width = if restarts { 1 } else { self.run.width() };
        let limit = if restarts { CONTAINER_BACK_OFF_LIMIT } else { POD_BACK_OFF_LIMIT };
        let tries = fails.into_iter().flat_map(|after| tries(after, since, width, limit));
        let failed = tries.take_while(|(at, _)| *at <= now).last().map_or(0, |(_, failed)| failed);
        if restarts { Tried::Containers(failed) } else { Tried::Pods(failed) }
    }

    /// How long each of its pods runs, if that is as long as it may.
    fn cut(&self, outcome: Outcome) -> Option<Millis> {
        self.run.pod_limit(self.nodes).filter(|limit| match outcome {
            Outcome::Hangs => true,
            Outcome::Succeeds(after) | Outcome::Fails(after) => millis(after) > *limit,
        })
    }

    /// Whether containers that fail are started again in the same pod.
    fn restarts(&self) -> bool {
        self.run.restart == Restart::OnFailure && self.nodes == Nodes::Real
    }

    /// One pod after another fails, each later than the one before.
    fn failing(&self, after: Millis, now: Millis) -> End {
        let width = self.run.width();
        let mut before = 0;
        for (at, failed) in tries(after, now, width, POD_BACK_OFF_LIMIT) {
            if self.is_late(at) {
                let is_active = before == 0 || !self.is_late(at.saturating_sub(after));
                return self.out_of_time(if is_active { width } else { 0 }, before);
            }
            if failed > self.run.backoff_limit {
                return Some((at, self.failed(at, Reason::BackoffLimitExceeded, failed)));
            }
            before = failed;
        }
        self.out_of_time(width, before)
    }

    /// The containers of the same pods fail and are restarted, which counts as the Job's tries do.
    ///
    /// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `pastBackoffLimitOnFailure`.
    fn restarting(&self, after: Duration, now: Millis) -> End {
        let width = self.run.width();
        let restarts = self.run.backoff_limit.max(1);
        let mut at = now;
        for restart in 1..=restarts.min(TRIES) {
            let wait = back_off(restart, CONTAINER_BACK_OFF_LIMIT);
            at = at.saturating_add(millis(after)).saturating_add(wait);
        }
        if let Some(limit) = self.run.pod_limit(self.nodes)
            && (at > now.saturating_add(limit) || restarts > TRIES)
        {
            return self.failing(limit, now);
        }
        if self.is_late(at) || restarts > TRIES {
            return self.out_of_time(width, 0);
        }
        Some((at, self.failed(at, Reason::BackoffLimitExceeded, width)))
    }

    /// The end of a Job that runs into its deadline with `active` pods after `failed` ones: the active ones are stopped and count as
    /// failed, and only when they are gone is it over.
    ///
    /// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `syncJob` and `trackJobStatusAndRemoveFinalizers`.
    pub(super) fn out_of_time(&self, active: u32, failed: u32) -> End {
        let grace = if active > 0 { self.nodes.grace(self.run) } else { 0 };
        let at = self.deadline?.saturating_add(grace);
        Some((at, self.failed(at, Reason::DeadlineExceeded, active.saturating_add(failed))))
    }

    fn is_late(&self, at: Millis) -> bool {
        self.deadline.is_some_and(|deadline| at > deadline)
    }

    const fn failed(&self, at: Millis, reason: Reason, failed: u32) -> RunState {
        RunState::Failed { at, reason, failed, completions: self.run.completions }
    }
}

impl World {
    /// What of a Job whose pods run has failed so far, and how the Job fails if nothing changes: when, and why.
    #[must_use]
    pub fn tried(&self, live: &Live) -> Option<(Tried, Option<(Millis, Reason)>)> {
        let run = live.object.run.as_ref().filter(|run| run.workload == Workload::Job)?;
        let tried = Job::new(self.nodes, run, live.began).tried(live.outcome, live.started, self.now);
        let end = live.end.as_ref().and_then(|(_, run)| match run {
            RunState::Failed { at, reason, .. } => Some((*at, *reason)),
            _ => None,
        });
        (live.run == RunState::Running).then_some((tried, end))
    }
}

impl Run {
    /// How many pods run at once.
    pub(super) fn width(&self) -> u32 {
        self.parallelism.min(self.completions)
    }

    /// How long a pod may run; kwok looks at no clock.
    ///
    /// Source: Kubernetes 1.36 `pkg/kubelet/active_deadline.go`, `pastActiveDeadline`.
    pub(super) fn pod_limit(&self, nodes: Nodes) -> Option<Millis> {
        self.pod_deadline.filter(|_| nodes == Nodes::Real).map(|deadline| later(0, deadline))
    }
}

/// What is left of the seconds of a deadline when they have become nanoseconds: more than 292 years overflow.
///
/// Source: Kubernetes 1.36 `pkg/controller/job/job_controller.go`, `pastActiveDeadline`.
fn allowed(seconds: u64) -> Millis {
    let nanoseconds = seconds.wrapping_mul(1_000_000_000).cast_signed();
    Millis::try_from(nanoseconds).unwrap_or(0).div_ceil(1_000_000)
}

/// When `width` pods after `width` others fail, each time later, and how many have then.
fn tries(after: Millis, now: Millis, width: u32, limit: Millis) -> impl Iterator<Item = (Millis, u32)> {
    let next = move |(at, failed): &(Millis, u32)| {
        let starts = at.saturating_add(back_off(*failed, limit));
        Some((starts.saturating_add(after), failed.saturating_add(width)))
    };
    std::iter::successors(Some((now.saturating_add(after), width)), next).take(TRIES as usize)
}

/// How long the next try waits after so many failures.
fn back_off(failures: u32, limit: Millis) -> Millis {
    let doublings = failures.saturating_sub(1).min(16);
    (BACK_OFF << doublings).min(limit)
}
