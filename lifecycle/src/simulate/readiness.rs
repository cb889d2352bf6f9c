//! Where that was asked for, as by `--wait`, the ordinary resources are awaited, and what counts as ready.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Play,
    delete::{FOREVER, LOOKS, STATUS_TIMEOUT},
    errors::Failure,
    wait::{ASKS, Seen, not_ready, still},
};
use crate::{
    World,
    answer::{ObjectId, StepResult, Verb},
    chart::{Object, Workload},
    command::Wait,
    profile::{Completion, Engine},
    world::{Live, Millis, RunState},
};

/// How often Helm looks at a Job that has failed before it says so.
///
/// Source: Helm 3.21.4 `pkg/kube/wait.go`, `waitForResources`.
const RETRIES: Millis = 30;

/// Why the wait for resources ended badly, and whether that was since its time was over.
struct Unready {
    failure: Failure,
    result: StepResult,
}

impl Unready {
    const fn new(words: String, result: StepResult) -> Self {
        Self { failure: Failure(words), result }
    }
}

impl Play<'_> {
    /// Waits for the ordinary resources if that was asked for, but for Deployments that are paused.
    ///
    /// Source: Helm 3.21.4 `pkg/kube/client.go`, `Wait`; Helm 4.2.4 `pkg/kube/statuswait.go`, `wait`; fluxcd/helm-controller 1.6.3
    /// `internal/action/wait.go`.
    pub(super) fn await_resources(&mut self, objects: &[Arc<Object>]) -> Result<(), Failure> {
        let objects: Vec<_> = objects.iter().filter(|object| !is_paused(object)).cloned().collect();
        if self.flags.wait == Wait::HookOnly || objects.is_empty() {
            return Ok(());
        }
        let waited = match self.waiter.completion {
            Completion::Legacy => self.await_ready(&objects),
            Completion::Status => self.await_current(&objects),
            Completion::Poll => self.await_asking_all(&objects),
        };
        let Err(Unready { failure, result }) = waited else { return Ok(()) };
        if let Some(step) = self.steps.iter().rposition(|step| step.verb == Verb::Manifest) {
            self.steps[step].result = result;
            if let Some(message) = self.why_not_ready(&objects) {
                self.explain(step, message);
            }
        }
        Err(failure)
    }

    /// Looks every two seconds whether all are ready.
    ///
    /// Source: Helm 3.21.4 `pkg/kube/wait.go`, `waitForResources`; Helm 4.2.4 the same, where no timeout is no timeout.
    fn await_ready(&mut self, objects: &[Arc<Object>]) -> Result<(), Unready> {
        let jobs = self.flags.wait_for_jobs;
        let timeout = Millis::try_from(self.flags.timeout.as_millis()).unwrap_or(FOREVER);
        let is_unlimited = timeout == 0 && self.profile.engine != Engine::Helm3;
        let deadline = self.world.now().saturating_add(if is_unlimited { FOREVER } else { timeout });
        let is_done = |play: &Self| {
            let mut open = objects.iter().filter(|object| !is_ready(play.world, &object.id, jobs));
            open.next().is_none_or(|object| failed_job(play.world, &object.id).is_some())
        };
        let timed_out = || Err(Unready::new("context deadline exceeded".to_owned(), StepResult::Timeout));
        if !self.look(deadline, LOOKS, is_done) {
            let open = objects.iter().find(|object| !is_ready(self.world, &object.id, jobs));
            self.endless = open.filter(|_| is_unlimited).map(|object| object.id.clone());
            return timed_out();
        }
        let mut open = objects.iter().filter(|object| !is_ready(self.world, &object.id, jobs));
        let Some(failed) = open.find_map(|object| failed_job(self.world, &object.id)) else { return Ok(()) };
        let given_up = self.world.now() + RETRIES * LOOKS;
        self.world.advance(given_up.min(deadline));
        if given_up < deadline {
            Err(Unready::new(format!("job is failed: {failed}"), StepResult::Failed))
        } else {
            timed_out()
        }
    }

    /// Watches until all that have not failed are current.
    ///
    /// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `Wait` and `WaitWithJobs`.
    fn await_current(&mut self, objects: &[Arc<Object>]) -> Result<(), Unready> {
        let jobs = self.flags.wait_for_jobs;
        let deadline = self.status_deadline();
        let mut known: Vec<_> = objects.iter().map(|object| self.world.live(&object.id).is_some()).collect();
        let mut seen = vec![Seen::Unknown; objects.len()];
        let rolled = &*self.rolled;
        let mut is_over = |world: &World, index: usize| {
            seen[index] = status(world, &objects[index].id, &mut known[index], jobs, rolled);
            matches!(seen[index], Seen::Current | Seen::Failed(_))
        };
        let mut open = None;
        let reached = self.world.until(deadline, |world| {
            // As long as the one that was open is, nobody asks for the others.
            if open.is_none_or(|index| is_over(world, index)) {
                let after = open.map_or(0, |index| index + 1);
                open = (after..objects.len()).chain(0..after).find(|index| !is_over(world, *index));
            }
            open.is_none().then_some(())
        });
        if reached.is_none() {
            (0..objects.len()).for_each(|index| _ = is_over(self.world, index));
        }
        let open = objects.iter().zip(&seen).filter(|(_, seen)| **seen != Seen::Current);
        let mut lines: Vec<_> = open.map(|(object, seen)| not_ready(object, seen)).collect();
        let mut result = StepResult::Failed;
        if reached.is_none() {
            lines.push("context deadline exceeded".to_owned());
            result = StepResult::Timeout;
        }
        if lines.is_empty() { Ok(()) } else { Err(Unready::new(lines.join("\n"), result)) }
    }

    /// Asks now and then whether all are current, until one has failed.
    ///
    /// Source: fluxcd/helm-controller 1.6.3 `internal/action/wait.go`, `Wait` and `WaitWithJobs`; fluxcd/pkg `ssa/manager_wait.go`.
    fn await_asking_all(&mut self, objects: &[Arc<Object>]) -> Result<(), Unready> {
        let jobs = self.flags.wait_for_jobs;
        let deadline = self.status_deadline();
        let seen = |play: &Self| -> Vec<Seen> {
            let ids = objects.iter().map(|object| &object.id);
            ids.map(|id| status(play.world, id, &mut true, jobs, play.rolled)).collect()
        };
        let has_failed = |seen: &[Seen]| seen.iter().any(|seen| matches!(seen, Seen::Failed(_)));
        let is_done = |play: &Self| {
            let seen = seen(play);
            has_failed(&seen) || seen.iter().all(|seen| *seen == Seen::Current)
        };
        self.look(deadline, ASKS, is_done);
        let seen = seen(self);
        let open = objects.iter().zip(&seen).filter(|(_, seen)| **seen != Seen::Current);
        let open: Vec<_> = open.map(|(object, seen)| still(object, seen)).collect();
        let (why, result) = match has_failed(&seen) {
            _ if open.is_empty() => return Ok(()),
            true => ("failed early due to stalled resources", StepResult::Failed),
            false => ("timeout waiting for", StepResult::Timeout),
        };
        Err(Unready::new(format!("{why}: [{}]", open.join(", ")), result))
    }

    /// When a wait by status is over; no timeout is not without end.
    fn status_deadline(&self) -> Millis {
        let timeout = match Millis::try_from(self.flags.timeout.as_millis()).unwrap_or(FOREVER) {
            0 => STATUS_TIMEOUT,
            timeout => timeout,
        };
        self.world.now().saturating_add(timeout)
    }

    fn why_not_ready(&self, objects: &[Arc<Object>]) -> Option<String> {
        let jobs = self.flags.wait_for_jobs;
        let mut open = objects.iter().filter(|object| !is_ready(self.world, &object.id, jobs));
        let has_failed = |object: &&Arc<Object>| {
            let live = self.world.live(&object.id);
            live.is_some_and(|live| matches!(live.run, RunState::Failed { .. }))
        };
        let id = &open.clone().find(has_failed).or_else(|| open.next())?.id;
        Some(match self.world.live(id).map(|live| &live.run) {
            Some(RunState::Waiting(need)) => {
                format!("{id} is not ready: its pods cannot start without {need}")
            }
            Some(RunState::Failed { reason, .. }) => format!("{id} has failed: {}", reason.word()),
            Some(_) => format!("{id} is not ready"),
            None => format!("{id} is gone"),
        })
    }
}

/// Whether it is a Deployment that is paused.
fn is_paused(object: &Object) -> bool {
    object.run.as_ref().is_some_and(|run| run.workload == Workload::Lasting && run.suspended)
}

/// Whether Helm 3 calls it ready.
///
/// Source: Helm 3.21.4 `pkg/kube/ready.go`, `IsReady`: a Pod that has ended is not ready, a Job is unless Jobs are awaited.
fn is_ready(world: &World, id: &ObjectId, jobs: bool) -> bool {
    let Some(live) = world.live(id) else { return false };
    match workload(live) {
        Some(Workload::Job) => !jobs || matches!(live.run, RunState::Complete { .. }),
        Some(Workload::Pod) => live.run == RunState::Running,
        Some(Workload::Lasting) | None => live.is_ready(),
    }
}

/// The namespace and name of a Job that has failed more often than it may.
///
/// Source: Helm 3.21.4 `pkg/kube/ready.go`, `jobReady`.
fn failed_job(world: &World, id: &ObjectId) -> Option<String> {
    let live = world.live(id).filter(|live| workload(live) == Some(Workload::Job))?;
    let limit = live.object.run.as_ref()?.backoff_limit;
    let RunState::Failed { failed, .. } = live.run else { return None };
    (failed > limit).then(|| format!("{}/{}", id.namespace.as_deref().unwrap_or_default(), id.name))
}

/// What kstatus says of an ordinary resource.
///
/// Source: cli-utils 1.2.1 `pkg/kstatus/status/core.go`; Helm 4.2.4 `internal/statusreaders/job_status_reader.go` where Jobs are awaited.
fn status(world: &World, id: &ObjectId, known: &mut bool, jobs: bool, rolled: &BTreeSet<u64>) -> Seen {
    let Some(live) = world.live(id) else { return if *known { Seen::NotFound } else { Seen::Unknown } };
    *known = true;
    let workload = workload(live);
    if live.is_terminating() && !(jobs && workload == Some(Workload::Job)) {
        return Seen::Terminating;
    }
    match (workload, &live.run) {
        (Some(Workload::Job), RunState::Failed { failed, completions, .. }) => {
            Seen::Failed(format!("Job Failed. failed: {failed}/{completions}"))
        }
        (Some(Workload::Job), RunState::Suspended) if !jobs => Seen::InProgress("Job not started"),
        (Some(Workload::Job), run) if jobs && !matches!(run, RunState::Complete { .. }) => {
            Seen::InProgress("Job in progress")
        }
        (Some(Workload::Pod), RunState::Starting) => Seen::InProgress("Pod is running but is not Ready"),
        (Some(Workload::Pod), RunState::Waiting(_)) => Seen::InProgress("Pod is in the Pending phase"),
        (Some(Workload::Lasting), RunState::Starting | RunState::Waiting(_)) => {
            Seen::InProgress(lacks(live, rolled.contains(&live.uid)))
        }
        (None, RunState::Starting) => Seen::InProgress("PVC is not Bound. phase: Pending"),
        _ => Seen::Current,
    }
}

/// What a workload of one replica lacks as long as its pod is not ready, or was not made for want of a `ServiceAccount`; the old pod
/// of a Deployment that is `rolled` goes only after that.
fn lacks(live: &Live, rolled: bool) -> &'static str {
    let has_no_pod = matches!(&live.run, RunState::Waiting(need) if need.kind == "ServiceAccount");
    match (live.object.id.kind.as_str(), has_no_pod) {
        ("Deployment", true) if rolled => "Updated: 0/1",
        ("Deployment", false) if rolled => "Pending termination: 1",
        ("ReplicaSet", true) => "Labelled: 0/1",
        ("DaemonSet", true) => "Current: 0/1",
        (_, true) => "Replicas: 0/1",
        ("StatefulSet", false) => "Ready: 0/1",
        (_, false) => "Available: 0/1",
    }
}

fn workload(live: &Live) -> Option<Workload> {
    live.object.run.as_ref().map(|run| run.workload)
}
