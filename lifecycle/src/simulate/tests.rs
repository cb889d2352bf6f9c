//! What Helm does, fact by fact, each with a small chart.

mod actions;
mod any;
mod argocd_waits;
mod errors;
mod flags;
mod kept;
mod keys;
mod kinds;
mod nameless;
mod order;
mod others;
mod policies;
mod refused;
mod test_runs;
mod waits;

use std::{fmt::Write, sync::Arc, time::Duration};

use super::Simulation;
use crate::{
    Chart, Command, Outcomes, Played, Profile,
    answer::{Action, StepResult},
    command::{Flags, Wait},
    world::{Nodes, World},
};

/// A release under one Helm.
struct Release(Simulation);

fn helm(word: &str) -> Release {
    Release(Simulation::on(World::on(Nodes::Real), Profile::find(word).unwrap(), "demo", "demo"))
}

/// Both Helms, to which a fact applies alike.
fn both() -> [Release; 2] {
    [helm("3"), helm("4")]
}

impl Release {
    #[track_caller]
    fn play(&mut self, action: Action, chart: &str, change: impl FnOnce(&mut Flags)) -> Played {
        self.play_with(action, chart, Outcomes::new(), change)
    }

    #[track_caller]
    fn play_with(
        &mut self,
        action: Action,
        chart: &str,
        outcomes: Outcomes,
        change: impl FnOnce(&mut Flags),
    ) -> Played {
        let mut flags = self.0.profile.flags();
        change(&mut flags);
        let chart = Chart::read_by(self.0.profile.engine, chart, "demo");
        let chart = Some(Arc::new(chart.unwrap()));
        self.0.play(&Command { action, chart, flags, outcomes })
    }

    #[track_caller]
    fn install(&mut self, chart: &str) -> Played {
        self.play(Action::Install, chart, |_| {})
    }

    #[track_caller]
    fn upgrade(&mut self, chart: &str) -> Played {
        self.play(Action::Upgrade, chart, |_| {})
    }

    #[track_caller]
    fn rollback(&mut self, to: u32) -> Played {
        self.play(Action::Rollback, "", |flags| flags.to = Some(to))
    }

    #[track_caller]
    fn uninstall(&mut self) -> Played {
        self.play(Action::Uninstall, "", |_| {})
    }

    #[track_caller]
    fn test(&mut self) -> Played {
        self.play(Action::Test, "", |_| {})
    }
}

/// A document with annotations of `helm.sh`, and more members.
fn hook(kind: &str, name: &str, annotations: &[(&str, &str)], rest: &str) -> String {
    let mut text = format!("---\n# Source: demo/templates/{name}.yaml\nkind: {kind}\n");
    let version = match kind {
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "Widget" => "example.com/v1",
        _ => "v1",
    };
    write!(text, "apiVersion: {version}\nmetadata:\n  name: {name}\n").unwrap();
    if !annotations.is_empty() {
        text.push_str("  annotations:\n");
    }
    for (key, value) in annotations {
        writeln!(text, "    helm.sh/{key}: \"{value}\"").unwrap();
    }
    text + rest + "\n"
}

/// A Job for these events, with more annotations.
fn job(name: &str, events: &str, annotations: &[(&str, &str)]) -> String {
    let annotations = [&[("hook", events)], annotations].concat();
    hook("Job", name, &annotations, "spec: {template: {spec: {restartPolicy: Never}}}")
}

/// A Job with more members in its spec, and in its pods' metadata.
fn job_with(name: &str, events: &str, annotations: &[(&str, &str)], spec: &str, pods: &str) -> String {
    let annotations = [&[("hook", events)], annotations].concat();
    let spec = format!("spec: {{{spec} template: {{metadata: {{{pods}}}, spec: {{restartPolicy: Never}}}}}}");
    hook("Job", name, &annotations, &spec)
}

/// A Job whose pods end so.
fn job_that(outcome: &str, name: &str, events: &str, annotations: &[(&str, &str)]) -> String {
    let pods = format!("annotations: {{hookward.dev/outcome: {outcome}}}");
    job_with(name, events, annotations, "backoffLimit: 0,", &pods)
}

/// A Pod for these events.
fn pod(name: &str, events: &str, annotations: &[(&str, &str)], spec: &str) -> String {
    let annotations = [&[("hook", events)], annotations].concat();
    hook("Pod", name, &annotations, &format!("spec: {{restartPolicy: Never, {spec}}}"))
}

fn config_map(name: &str, events: &str, annotations: &[(&str, &str)], value: &str) -> String {
    let annotations = [&[("hook", events)], annotations].concat();
    hook("ConfigMap", name, &annotations, &format!("data: {{key: {value}}}"))
}

/// An ordinary resource.
fn resource(kind: &str, name: &str, rest: &str) -> String {
    hook(kind, name, &[], rest)
}

/// The steps in short: `pre-install wait Job/x ok`; the ordinary resources as `manifest ok`.
fn steps(played: &Played) -> Vec<String> {
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    let short = |step: &crate::Step| match (&step.event, &step.object) {
        (Some(event), Some(object)) => {
            format!("{event} {} {object} {}", name(&step.verb), name(&step.result))
        }
        _ => format!("{} {}", name(&step.verb), name(&step.result)),
    };
    played.steps.iter().map(short).collect()
}

/// What ran, by name, in order.
fn ran(played: &Played) -> Vec<&str> {
    let sent =
        |step: &&crate::Step| matches!(step.verb, crate::answer::Verb::Create | crate::answer::Verb::Apply);
    played.steps.iter().filter(sent).map(|step| step.object.as_ref().unwrap().name.as_str()).collect()
}

/// `1 superseded, 2 deployed`.
fn history(played: &Played) -> String {
    let revisions = played.history.iter().map(|kept| format!("{} {}", kept.revision, kept.status));
    revisions.collect::<Vec<_>>().join(", ")
}

/// `Job/x ConfigMap/y`.
fn left(played: &Played) -> String {
    played.leftovers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn succeeds(played: &Played) {
    assert_eq!((played.exit, played.error.as_deref()), (0, None), "{:#?}", played.steps);
}

#[track_caller]
fn fails(played: &Played, error: &str) {
    assert_eq!((played.exit, played.error.as_deref()), (1, Some(error)), "{:#?}", played.steps);
}

/// The result and the message of the only wait.
#[track_caller]
fn wait(played: &Played) -> (StepResult, &str, f64) {
    let waits: Vec<_> = played.steps.iter().filter(|step| step.verb == crate::answer::Verb::Wait).collect();
    let [only] = waits[..] else { panic!("{waits:#?}") };
    (only.result, only.message.as_deref().unwrap_or_default(), only.at)
}

fn seconds(flags: &mut Flags, timeout: u64) {
    flags.timeout = Duration::from_secs(timeout);
}

fn wait_for_resources(flags: &mut Flags) {
    flags.wait = Wait::Watcher;
}
