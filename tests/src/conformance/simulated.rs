//! The same scenario in the simulation.

use std::sync::Arc;

use lifecycle::{
    Chart, Command, Outcomes, Profile, Simulation, World,
    answer::{ObjectId, Played, Step, StepResult, Verb as Did},
    world::Nodes,
};

use super::{
    compare::Item,
    observed::{Observed, Outcome, Request, Verb, object},
    scenario::{Move, RELEASE, Scenario},
};
use crate::rig::Helm;

/// Longer than anything goes on that comes to rest at all, in milliseconds.
const REST: u64 = 30_000;

/// What a client refuses to ask for.
const NO_NAME: &str = "resource name may not be empty";

/// How the API server says that it cannot read a body, so that its log has no name either.
const UNREADABLE: &str = "cannot be handled as";

/// Plays a scenario.
pub(super) struct Simulated {
    simulation: Simulation,
    versions: [Arc<Chart>; 2],
}

impl Simulated {
    /// On a cluster as the test cluster is.
    ///
    /// # Panics
    /// When a chart cannot be read.
    pub(super) fn new(helm: Helm, scenario: &Scenario) -> Self {
        let word = if helm == Helm::V3 { "3" } else { "4" };
        let profile = Profile::find(word).expect("both Helms have a profile");
        let namespace = &scenario.namespace;
        let chart = |index: usize| {
            let chart = Chart::read(&scenario.versions[index].rendered(), namespace);
            Arc::new(chart.expect("charts are made to be read"))
        };
        Self {
            simulation: Simulation::on(World::on(Nodes::Kwok), profile, RELEASE, namespace),
            versions: [chart(0), chart(1)],
        }
    }

    /// Plays one command: what is seen of it, and its steps.
    pub(super) fn play(&mut self, command: &Move) -> (Observed, Vec<Item>, Played) {
        let chart = command.needs_chart().then(|| Arc::clone(&self.versions[command.version]));
        let played = self.simulation.play(&Command {
            action: command.action,
            chart,
            flags: command.flags.clone(),
            outcomes: Outcomes::new(),
        });
        self.simulation.rest(REST);
        let left = self.simulation.world().leftovers();
        let mut leftovers: Vec<_> = left.iter().map(shown).collect();
        leftovers.sort();
        let items: Vec<_> = played.steps.iter().filter_map(item).collect();
        let requests = items.iter().filter_map(|item| match item {
            Item::Request(request) => Some(request.clone()),
            Item::Resources => None,
        });
        let observed = Observed {
            exit: played.exit,
            error: played.error.clone(),
            history: played.history.iter().map(|one| (one.revision, one.status.clone())).collect(),
            leftovers,
            requests: requests.collect(),
        };
        (observed, items, played)
    }
}

fn shown(id: &ObjectId) -> String {
    object(&id.kind, id.namespace.as_deref().unwrap_or_default(), &id.name)
}

/// What of a step the API server hears; nothing of a wait, and of logs only what concerns a Job.
fn item(step: &Step) -> Option<Item> {
    let is_refused = step.result == StepResult::Failed;
    if is_refused && step.object.is_some() && step.message.as_deref() == Some(NO_NAME) {
        return None;
    }
    let (verb, result) = match step.verb {
        Did::Log if step.object.as_ref().is_some_and(|id| id.kind == "Job") => (Verb::Log, Outcome::Changed),
        Did::Wait | Did::Log => return None,
        Did::Manifest => return Some(Item::Resources),
        Did::Delete if is_refused => (Verb::Delete, Outcome::Refused),
        Did::Delete if step.result == StepResult::Absent => (Verb::Delete, Outcome::Absent),
        Did::Delete => (Verb::Delete, Outcome::Deleted),
        Did::Create if is_refused => (Verb::Create, Outcome::Refused),
        Did::Create => (Verb::Create, Outcome::Made),
        Did::Apply if is_refused => (Verb::Patch, Outcome::Refused),
        // What was there and was applied to is said at the step.
        Did::Apply if step.message.is_some() => (Verb::Patch, Outcome::Changed),
        Did::Apply => (Verb::Patch, Outcome::Made),
    };
    let id = step.object.as_ref()?;
    let is_unreadable = step.message.as_ref().is_some_and(|message| message.contains(UNREADABLE));
    Some(Item::Request(Request {
        verb,
        kind: id.kind.clone(),
        namespace: id.namespace.clone().unwrap_or_default(),
        name: if is_unreadable { String::new() } else { id.name.clone() },
        result,
    }))
}
