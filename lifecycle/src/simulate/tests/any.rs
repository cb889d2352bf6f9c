//! What holds for every release.

use std::fmt::Write as _;

use hooks::Event;
use proptest::prelude::*;

use super::*;
use crate::answer::{Step, Verb};

const KINDS: [&str; 9] = [
    "Job",
    "Pod",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "PersistentVolumeClaim",
    "Namespace",
    "Widget",
    "List",
];

const POLICIES: [Option<&str>; 7] = [
    None,
    Some("before-hook-creation"),
    Some("hook-succeeded"),
    Some("hook-failed"),
    Some("before-hook-creation,hook-succeeded"),
    Some("hook-succeeded,hook-failed"),
    Some("never"),
];

const ACTIONS: [Action; 5] =
    [Action::Install, Action::Upgrade, Action::Rollback, Action::Uninstall, Action::Test];

prop_compose! {
    /// One document of a chart; few names, so that they meet.
    fn hook()(
        kind in prop::sample::select(&KINDS[..]),
        name in "[ab]",
        events in prop::sample::subsequence(&Event::ALL[..], 1..4),
        weight in -1_i64..2,
        policy in prop::sample::select(&POLICIES[..]),
        outcome in prop::sample::select(&["ok", "ok", "fail", "hang"][..]),
        deadline in prop::option::of(5_u32..40),
        limit in 0_u32..3,
        ttl in prop::option::of(0_u32..20),
    ) -> String {
        let events: Vec<_> = events.iter().map(|event| event.name()).collect();
        let mut text = format!(
            "---\n# Source: shop/templates/{kind}-{name}.yaml\nkind: {kind}\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {}\n    helm.sh/hook-weight: \"{weight}\"\n",
            events.join(","),
        );
        if let Some(policy) = policy {
            writeln!(text, "    helm.sh/hook-delete-policy: {policy}").unwrap();
        }
        let pods = format!("{{metadata: {{annotations: {{hookward.dev/outcome: {outcome}}}}}, spec: {{restartPolicy: Never}}}}");
        match kind {
            "Job" => {
                writeln!(text, "apiVersion: batch/v1\nspec:\n  backoffLimit: {limit}\n  template: {pods}").unwrap();
                for (field, value) in [("activeDeadlineSeconds", deadline), ("ttlSecondsAfterFinished", ttl)] {
                    if let Some(value) = value {
                        writeln!(text, "  {field}: {value}").unwrap();
                    }
                }
            }
            "Pod" => writeln!(text, "    hookward.dev/outcome: {outcome}\napiVersion: v1\nspec: {{restartPolicy: Never}}").unwrap(),
            "List" => writeln!(text, "apiVersion: v1\nitems:\n- {{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}}}, spec: {{backoffLimit: 0, template: {pods}}}}}\n- {{apiVersion: batch/v1, kind: Job, metadata: {{name: c}}, spec: {{template: {{spec: {{restartPolicy: Never}}}}}}}}").unwrap(),
            "Widget" => text.push_str("apiVersion: example.com/v1\n"),
            _ => text.push_str("apiVersion: v1\n"),
        }
        text
    }
}

prop_compose! {
    fn flags()(no_hooks in prop::bool::weighted(0.1), rollback_on_failure: bool, watches: bool, keep_history: bool, timeout in 1_u64..60) -> Flags {
        Flags {
            no_hooks,
            rollback_on_failure,
            wait: if watches { Wait::Watcher } else { Wait::HookOnly },
            keep_history,
            timeout: Duration::from_secs(timeout),
            ..Flags::default()
        }
    }
}

/// Commands on one release, install first.
fn commands() -> impl Strategy<Value = Vec<Command>> {
    let chart = prop::collection::vec(hook().boxed(), 0..6)
        .prop_map(|hooks| {
            let ordinary = "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}\n";
            Arc::new(Chart::read(&(hooks.concat() + ordinary), "demo").unwrap())
        })
        .boxed();
    let command = move |action: BoxedStrategy<Action>| {
        (action, chart.clone(), flags().boxed()).prop_map(|(action, chart, flags)| Command {
            action,
            chart: Some(chart),
            flags,
            outcomes: Outcomes::new(),
        })
    };
    let first = command(Just(Action::Install).boxed());
    let next = prop::collection::vec(command(prop::sample::select(&ACTIONS[..]).boxed()), 0..5);
    (first, next).prop_map(|(first, mut next)| {
        next.insert(0, first);
        next
    })
}

/// Those that run Helm.
fn helms() -> impl Strategy<Value = Profile> {
    prop::sample::select(&["3", "4", "flux"][..]).prop_map(|word| Profile::find(word).unwrap())
}

fn profile() -> impl Strategy<Value = Profile> {
    prop::sample::select(&["3", "4", "flux", "argocd"][..]).prop_map(|word| Profile::find(word).unwrap())
}

fn play(profile: Profile, commands: &[Command]) -> Vec<Played> {
    let mut simulation = Simulation::new(profile, "demo", "demo");
    commands.iter().map(|command| simulation.play(command)).collect()
}

/// The steps of one event, run by run: an event may come again in the same action where a rollback follows.
fn hooks_of(steps: &[Step]) -> impl Iterator<Item = &[Step]> {
    steps.chunk_by(|one, other| one.event == other.event).filter(|steps| steps[0].event.is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_same_commands_have_the_same_answer(profile in profile(), commands in commands()) {
        prop_assert_eq!(play(profile, &commands), play(profile, &commands));
    }

    #[test]
    fn an_error_is_said_if_and_only_if_the_command_fails(profile in profile(), commands in commands()) {
        for played in play(profile, &commands) {
            prop_assert_eq!(played.exit != 0, played.error.is_some());
            prop_assert!(played.error.is_none_or(|error| !error.is_empty() && !error.contains('\n')));
        }
    }

    #[test]
    fn steps_come_in_the_order_of_time(profile in profile(), commands in commands()) {
        for played in play(profile, &commands) {
            prop_assert!(played.steps.is_sorted_by(|one, other| one.at <= other.at), "{:?}", played.steps);
            prop_assert!(played.steps.iter().all(|step| step.at >= 0.0));
        }
    }

    #[test]
    fn without_hooks_no_hook_is_touched(profile in helms(), commands in commands()) {
        for (command, played) in commands.iter().zip(play(profile, &commands)) {
            if command.flags.no_hooks && command.action != Action::Test {
                prop_assert!(played.steps.iter().all(|step| step.event.is_none()), "{:?}", played.steps);
            }
        }
    }

    #[test]
    fn revisions_are_counted_upwards_and_one_at_most_is_deployed(profile in helms(), commands in commands()) {
        for played in play(profile, &commands) {
            prop_assert!(played.history.is_sorted_by(|one, other| one.revision < other.revision));
            let deployed = played.history.iter().filter(|revision| revision.status == "deployed");
            prop_assert!(deployed.count() <= 1, "{:?}", played.history);
        }
    }

    #[test]
    fn leftovers_are_sorted(profile in profile(), commands in commands()) {
        for played in play(profile, &commands) {
            prop_assert!(played.leftovers.is_sorted_by(|one, other| one.sort_key() <= other.sort_key()));
        }
    }

    #[test]
    fn nothing_more_is_created_for_an_event_once_a_hook_of_it_failed(profile in helms(), commands in commands()) {
        for played in play(profile, &commands) {
            for steps in hooks_of(&played.steps) {
                let is_failure = |step: &Step| matches!(step.result, StepResult::Failed | StepResult::Timeout | StepResult::Denied);
                let after = steps.iter().skip_while(|step| !is_failure(step)).skip(1);
                // The second item of a list is sent whatever became of the first.
                let is_second = |step: &Step| step.object.as_ref().is_some_and(|object| object.name == "c");
                let is_sent = |step: &&Step| matches!(step.verb, Verb::Create | Verb::Apply) && !is_second(step);
                let sent = after.filter(is_sent).count();
                prop_assert_eq!(sent, 0, "{:?}", steps);
            }
        }
    }

    #[test]
    fn a_test_run_changes_no_status(profile in helms(), commands in commands()) {
        let mut history = Vec::new();
        for played in play(profile, &commands) {
            if played.action == Action::Test {
                prop_assert_eq!(&played.history, &history);
            }
            history = played.history;
        }
    }

    #[test]
    fn one_wait_never_takes_longer_than_the_timeout(profile in helms(), commands in commands()) {
        for (command, played) in commands.iter().zip(play(profile, &commands)) {
            let timeout = command.flags.timeout.as_secs_f64();
            for pair in played.steps.windows(2) {
                // A look that has begun is finished: kstatus and the polls are late by one look at most.
                prop_assert!(pair[1].at - pair[0].at <= 2.0 * timeout + 5.0, "{pair:?}");
            }
        }
    }
}
