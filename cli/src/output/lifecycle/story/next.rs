//! What somebody meets who asks for the next thing.

use hooks::{DeletePolicy, Event, order, release::Status};
use lifecycle::{
    answer::{Action, ObjectId, StepResult},
    chart::{Hook, Object, Workload},
};

use super::{Doing, Engine, Note, Row, Story, Tone, name};

impl Story<'_> {
    /// What the next command does with what this one leaves, and what is otherwise worth knowing.
    pub(super) fn next(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.engine() == Engine::ArgoCd {
            let phases: [&[Event]; 2] =
                [&[Event::PreInstall, Event::PreUpgrade], &[Event::PostInstall, Event::PostUpgrade]];
            notes.extend(self.meeting("next sync", &phases));
            return notes;
        }
        let deployed = self.played.history.iter().any(|revision| revision.status == Status::Deployed.name());
        match (Status::parse(self.status()), self.played.history.last()) {
            (_, None) => {
                notes.extend(self.meeting("next install", &[&[Event::PreInstall], &[Event::PostInstall]]));
            }
            (status, Some(newest)) if status.is_pending() => {
                let first = self.refused_first().map(|object| {
                    let name = name(object, &self.scenario.answer.namespace);
                    format!(", once {name} is deleted, on which its hook fails again")
                });
                let words = format!(
                    "is refused as long as revision {} is {}; helm rollback ends that{}",
                    newest.revision,
                    newest.status,
                    first.unwrap_or_default()
                );
                notes.push(Note::new("next upgrade", words));
            }
            (Status::Uninstalling, Some(_)) if !deployed => {
                let words = "is refused: there is no deployed release; helm uninstall --no-hooks ends that";
                notes.push(Note::new("next upgrade", words));
            }
            (Status::Uninstalled, Some(_)) => {}
            _ if self.played.action == Action::Test => {
                notes.extend(self.meeting("next test", &[&[Event::Test]]));
            }
            (status, Some(_)) => {
                notes.extend(self.install_hooks_are_over(status));
                notes.extend(self.meeting("next upgrade", &[&[Event::PreUpgrade], &[Event::PostUpgrade]]));
            }
        }
        notes
    }

    /// After a failed install an upgrade is the only way, and it runs no install hooks.
    fn install_hooks_are_over(&self, status: Status) -> Option<Note> {
        let is_first = self.played.action == Action::Install && status == Status::Failed;
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        let is_install = |hook: &Hook| {
            let has = |events: [Event; 2]| hook.events.iter().any(|event| events.contains(event));
            has([Event::PreInstall, Event::PostInstall]) && !has([Event::PreUpgrade, Event::PostUpgrade])
        };
        let over = hooks.iter().filter(|hook| is_install(hook)).count();
        (is_first && over > 0).then(|| {
            let words =
                "is refused, since the name is taken; an upgrade works, and never runs the install hooks";
            Note::new("next install", words)
        })
    }

    /// What the hooks of `phases` do with the objects that are left, in the order in which they run: what comes after one that is sure to
    /// fail is never met, and what comes after one that has just failed only if that one succeeds.
    fn meeting(&self, label: &'static str, phases: &[&[Event]]) -> Option<Note> {
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        let (mut told, mut part) = (Vec::new(), Part::default());
        let mut met: Vec<&ObjectId> = Vec::new();
        let failed = self.failed_objects();
        'all: for phase in phases {
            let has = |hook: &&Hook| hook.events.iter().any(|event| phase.contains(event));
            let mut hooks: Vec<_> = hooks.iter().filter(has).collect();
            order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
            for hook in hooks {
                for object in &hook.objects {
                    let left = self.played.leftovers.iter().find(|left| left.is_same(&object.id));
                    let Some(left) = left.filter(|left| !met.contains(left)) else { continue };
                    met.push(left);
                    if let Some(fate) = self.fate(hook, object) {
                        part.objects[fate as usize].push(left);
                    }
                }
                if part.is_the_end() {
                    break 'all;
                }
                let mut sent = hook.objects.iter().map(|object| &object.id);
                if let Some(one) = sent.find(|id| failed.iter().any(|failed| failed.is_same(id))) {
                    told.extend(part.words(self));
                    part = Part { after: Some(one), ..Part::default() };
                }
            }
        }
        told.extend(part.words(self));
        (!told.is_empty()).then(|| Note::new(label, told.join("; ")))
    }

    /// What becomes of an object that is left when its hook runs again.
    fn fate(&self, hook: &Hook, object: &Object) -> Option<Fate> {
        let no_apply = self.engine() == Engine::Helm3
            || self.asked.is_some_and(|asked| asked.flags.server_side == Some(false));
        let runs = object.run.as_ref().is_some_and(|run| run.workload != Workload::Lasting);
        let deletes =
            hook.deletes(DeletePolicy::BeforeHookCreation) && hook.kind != "CustomResourceDefinition";
        match () {
            () if deletes && runs => Some(Fate::RunsAgain),
            () if deletes => Some(Fate::MadeAgain),
            () if no_apply => Some(Fate::Exists),
            () if self.was_refused(&object.id) => Some(Fate::Refused),
            () if runs && self.hangs(&object.id) => Some(Fate::Hangs),
            () if runs && self.has_ended_badly(&object.id) => Some(Fate::FailsStill),
            () if runs => Some(Fate::MayNotRun),
            () => None,
        }
    }

    /// What has just failed, in whichever way.
    fn failed_objects(&self) -> Vec<&ObjectId> {
        let is_bad = |row: &&Row<'_>| row.outcome.as_ref().is_some_and(|outcome| outcome.tone == Tone::Bad);
        self.rows.iter().filter(is_bad).filter_map(|row| row.object).collect()
    }

    /// The first object that is left on which a rollback fails until somebody deletes it.
    fn refused_first(&self) -> Option<&ObjectId> {
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        [Event::PreRollback, Event::PostRollback].into_iter().find_map(|event| {
            let mut hooks: Vec<_> = hooks.iter().filter(|hook| hook.events.contains(&event)).collect();
            order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
            let objects =
                hooks.into_iter().flat_map(|hook| hook.objects.iter().map(move |object| (hook, object)));
            let is_left = |id: &ObjectId| self.played.leftovers.iter().any(|left| left.is_same(id));
            let ends = |hook: &Hook, object: &Object| self.fate(hook, object).is_some_and(Fate::is_the_end);
            let mut blocking = objects.filter(|(hook, object)| is_left(&object.id) && ends(hook, object));
            blocking.next().map(|(_, object)| &object.id)
        })
    }

    /// How it was last sent.
    fn last_sent(&self, id: &ObjectId) -> Option<&Row<'_>> {
        let is_it =
            |row: &&Row<'_>| row.doing == Doing::Hook && row.object.is_some_and(|sent| sent.is_same(id));
        self.rows.iter().rfind(is_it)
    }

    /// Whether its pods have just failed for good.
    fn has_ended_badly(&self, id: &ObjectId) -> bool {
        self.last_sent(id).is_some_and(|row| match row.waited {
            Some(StepResult::Failed) => true,
            // The end of an earlier run was taken for that of this one.
            Some(StepResult::Stale) => !self.is_fine(),
            _ => false,
        })
    }

    /// Whether Helm has just given up waiting for it.
    fn hangs(&self, id: &ObjectId) -> bool {
        self.last_sent(id).is_some_and(|row| row.waited == Some(StepResult::Timeout))
    }

    /// Whether what is there could not just be made what the hook says.
    fn was_refused(&self, id: &ObjectId) -> bool {
        let is_bad = |row: &Row<'_>| row.outcome.as_ref().is_some_and(|outcome| outcome.tone == Tone::Bad);
        self.last_sent(id).is_some_and(|row| row.waited.is_none() && is_bad(row))
    }

    /// What Argo CD, which runs no Helm, does with the same hooks.
    pub(in crate::output::lifecycle) fn under_argo(&self) -> Option<Note> {
        if !matches!(self.engine(), Engine::Helm3 | Engine::Helm4) {
            return None;
        }
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        let has = |hook: &Hook, events: [Event; 2]| hook.events.iter().any(|event| events.contains(event));
        let syncs = |hook: &Hook| {
            has(hook, [Event::PreInstall, Event::PreUpgrade])
                || has(hook, [Event::PostInstall, Event::PostUpgrade])
        };
        if !hooks.iter().any(syncs) {
            return None;
        }
        let only_install = hooks.iter().filter(|hook| {
            has(hook, [Event::PreInstall, Event::PostInstall])
                && !has(hook, [Event::PreUpgrade, Event::PostUpgrade])
        });
        let once: Vec<&ObjectId> =
            only_install.flat_map(|hook| &hook.objects).map(|object| &object.id).collect();
        let words = match once.len() {
            0 => "the same hooks belong to every sync, also the first; see --helm argocd".to_owned(),
            _ => format!(
                "all these hooks belong to every sync, also {}, meant for the install; see --helm argocd",
                self.listed(&once)
            ),
        };
        Some(Note::new("under Argo CD", words))
    }
}

/// What becomes of an object that is left, when its hook runs again.
#[derive(Debug, Clone, Copy)]
enum Fate {
    RunsAgain,
    MadeAgain,
    MayNotRun,
    Exists,
    FailsStill,
    Refused,
    Hangs,
}

impl Fate {
    /// Whether no later hook is met.
    const fn is_the_end(self) -> bool {
        matches!(self, Self::Exists | Self::FailsStill | Self::Refused)
    }
}

/// For each [`Fate`], with `*` for the objects.
const WORDS: [&str; 7] = [
    "deletes * first and runs it again",
    "deletes * first and makes it again",
    "may not run *: unchanged, it counts as run while its end is there",
    "fails, since * already exists",
    "fails, since * is still there and has failed",
    "fails, since * is still there and may not be changed",
    "waits for * again, which is still there and has not ended",
];

/// What is met after each other, with nothing between that may fail.
#[derive(Debug, Default)]
struct Part<'a> {
    /// The hook before it, which must succeed.
    after: Option<&'a ObjectId>,
    objects: [Vec<&'a ObjectId>; 7],
}

impl Part<'_> {
    /// Whether nothing more is met.
    fn is_the_end(&self) -> bool {
        let ends = [Fate::Exists, Fate::FailsStill, Fate::Refused];
        ends.into_iter().any(|fate| !self.objects[fate as usize].is_empty())
    }

    fn words(&self, story: &Story<'_>) -> Option<String> {
        let told = self.objects.iter().zip(WORDS).filter(|(objects, _)| !objects.is_empty());
        let told = told.map(|(objects, words)| {
            let words = if objects.len() == 1 { words.to_owned() } else { plural(words) };
            words.replace('*', &story.listed(objects))
        });
        let told: Vec<_> = told.collect();
        let namespace = &story.scenario.answer.namespace;
        let after = self.after.map(|id| format!("if {} succeeds then, ", name(id, namespace)));
        (!told.is_empty()).then(|| format!("{}{}", after.unwrap_or_default(), told.join("; ")))
    }
}

fn plural(words: &str) -> String {
    words
        .replace("runs it", "runs them")
        .replace("makes it", "makes them")
        .replace("already exists", "already exist")
        .replace("is still there and has not ended", "are still there and have not ended")
        .replace("is still there and has failed", "are still there and have failed")
        .replace("is still there and may", "are still there and may")
        .replace("it counts as run while its end is there", "they count as run while their end is there")
}
