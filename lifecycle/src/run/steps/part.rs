//! The parts of a command: an upgrade, and the rollback that it may end with.

use std::{collections::HashMap, ops::Range, time::Instant};

use hooks::{
    Event,
    release::{Phase, Status},
};

use super::Trace;
use crate::{
    Chart,
    answer::{Action, ObjectId},
    chart::Hook,
    run::sight::{Change, HookRun, Stored, What},
};

/// What Helm does with one revision.
pub(super) struct Part {
    pub(super) chart: Chart,
    /// Its place in what was seen.
    pub(super) range: Range<usize>,
    pub(super) before: Side,
    pub(super) after: Side,
    pub(super) failed: bool,
    /// Whether there are ordinary resources to be made, changed or deleted.
    pub(super) has_resources: bool,
    no_hooks: bool,
}

/// The hooks before or after the ordinary resources.
#[derive(Default)]
pub(super) struct Side {
    pub(super) event: Option<Event>,
    pub(super) runs: Vec<Run>,
}

/// One run of a hook.
pub(super) struct Run {
    /// The place of the record that says so.
    pub(super) place: usize,
    pub(super) at: Instant,
    /// Succeeded or failed.
    pub(super) phase: Phase,
    /// The place of the record that says how it ended.
    pub(super) known: Option<usize>,
    hook: usize,
}

impl Part {
    pub(super) fn hook(&self, run: &Run) -> &Hook {
        &self.chart.hooks[run.hook]
    }

    /// Whether it is an ordinary resource.
    pub(super) fn owns(&self, id: &ObjectId) -> bool {
        self.chart.resources.iter().any(|object| object.id.is_same(id))
    }

    /// Whether ordinary resources came and went again.
    pub(super) fn undone(&self, trace: &Trace<'_>) -> bool {
        let has = |change| {
            let mut sights = trace.sights(self.range.start..trace.seen.len());
            sights.any(|(_, sight)| {
                self.owns(&sight.id)
                    && (sight.change == change || (change == Change::Deleted && sight.leaves()))
            })
        };
        has(Change::Added) && has(Change::Deleted)
    }
}

impl Side {
    /// The hooks of the event in the order in which they run; one that names the event twice runs twice.
    pub(super) fn hooks<'p>(&self, part: &'p Part) -> Vec<&'p Hook> {
        let Some(event) = self.event.filter(|_| !part.no_hooks) else { return Vec::new() };
        order_of(&part.chart, event).into_iter().map(|index| &part.chart.hooks[index]).collect()
    }
}

fn order_of(chart: &Chart, event: Event) -> Vec<usize> {
    let times = |hook: &Hook| hook.events.iter().filter(|own| **own == event).count();
    let mut hooks: Vec<usize> = (0..chart.hooks.len())
        .flat_map(|index| std::iter::repeat_n(index, times(&chart.hooks[index])))
        .collect();
    hooks.sort_by_key(|index| (chart.hooks[*index].weight, &chart.hooks[*index].name));
    hooks
}

/// What Helm does while a revision has this status.
fn events(status: Status) -> Option<[Option<Event>; 2]> {
    Some(match status {
        Status::PendingInstall => [Some(Event::PreInstall), Some(Event::PostInstall)],
        Status::PendingUpgrade => [Some(Event::PreUpgrade), Some(Event::PostUpgrade)],
        Status::PendingRollback => [Some(Event::PreRollback), Some(Event::PostRollback)],
        Status::Uninstalling => [Some(Event::PreDelete), Some(Event::PostDelete)],
        _ => return None,
    })
}

/// The parts of the command, in order.
pub(super) fn parts(trace: &Trace<'_>) -> Vec<Part> {
    let mut begins: Vec<(usize, &Stored, [Option<Event>; 2])> = Vec::new();
    for (place, stored) in records(trace, trace.from..trace.seen.len()) {
        let events = match (trace.asked.action, events(stored.status)) {
            (Action::Test, _) => Some([Some(Event::Test), None]),
            (_, events) => events,
        };
        let Some(events) = events.filter(|_| !stored.is_gone) else { continue };
        if begins.last().is_none_or(|(_, last, of)| last.revision != stored.revision || *of != events) {
            begins.push((place, stored, events));
        }
    }
    if begins.is_empty() && matches!(trace.asked.action, Action::Uninstall | Action::Test) {
        let last = records(trace, 0..trace.from).filter(|(_, stored)| !stored.is_gone).last();
        let events = match trace.asked.action {
            Action::Test => [Some(Event::Test), None],
            _ => [Some(Event::PreDelete), Some(Event::PostDelete)],
        };
        begins.extend(last.map(|(_, stored)| (trace.from, stored, events)));
    }
    let ends: Vec<usize> =
        begins.iter().skip(1).map(|(place, ..)| *place).chain([trace.seen.len()]).collect();
    let parts = begins.into_iter().zip(ends);
    parts.filter_map(|((place, stored, events), end)| part(trace, place..end, stored, events)).collect()
}

fn part(trace: &Trace<'_>, range: Range<usize>, stored: &Stored, events: [Option<Event>; 2]) -> Option<Part> {
    let chart = chart(stored, trace.namespace)?;
    // Nothing but the parts that undo another are without a failure when the command fails.
    let is_last = range.end == trace.seen.len();
    let failed = trace.ran.exit != 0 && (!is_last || !is_undone(trace, stored));
    let is_delete = events[0] == Some(Event::PreDelete);
    let has_resources = if is_delete {
        chart.resources.iter().any(|object| object.resource_policy.is_none())
    } else {
        !chart.resources.is_empty() || has_resources_before(trace, &range, stored)
    };
    let no_hooks = trace.asked.flags.no_hooks;
    let [before, after] = events.map(|event| Side { event, runs: Vec::new() });
    let mut part = Part { chart, range, before, after, failed, has_resources, no_hooks };
    runs(trace, &mut part, stored.revision);
    Some(part)
}

/// Whether this part undoes what came before it, and did so.
fn is_undone(trace: &Trace<'_>, stored: &Stored) -> bool {
    let undoes = trace.asked.flags.rollback_on_failure
        && matches!(stored.status, Status::PendingRollback | Status::Uninstalling);
    undoes && (trace.says("has been rolled back due to") || trace.says("has been uninstalled due to"))
}

fn has_resources_before(trace: &Trace<'_>, range: &Range<usize>, stored: &Stored) -> bool {
    let others = records(trace, 0..range.start).filter(|(_, other)| other.revision != stored.revision);
    let deployed = others.filter(|(_, other)| other.status == Status::Deployed).last();
    deployed
        .and_then(|(_, other)| chart(other, trace.namespace))
        .is_some_and(|chart| !chart.resources.is_empty())
}

fn records<'a>(trace: &Trace<'a>, range: Range<usize>) -> impl Iterator<Item = (usize, &'a Stored)> {
    let seen = trace.seen;
    range.filter_map(move |place| match &seen[place].what {
        What::Revision(stored) => Some((place, stored)),
        What::Object(_) => None,
    })
}

/// What Helm stored, as it reads it again.
fn chart(stored: &Stored, namespace: &str) -> Option<Chart> {
    let record = stored.record.as_ref()?;
    let mut text = record.manifest.clone();
    for hook in &record.hooks {
        text.extend(["\n---\n# Source: ", &hook.path, "\n", &hook.manifest, "\n"]);
    }
    Chart::read(&text, namespace).ok()
}

/// Finds the runs of hooks, and which event each was for.
fn runs(trace: &Trace<'_>, part: &mut Part, revision: u32) {
    type Key<'a> = (&'a str, &'a str, &'a str);
    let own = |range| records(trace, range).filter(move |(_, stored)| stored.revision == revision);
    let mut known: HashMap<Key<'_>, HookRun> = HashMap::new();
    if let Some((_, before)) = own(0..part.range.start).last() {
        known.extend(before.runs());
    }
    let events = [part.before.event, part.after.event];
    let orders = events.map(|event| event.map_or_else(Vec::new, |event| order_of(&part.chart, event)));
    let order: Vec<usize> = orders.concat();
    let (mut next, mut found) = (0, Vec::new());
    for (place, stored) in own(part.range.clone()) {
        for (key, run) in stored.runs() {
            let is_begun = run.phase == Some(Phase::Running)
                && known.get(&key).is_none_or(|old| old.started != run.started);
            // A new revision knows of the runs of the one it was made from.
            if is_begun && !stored.is_new {
                let is_it = |index: &usize| {
                    let hook = &part.chart.hooks[order[*index]];
                    (hook.path.as_str(), hook.kind.as_str(), hook.name.as_str()) == key
                };
                let position = (next..order.len()).find(is_it);
                next = position.map_or(next, |position| position + 1);
                found.extend(position.map(|position| (position, place, key, run.clone())));
            }
            known.insert(key, run);
        }
    }
    let count = found.len();
    for (index, (position, place, key, run)) in found.into_iter().enumerate() {
        let is_last = index + 1 == count;
        let told = own(place + 1..trace.seen.len()).find_map(|(place, stored)| {
            let (_, later) = stored.runs().find(|(other, _)| *other == key)?;
            let phase = later.phase.filter(|phase| matches!(phase, Phase::Succeeded | Phase::Failed));
            phase.filter(|_| later.started == run.started).map(|phase| (place, phase))
        });
        let guess = if is_last && part.failed && part.after.event.is_some_and(Event::is_recovery) {
            Phase::Failed
        } else {
            Phase::Succeeded
        };
        let new = Run {
            place,
            at: trace.seen[place].at,
            phase: told.map_or(guess, |(_, phase)| phase),
            known: told.map(|(place, _)| place),
            hook: order[position],
        };
        let side = if position < orders[0].len() { &mut part.before } else { &mut part.after };
        side.runs.push(new);
    }
}
