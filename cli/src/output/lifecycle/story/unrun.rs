//! What a failure keeps from being run.

use hooks::{Event, order};
use lifecycle::{
    answer::{Action, ObjectId, Played},
    chart::Hook,
};

use super::{Doing, Engine, Row, words::counted};
use crate::rehearsal::Asked;

/// What was not run, or not touched.
#[derive(Debug, Default)]
pub(in crate::output::lifecycle) struct Unrun<'a> {
    /// In the order in which they would have run.
    pub(in crate::output::lifecycle) hooks: Vec<(Event, &'a ObjectId, i64)>,
    /// How many ordinary resources.
    pub(in crate::output::lifecycle) resources: usize,
}

/// More hooks of one event are counted, not named.
const NAMED: usize = 4;

impl<'a> Unrun<'a> {
    pub(super) fn of(
        asked: Option<&'a Asked>,
        played: &Played,
        engine: Engine,
        rows: &[Row<'_>],
        failed: Option<usize>,
    ) -> Self {
        let Some((asked, chart)) = asked.and_then(|asked| Some((asked, asked.chart.as_deref()?))) else {
            return Self::default();
        };
        if played.exit == 0 {
            return Self::default();
        }
        let is_touched = rows.iter().any(|row| row.doing == Doing::Resources);
        let is_spared = played.action != Action::Test && !is_touched;
        let resources = if is_spared { chart.resources.len() } else { 0 };
        // Which of the tests a filter takes is not said anywhere; an error without a failing step came after all of them, or before any.
        let is_unsaid = !asked.flags.filters.is_empty() || (failed.is_none() && is_touched);
        if asked.flags.no_hooks || is_unsaid {
            return Self { hooks: Vec::new(), resources };
        }
        let mut unrun = Self { hooks: Vec::new(), resources };
        for phase in phases(played.action, engine) {
            let event_of = |hook: &Hook| phase.iter().copied().find(|event| hook.events.contains(event));
            let mut hooks: Vec<_> =
                chart.hooks.iter().filter_map(|hook| Some((event_of(hook)?, hook))).collect();
            order::by_weight(&mut hooks, |(_, hook)| (hook.weight, &hook.name));
            let is_sent = |id: &ObjectId| {
                let is_of_phase = |row: &Row<'_>| row.event.is_some_and(|event| phase.contains(&event));
                rows.iter().any(|row| is_of_phase(row) && row.object.is_some_and(|sent| sent.is_same(id)))
            };
            for (event, hook) in hooks {
                let ids = hook.objects.iter().map(|object| &object.id).filter(|id| !is_sent(id));
                unrun.hooks.extend(ids.map(|id| (event, id, hook.weight)));
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
        for group in self.hooks.chunk_by(|(one, ..), (other, ..)| one == other) {
            let event = group[0].0;
            if matches!(
                event,
                Event::PostInstall | Event::PostUpgrade | Event::PostRollback | Event::PostDelete
            ) {
                parts.extend(resources.take());
            }
            if parts.is_empty() && group.len() <= NAMED {
                parts.extend(group.iter().map(|(_, object, weight)| format!("{object} (w {weight})")));
            } else {
                parts.push(counted(group.len(), &format!("{event} hook")));
            }
        }
        parts.extend(resources);
        parts.join(", ")
    }
}

/// The events of an action, in order; those of one phase are one to whoever plays it.
fn phases(action: Action, engine: Engine) -> Vec<Vec<Event>> {
    use Event::{
        PostDelete, PostInstall, PostRollback, PostUpgrade, PreDelete, PreInstall, PreRollback, PreUpgrade,
        Test,
    };
    match (action, engine) {
        (Action::Uninstall, _) => vec![vec![PreDelete], vec![PostDelete]],
        (Action::Test, Engine::ArgoCd) => Vec::new(),
        (Action::Test, _) => vec![vec![Test]],
        (_, Engine::ArgoCd) => vec![vec![PreInstall, PreUpgrade], vec![PostInstall, PostUpgrade]],
        (Action::Install, _) => vec![vec![PreInstall], vec![PostInstall]],
        (Action::Upgrade, _) => vec![vec![PreUpgrade], vec![PostUpgrade]],
        (Action::Rollback, _) => vec![vec![PreRollback], vec![PostRollback]],
    }
}
