//! The parts of a command: an upgrade, and the rollback that it may end with.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    sync::Arc,
    time::Instant,
};

use hooks::{
    Event,
    release::{Phase, Status},
};

use super::Trace;
use crate::{
    Chart,
    answer::{Action, ObjectId},
    chart::{Hook, Object},
    run::{
        place::{ClusterScoped, is_cluster_scoped},
        sight::{Change, End, HookRun, Sight, Stored, What},
    },
};

/// What Helm does with one revision.
pub(super) struct Part {
    pub(super) chart: Chart,
    /// The ordinary resources of the revision that it replaces.
    base: Vec<Arc<Object>>,
    /// From here on is seen what goes before Helm first stores that a hook runs.
    pub(super) since: usize,
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

    /// Whether it is an ordinary resource of the revision.
    fn owns(&self, id: &ObjectId) -> bool {
        self.chart.resources.iter().any(|object| object.id.is_same(id))
    }

    /// Whether this is done to an ordinary resource; of what the revision no longer has, only that it goes.
    pub(super) fn touches(&self, sight: &Sight) -> bool {
        let had = || self.base.iter().any(|object| object.id.is_same(&sight.id));
        self.owns(&sight.id) || (sight.leaves() && had())
    }

    /// How many ordinary resources came and went again.
    pub(super) fn undone(&self, trace: &Trace<'_>) -> usize {
        let own =
            || trace.sights(self.range.start..trace.seen.len()).filter(|(_, sight)| self.owns(&sight.id));
        let added = own().filter(|(_, sight)| sight.change == Change::Added);
        added.filter(|(_, new)| own().any(|(_, sight)| sight.uid == new.uid && sight.leaves())).count()
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
    if matches!(trace.asked.action, Action::Uninstall | Action::Test) {
        begin_at_once(trace, &mut begins);
    }
    let ends: Vec<usize> =
        begins.iter().skip(1).map(|(place, ..)| *place).chain([trace.seen.len()]).collect();
    let parts = begins.into_iter().zip(ends);
    parts.filter_map(|((place, stored, events), end)| part(trace, place..end, stored, events)).collect()
}

/// What makes no revision stores nothing before its first hook runs, and by then what that hook left earlier is gone.
fn begin_at_once<'a>(trace: &Trace<'a>, begins: &mut Vec<(usize, &'a Stored, [Option<Event>; 2])>) {
    if let Some(first) = begins.first_mut() {
        first.0 = trace.from;
    } else {
        let last = records(trace, 0..trace.from).filter(|(_, stored)| !stored.is_gone).last();
        // Of what is uninstalled nothing but the history goes.
        let last = last.filter(|(_, stored)| stored.status != Status::Uninstalled);
        let events = match trace.asked.action {
            Action::Test => [Some(Event::Test), None],
            _ => [Some(Event::PreDelete), Some(Event::PostDelete)],
        };
        begins.extend(last.map(|(_, stored)| (trace.from, stored, events)));
    }
}

fn part(trace: &Trace<'_>, range: Range<usize>, stored: &Stored, events: [Option<Event>; 2]) -> Option<Part> {
    let chart = chart(stored, trace.namespace, trace.cluster_scoped)?;
    // Nothing but the parts that undo another are without a failure when the command fails.
    let is_last = range.end == trace.seen.len();
    let failed = trace.ran.exit != 0 && (!is_last || !is_undone(trace, stored));
    let base = base(trace, &range, stored).map_or_else(Vec::new, |chart| chart.resources);
    let has_resources = !chart.resources.is_empty() || !base.is_empty();
    // What undoes another deletes what its first hook left before anything says that it does.
    let since = records(trace, trace.from..range.start).last().map_or(range.start, |(place, _)| place);
    let no_hooks = trace.asked.flags.no_hooks;
    let [before, after] = events.map(|event| Side { event, runs: Vec::new() });
    let mut part = Part { chart, base, since, range, before, after, failed, has_resources, no_hooks };
    runs(trace, &mut part, stored.revision);
    Some(part)
}

/// Whether this part undoes what came before it, and did so.
fn is_undone(trace: &Trace<'_>, stored: &Stored) -> bool {
    let undoes = trace.asked.flags.rollback_on_failure
        && matches!(stored.status, Status::PendingRollback | Status::Uninstalling);
    undoes && (trace.says("has been rolled back due to") || trace.says("has been uninstalled due to"))
}

/// The revision whose resources Helm holds against the new ones.
///
/// Source: Helm 3.21.4 and 4.2.4 `pkg/action/upgrade.go`, `prepareUpgrade`, and `rollback.go`, `prepareRollback`.
fn base(trace: &Trace<'_>, range: &Range<usize>, stored: &Stored) -> Option<Chart> {
    let mut others: BTreeMap<u32, &Stored> = BTreeMap::new();
    for (_, other) in records(trace, 0..range.start) {
        if other.is_gone {
            others.remove(&other.revision);
        } else {
            others.insert(other.revision, other);
        }
    }
    let last = others.values().next_back();
    let deployed = others.values().rev().find(|other| other.status == Status::Deployed);
    let base = match stored.status {
        Status::PendingUpgrade => deployed.or(last),
        Status::PendingRollback => last,
        _ => None,
    };
    chart(base?, trace.namespace, trace.cluster_scoped)
}

fn records<'a>(trace: &Trace<'a>, range: Range<usize>) -> impl Iterator<Item = (usize, &'a Stored)> {
    let seen = trace.seen;
    range.filter_map(move |place| match &seen[place].what {
        What::Revision(stored) => Some((place, stored)),
        What::Object(_) => None,
    })
}

/// What Helm stored, as it reads it again: the cluster says which kinds are of no namespace.
pub(super) fn chart(stored: &Stored, namespace: &str, cluster_scoped: &ClusterScoped) -> Option<Chart> {
    let text = stored.record.as_ref()?.rendered();
    let mut chart = Chart::read(&text, namespace).ok()?;
    let hooks = chart.hooks.iter_mut().flat_map(|hook| &mut hook.objects);
    for object in chart.resources.iter_mut().chain(hooks) {
        if object.id.namespace.is_some() && is_cluster_scoped(cluster_scoped, &object.id) {
            Arc::make_mut(object).id.namespace = None;
        }
    }
    Some(chart)
}

/// Whether Helm says that a hook of this event failed.
pub(super) fn blames(trace: &Trace<'_>, event: Event) -> bool {
    trace.says(&format!("{event} hooks failed")) || trace.says(&format!("failed {event}"))
}

/// Whether what a hook sent was seen to do its work.
fn has_ended_well(trace: &Trace<'_>, hook: &Hook, range: Range<usize>) -> bool {
    let own = |sight: &Sight| hook.objects.iter().any(|object| object.id.is_same(&sight.id));
    let ends =
        trace.sights(range).filter(|(_, sight)| own(sight)).filter_map(|(_, sight)| sight.end.as_ref());
    ends.last() == Some(&End::Complete)
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
        let event = events[usize::from(position >= orders[0].len())];
        let is_bad = part.after.event.is_some_and(Event::is_recovery)
            || event.is_some_and(|event| blames(trace, event))
                && !has_ended_well(trace, &part.chart.hooks[order[position]], place..part.range.end);
        let guess = if is_last && part.failed && is_bad { Phase::Failed } else { Phase::Succeeded };
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
