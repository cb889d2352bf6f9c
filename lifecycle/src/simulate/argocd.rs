//! What Argo CD does, which renders the chart and never runs Helm: an install, an upgrade and a rollback are a sync.
//!
//! From its source, not run. Hooks that Helm drops for an unknown event are not seen here, although Argo CD runs their known events;
//! neither are Argo CD's own annotations.

use std::sync::Arc;

use hooks::{DeletePolicy, Event, order, release::Status};

use super::{
    Play,
    create::Sent,
    delete::{FOREVER, what_holds},
    errors::Failure,
    storage::Stored,
    wait::{Ended, Seen, runs_to_an_end},
};
use crate::{
    Chart, World,
    answer::{Action, StepResult, Verb},
    chart::{Hook, Object},
    profile::Engine,
    world::{Live, Reason, RunState},
};

mod application;

/// The Helm events of one phase.
type Phase = [Event; 2];

/// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/hook/helm/type.go`.
const PRE_SYNC: Phase = [Event::PreInstall, Event::PreUpgrade];
const POST_SYNC: Phase = [Event::PostInstall, Event::PostUpgrade];

impl Play<'_> {
    pub(super) fn argocd(&mut self) -> Result<(), Failure> {
        let last = self.storage.last();
        let is_sync = !matches!(self.command.action, Action::Uninstall | Action::Test);
        // Source: argo-cd 3.5.1 `server/application/application.go`, `Sync` and `Rollback`.
        if is_sync && last.as_ref().is_some_and(|last| last.status == Status::Uninstalling) {
            return Err(Failure("application is deleting".to_owned()));
        }
        let revision = last.map_or(1, |last| last.revision + 1);
        match self.command.action {
            Action::Install => self.sync(Stored::new(revision, Status::PendingInstall, &self.chart(), true)),
            Action::Upgrade => self.sync(Stored::new(revision, Status::PendingUpgrade, &self.chart(), true)),
            Action::Rollback => {
                let to = self.flags.to.unwrap_or(revision.saturating_sub(2));
                let missing =
                    || Failure(format!("application {} does not have deployment id {to}", self.release));
                let target = self.storage.find(to).ok_or_else(missing)?;
                self.sync(target.again(revision, Status::PendingRollback, true))
            }
            Action::Uninstall => self.delete_application(),
            // It knows no tests, and applies none.
            Action::Test => Ok(()),
        }
    }

    /// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/sync_context.go`, `Sync`.
    fn sync(&mut self, mut stored: Stored) -> Result<(), Failure> {
        self.revision = Some(stored.revision);
        self.storage.create(&stored, None);
        let synced = self.sync_phases(&stored);
        let policy = match &synced {
            Ok(()) => Some(DeletePolicy::HookSucceeded),
            Err(Stop::Failed(_)) => Some(DeletePolicy::HookFailed),
            Err(Stop::Running(_)) => None,
        };
        if let Some(policy) = policy {
            self.ask_hooks(&stored, &[PRE_SYNC, POST_SYNC], policy);
            if synced.is_ok() {
                self.storage.supersede();
            }
            stored.status = if synced.is_ok() { Status::Deployed } else { Status::Failed };
            self.storage.update(&stored);
        }
        synced.map_err(Stop::into_failure)
    }

    fn sync_phases(&mut self, stored: &Stored) -> Result<(), Stop> {
        let chart = Arc::clone(&stored.chart);
        let has_hooks =
            chart.hooks.iter().any(|hook| event_of(hook, PRE_SYNC).or(event_of(hook, POST_SYNC)).is_some());
        self.build_all(&chart).map_err(Stop::Failed)?;
        self.run_phase(stored, PRE_SYNC)?;
        // Nothing is pruned unless that is asked for.
        self.update_resources(&chart.resources, &chart.resources)
            .map_err(|failure| Stop::Failed(failure.after("one or more objects failed to apply, reason")))?;
        if has_hooks {
            self.await_healthy(&chart.resources)?;
        }
        self.run_phase(stored, POST_SYNC)
    }

    /// Waits until all ordinary resources are healthy or have failed for good; what once was either is not looked at again.
    ///
    /// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/sync_context.go`, `Sync`: a failure ends it only when nothing runs any more.
    fn await_healthy(&mut self, resources: &[Arc<Object>]) -> Result<(), Stop> {
        let deadline = self.world.now().saturating_add(FOREVER);
        let mut ends: Vec<Option<Seen>> = resources.iter().map(|_| None).collect();
        self.world.until(deadline, |world| {
            for (object, end) in resources.iter().zip(&mut ends).filter(|(_, end)| end.is_none()) {
                *end = world.live(&object.id).and_then(resource_health);
            }
            ends.iter().all(Option::is_some).then_some(())
        });
        let ended = || resources.iter().zip(&ends);
        let open = ended().find(|(_, end)| end.is_none());
        let failed = ended().find_map(|(object, end)| match end {
            Some(Seen::Failed(words)) => Some((object, words)),
            _ => None,
        });
        let (result, why, stop) = match (open, failed) {
            (Some((object, _)), _) => {
                let open = qualified(object);
                let words = format!("waiting for healthy state of {open}");
                let why = format!("{open} is not healthy, and Argo CD waits for ever");
                (StepResult::Timeout, why, Stop::Running(Failure(words)))
            }
            (None, Some((object, words))) => {
                let why = format!("{} has failed: {words}", qualified(object));
                (StepResult::Failed, why, Stop::Failed(unsuccessful(std::slice::from_ref(words))))
            }
            (None, None) => return Ok(()),
        };
        if let Some(step) = self.steps.iter().rposition(|step| step.verb == Verb::Manifest) {
            self.steps[step].result = result;
            self.explain(step, why);
        }
        Err(stop)
    }

    /// Whether all kinds are served, now or once the sync has brought them.
    ///
    /// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/sync_context.go`, `hasCRDOfGroupKind`.
    fn build_all(&self, chart: &Chart) -> Result<(), Failure> {
        if let Some(words) = &chart.unbuildable {
            return Err(Failure(words.clone()));
        }
        let brought: Vec<_> = chart.resources.iter().filter_map(|object| object.defines.as_ref()).collect();
        let is_brought = |object: &&Arc<Object>| brought.iter().any(|defines| defines.covers(&object.id));
        self.map(chart.resources.iter().filter(|object| !is_brought(object)))
    }

    /// Wave after wave; the hooks of one wave at the same time.
    fn run_phase(&mut self, stored: &Stored, phase: Phase) -> Result<(), Stop> {
        let hooks = hooks_of(stored, phase);
        for wave in hooks.chunk_by(|(_, one), (_, other)| one.weight == other.weight) {
            self.run_wave(stored, wave)?;
        }
        Ok(())
    }

    fn run_wave(&mut self, stored: &Stored, wave: &[(Event, &Hook)]) -> Result<(), Stop> {
        self.clear(wave)?;
        let mut sent = Vec::new();
        let mut errors = Vec::new();
        self.applies = true;
        for (event, hook) in wave {
            match self.create_hook(*event, hook) {
                Ok(all) => sent.extend(all.into_iter().map(|sent| (*event, sent))),
                Err(failure) => errors.push(failure.0),
            }
        }
        if !errors.is_empty() {
            let words = format!("one or more objects failed to apply, reason: {}", errors.join(","));
            return Err(Stop::Failed(Failure(words)));
        }
        self.await_wave(stored, &sent)
    }

    /// Deletes what is there of those hooks that want it so, all at the same time; nothing is applied before all of it is gone.
    ///
    /// Source: argo-cd 3.5.1 `gitops-engine/pkg/sync/sync_context.go`, `runTasks` and `setRunningPhase`.
    fn clear(&mut self, wave: &[(Event, &Hook)]) -> Result<(), Stop> {
        let mut asked = Vec::new();
        let mut named = Vec::new();
        for (event, hook) in wave {
            self.build(hook).map_err(Stop::Failed)?;
            let is_named = [DeletePolicy::HookSucceeded, DeletePolicy::HookFailed];
            if is_named.iter().any(|policy| Engine::ArgoCd.deletes(hook, *policy)) {
                let there = hook.objects.iter().filter(|object| self.world.live(&object.id).is_some());
                named.extend(there.map(|object| qualified(object)));
            }
            if Engine::ArgoCd.deletes(hook, DeletePolicy::BeforeHookCreation) {
                asked.extend(self.delete_hook(*event, hook));
            }
        }
        if self.are_gone(&asked) {
            return Ok(());
        }
        let words = match named.as_slice() {
            [] => "one or more tasks are running".to_owned(),
            named => waiting_for("deletion of", named),
        };
        Err(Stop::Running(Failure(words)))
    }

    fn await_wave(&mut self, stored: &Stored, sent: &[(Event, Sent<'_>)]) -> Result<(), Stop> {
        let (mut reasons, mut open) = (Vec::new(), Vec::new());
        for (sent, end) in self.ends(stored, sent, false) {
            match end.seen {
                Seen::Failed(words) => reasons.push(words),
                Seen::InProgress(_) => open.push(qualified(sent.object)),
                _ => {}
            }
        }
        if !open.is_empty() {
            return Err(Stop::Running(Failure(waiting_for("completion of hook", &open))));
        }
        if reasons.is_empty() {
            return Ok(());
        }
        Err(Stop::Failed(unsuccessful(&reasons)))
    }

    /// Waits until all that was sent has ended, or one has failed if that `is_enough`, and tells it; in the order in which they do.
    fn ends<'s, 'h>(
        &mut self,
        stored: &Stored,
        sent: &'s [(Event, Sent<'h>)],
        is_enough: bool,
    ) -> Vec<(&'s Sent<'h>, Ended)> {
        let has_failed =
            |end: &Option<Ended>| end.as_ref().is_some_and(|end| matches!(end.seen, Seen::Failed(_)));
        let is_decided = |ends: &[Option<Ended>]| is_enough && ends.iter().any(has_failed);
        let deadline = self.world.now().saturating_add(FOREVER);
        let mut ends: Vec<Option<Ended>> = sent.iter().map(|_| None).collect();
        self.world.until(deadline, |world| {
            for ((_, sent), end) in sent.iter().zip(&mut ends) {
                if end.is_none() {
                    *end = health(world, sent).map(|seen| Ended { at: world.now(), seen });
                }
            }
            (is_decided(&ends) || ends.iter().all(Option::is_some)).then_some(())
        });
        let (at, is_over) = (self.world.now(), is_decided(&ends));
        let open = || (!is_over).then_some(Ended { at, seen: Seen::InProgress("") });
        let told = |(sent, end): (_, Option<Ended>)| Some((sent, end.or_else(open)?));
        let mut ended: Vec<_> = sent.iter().zip(ends).filter_map(told).collect();
        ended.sort_by_key(|(_, end)| end.at);
        for ((event, sent), end) in &ended {
            self.tell(*event, sent, end, stored);
        }
        ended.into_iter().map(|((_, sent), end)| (sent, end)).collect()
    }

    /// Asks for the deletion of the objects of a hook that are there; gives those steps, each with the uid of its object.
    fn delete_hook(&mut self, event: Event, hook: &Hook) -> Vec<(usize, u64)> {
        let mut asked = Vec::new();
        for object in &hook.objects {
            if let Some(uid) = self.world.live(&object.id).map(|live| live.uid) {
                asked.push((self.step(Some(event), Verb::Delete, Some(&object.id), StepResult::Ok), uid));
                self.world.delete_with_uid(uid);
            }
        }
        asked
    }

    /// Waits until what was deleted is gone; says whether it ever is.
    fn are_gone(&mut self, asked: &[(usize, u64)]) -> bool {
        let deadline = self.world.now().saturating_add(FOREVER);
        let is_gone = |world: &World, uid: u64| world.with_uid(uid).is_none();
        let are_gone = |world: &World| asked.iter().all(|(_, uid)| is_gone(world, *uid)).then_some(());
        if self.world.until(deadline, are_gone).is_some() {
            return true;
        }
        for (step, uid) in asked {
            let held = self.world.with_uid(*uid).map(what_holds);
            if let Some(held) = held {
                self.steps[*step].result = StepResult::Timeout;
                self.explain(*step, format!("it is still there: {held}, and Argo CD waits for ever"));
            }
        }
        false
    }

    /// When all is over, hooks go by the policy that fits the whole, however they themselves ended.
    fn ask_hooks(&mut self, stored: &Stored, phases: &[Phase], policy: DeletePolicy) -> Vec<(usize, u64)> {
        let mut asked = Vec::new();
        for hook in &stored.chart.hooks {
            let event = phases.iter().find_map(|phase| event_of(hook, *phase));
            if let Some(event) = event.filter(|_| Engine::ArgoCd.deletes(hook, policy)) {
                asked.extend(self.delete_hook(event, hook));
            }
        }
        asked
    }
}

/// Why a sync goes no further.
enum Stop {
    /// It has failed.
    Failed(Failure),
    /// It waits for ever.
    Running(Failure),
}

impl Stop {
    fn into_failure(self) -> Failure {
        match self {
            Self::Failed(failure) | Self::Running(failure) => failure,
        }
    }
}

/// The hooks of a phase in the order of their waves, of kinds and of names.
fn hooks_of(stored: &Stored, phase: Phase) -> Vec<(Event, &Hook)> {
    let hooks = stored.chart.hooks.iter();
    let mut hooks: Vec<_> =
        hooks.filter_map(|hook| event_of(hook, phase).map(|event| (event, hook))).collect();
    hooks.sort_by_key(|(_, hook)| (hook.weight, order::install_rank(&hook.kind), &hook.name));
    hooks
}

/// The event for which a hook belongs to a phase: once, even if it names both.
fn event_of(hook: &Hook, phase: Phase) -> Option<Event> {
    phase.into_iter().find(|event| hook.events.contains(event))
}

/// Whether a hook is healthy, or has failed for good: that of a workload is awaited as well.
///
/// Source: argo-cd 3.5.1 `gitops-engine/pkg/health/health_job.go`; the words are those of the Job's condition. `sync_context.go`,
/// `getOperationPhase`.
fn health(world: &World, sent: &Sent<'_>) -> Option<Seen> {
    let live = world.with_uid(sent.uid)?;
    if !runs_to_an_end(sent.object) {
        return live.is_ready().then_some(Seen::Current);
    }
    match &live.run {
        RunState::Complete { .. } => Some(Seen::Current),
        RunState::Failed { reason, .. } => Some(Seen::Failed(why_failed(*reason).to_owned())),
        _ => None,
    }
}

/// Whether an ordinary resource is healthy, a Job only when it is done, or has failed for good.
fn resource_health(live: &Live) -> Option<Seen> {
    if let RunState::Failed { reason, .. } = &live.run {
        return Some(Seen::Failed(why_failed(*reason).to_owned()));
    }
    let is_job = live.object.id.kind == "Job";
    (live.is_ready() && !(is_job && live.run == RunState::Running)).then_some(Seen::Current)
}

const fn why_failed(reason: Reason) -> &'static str {
    match reason {
        Reason::BackoffLimitExceeded => "Job has reached the specified backoff limit",
        Reason::PodFailurePolicy => {
            "Container … for pod … failed with exit code 1 matching FailJob rule at index …"
        }
        Reason::DeadlineExceeded => "Job was active longer than specified deadline",
        Reason::Ended | Reason::Stopped => "its pod failed",
    }
}

fn unsuccessful(reasons: &[String]) -> Failure {
    let words = "one or more synchronization tasks completed unsuccessfully";
    Failure(format!("{words}, reason: {}", reasons.join(",")))
}

/// What Argo CD says while it waits: the first by name, the others by number.
fn waiting_for(what: &str, named: &[String]) -> String {
    let more = if named.len() > 1 { format!(" and {} more hooks", named.len() - 1) } else { String::new() };
    format!("waiting for {what} {}{more}", named[0])
}

/// As Argo CD names an object.
fn qualified(object: &Object) -> String {
    format!("{}/{}/{}", object.id.group(), object.id.kind, object.id.name)
}
