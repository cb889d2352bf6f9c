//! Commands played on a simulated cluster, with what was asked kept beside what came of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use hooks::{Event, release::Status};
use lifecycle::{
    Answer, Chart, Command, Outcome, Outcomes, Played, Profile, Simulation,
    answer::{Action, ObjectId, Revision},
    chart::Object,
    command::filter_names,
    scenario::spelling,
};

use super::{Asked, idle};

/// A release on a simulated cluster.
#[derive(Debug)]
pub struct Stage {
    simulation: Simulation,
    charts: BTreeMap<u32, Arc<Chart>>,
    history: Vec<Revision>,
    asked: Vec<Asked>,
}

impl Stage {
    /// An empty cluster.
    #[must_use]
    pub fn new(profile: Profile, release: &str, namespace: &str) -> Self {
        Self::on(Simulation::new(profile, release, namespace))
    }

    /// A cluster that is simulated already.
    #[must_use]
    pub const fn on(simulation: Simulation) -> Self {
        Self { simulation, charts: BTreeMap::new(), history: Vec::new(), asked: Vec::new() }
    }

    /// Plays a command.
    pub fn play(&mut self, command: &Command) -> Played {
        let before = self.current();
        let chart = self.chart_of(command);
        self.asked.push(Asked { flags: command.flags.clone(), chart: chart.clone(), before });
        let played = self.simulation.play(command);
        let earlier = before.and_then(|revision| self.charts.get(&revision).cloned());
        // A second new revision is the rollback of the first, which failed.
        let mut made = [chart, earlier].into_iter();
        for Revision { revision, .. } in &played.history {
            if !self.charts.contains_key(revision)
                && let Some(chart) = made.next().flatten()
            {
                self.charts.insert(*revision, chart);
            }
        }
        self.history.clone_from(&played.history);
        played
    }

    /// Takes the newest revision for another one of which its number and its status are known.
    pub fn restate(&mut self, revision: u32, status: Status) {
        let newest = |history: &[Revision]| history.last().map(|newest| newest.revision);
        let before = newest(&self.history);
        self.history = self.simulation.restate(revision, status);
        if let (Some(before), Some(now)) = (before, newest(&self.history))
            && let Some(chart) = self.charts.remove(&before)
        {
            self.charts.insert(now, chart);
        }
    }

    /// Lets time pass.
    pub fn rest(&mut self, duration: Duration) {
        self.simulation.rest(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2));
    }

    /// Whether an upgrade now would be an install, if it may be one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.history.last().is_none_or(|newest| newest.status == Status::Uninstalled.name())
    }

    /// How many commands were played.
    #[must_use]
    pub fn played(&self) -> usize {
        self.asked.len()
    }

    /// All that was asked and all that was answered, but for the first `left_out` commands.
    #[must_use]
    pub fn finish(mut self, left_out: usize) -> (Answer, Vec<Asked>) {
        let mut answer = self.simulation.answer();
        (answer.actions, self.asked) = (answer.actions.split_off(left_out), self.asked.split_off(left_out));
        (answer, self.asked)
    }

    /// The revision that is deployed, or else the newest.
    fn current(&self) -> Option<u32> {
        let deployed = self.history.iter().rfind(|revision| revision.status == Status::Deployed.name());
        deployed.or(self.history.last()).map(|revision| revision.revision)
    }

    fn chart_of(&self, command: &Command) -> Option<Arc<Chart>> {
        let newest = self.history.last().map(|newest| newest.revision);
        let revision = match command.action {
            Action::Install | Action::Upgrade => return command.chart.clone(),
            Action::Rollback => command.flags.to.or(newest.and_then(|newest| newest.checked_sub(1))),
            Action::Uninstall | Action::Test => newest,
        };
        self.charts.get(&revision?).cloned()
    }
}

/// Whatever has pods in a chart.
fn runners(chart: &Chart) -> impl Iterator<Item = &ObjectId> {
    objects(chart).filter(|object| object.run.is_some()).map(|object| &object.id)
}

/// What makes every hook of a chart succeed.
#[must_use]
pub fn all_well(chart: &Chart) -> Outcomes {
    runners(chart).map(|id| (id.to_string(), Outcome::default())).collect()
}

/// What is wrong with `outcomes`, if something is: they name what is in none of the charts, or what has no pods.
#[must_use]
pub fn misnamed<'c>(outcomes: &Outcomes, charts: impl Iterator<Item = &'c Chart>) -> Option<String> {
    let charts: Vec<_> = charts.collect();
    outcomes.keys().find_map(|name| unheard(name, charts.iter().copied()))
}

/// Why an outcome of the object `name` comes to nothing, if it does.
#[must_use]
pub fn unheard<'c>(name: &str, charts: impl Iterator<Item = &'c Chart> + Clone) -> Option<String> {
    if charts.clone().flat_map(runners).any(|id| id.is_called(name)) {
        return None;
    }
    if charts.clone().flat_map(objects).any(|object| object.id.is_called(name)) {
        return Some(format!("{name} has no pods, so nothing can become of them"));
    }
    let mut dropped = charts.clone().flat_map(|chart| &chart.dropped);
    if let Some(dropped) = dropped.clone().find(|dropped| dropped.name == name) {
        return Some(idle::dropped(dropped));
    }
    let has_namespace = name.matches('/').count() > 1;
    let shown = |id: &ObjectId| if has_namespace { id.in_full() } else { id.to_string() };
    let hint = match hint(name, &charts.flat_map(runners).map(shown).collect::<Vec<_>>()) {
        hint if hint.is_empty() => dropped.next().map(|one| format!("; {}", idle::dropped(one))),
        hint => Some(hint),
    };
    let hint = hint.unwrap_or_default();
    Some(format!("an outcome names {name}, and no such object is in the chart{hint}"))
}

/// The names that are of no hook of the charts, each with the one that was most likely meant.
pub fn no_hooks<'n, 'c>(
    names: impl IntoIterator<Item = &'n String>,
    charts: impl Iterator<Item = &'c Chart>,
) -> Vec<String> {
    let hooks = charts.flat_map(|chart| &chart.hooks).flat_map(|hook| &hook.objects);
    let known: Vec<String> = hooks.map(|object| object.id.to_string()).collect();
    let is_known = |name: &str| {
        known
            .iter()
            .any(|known| known.strip_suffix('*').map_or(known == name, |prefix| name.starts_with(prefix)))
    };
    let mut unknown: Vec<&String> = names.into_iter().filter(|name| !is_known(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown.into_iter().map(|name| format!("no hook is called {name}{}", hint(name, &known))).collect()
}

/// The names in filters of tests that are of no test of the charts, each with the one that was most likely meant.
pub fn no_tests<'c>(filters: &[String], charts: impl Iterator<Item = &'c Chart>) -> Vec<String> {
    let tests = charts.flat_map(|chart| &chart.hooks).filter(|hook| hook.events.contains(&Event::Test));
    let known: Vec<&str> = tests.map(|hook| hook.name.as_str()).collect();
    let names = filters.iter().flat_map(|filter| filter_names(filter));
    let unknown = names.filter(|name| !known.contains(name));
    let told = |name| format!("no test is called {name}{}", spelling::hint(name, known.iter().copied()));
    unknown.map(told).collect()
}

/// The name that was most likely meant: one that is spelt nearly so, the same in another namespace, or the only one of the kind that ends so,
/// behind the release's name.
fn hint(name: &str, known: &[String]) -> String {
    let spelt = spelling::hint(name, known.iter().map(String::as_str));
    let parts = |name: &str| name.splitn(3, '/').map(ToOwned::to_owned).collect::<Vec<_>>();
    if let [kind, _, end] = &parts(name)[..]
        && spelt.is_empty()
    {
        let is_elsewhere = |known: &&String| matches!(&parts(known)[..], [a, _, b] if a == kind && b == end);
        let elsewhere = known.iter().find(is_elsewhere);
        return elsewhere.map(|known| format!("; did you mean {known:?}?")).unwrap_or_default();
    }
    let Some((kind, end)) = name.split_once('/').filter(|_| spelt.is_empty()) else { return spelt };
    let ends_so = |known: &&String| {
        let of_kind = known.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
        of_kind.and_then(|rest| rest.strip_suffix(end)).is_some_and(|before| before.ends_with(['-', '.']))
    };
    let mut longer: Vec<_> = known.iter().filter(ends_so).collect();
    longer.sort_unstable();
    longer.dedup();
    match longer.as_slice() {
        [one] => format!("; did you mean {one:?}?"),
        _ => spelt,
    }
}

fn objects(chart: &Chart) -> impl Iterator<Item = &Object> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    hooks.chain(&chart.resources).map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_that_of_its_release_is_understood() {
        let known =
            ["Job/bookshop-migrate", "Job/bookshop-warm", "Pod/bookshop-migrate"].map(ToOwned::to_owned);
        assert_eq!(hint("Job/migrate", &known), "; did you mean \"Job/bookshop-migrate\"?");
        assert_eq!(hint("Job/bookshop-migrat", &known), "; did you mean \"Job/bookshop-migrate\"?");
        for unknown in ["Job/shop", "Job/igrate", "Secret/migrate"] {
            assert_eq!(hint(unknown, &known), "", "{unknown}");
        }
    }
}
