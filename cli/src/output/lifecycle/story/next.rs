//! What somebody meets who asks for the next thing.

use hooks::{DeletePolicy, Event, release::Status};
use lifecycle::{
    answer::{Action, ObjectId},
    chart::{Hook, Object, Workload},
};

use super::{Engine, Note, Story};

impl Story<'_> {
    /// What the next command does with what this one leaves, and what is otherwise worth knowing.
    pub(super) fn next(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.engine() == Engine::ArgoCd {
            notes.extend(self.meeting(
                "next sync",
                &[Event::PreInstall, Event::PreUpgrade, Event::PostInstall, Event::PostUpgrade],
            ));
            return notes;
        }
        let deployed = self.played.history.iter().any(|revision| revision.status == Status::Deployed.name());
        match (Status::parse(self.status()), self.played.history.last()) {
            (_, None) => notes.extend(self.meeting("next install", &[Event::PreInstall, Event::PostInstall])),
            (status, Some(newest)) if status.is_pending() => {
                let words = format!(
                    "is refused as long as revision {} is {}; helm rollback ends that",
                    newest.revision, newest.status
                );
                notes.push(Note::new("next upgrade", words));
            }
            (Status::Uninstalling, Some(_)) if !deployed => {
                let words = "is refused: there is no deployed release; helm uninstall --no-hooks ends that";
                notes.push(Note::new("next upgrade", words));
            }
            (Status::Uninstalled, Some(_)) => {}
            _ if self.played.action == Action::Test => {
                notes.extend(self.meeting("next test", &[Event::Test]));
            }
            (status, Some(_)) => {
                notes.extend(self.install_hooks_are_over(status));
                notes.extend(self.meeting("next upgrade", &[Event::PreUpgrade, Event::PostUpgrade]));
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

    /// What the hooks of `events` do with the objects that are left.
    fn meeting(&self, label: &'static str, events: &[Event]) -> Option<Note> {
        let hooks = &self.asked?.chart.as_deref()?.hooks;
        let no_apply = self.engine() == Engine::Helm3 || self.asked?.flags.server_side == Some(false);
        let mut groups: [(Vec<&ObjectId>, &str); 4] = [
            (Vec::new(), "deletes * first and runs it again"),
            (Vec::new(), "deletes * first and makes it again"),
            (Vec::new(), "fails, since * already exists"),
            (Vec::new(), "may not run *: unchanged, it counts as run while its end is there"),
        ];
        for left in &self.played.leftovers {
            let Some((hook, object)) = sender(hooks, events, left) else { continue };
            let runs = object.run.as_ref().is_some_and(|run| run.workload != Workload::Lasting);
            let deletes =
                hook.deletes(DeletePolicy::BeforeHookCreation) && hook.kind != "CustomResourceDefinition";
            let group = match () {
                () if deletes => usize::from(!runs),
                () if no_apply => 2,
                () if runs => 3,
                () => continue,
            };
            groups[group].0.push(left);
        }
        let told = groups.iter().filter(|(objects, _)| !objects.is_empty()).map(|(objects, words)| {
            let words = if objects.len() == 1 { (*words).to_owned() } else { plural(words) };
            words.replace('*', &self.listed(objects))
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| Note::new(label, told.join("; ")))
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
            0 => "the same hooks run on every sync; see --helm argocd".to_owned(),
            _ => format!(
                "all these hooks run on every sync, also {}, meant for the install; see --helm argocd",
                self.listed(&once)
            ),
        };
        Some(Note::new("under Argo CD", words))
    }
}

fn plural(words: &str) -> String {
    words
        .replace("runs it", "runs them")
        .replace("makes it", "makes them")
        .replace("already exists", "already exist")
        .replace("it counts as run while its end is there", "they count as run while their end is there")
}

/// The hook that sends an object at one of these events.
fn sender<'h>(hooks: &'h [Hook], events: &[Event], left: &ObjectId) -> Option<(&'h Hook, &'h Object)> {
    hooks
        .iter()
        .filter(|hook| hook.events.iter().any(|event| events.contains(event)))
        .flat_map(|hook| hook.objects.iter().map(move |object| (hook, object.as_ref())))
        .find(|(_, object)| object.id.is_same(left))
}
