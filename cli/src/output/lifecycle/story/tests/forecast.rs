//! What a story says of the next action, beside what that action then does.

use std::fmt::Write;

use lifecycle::{
    Step,
    answer::{StepResult, Verb},
    command::Wait,
};
use proptest::prelude::*;

use super::*;
use crate::output::lifecycle::story::{fate::Fate, next::Part};

const POLICIES: [&str; 6] = [
    "before-hook-creation",
    "hook-succeeded",
    "hook-failed",
    "before-hook-creation,hook-succeeded",
    "before-hook-creation,hook-failed",
    "never",
];
const EVENTS: [&str; 6] = [
    "pre-install,pre-upgrade",
    "post-install,post-upgrade",
    "pre-upgrade",
    "post-upgrade",
    "pre-upgrade,pre-rollback",
    "test",
];
const KINDS: [&str; 7] = ["Job", "Job", "Job", "Pod", "ConfigMap", "PersistentVolumeClaim", "Namespace"];

/// The resources of the release: one of them uses a claim that may be a hook's.
const RESOURCES: &str = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: own}}\n---\n\
    {apiVersion: apps/v1, kind: Deployment, metadata: {name: own}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: \
    {labels: {a: b}}, spec: {containers: [{name: a, image: a}], volumes: [{name: v, persistentVolumeClaim: {claimName: h0}}]}}}}\n";

prop_compose! {
    /// A hook whose name is not known yet.
    fn hook()(
        kind in prop::sample::select(&KINDS[..]),
        events in prop::sample::select(&EVENTS[..]),
        weight in 0_i64..3,
        policy in prop::option::of(prop::sample::select(&POLICIES[..])),
        limit in 0_u32..2,
        field in prop::sample::select(&["name", "name", "name", "name", "generateName"][..]),
    ) -> (&'static str, &'static str, String) {
        let mut text = format!("    helm.sh/hook: {events}\n    helm.sh/hook-weight: \"{weight}\"\n");
        if let Some(policy) = policy {
            writeln!(text, "    helm.sh/hook-delete-policy: {policy}").unwrap();
        }
        let rest = match kind {
            "Job" => format!("apiVersion: batch/v1\nspec: {{backoffLimit: {limit}, template: {{spec: {{restartPolicy: Never}}}}}}\n"),
            "Pod" => "apiVersion: v1\nspec: {restartPolicy: Never}\n".to_owned(),
            _ => "apiVersion: v1\n".to_owned(),
        };
        (kind, field, text + &rest)
    }
}

fn chart() -> impl Strategy<Value = String> {
    prop::collection::vec(hook(), 1..5).prop_map(|hooks| {
        let written = hooks.iter().enumerate().map(|(place, (kind, field, rest))| {
            format!(
                "---\n# Source: shop/templates/h{place}.yaml\nkind: {kind}\nmetadata:\n  {field}: h{place}\n  annotations:\n{rest}"
            )
        });
        written.collect::<String>() + RESOURCES
    })
}

type Ends = Vec<(usize, &'static str)>;

prop_compose! {
    fn step()(
        action in prop::sample::select(&[Action::Upgrade, Action::Upgrade, Action::Upgrade, Action::Rollback, Action::Uninstall, Action::Test][..]),
        ends in prop::collection::vec((0_usize..5, prop::sample::select(&["fail", "hang"][..])), 0..3),
    ) -> (Action, Ends) {
        (action, ends)
    }
}

prop_compose! {
    fn flags()(watches in prop::bool::weighted(0.3), rollback_on_failure in prop::bool::weighted(0.2)) -> Flags {
        Flags { wait: if watches { Wait::Watcher } else { Wait::HookOnly }, rollback_on_failure, ..Flags::default() }
    }
}

fn played_on(helm: &str, chart: &str, flags: &Flags, steps: &[(Action, Ends)]) -> Rehearsed {
    let profile = Profile::find(helm).unwrap();
    let chart = Arc::new(Chart::read_by(profile.engine, chart, "default").unwrap());
    let mut stage = Stage::new(profile, "shop", "default");
    for (action, ends) in steps {
        let outcomes = ends.iter().flat_map(|(place, how)| {
            ["Job", "Pod"].map(|kind| (format!("{kind}/h{place}"), how.parse().unwrap()))
        });
        let outcomes: Outcomes = outcomes.collect();
        let takes = matches!(action, Action::Install | Action::Upgrade);
        let chart = takes.then(|| chart.clone());
        stage.play(&Command { action: *action, chart, flags: flags.clone(), outcomes });
        // What goes has gone when the next one begins.
        stage.rest(std::time::Duration::from_secs(60));
    }
    let (answer, asked) = stage.finish(0);
    Rehearsed { answer, asked, ..played(helm, &[], &[], &Flags::default()) }
}

/// The action that a story speaks of, if it speaks of one.
fn next_of(story: &Story<'_>) -> Option<Action> {
    let deployed = || story.played.history.iter().any(|revision| revision.status == "deployed");
    match story.status() {
        _ if story.engine == Engine::ArgoCd => Some(Action::Upgrade),
        "no release" => Some(Action::Install),
        "uninstalled" => None,
        "uninstalling" if !deployed() => None,
        status if status.starts_with("pending") => None,
        _ if story.played.action == Action::Test => Some(Action::Test),
        _ => Some(Action::Upgrade),
    }
}

/// What was done to an object, or would be said of it: `None` where nothing is worth a word.
fn met(steps: &[Step], id: &ObjectId) -> Option<Fate> {
    let own: Vec<_> =
        steps.iter().filter(|step| step.object.as_ref().is_some_and(|one| one.is_same(id))).collect();
    let first = own.first()?;
    // Under a new name, what is left of an earlier one is not met.
    if id.name.ends_with('*') && first.verb != Verb::Delete {
        return None;
    }
    let wait = own
        .iter()
        .find(|step| step.verb == Verb::Wait)
        .map(|step| (step.result, step.message.as_deref().unwrap_or_default()));
    let (deleted, sent) = match own.as_slice() {
        [one, ..] if one.verb != Verb::Delete => (None, Some(one)),
        [delete, rest @ ..] => (Some(delete.result), rest.iter().find(|step| step.verb != Verb::Delete)),
        [] => return None,
    };
    let said = sent.and_then(|step| step.message.as_deref()).unwrap_or_default();
    Some(match (deleted, sent.map(|step| step.result), wait) {
        (Some(StepResult::Absent), ..) => return None,
        (Some(StepResult::Timeout), ..) => Fate::Held,
        (Some(StepResult::Ok), None, None) => Fate::Deleted,
        (Some(StepResult::Ok), Some(StepResult::Ok), None) if said.starts_with("onto") => Fate::Lost,
        (Some(StepResult::Ok), Some(StepResult::Ok), Some((StepResult::Failed | StepResult::Timeout, _)))
            if said.starts_with("onto") =>
        {
            Fate::NeverRuns
        }
        (Some(StepResult::Ok), Some(StepResult::Ok), None) => Fate::MadeAgain,
        (Some(StepResult::Ok), Some(StepResult::Ok), Some((result, _))) if result != StepResult::Stale => {
            Fate::RunsAgain
        }
        (None, Some(StepResult::Ok), Some((StepResult::Stale, why))) if why.contains("succeeded") => {
            Fate::MayNotRun
        }
        (None, Some(StepResult::Ok), Some((StepResult::Stale, _))) => Fate::FailsStill,
        (None, Some(StepResult::Ok), Some(_)) if said.contains("is the same") => Fate::Hangs,
        (None, Some(StepResult::Failed), _) if said.contains("already exists") => Fate::Exists,
        (None, Some(StepResult::Failed), _) => Fate::Refused,
        (None, Some(StepResult::Ok), None) if said.contains("is the same") => return None,
        _ => panic!("{first:?} and what follows has no name: {own:#?}"),
    })
}

fn is_failure(step: &Step) -> bool {
    matches!(step.result, StepResult::Failed | StepResult::Timeout)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_forecast_was_not_what_the_next_action_did(
        helm in prop::sample::select(&["3", "4", "4", "flux", "argocd"][..]),
        chart in chart(),
        flags in flags(),
        ends in prop::collection::vec((0_usize..5, prop::sample::select(&["fail", "hang"][..])), 0..2),
        steps in prop::collection::vec(step(), 0..3),
    ) {
        let mut steps = steps;
        steps.insert(0, (Action::Install, ends));
        let scenario = played_on(helm, &chart, &flags, &steps);
        let story = last(&scenario);
        let Some(action) = next_of(&story).filter(|_| story.asked.is_some_and(|asked| asked.chart.is_some())) else { return Ok(()) };
        let parts = story.forecast(action);
        steps.push((action, Vec::new()));
        let then = played_on(helm, &chart, &flags, &steps);
        let next = then.answer.actions.last().unwrap();
        let all = (story.notes(), next);
        // What takes a failure back is not spoken of.
        let takes_back = |step: &Step| step.event.is_some_and(Event::is_recovery);
        let steps = next.steps.split(takes_back).next().unwrap_or_default();
        let mut said = Vec::new();
        let ends = parts.iter().flat_map(|part| &part.objects).filter(|(fate, _)| fate.is_the_end());
        let ends: Vec<_> = ends.flat_map(|(_, ids)| ids).collect();
        // It may fail before it comes so far, of what is not left.
        let is_foreseen = steps.iter().filter(|step| is_failure(step)).all(|step| {
            step.object.as_ref().is_some_and(|id| ends.iter().any(|end| end.is_same(id)))
        });
        for Part { after, objects } in &parts {
            for (fate, id) in objects.iter().flat_map(|(fate, ids)| ids.iter().map(move |id| (*fate, *id))) {
                let met = met(steps, id);
                let is_unmet = met.is_none() && (after.is_some() || !is_foreseen);
                prop_assert!(met == Some(fate) || is_unmet, "{fate:?} was {met:?} of {id} in {all:#?}");
                said.push(id);
            }
        }
        for id in story.played.leftovers.iter().filter(|id| !said.iter().any(|one| one == id)) {
            if !story.is_going(id) {
                prop_assert_eq!(met(steps, id), None, "{} of {:#?}", id, all);
            }
        }
        prop_assert!(ends.is_empty() || next.exit != 0, "{:#?}", all);
    }
}
