//! What becomes of an object that is left, when its hook runs again.

use hooks::DeletePolicy;
use lifecycle::{
    Step,
    answer::{Action, FAILED_BEFORE, ObjectId, SUCCEEDED_BEFORE, StepResult, Verb},
    chart::{Holds, Hook, Object, Workload},
    command::Wait,
    profile::{Deletion, Engine},
};

use super::{Story, left::is_sent};
use crate::rehearsal::idle::phases;

/// What becomes of an object that is left, when its hook runs again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    RunsAgain,
    MadeAgain,
    /// It is not made again, since what goes with it does not go.
    Deleted,
    /// It is sent onto what is being deleted.
    Lost,
    MayNotRun,
    Exists,
    FailsStill,
    Refused,
    /// It does not go.
    Held,
    /// It is sent onto what is being deleted, and its end is awaited.
    NeverRuns,
    Hangs,
}

impl Fate {
    /// Whether no later hook is met.
    pub(super) const fn is_the_end(self) -> bool {
        matches!(self, Self::Exists | Self::FailsStill | Self::Refused | Self::Held | Self::NeverRuns)
    }

    /// What becomes of it where the same hook, or one that runs at the same time, has an object that does not go: nothing is sent.
    pub(super) const fn beside_held(self) -> Option<Self> {
        match self {
            Self::RunsAgain | Self::MadeAgain => Some(Self::Deleted),
            Self::Held => Some(Self::Held),
            _ => None,
        }
    }

    /// What the next action does with the objects that are named.
    pub(super) fn words(self, named: &str, is_one: bool, engine: Engine) -> String {
        let (it, them, are, have, s) =
            if is_one { ("it", "it", "is", "has", "s") } else { ("they", "them", "are", "have", "") };
        match self {
            Self::RunsAgain => format!("deletes {named} first and runs {them} again"),
            Self::MadeAgain => format!("deletes {named} first and makes {them} again"),
            Self::Deleted => format!("deletes {named}"),
            Self::Lost => {
                format!("deletes {named} first, sends {them} before {it} {are} gone, and so loses {them}")
            }
            Self::MayNotRun if is_one => {
                format!("may not run {named}: unchanged, it counts as run while its end is there")
            }
            Self::MayNotRun => {
                format!("may not run {named}: unchanged, they count as run while their end is there")
            }
            Self::Exists => format!("fails, since {named} already exist{s}"),
            Self::FailsStill => format!("fails, since {named} {are} still there and {have} failed"),
            Self::Refused => format!("fails, since {named} {are} still there and may not be changed"),
            Self::Held => {
                let fails = if engine == Engine::ArgoCd { "waits for ever" } else { "fails" };
                format!("{fails}, since {named} {are} to be deleted first and something holds {them}")
            }
            Self::NeverRuns => {
                format!(
                    "fails: deletes {named} first and sends {them} before {it} {are} gone, so that nothing runs"
                )
            }
            Self::Hangs => {
                format!("waits for {named} again, which {are} still there and {have} not ended")
            }
        }
    }
}

impl Story<'_> {
    /// What becomes of an object that is left when `action` runs its hook again.
    pub(super) fn fate(&self, action: Action, hook: &Hook, object: &Object) -> Option<Fate> {
        let id = &object.id;
        let no_apply = self.engine == Engine::Helm3
            || self.asked.is_some_and(|asked| asked.flags.server_side == Some(false));
        let runs = object.run.as_ref().is_some_and(|run| run.workload != Workload::Lasting);
        let last = self.last_end(id);
        let is_slow = id.kind == "Namespace" || (id.kind == "Pod" && last == Some(End::Open));
        let deletes = self.engine.deletes(hook, DeletePolicy::BeforeHookCreation);
        let forgets = self.forgets(action);
        // What used it has gone, and so does what was held.
        let is_freed = self.is_going(id) && !object.finalizers && !self.is_made(self.index + 1);
        let is_held = !is_freed && self.is_held(action, hook, object);
        Some(match () {
            // It has a name of its own, by which nobody meets it.
            () if object.generates_name => return None,
            () if deletes && is_held && !forgets => Fate::Held,
            // Once it is gone it is met by nobody.
            () if self.is_going(id) => return None,
            () if deletes && forgets && (is_held || is_slow) && runs => Fate::NeverRuns,
            () if deletes && forgets && (is_held || is_slow) => Fate::Lost,
            () if deletes && runs => Fate::RunsAgain,
            () if deletes => Fate::MadeAgain,
            () if no_apply && self.engine != Engine::ArgoCd => Fate::Exists,
            () if self.was_refused(id) || self.is_frozen(object) => Fate::Refused,
            () if !runs => return None,
            () if last == Some(End::Open) => Fate::Hangs,
            () if last == Some(End::Bad) => Fate::FailsStill,
            () => Fate::MayNotRun,
        })
    }

    /// Whether `action`, asked for like this one, goes on before what it deletes is gone.
    fn forgets(&self, action: Action) -> bool {
        let Some(flags) = self.asked.map(|asked| &asked.flags) else { return false };
        let watches = action == Action::Test
            || (flags.rollback_on_failure && matches!(action, Action::Install | Action::Upgrade));
        let wait = if watches && flags.wait == Wait::HookOnly { Wait::Watcher } else { flags.wait };
        self.scenario.profile.waiter(wait).deletion == Deletion::Forget
    }

    /// Whether an object does not go when it is deleted: a finalizer holds it, or the application uses it, which is there before this
    /// action, or when the hooks after it run.
    fn is_held(&self, action: Action, hook: &Hook, object: &Object) -> bool {
        let before = phases(action, self.engine).into_iter().next().unwrap_or_default();
        let is_late = !hook.events.iter().any(|event| before.contains(event));
        let chart = self.asked.and_then(|asked| asked.chart.as_deref());
        let chart = chart.filter(|_| is_late || self.is_made(self.index + 1));
        let resources = chart.into_iter().flat_map(|chart| &chart.resources);
        let mut needs =
            resources.flat_map(|resource| resource.needs.iter().map(move |need| (resource, need)));
        let id = &object.id;
        object.finalizers
            || (id.kind == "PersistentVolumeClaim"
                && needs.any(|(user, need)| {
                    need.kind == id.kind && need.name == id.name && user.id.namespace == id.namespace
                }))
    }

    /// How its pods ended last, if they were awaited.
    fn last_end(&self, id: &ObjectId) -> Option<End> {
        self.steps_about(id).find_map(|step| match (step.verb, step.result) {
            (Verb::Wait, StepResult::Ok) => Some(End::Good),
            (Verb::Wait, StepResult::Failed) => Some(End::Bad),
            (Verb::Wait, StepResult::Timeout) => Some(End::Open),
            (Verb::Wait, StepResult::Stale) => {
                let message = step.message.as_deref()?;
                let is = |words| message.starts_with(words);
                is(FAILED_BEFORE).then_some(End::Bad).or_else(|| is(SUCCEEDED_BEFORE).then_some(End::Good))
            }
            _ => None,
        })
    }

    /// Whether what is there could not just be made what the hook says.
    fn was_refused(&self, id: &ObjectId) -> bool {
        self.row_of(id).is_some_and(|row| row.waited.is_none() && row.has_failed())
    }

    /// Whether what is there was sent with parts that are others now, and that nobody can change.
    fn is_frozen(&self, object: &Object) -> bool {
        let actions = self.scenario.answer.actions[..=self.index].iter().zip(&self.scenario.asked);
        let mut charts = actions.rev().filter_map(|(played, asked)| {
            let is_it = |step: &&Step| step.object.as_ref().is_some_and(|id| id.is_same(&object.id));
            played.steps.iter().filter(is_it).find(|step| is_sent(step))?;
            asked.chart.as_deref()
        });
        let hooks = charts.next().into_iter().flat_map(|chart| &chart.hooks);
        let mut sent = hooks.flat_map(|hook| &hook.objects).filter(|sent| sent.id.is_same(&object.id));
        sent.next().is_some_and(|sent| {
            let mut parts = sent.frozen.iter().zip(&object.frozen);
            parts.any(|(was, is)| was.holds == Holds::Always && was.digest != is.digest)
        })
    }
}

/// How pods ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Good,
    Bad,
    /// They had not when nobody waited any longer.
    Open,
}
