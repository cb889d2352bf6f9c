//! What is lost although all seems well: what was sent onto what goes, and what was in what a policy deleted.

use std::collections::HashSet;

use lifecycle::{
    Step,
    answer::{Action, ObjectId, StepResult, Verb},
    profile::Engine,
};

use super::{Doing, Story, Tone, after::Note, left::is_sent};

/// What became of an object that held something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// It is on its way out.
    Going,
    Gone,
    /// There is another one of its name.
    Another,
}

impl Story<'_> {
    /// All that is lost, one line for what was lost in the same way.
    pub(in crate::output::lifecycle) fn lost(&self) -> Vec<Note> {
        let note = |words| Note { tone: Tone::Bad, ..Note::new("lost", words) };
        self.lost_again().into_iter().chain(self.lost_with_content()).map(note).collect()
    }

    /// Whether an object was just sent onto what is being deleted.
    pub(in crate::output::lifecycle) fn has_lost(&self, id: &ObjectId) -> bool {
        self.losing().any(|lost| lost.is_same(id))
    }

    fn losing(&self) -> impl Iterator<Item = &ObjectId> {
        self.rows.iter().filter(|row| row.doing == Doing::Hook && row.loses).filter_map(|row| row.object)
    }

    /// What Helm has just sent onto what it was deleting.
    fn lost_again(&self) -> Option<String> {
        let lost: Vec<_> = self.losing().collect();
        let first = lost.first()?;
        let (it, is, was, them) =
            if lost.len() == 1 { ("it", "is", "was", "it") } else { ("they", "are", "were", "them") };
        let (named, is_gone) = (self.listed(&lost), lost.iter().all(|id| self.left(id).is_none()));
        let with = match (lost.len(), first.kind.as_str(), is_gone) {
            (1, "Namespace", false) => ", with all that is in it",
            (1, "Namespace", true) => ", with all that was in it",
            (1, "PersistentVolumeClaim", false) => ", with its data, once no pod uses it",
            (1, "PersistentVolumeClaim", true) => ", with its data",
            (1, "CustomResourceDefinition", _) => ", with all objects of its kind",
            (2.., _, false) if lost.iter().all(|id| has_content(id)) => ", with all that is in them",
            (2.., _, true) if lost.iter().all(|id| has_content(id)) => ", with all that was in them",
            _ => "",
        };
        let now = if is_gone { "gone" } else { "being deleted" };
        Some(format!(
            "{named} {is} {now}{with}: the hook was sent before {it} {was} gone, and nothing makes {them} again"
        ))
    }

    /// What was in objects that a policy deleted, and that had been there before their event began.
    fn lost_with_content(&self) -> Vec<String> {
        // Whoever deletes an Application of Argo CD wants to be rid of all that is in it; no policy takes part.
        if self.engine == Engine::ArgoCd && self.played.action == Action::Uninstall {
            return Vec::new();
        }
        let steps = &self.played.steps;
        let mut told = HashSet::new();
        let mut groups: Vec<(&str, Became, Vec<&ObjectId>)> = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let Some(id) = step.object.as_ref().filter(|id| has_content(id) && is_deletion(step)) else {
                continue;
            };
            let is_it = |other: &Step| other.object.as_ref().is_some_and(|object| object.is_same(id));
            let has_made = |other: &Step| other.event == step.event && is_new(other) && is_it(other);
            if steps[..place].iter().any(has_made) || self.has_lost(id) || !told.insert(id.key()) {
                continue;
            }
            let became = match () {
                () if self.left(id).is_none() => Became::Gone,
                () if self.is_going(id) => Became::Going,
                () => Became::Another,
            };
            match groups.iter_mut().find(|(kind, was, _)| (*kind, *was) == (&*id.kind, became)) {
                Some((.., objects)) => objects.push(id),
                None => groups.push((&id.kind, became, vec![id])),
            }
        }
        groups.iter().map(|(kind, became, objects)| self.content(kind, *became, objects)).collect()
    }

    /// `the data of PersistentVolumeClaim/geo-data, unless its volume is retained; the new one is empty`.
    fn content(&self, kind: &str, became: Became, objects: &[&ObjectId]) -> String {
        let is_one = objects.len() == 1;
        let (what, unless) = match (kind, is_one) {
            ("PersistentVolumeClaim", true) => ("the data of", ", unless its volume is retained"),
            ("PersistentVolumeClaim", false) => ("the data of", ", unless their volumes are retained"),
            ("Namespace", _) => ("all that was in", ""),
            _ => ("all objects of", ""),
        };
        let now = match (became, kind, is_one) {
            (Became::Gone, ..) => "",
            (Became::Another, "CustomResourceDefinition", true) => "; the new one has none",
            (Became::Another, "CustomResourceDefinition", false) => "; the new ones have none",
            (Became::Another, _, true) => "; the new one is empty",
            (Became::Another, _, false) => "; the new ones are empty",
            (Became::Going, "PersistentVolumeClaim", true) => "; it goes once no pod uses it",
            (Became::Going, "PersistentVolumeClaim", false) => "; they go once no pod uses them",
            (Became::Going, _, true) => "; it is being deleted",
            (Became::Going, _, false) => "; they are being deleted",
        };
        format!("{what} {}{unless}{now}", self.listed(objects))
    }
}

/// Whether more goes with an object than itself.
fn has_content(id: &ObjectId) -> bool {
    matches!(
        (id.group(), &*id.kind),
        ("", "PersistentVolumeClaim" | "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Whether a policy has asked for the deletion of what was there.
fn is_deletion(step: &Step) -> bool {
    let was_asked = matches!(step.result, StepResult::Ok | StepResult::Timeout);
    step.verb == Verb::Delete && step.event.is_some() && was_asked
}

/// Whether an object was sent where none was.
fn is_new(step: &Step) -> bool {
    is_sent(step) && step.message.is_none()
}
