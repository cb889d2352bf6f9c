//! The end of a hook is awaited, and what counts as its end.

use std::fmt;

use hooks::Event;

use super::{
    Play,
    create::Sent,
    delete::{FOREVER, STATUS_TIMEOUT},
    errors::Failure,
    storage::Stored,
};
use crate::{
    World,
    answer::{FAILED_BEFORE, SUCCEEDED_BEFORE, StepResult, Verb},
    chart::Object,
    profile::Completion,
    world::{Live, Millis, RunState},
};

/// How often Flux asks.
///
/// Source: fluxcd/helm-controller 1.6.3 `internal/action/wait.go`.
pub(super) const ASKS: Millis = 5_000;

/// What a waiter sees of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    /// All is as it should be.
    Current,
    /// It has failed for good.
    Failed(String),
    /// Not yet.
    InProgress(&'static str),
    /// Somebody asked for its deletion.
    Terminating,
    /// It was there and is gone.
    NotFound,
    /// It was never seen.
    Unknown,
}

/// How the wait for one object ended.
pub(super) struct Ended {
    pub(super) at: Millis,
    pub(super) seen: Seen,
}

impl Play<'_> {
    /// Waits until the objects of a hook have ended.
    ///
    /// # Errors
    /// What Helm says when one has failed, or when it took too long.
    pub(super) fn await_hook(
        &mut self,
        event: Event,
        sent: &[Sent<'_>],
        stored: &Stored,
    ) -> Result<(), Failure> {
        let (ended, failure) = match self.waiter.completion {
            Completion::Legacy => self.await_each(sent),
            Completion::Status => self.await_status(sent),
            Completion::Poll => self.await_asking(sent),
        };
        let mut by_end: Vec<_> = sent.iter().zip(&ended).collect();
        by_end.sort_by_key(|(_, ended)| ended.at);
        for (sent, ended) in by_end {
            self.tell(event, sent, ended, stored);
        }
        failure.map_or(Ok(()), Err)
    }

    fn timeout(&self, zero: Millis) -> Millis {
        match Millis::try_from(self.flags.timeout.as_millis()).unwrap_or(FOREVER) {
            0 => self.world.now().saturating_add(zero),
            timeout => self.world.now().saturating_add(timeout),
        }
    }

    /// One watch for each Job and Pod; those of one kind at the same time, each run of a kind with a timeout of its own.
    ///
    /// Source: Helm 3.21.4 `pkg/kube/client.go`, `watchUntilReady`; Helm 4.2.4 `pkg/kube/wait.go`, the same.
    fn await_each(&mut self, sent: &[Sent<'_>]) -> (Vec<Ended>, Option<Failure>) {
        let mut all = Vec::with_capacity(sent.len());
        for run in sent.chunk_by(|one, other| one.object.id.kind == other.object.id.kind) {
            let deadline = self.timeout(FOREVER);
            let mut known = vec![false; run.len()];
            let mut ends: Vec<Option<Ended>> = run.iter().map(|_| None).collect();
            self.world.until(deadline, |world| {
                for ((sent, known), end) in run.iter().zip(&mut known).zip(&mut ends) {
                    if end.is_none() {
                        let seen = legacy(world, sent, known);
                        *end = seen.map(|seen| Ended { at: world.now(), seen });
                    }
                }
                ends.iter().all(Option::is_some).then_some(())
            });
            let now = self.world.now();
            if self.flags.timeout.is_zero() {
                let open = run.iter().zip(&ends).find(|(_, end)| end.is_none());
                self.endless = open.map(|(sent, _)| sent.object.id.clone());
            }
            all.extend(
                ends.into_iter().map(|end| end.unwrap_or(Ended { at: now, seen: Seen::InProgress("") })),
            );
            if self.endless.is_some() {
                break;
            }
        }
        let mut errors: Vec<_> = all
            .iter()
            .filter_map(|ended| match &ended.seen {
                Seen::Failed(words) => Some((ended.at, words.clone())),
                Seen::InProgress(_) => Some((ended.at, "timed out waiting for the condition".to_owned())),
                _ => None,
            })
            .collect();
        errors.sort_by_key(|(at, _)| *at);
        let errors: Vec<_> = errors.into_iter().map(|(_, words)| words).collect();
        let failure = (!errors.is_empty()).then(|| self.joined(&errors));
        (all, failure)
    }

    /// A watch on the kinds of all objects, until all that have not failed are there and done.
    ///
    /// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `wait` and `statusObserver`.
    fn await_status(&mut self, sent: &[Sent<'_>]) -> (Vec<Ended>, Option<Failure>) {
        let deadline = self.timeout(STATUS_TIMEOUT);
        let mut known = vec![false; sent.len()];
        let mut ended: Vec<_> =
            sent.iter().map(|_| Ended { at: self.world.now(), seen: Seen::Unknown }).collect();
        let reached = self.world.until(deadline, |world| {
            for ((sent, known), ended) in sent.iter().zip(&mut known).zip(&mut ended) {
                let seen = status(world, sent, known);
                if ended.seen != seen {
                    *ended = Ended { at: world.now(), seen };
                }
            }
            ended.iter().all(|ended| matches!(ended.seen, Seen::Current | Seen::Failed(_))).then_some(())
        });
        let now = self.world.now();
        let mut lines = Vec::new();
        for (sent, ended) in sent.iter().zip(&mut ended) {
            if !matches!(ended.seen, Seen::Current | Seen::Failed(_)) {
                ended.at = now;
            }
            if ended.seen != Seen::Current {
                lines.push(not_ready(sent.object, &ended.seen));
            }
        }
        if reached.is_none() {
            lines.push("context deadline exceeded".to_owned());
        }
        (ended, (!lines.is_empty()).then(|| Failure(lines.join("\n"))))
    }

    /// Asked now and then; a failure is no end, and what is gone has ended well if the Job was to go by itself.
    ///
    /// Source: fluxcd/helm-controller 1.6.3 `internal/action/wait.go`, `WatchUntilReady`; fluxcd/pkg `ssa/manager_wait.go`.
    fn await_asking(&mut self, sent: &[Sent<'_>]) -> (Vec<Ended>, Option<Failure>) {
        let deadline = self.timeout(STATUS_TIMEOUT);
        let before = sent.iter().any(|sent| expires(sent.object)).then(|| self.world.clone());
        let ask = |world: &World, sent: &Sent<'_>| match status(world, sent, &mut true) {
            Seen::NotFound if expires(sent.object) => Seen::Current,
            seen => seen,
        };
        let is_done = |play: &Self| sent.iter().all(|sent| ask(play.world, sent) == Seen::Current);
        let done = self.look(deadline, ASKS, is_done);
        let at = self.world.now();
        let mut ended: Vec<_> = sent.iter().map(|sent| Ended { at, seen: ask(self.world, sent) }).collect();
        let open = sent.iter().zip(&ended).filter(|(_, ended)| ended.seen != Seen::Current);
        let open: Vec<_> = open.map(|(sent, ended)| still(sent.object, &ended.seen)).collect();
        let failure = (!done).then(|| Failure(format!("timeout waiting for: [{}]", open.join(", "))));
        if let Some(before) = before {
            for (sent, ended) in sent.iter().zip(&mut ended) {
                if self.world.with_uid(sent.uid).is_none() && fails(before.clone(), sent.uid, at) {
                    ended.seen = Seen::NotFound;
                }
            }
        }
        (ended, failure)
    }

    /// The step of one wait, if it is one.
    pub(super) fn tell(&mut self, event: Event, sent: &Sent<'_>, ended: &Ended, stored: &Stored) {
        let is_foreign = !runs_to_an_end(sent.object);
        if is_foreign && !matches!(ended.seen, Seen::Failed(_)) {
            return;
        }
        let is_legacy = self.waiter.completion == Completion::Legacy;
        let stale = sent.stale.filter(|_| matches!(ended.seen, Seen::Current | Seen::Failed(_)));
        let (result, message) = match (&ended.seen, stale) {
            (_, Some(at)) => {
                let before = if ended.seen == Seen::Current { SUCCEEDED_BEFORE } else { FAILED_BEFORE };
                let ago = self.world.now().saturating_sub(at).div_ceil(1000);
                (StepResult::Stale, Some(format!("{before} {ago}s ago, and nothing ran now")))
            }
            (Seen::Current, None) => (StepResult::Ok, None),
            (Seen::Failed(words), None) if is_foreign => (StepResult::Failed, Some(words.clone())),
            (Seen::Failed(_), None) => (StepResult::Failed, self.why_failed(sent)),
            (Seen::NotFound, None) if is_legacy => {
                (StepResult::Ok, Some("it was deleted meanwhile, which Helm takes for success".to_owned()))
            }
            (Seen::NotFound, None) if self.waiter.completion == Completion::Poll && expires(sent.object) => {
                let words = "it failed and was gone before Flux asked again, which Flux takes for success";
                (StepResult::Ok, Some(words.to_owned()))
            }
            _ => (StepResult::Timeout, Some(self.why_open(event, sent, stored))),
        };
        let at = self.seconds(ended.at);
        let step = self.step(Some(event), Verb::Wait, Some(&sent.object.id), result);
        self.steps[step].at = at;
        self.steps[step].message = message;
    }
}

/// Whether Helm waits for more than its existence.
pub(super) fn runs_to_an_end(object: &Object) -> bool {
    matches!((object.id.group(), object.id.kind.as_str()), ("batch", "Job") | ("", "Pod"))
}

/// Whether it goes by itself when it has ended.
fn expires(object: &Object) -> bool {
    object.run.as_ref().is_some_and(|run| run.ttl.is_some())
}

/// Whether this one fails until `to`.
fn fails(mut world: World, uid: u64, to: Millis) -> bool {
    let has_failed = |live: &Live| matches!(live.run, RunState::Failed { .. });
    world.until(to, |world| world.with_uid(uid).is_some_and(has_failed).then_some(())).is_some()
}

/// What a watch on one object has seen; `None` as long as it goes on.
fn legacy(world: &World, sent: &Sent<'_>, known: &mut bool) -> Option<Seen> {
    let id = &sent.object.id;
    if !matches!(id.kind.as_str(), "Job" | "Pod") {
        return Some(Seen::Current);
    }
    let Some(live) = world.with_uid(sent.uid) else { return known.then_some(Seen::NotFound) };
    *known = true;
    if !runs_to_an_end(sent.object) {
        let kind = if id.kind == "Job" { "batch.Job" } else { "v1.Pod" };
        let words = format!("expected {} to be a *{kind}, got *unstructured.Unstructured", id.name);
        return Some(Seen::Failed(words));
    }
    match &live.run {
        RunState::Complete { .. } => Some(Seen::Current),
        RunState::Failed { reason, .. } if id.kind == "Job" => {
            Some(Seen::Failed(format!("job {} failed: {}", id.name, reason.word())))
        }
        RunState::Failed { .. } => Some(Seen::Failed(format!("pod {} failed", id.name))),
        _ => None,
    }
}

/// What kstatus says of an object of a hook.
///
/// Source: Helm 4.2.4 `internal/statusreaders/job_status_reader.go`, `pod_status_reader.go`; `pkg/kube/statuswait.go`, `alwaysReady`.
fn status(world: &World, sent: &Sent<'_>, known: &mut bool) -> Seen {
    let Some(live) = world.with_uid(sent.uid) else {
        return if *known { Seen::NotFound } else { Seen::Unknown };
    };
    *known = true;
    let id = &sent.object.id;
    if !runs_to_an_end(sent.object) {
        return Seen::Current;
    }
    match &live.run {
        RunState::Complete { .. } => Seen::Current,
        RunState::Failed { failed, completions, .. } if id.kind == "Job" => {
            Seen::Failed(format!("Job Failed. failed: {failed}/{completions}"))
        }
        RunState::Failed { .. } => Seen::Failed(format!("pod {} failed", id.name)),
        _ if id.kind == "Job" => Seen::InProgress("Job in progress"),
        _ => Seen::InProgress("Pod in progress"),
    }
}

/// Helm 4's words for what is not as it should be.
///
/// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `wait`; cli-utils 1.2.1 `pkg/kstatus/watcher/object_status_reporter.go`.
pub(super) fn not_ready(object: &Object, seen: &Seen) -> String {
    let id = &object.id;
    let message = match seen {
        Seen::Failed(message) => message.as_str(),
        Seen::InProgress(message) => message,
        Seen::Terminating => "Resource scheduled for deletion",
        Seen::NotFound => "Resource not found",
        Seen::Current | Seen::Unknown => "",
    };
    let namespace = id.namespace.as_deref().unwrap_or_default();
    format!("resource {}/{namespace}/{} not ready. status: {seen}, message: {message}", id.kind, id.name)
}

/// Flux's words for the same.
///
/// Source: fluxcd/pkg `ssa/manager_wait.go`, `WaitForSetWithContext`.
pub(super) fn still(object: &Object, seen: &Seen) -> String {
    let id = &object.id;
    format!("{}/{}/{} status: '{seen}'", id.kind, id.namespace.as_deref().unwrap_or_default(), id.name)
}

/// kstatus' word.
impl fmt::Display for Seen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Current => "Current",
            Self::Failed(_) => "Failed",
            Self::InProgress(_) => "InProgress",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        })
    }
}
