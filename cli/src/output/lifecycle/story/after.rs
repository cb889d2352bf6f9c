//! What is true when all is over: what is stored, what became of the application, what is left behind.

use hooks::annotations::HOOK;
use lifecycle::{
    answer::{Action, ObjectId, StepResult},
    chart::{Dropped, Hook, Object},
};

use super::{
    Doing, Story,
    words::{counted, name, span},
};

/// A line below the rows: a label, and what there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::output::lifecycle) struct Note {
    pub(in crate::output::lifecycle) label: &'static str,
    pub(in crate::output::lifecycle) text: String,
}

impl Note {
    pub(super) fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self { label, text: text.into() }
    }
}

/// More objects, or revisions, than these are counted.
const NAMED: usize = 6;
const REVISIONS: usize = 3;

impl Story<'_> {
    /// All there is to say when the action is over; of the last action also what comes next.
    pub(in crate::output::lifecycle) fn notes(&self) -> Vec<Note> {
        let mut notes = vec![Note::new("afterwards", self.afterwards())];
        notes.push(Note::new("left behind", self.left_behind()));
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
        Some(match (action, touched) {
            (Action::Install, false) => "nothing of the application was made",
            (Action::Uninstall, false) => "the application still runs",
            (_, false) => "the application was not touched",
            (Action::Install | Action::Upgrade, true) if self.undo.is_some() => {
                return (self.status() == "deployed").then_some("the application is what it was before");
            }
            (Action::Install, true) => "what was made of the application stays",
            (Action::Uninstall, true) => "the application is being deleted",
            (_, true) => "the application is changed, or partly so",
        })
    }

    fn left_behind(&self) -> String {
        let leftovers = &self.played.leftovers;
        if leftovers.is_empty() {
            return "nothing".to_owned();
        }
        let namespace = &self.scenario.answer.namespace;
        let mut named: Vec<_> = leftovers
            .iter()
            .take(NAMED)
            .map(|object| match self.trait_of(object) {
                Some(words) => format!("{} ({words})", name(object, namespace)),
                None => name(object, namespace),
            })
            .collect();
        if leftovers.len() > NAMED {
            named.push(format!("{} more", leftovers.len() - NAMED));
        }
        let forgotten = self.played.action == Action::Uninstall && self.played.history.is_empty();
        let staying = leftovers.iter().filter(|object| self.ttl_of(object).is_none()).count();
        let whose = match (forgotten, staying) {
            (false, _) | (true, 0) => "",
            (true, 1) if leftovers.len() == 1 => "; nobody deletes it now",
            (true, all) if all == leftovers.len() => "; nobody deletes them now",
            (true, 1) => "; nobody deletes the other now",
            (true, _) => "; nobody deletes the others now",
        };
        format!("{}{whose}", named.join(", "))
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
            .take(NAMED)
            .map(|Dropped { name, events }| format!("{name} ({HOOK}: \"{events}\")"))
            .collect();
        if dropped.len() > NAMED {
            named.push(format!("{} more", dropped.len() - NAMED));
        }
        let words = "for one event that it does not know, Helm drops the whole document: no hook, no object, and \
                     no more than a line on stderr";
        let words = format!("{}: {words}", named.join(", "));
        Some(Note::new("dropped", words))
    }

    /// The last row in which an object was sent.
    fn row_of(&self, object: &ObjectId) -> Option<&super::Row<'_>> {
        let is_row = |row: &&super::Row<'_>| {
            row.doing == Doing::Hook && row.object.is_some_and(|sent| sent.is_same(object))
        };
        self.rows.iter().rfind(is_row)
    }

    /// After which time an object that is left goes by itself, in seconds, if it does.
    fn ttl_of(&self, object: &ObjectId) -> Option<u64> {
        let waited = self.row_of(object).and_then(|row| row.waited);
        let run = self.sent(object).and_then(|object| object.run.as_ref());
        run.and_then(|run| run.ttl).filter(|_| waited != Some(StepResult::Timeout))
    }

    /// What to know of an object that is left.
    fn trait_of(&self, object: &ObjectId) -> Option<String> {
        let waited = self.row_of(object).and_then(|row| row.waited);
        if waited == Some(StepResult::Timeout) {
            return Some("not ended: it goes on without Helm".to_owned());
        }
        let has_failed = waited == Some(StepResult::Failed);
        let failed = if has_failed { "failed, " } else { "" };
        if let Some(ttl) = self.ttl_of(object) {
            #[expect(clippy::cast_precision_loss, reason = "seconds that anybody waits fit")]
            let after = span(ttl as f64);
            return Some(format!("{failed}goes by itself {after} after its end"));
        }
        (has_failed && object.kind == "Job").then(|| "failed, its pods keep their logs".to_owned())
    }

    /// The object as some hook of the scenario sends it.
    fn sent(&self, id: &ObjectId) -> Option<&Object> {
        let charts = self.asked.into_iter().chain(self.scenario.asked.iter().rev());
        let hooks = charts.filter_map(|asked| asked.chart.as_deref()).flat_map(|chart| &chart.hooks);
        hooks.flat_map(|hook| &hook.objects).map(AsRef::as_ref).find(|object| object.id.is_same(id))
    }

    /// Names as many as there is room for, and counts the others.
    pub(super) fn listed(&self, objects: &[&ObjectId]) -> String {
        let namespace = &self.scenario.answer.namespace;
        let mut names: Vec<_> = objects.iter().take(NAMED).map(|object| name(object, namespace)).collect();
        if objects.len() > NAMED {
            names.push(format!("{} more", objects.len() - NAMED));
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
