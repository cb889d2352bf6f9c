//! What somebody meets who asks for the next thing.

use std::collections::{BTreeMap, HashSet};

use hooks::{Event, order, release::Status};
use lifecycle::{
    answer::{Action, ObjectId},
    chart::{Hook, Object},
    profile::Engine,
};

use super::{Doing, Note, Story, fate::Fate, name, rows::has_end};
use crate::rehearsal::idle::phases;

impl Story<'_> {
    /// What the next command does with what this one leaves, and what is otherwise worth knowing.
    pub(super) fn next(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        let deployed = self.played.history.iter().any(|revision| revision.status == Status::Deployed.name());
        match (Status::parse(self.status()), self.played.history.last()) {
            (Status::Uninstalling, Some(_)) if self.engine == Engine::ArgoCd => {
                notes.push(Note::new("next sync", "is refused: the Application is being deleted"));
            }
            _ if self.engine == Engine::ArgoCd => notes.extend(self.meeting("next sync", Action::Upgrade)),
            (_, None) => notes.extend(self.meeting("next install", Action::Install)),
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
            _ if self.played.action == Action::Test => notes.extend(self.meeting("next test", Action::Test)),
            (status, Some(_)) => {
                notes.extend(self.install_hooks_are_over(status));
                notes.extend(self.meeting("next upgrade", Action::Upgrade));
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

    /// What the hooks of the next action do with the objects that are left.
    fn meeting(&self, label: &'static str, action: Action) -> Option<Note> {
        let parts = self.forecast(action);
        let told: Vec<_> = parts.iter().filter_map(|part| part.words(self)).collect();
        (!told.is_empty()).then(|| Note::new(label, told.join("; ")))
    }

    /// What becomes of the objects that are left in the next action, in the order in which its hooks run: what comes after one that is
    /// sure to fail is never met, and what comes after one that has just failed only if that one succeeds.
    pub(super) fn forecast(&self, action: Action) -> Vec<Part<'_>> {
        let Some(chart) = self.asked.and_then(|asked| asked.chart.as_deref()) else { return Vec::new() };
        let (mut parts, mut part) = (Vec::new(), Part::default());
        let mut met = HashSet::new();
        let failed = self.failed_objects();
        for (place, phase) in phases(action, self.engine).into_iter().enumerate() {
            if place > 0 && self.resources_failed() {
                parts.push(part);
                part = Part { after: Some("if the resources succeed then, ".to_owned()), ..Part::default() };
            }
            let has = |hook: &&Hook| hook.events.iter().any(|event| phase.contains(event));
            let mut hooks: Vec<_> = chart.hooks.iter().filter(has).collect();
            order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
            for together in self.together(&hooks) {
                let objects =
                    together.iter().flat_map(|hook| hook.objects.iter().map(move |object| (hook, object)));
                let mut fates = Vec::new();
                for (hook, object) in objects.clone() {
                    let Some(left) = self.left(&object.id).filter(|left| met.insert(*left)) else { continue };
                    fates.extend(self.fate(action, hook, object).map(|fate| (fate, left)));
                }
                let is_held = fates.iter().any(|(fate, _)| *fate == Fate::Held);
                for (fate, left) in fates {
                    if let Some(fate) = if is_held { fate.beside_held() } else { Some(fate) } {
                        part.objects.entry(fate).or_default().push(left);
                    }
                }
                if part.objects.keys().any(|fate| fate.is_the_end()) {
                    parts.push(part);
                    return parts;
                }
                let open = part.objects.get(&Fate::Hangs).and_then(|open| open.last().copied());
                let mut sent = objects.map(|(_, object)| &object.id);
                let failed = sent.find(|id| failed.iter().any(|failed| failed.is_same(id)));
                if let Some(one) = failed.or(open) {
                    parts.push(part);
                    let named = name(one, &self.scenario.answer.namespace);
                    let after =
                        format!("if {named} {} then, ", if has_end(one) { "succeeds" } else { "is made" });
                    part = Part { after: Some(after), ..Part::default() };
                }
            }
        }
        parts.push(part);
        parts
    }

    /// Hooks in order, those together that run at the same time: to Argo CD all of one weight, to Helm each alone.
    fn together<'s, 'h>(&self, hooks: &'s [&'h Hook]) -> impl Iterator<Item = &'s [&'h Hook]> {
        let is_argo = self.engine == Engine::ArgoCd;
        hooks.chunk_by(move |one, other| is_argo && one.weight == other.weight)
    }

    /// What has just failed, in whichever way.
    fn failed_objects(&self) -> Vec<&ObjectId> {
        self.rows.iter().filter(|row| row.has_failed()).filter_map(|row| row.object).collect()
    }

    fn resources_failed(&self) -> bool {
        self.rows.iter().any(|row| row.doing == Doing::Resources && row.has_failed())
    }

    /// The first object that is left on which a rollback fails until somebody deletes it.
    fn refused_first(&self) -> Option<&ObjectId> {
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        [Event::PreRollback, Event::PostRollback].into_iter().find_map(|event| {
            let mut hooks: Vec<_> = hooks.iter().filter(|hook| hook.events.contains(&event)).collect();
            order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
            let objects =
                hooks.into_iter().flat_map(|hook| hook.objects.iter().map(move |object| (hook, object)));
            let fate = |hook: &Hook, object: &Object| self.fate(Action::Rollback, hook, object);
            let ends = |hook: &Hook, object: &Object| fate(hook, object).is_some_and(Fate::is_the_end);
            let mut blocking =
                objects.filter(|(hook, object)| self.left(&object.id).is_some() && ends(hook, object));
            blocking.next().map(|(_, object)| &object.id)
        })
    }

    /// What Argo CD, which runs no Helm, does with the same hooks; those of other actions are in no sync.
    pub(in crate::output::lifecycle) fn under_argo(&self) -> Option<Note> {
        let syncs = matches!(self.played.action, Action::Install | Action::Upgrade);
        if !syncs || !matches!(self.engine, Engine::Helm3 | Engine::Helm4) {
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

/// What is met after each other, with nothing between that may fail.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    /// What must succeed before it, in words.
    pub(super) after: Option<String>,
    pub(super) objects: BTreeMap<Fate, Vec<&'a ObjectId>>,
}

impl Part<'_> {
    fn words(&self, story: &Story<'_>) -> Option<String> {
        let told = self
            .objects
            .iter()
            .map(|(fate, objects)| fate.words(&story.listed(objects), objects.len() == 1, story.engine));
        let told: Vec<_> = told.collect();
        let after = self.after.as_deref().unwrap_or_default();
        (!told.is_empty()).then(|| format!("{after}{}", told.join("; ")))
    }
}
