//! What does not run although somebody may think so: hooks that Helm drops, and what outcomes are given for in vain.

use std::borrow::Cow;

use hooks::{Event, Events, Written, annotations::HOOK};
use lifecycle::{
    Chart,
    answer::{Action, ObjectId, Verb},
    chart::{Dropped, Hook},
    profile::Engine,
    scenario::spelling,
};

use super::{Asked, Rehearsed};

/// The events of an action, in order; those of one phase are one to whoever plays it.
#[must_use]
pub fn phases(action: Action, engine: Engine) -> Vec<Vec<Event>> {
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

/// That Helm drops a hook, and why; of what helm has rendered only the template is known, which may hold others.
#[must_use]
pub fn dropped(Dropped { name, events }: &Dropped) -> String {
    let items = Events::parse(Written { text: Cow::Borrowed(events), is_text: true });
    let unknown = items.unknown().next().unwrap_or_default();
    let hint = match unknown {
        "crd-install" | "test-failure" => " since Helm 3".to_owned(),
        _ => spelling::hint(unknown, Event::ALL.map(Event::name)),
    };
    format!(
        "{name}: Helm drops the document with {HOOK} {events:?}, and nothing of it is run or made: there is no event {unknown:?}{hint}"
    )
}

/// Why an outcome of `name` changes nothing in the action at `index`, if so: it never runs what is called so. What is not reached since
/// something failed before, and what a filter leaves out, would be run.
#[must_use]
pub fn there(name: &str, rehearsed: &Rehearsed, index: usize) -> Option<String> {
    let chart = rehearsed.asked.get(index)?.chart.as_deref()?;
    let action = format!("this {}", rehearsed.answer.actions.get(index)?.action.name());
    (!runs(name, rehearsed, index)).then(|| {
        let is_in_it = objects(chart).any(|id| id.is_called(name));
        let absent = if is_in_it { "" } else { "; it is not in this chart" };
        format!("{}{absent}", sentence(name, &action, &rehearsed.asked[index..=index]))
    })
}

/// Why an outcome of `name` changes nothing in any of the actions, if so.
#[must_use]
pub fn anywhere(name: &str, scenarios: &[Rehearsed]) -> Option<String> {
    let mut actions = Vec::new();
    for rehearsed in scenarios {
        for (index, played) in rehearsed.answer.actions.iter().enumerate() {
            if runs(name, rehearsed, index) {
                return None;
            }
            if !actions.contains(&played.action.name()) {
                actions.push(played.action.name());
            }
        }
    }
    let asked: Vec<_> = scenarios.iter().flat_map(|rehearsed| rehearsed.asked.iter().cloned()).collect();
    (!actions.is_empty()).then(|| sentence(name, &actions.join(" or "), &asked))
}

fn sentence(name: &str, action: &str, asked: &[Asked]) -> String {
    let charts = asked.iter().filter_map(|asked| asked.chart.as_deref());
    let mut events: Vec<_> =
        charts.flat_map(|chart| called(chart, name)).flat_map(|hook| &hook.events).collect();
    events.sort_unstable();
    events.dedup();
    let why = match events.as_slice() {
        [] => String::new(),
        _ if asked.iter().any(|asked| asked.flags.no_hooks) => "; hooks are left out".to_owned(),
        events => {
            let events: Vec<_> = events.iter().map(|event| event.name()).collect();
            format!("; it is a hook for {}", events.join(" and "))
        }
    };
    format!("{name} does not run in {action}, so its outcome changes nothing{why}")
}

fn runs(name: &str, rehearsed: &Rehearsed, index: usize) -> bool {
    let (played, asked) = (&rehearsed.answer.actions[index], &rehearsed.asked[index]);
    let Some(chart) = asked.chart.as_deref() else { return false };
    let makes = !matches!(played.action, Action::Uninstall | Action::Test);
    let is_made = makes && chart.resources.iter().any(|object| object.id.is_called(name));
    let sent = played.steps.iter().filter(|step| matches!(step.verb, Verb::Create | Verb::Apply));
    if is_made || sent.filter_map(|step| step.object.as_ref()).any(|object| object.is_called(name)) {
        return true;
    }
    let mut actions = vec![played.action];
    // There was no release, or none that this one has not replaced.
    if asked.flags.install && asked.before.is_none() {
        actions = vec![Action::Install];
    } else if asked.flags.install {
        actions.push(Action::Install);
    }
    // What is undone takes the hooks of an earlier revision.
    let is_undone = asked.flags.rollback_on_failure && played.exit != 0;
    actions.extend(is_undone.then_some([Action::Rollback, Action::Uninstall]).into_iter().flatten());
    let earlier = rehearsed.asked[..index].iter().filter(|_| is_undone);
    let charts = earlier.filter_map(|asked| asked.chart.as_deref()).chain([chart]);
    let engine = rehearsed.profile.engine;
    let events: Vec<_> = actions.into_iter().flat_map(|action| phases(action, engine)).flatten().collect();
    let mut hooks = charts.flat_map(|chart| called(chart, name));
    !asked.flags.no_hooks && hooks.any(|hook| hook.events.iter().any(|event| events.contains(event)))
}

fn called<'c>(chart: &'c Chart, name: &str) -> impl Iterator<Item = &'c Hook> {
    let is_called = move |hook: &&Hook| hook.objects.iter().any(|object| object.id.is_called(name));
    chart.hooks.iter().filter(is_called)
}

fn objects(chart: &Chart) -> impl Iterator<Item = &ObjectId> {
    let hooks = chart.hooks.iter().flat_map(|hook| &hook.objects);
    hooks.chain(&chart.resources).map(|object| &object.id)
}
