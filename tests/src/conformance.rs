//! Differential conformance: random scenarios with real Helm on the test cluster, and in the simulation, which must say the same.

mod api;
mod compare;
mod generate;
mod observed;
mod random;
mod real;
mod scenario;
mod settle;
mod simulated;

use std::{fmt::Write as _, time::Instant};

use lifecycle::{
    Played, Step,
    answer::{Action, StepResult, Verb},
};

use self::{
    compare::{Roles, differences},
    real::Player,
    scenario::Scenario,
    simulated::Simulated,
};
use crate::rig::{Helm, Rig};

/// How often a scenario is played before a disagreement counts: in Helm, and on a busy machine, much depends on who is faster.
pub const TRIES: usize = 3;

/// What came of one seed.
#[derive(Debug)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// Which Helm.
    pub helm: Helm,
    /// How many commands were played the last time.
    pub commands: usize,
    /// What differed, once for each time it was played in vain.
    pub disagreements: Vec<String>,
    /// Whether the last time agreed in everything.
    pub agrees: bool,
    /// How many requests of Helm were compared the last time.
    pub requests: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Plays the scenario of a seed with real Helm and in the simulation.
#[must_use]
pub fn conform(rig: &Rig, helm: Helm, seed: u64) -> Verdict {
    let start = Instant::now();
    let word = if helm == Helm::V3 { "three" } else { "four" };
    let mut verdict = Verdict {
        seed,
        helm,
        commands: 0,
        disagreements: Vec::new(),
        agrees: false,
        requests: 0,
        seconds: 0.0,
    };
    for attempt in 0..TRIES {
        let namespace = format!("{word}-{seed}-{}", ["a", "b", "c"][attempt % 3]);
        let scenario = generate::scenario(seed, helm, &namespace);
        verdict.commands = scenario.moves.len();
        let (requests, found) = once(rig, helm, &scenario);
        verdict.requests = requests;
        verdict.agrees = found.is_none();
        let Some(found) = found else { break };
        verdict.disagreements.push(found);
    }
    verdict.seconds = start.elapsed().as_secs_f64();
    verdict
}

/// What the simulation says of a seed, without a cluster.
#[must_use]
pub fn simulate(helm: Helm, seed: u64) -> String {
    let scenario = generate::scenario(seed, helm, "here");
    let mut simulated = Simulated::new(helm, &scenario);
    let mut text = scenario.describe();
    for command in &scenario.moves {
        let (observed, items, played) = simulated.play(command);
        let _ = writeln!(text, "  {}\n    {observed:?}\n    {items:?}\n    {played:?}", command.shown(helm));
    }
    text
}

/// How much a scenario was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rehearsed {
    /// Commands that were played.
    pub commands: usize,
    /// Steps that they took.
    pub steps: usize,
}

/// Makes the scenario of a seed and plays it in the simulation, without a cluster.
#[must_use]
pub fn rehearse(helm: Helm, seed: u64) -> Rehearsed {
    let scenario = generate::scenario(seed, helm, "here");
    let mut simulated = Simulated::new(helm, &scenario);
    let steps = scenario.moves.iter().map(|command| simulated.play(command).2.steps.len());
    Rehearsed { steps: steps.sum(), commands: scenario.moves.len() }
}

/// Whether logs of tests are printed.
fn prints_logs(played: &Played) -> bool {
    let is_printed = |step: &Step| step.verb == Verb::Log && step.result == StepResult::Ok;
    played.action == Action::Test && played.steps.iter().any(is_printed)
}

/// Plays it once: how many requests there were, and in words what differs, up to the first command that does.
fn once(rig: &Rig, helm: Helm, scenario: &Scenario) -> (usize, Option<String>) {
    let roles = Roles::of(scenario);
    let player = Player::new(rig, helm, scenario);
    let mut simulated = Simulated::new(helm, scenario);
    let mut told = String::new();
    let mut requests = 0;
    for command in &scenario.moves {
        let real = player.play(command);
        let (said, items, steps) = simulated.play(command);
        let _ = writeln!(told, "  {} → {}", command.shown(helm), real.error.as_deref().unwrap_or("ok"));
        let found = differences(&roles, &real, &said, &items, prints_logs(&steps));
        requests += real.requests.len();
        if !found.is_empty() {
            let mut text = format!("in {}\n{}{told}", scenario.namespace, scenario.describe());
            for difference in found {
                let _ = writeln!(text, "    {difference}");
            }
            for step in steps.steps {
                let object = step.object.map(|object| object.to_string()).unwrap_or_default();
                let message = step.message.unwrap_or_default();
                let _ = writeln!(
                    text,
                    "      {:>5.1} {:?} {object} {:?} {message}",
                    step.at, step.verb, step.result
                );
            }
            return (requests, Some(text));
        }
    }
    (requests, None)
}
