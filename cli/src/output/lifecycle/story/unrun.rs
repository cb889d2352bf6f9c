//! What a failure keeps from being run.

use std::collections::HashMap;

use hooks::{Event, order};
use lifecycle::{
    answer::{Action, ObjectId, Played},
    chart::Hook,
    profile::Engine,
};

use super::{
    Doing, Row,
    words::{counted, name},
};
use crate::rehearsal::{Asked, Rehearsed, idle::phases};

/// What was not run, or not touched.
#[derive(Debug, Default)]
pub(in crate::output::lifecycle) struct Unrun<'a> {
    /// In the order in which they would have run.
    pub(in crate::output::lifecycle) hooks: Vec<Waiting<'a>>,
    /// How many ordinary resources.
    pub(in crate::output::lifecycle) resources: usize,
    /// Of the release.
    namespace: &'a str,
}

/// An object that was not sent.
#[derive(Debug)]
pub(in crate::output::lifecycle) struct Waiting<'a> {
    pub(in crate::output::lifecycle) event: Event,
    pub(in crate::output::lifecycle) object: &'a ObjectId,
    pub(in crate::output::lifecycle) weight: i64,
    /// The place of its hook among all runs of hooks: objects of one list have the same.
    run: usize,
}

/// More hooks of one event are counted, not named.
const NAMED: usize = 4;

impl<'a> Unrun<'a> {
    pub(super) fn of(
        scenario: &'a Rehearsed,
        asked: Option<&'a Asked>,
        played: &Played,
        rows: &[Row<'_>],
    ) -> Self {
        let engine = scenario.profile.engine;
        let Some((asked, chart)) = asked.and_then(|asked| Some((asked, asked.chart.as_deref()?))) else {
            return Self::default();
        };
        if played.exit == 0 {
            return Self::default();
        }
        let is_touched = rows.iter().any(|row| row.doing == Doing::Resources);
        let is_spared = played.action != Action::Test && !is_touched;
        let resources = if is_spared { chart.resources.len() } else { 0 };
        let mut unrun = Self { hooks: Vec::new(), resources, namespace: &scenario.answer.namespace };
        // Which of the tests a filter takes is not said anywhere.
        if asked.flags.no_hooks || !asked.flags.filters.is_empty() {
            return unrun;
        }
        let mut run = 0;
        for phase in phases(played.action, engine) {
            let mut hooks: Vec<_> = chart.hooks.iter().flat_map(|hook| runs(hook, &phase, engine)).collect();
            order::by_weight(&mut hooks, |(_, hook)| (hook.weight, &hook.name));
            let mut sent = sent(rows, &phase);
            for (event, hook) in hooks {
                run += 1;
                for id in hook.objects.iter().map(|object| &object.id) {
                    match sent.get_mut(&(&*id.kind, id.namespace.as_deref(), &*id.name)) {
                        Some(times) if *times > 0 => *times -= 1,
                        _ => unrun.hooks.push(Waiting { event, object: id, weight: hook.weight, run }),
                    }
                }
            }
        }
        unrun
    }

    pub(in crate::output::lifecycle) fn is_empty(&self) -> bool {
        self.hooks.is_empty() && self.resources == 0
    }

    /// `Job/warm-cache (w 5), 12 objects of the release, 2 post-upgrade hooks`.
    pub(in crate::output::lifecycle) fn words(&self) -> String {
        let mut parts = Vec::new();
        let mut resources =
            (self.resources > 0).then(|| format!("{} of the release", counted(self.resources, "object")));
        for group in self.hooks.chunk_by(|one, other| one.event == other.event) {
            let event = group[0].event;
            let hooks = group.chunk_by(|one, other| one.run == other.run).count();
            if matches!(
                event,
                Event::PostInstall | Event::PostUpgrade | Event::PostRollback | Event::PostDelete
            ) {
                parts.extend(resources.take());
            }
            if parts.is_empty() && group.len() <= NAMED {
                parts.extend(
                    group
                        .iter()
                        .map(|one| format!("{} (w {})", name(one.object, self.namespace), one.weight)),
                );
            } else {
                parts.push(counted(hooks, &format!("{event} hook")));
            }
        }
        parts.extend(resources);
        parts.join(", ")
    }
}

/// How often a hook runs in a phase: once for each time that its list names the event, which is twice for one that stands there twice.
fn runs<'h>(hook: &'h Hook, phase: &[Event], engine: Engine) -> Vec<(Event, &'h Hook)> {
    let mut runs: Vec<_> =
        hook.events.iter().filter(|event| phase.contains(event)).map(|event| (*event, hook)).collect();
    if engine == Engine::ArgoCd {
        runs.truncate(1);
    }
    runs
}

type Sent<'a> = HashMap<(&'a str, Option<&'a str>, &'a str), usize>;

/// How often each object was sent in a phase; one whose deletion failed before it could be sent counts, too.
fn sent<'a>(rows: &[Row<'a>], phase: &[Event]) -> Sent<'a> {
    let mut sent = Sent::new();
    for row in rows.iter().filter(|row| row.event.is_some_and(|event| phase.contains(&event))) {
        let Some(object) = row.object else { continue };
        let times = sent.entry((&*object.kind, object.namespace.as_deref(), &*object.name)).or_default();
        match row.doing {
            Doing::Hook => *times += 1,
            Doing::Delete if row.has_failed() => *times = (*times).max(1),
            Doing::Delete | Doing::Log | Doing::Resources => {}
        }
    }
    sent
}
