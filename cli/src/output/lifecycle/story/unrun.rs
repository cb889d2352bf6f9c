//! What a failure keeps from being run.

use hooks::{Event, order};
use lifecycle::answer::{Action, ObjectId, Played};

use super::{Doing, Row, words::counted};
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
        rows: &[Row<'_>],
        failed: Option<usize>,
    ) -> Self {
        let Some((asked, chart)) = asked.and_then(|asked| Some((asked, asked.chart.as_deref()?))) else {
            return Self::default();
        };
        // Which of the tests a filter takes is not said anywhere.
        if played.exit == 0 || asked.flags.no_hooks || !asked.flags.filters.is_empty() {
            let is_touched = played.exit == 0 || touches(rows);
            return Self { hooks: Vec::new(), resources: if is_touched { 0 } else { chart.resources.len() } };
        }
        let phases = phases(played.action);
        let mut unrun = Self::default();
        for event in phases {
            let mut hooks: Vec<_> = chart.hooks.iter().filter(|hook| hook.events.contains(&event)).collect();
            order::by_weight(&mut hooks, |hook| (hook.weight, &hook.name));
            for (hook, object) in
                hooks.iter().flat_map(|hook| hook.objects.iter().map(move |object| (hook, object)))
            {
                let is_sent = |row: &&Row<'_>| {
                    row.event == Some(event) && row.object.is_some_and(|sent| sent.is_same(&object.id))
                };
                if !rows.iter().any(|row| is_sent(&row)) {
                    unrun.hooks.push((event, &object.id, hook.weight));
                }
            }
        }
        let has_resources = played.action != Action::Test && !touches(rows);
        unrun.resources = if has_resources { chart.resources.len() } else { 0 };
        // An error without a failing step came after all of them, or before any.
        if failed.is_none() && !rows.is_empty() && unrun.resources == 0 {
            unrun.hooks.clear();
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

fn touches(rows: &[Row<'_>]) -> bool {
    rows.iter().any(|row| row.doing == Doing::Resources)
}

/// The events of an action, in order.
pub(super) fn phases(action: Action) -> Vec<Event> {
    match action {
        Action::Install => vec![Event::PreInstall, Event::PostInstall],
        Action::Upgrade => vec![Event::PreUpgrade, Event::PostUpgrade],
        Action::Rollback => vec![Event::PreRollback, Event::PostRollback],
        Action::Uninstall => vec![Event::PreDelete, Event::PostDelete],
        Action::Test => vec![Event::Test],
    }
}
