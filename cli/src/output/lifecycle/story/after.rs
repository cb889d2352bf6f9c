//! What is true when all is over: what is stored, and what became of the application.

use hooks::annotations::HOOK;
use lifecycle::{
    answer::{Action, ObjectId, Played, Verb},
    chart::{Dropped, Hook},
};

use super::{
    Doing, Story, Tone,
    words::{counted, name, span},
};

/// A line below the rows: a label, and what there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::output::lifecycle) struct Note {
    pub(in crate::output::lifecycle) label: &'static str,
    pub(in crate::output::lifecycle) tone: Tone,
    pub(in crate::output::lifecycle) text: String,
}

impl Note {
    pub(in crate::output::lifecycle) fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, tone: Tone::Fine, text: text.into() }
    }
}

/// More revisions than these are counted.
const REVISIONS: usize = 3;

impl Story<'_> {
    /// All there is to say when the action is over; of the last action also what comes next.
    pub(in crate::output::lifecycle) fn notes(&self) -> Vec<Note> {
        let mut notes = vec![Note::new("afterwards", self.afterwards())];
        notes.push(self.left_behind());
        notes.extend(self.lost());
        notes.extend(self.dropped());
        if self.index + 1 == self.scenario.answer.actions.len() {
            notes.extend(self.next());
        }
        notes
    }

    /// `revision 2 failed, revision 1 deployed, the application was not touched`.
    fn afterwards(&self) -> String {
        let history = &self.played.history;
        let newest = history.iter().rev().take(REVISIONS);
        let mut parts: Vec<_> =
            newest.map(|revision| format!("revision {} {}", revision.revision, revision.status)).collect();
        if history.len() > REVISIONS {
            parts.push(format!("{} older", history.len() - REVISIONS));
        }
        if parts.is_empty() {
            parts.push("nothing is stored of the release".to_owned());
        }
        parts.extend(self.application().map(ToOwned::to_owned));
        parts.join(", ")
    }

    fn application(&self) -> Option<&'static str> {
        let action = self.played.action;
        let touched = self.rows.iter().any(|row| row.doing == Doing::Resources);
        let chart = self.asked.and_then(|asked| asked.chart.as_deref());
        let has_resources = chart.is_none_or(|chart| !chart.resources.is_empty());
        if self.is_fine() || action == Action::Test || !(touched || has_resources) {
            return None;
        }
        let is_stored = !self.played.history.is_empty();
        Some(match (action, touched) {
            (Action::Install, false) if !is_stored || self.played.revision.is_some() => {
                "nothing of the application was made"
            }
            (_, false) if !is_stored => return None,
            (Action::Uninstall, false) if self.is_made(self.index) => "the application still runs",
            (_, false) => "the application was not touched",
            (Action::Install | Action::Upgrade, true) if self.undo.is_some() => {
                return (self.status() == "deployed").then_some("the application is what it was before");
            }
            (Action::Install, true) => "what was made of the application stays",
            (Action::Uninstall, true) => "the application is being deleted",
            (_, true) => "the application is changed, or partly so",
        })
    }

    /// Whether the application was made, and not deleted, in the first `count` actions; before all that is told was an install.
    pub(super) fn is_made(&self, count: usize) -> bool {
        let actions = &self.scenario.answer.actions;
        if actions[..count].last().is_some_and(|played| played.history.is_empty()) {
            return false;
        }
        let touches = |played: &&Played| played.steps.iter().any(|step| step.verb == Verb::Manifest);
        let first = || actions.first().is_some_and(|played| played.action != Action::Install);
        let last = actions[..count].iter().rfind(touches);
        last.map_or_else(first, |played| played.action != Action::Uninstall)
    }

    /// What Helm drops of the chart, where it is first met: neither hook nor object comes of it.
    fn dropped(&self) -> Option<Note> {
        let dropped = &self.asked?.chart.as_deref()?.dropped;
        let earlier = self.scenario.asked.iter().take(self.index).filter_map(|asked| asked.chart.as_deref());
        if dropped.is_empty() || earlier.into_iter().any(|chart| chart.dropped == *dropped) {
            return None;
        }
        let mut named: Vec<_> = dropped
            .iter()
            .take(self.named)
            .map(|Dropped { name, events }| format!("{name} ({HOOK}: \"{events}\")"))
            .collect();
        if dropped.len() > self.named {
            named.push(format!("{} more", dropped.len() - self.named));
        }
        let words = "for one event that it does not know, Helm drops the whole document: no hook, no object, and \
                     no more than a line on stderr";
        let words = format!("{}: {words}", named.join(", "));
        Some(Note::new("dropped", words))
    }

    /// Names as many as there is room for, and counts the others.
    pub(super) fn listed(&self, objects: &[&ObjectId]) -> String {
        let namespace = &self.scenario.answer.namespace;
        let mut names: Vec<_> =
            objects.iter().take(self.named).map(|object| name(object, namespace)).collect();
        if objects.len() > self.named {
            names.push(format!("{} more", objects.len() - self.named));
        }
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    /// `3 hooks ran, 1m10s`.
    pub(in crate::output::lifecycle) fn summary(&self) -> String {
        format!("{}, {}", counted(self.ran(), "hook"), span(self.lasts()))
    }
    /// How many hooks ran; those of a list are one.
    pub(in crate::output::lifecycle) fn ran(&self) -> usize {
        let sent = self.rows.iter().filter(|row| row.doing == Doing::Hook);
        let hooks = sent.map(|row| (row.event, self.sender(row)));
        let mut before: Option<(Option<hooks::Event>, &Hook)> = None;
        let mut count = 0;
        for (event, hook) in hooks {
            let of = hook.filter(|hook| hook.objects.len() > 1).map(|hook| (event, hook));
            let is_same = matches!((before, of), (Some((was, one)), Some((is, other))) if was == is && std::ptr::eq(one, other));
            count += usize::from(!is_same);
            before = of;
        }
        count
    }

    fn sender(&self, row: &super::Row<'_>) -> Option<&Hook> {
        super::hook(self.scenario, self.asked, row.event?, row.object?)
    }
}
