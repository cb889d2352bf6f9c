//! What a file may say, and where it is said what it may not.

use std::time::Duration;

use super::*;
use crate::{
    Outcome,
    command::Wait,
    scenario::{Expect, Newest},
};

const HEAD: &str = "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {name: x}\n";

#[track_caller]
fn scenario(spec: &str) -> Scenario {
    let mut read = read(&format!("{HEAD}{spec}"));
    assert_eq!(read.len(), 1);
    read.remove(0).unwrap()
}

#[track_caller]
fn steps(steps: &str) -> Vec<Step> {
    scenario(&format!("spec:\n  release: demo\n  namespace: demo\n  steps:\n{steps}")).steps
}

#[track_caller]
fn error(spec: &str) -> (usize, usize, String) {
    let Error { line, column, message, .. } = read(&format!("{HEAD}{spec}")).remove(0).unwrap_err();
    (line, column, message)
}

/// The error of the only step, with its line from that step on.
#[track_caller]
fn step_error(step: &str) -> (usize, usize, String) {
    let (line, column, message) =
        error(&format!("spec:\n  release: demo\n  namespace: demo\n  steps:\n{step}"));
    (line - 7, column, message)
}

#[test]
fn a_scenario_is_read_as_it_is_written() {
    let scenario = scenario(
        "spec:
  release: demo
  namespace: demo
  helm: \"4\"
  steps:
  - install: {chart: ./v1, timeout: 12s, values: a.yaml, set: [a=b]}
  - upgrade: {chart: ./v2, rollbackOnFailure: true}
    after: 5m
    outcomes: {Job/migrate: fail}
    expect: {exit: 1, status: deployed, hooks: [Job/migrate], leftovers: [Job/migrate]}
  - rollback: {to: 1}
  - test: {}
  - uninstall: {noHooks: true}
",
    );
    assert_eq!((&*scenario.name, &*scenario.release, &*scenario.namespace), ("x", "demo", "demo"));
    assert_eq!(scenario.profile().version, "4.2.4");
    let actions: Vec<_> = scenario.steps.iter().map(|step| step.action.name()).collect();
    assert_eq!(actions, ["install", "upgrade", "rollback", "test", "uninstall"]);
    let [install, upgrade, rollback, _, uninstall] = &scenario.steps[..] else { unreachable!() };
    assert_eq!(install.flags.timeout, Duration::from_secs(12));
    let source = install.chart.as_ref().unwrap();
    assert_eq!((source.values.len(), &source.set[..]), (1, &["a=b".to_owned()][..]));
    assert!(upgrade.flags.rollback_on_failure && upgrade.after == Duration::from_secs(300));
    assert!(matches!(upgrade.outcomes["Job/migrate"], Outcome::Fails(_)));
    let expect = upgrade.expect.as_ref().unwrap();
    assert_eq!((expect.exit, expect.status.clone()), (Some(1), Some(Newest::Status("deployed".to_owned()))));
    assert_eq!(rollback.flags.to, Some(1));
    assert!(uninstall.flags.no_hooks && uninstall.chart.is_none());
    assert_eq!(upgrade.place, (10, 5));
}

#[test]
fn a_file_holds_several_and_one_that_is_broken_does_not_hide_the_others() {
    let good = format!("{HEAD}spec: {{release: a, steps: [{{uninstall: {{}}}}]}}\n");
    let read = read(&format!("{good}---\nkind: ConfigMap\n---\na: b: c\n---\n{good}"));
    let lines: Vec<_> = read.iter().map(|read| read.as_ref().map_err(|error| error.line).err()).collect();
    assert_eq!(lines, [None, Some(6), Some(8), None]);
    assert_eq!(read[0].as_ref().unwrap().namespace, "default");
}

#[test]
fn an_unknown_field_is_refused_at_its_place_with_the_nearest_name() {
    let (line, column, message) = step_error("  - upgrade: {chart: a}\n    expct: {exit: 1}\n");
    assert_eq!((line, column), (2, 5), "{message}");
    assert_eq!(message, "unknown field \"expct\"; did you mean \"expect\"?");
    let (line, column, message) = step_error("  - upgrade:\n      chart: a\n      timout: 5s\n");
    assert_eq!((line, column), (3, 7), "{message}");
    assert_eq!(message, "unknown field \"timout\"; did you mean \"timeout\"?");
    let (_, _, message) = step_error("  - upgrade: {chart: a}\n    expect: {leftover: []}\n");
    assert_eq!(message, "unknown field \"leftover\"; did you mean \"leftovers\"?");
    let (line, _, message) = error("spec: {releas: demo, steps: []}\n");
    assert_eq!((line, &*message), (4, "unknown field \"releas\"; did you mean \"release\"?"));
}

#[test]
fn a_flag_of_another_action_is_refused() {
    assert!(step_error("  - uninstall: {rollbackOnFailure: true}\n").2.starts_with("unknown field"));
    assert!(step_error("  - install: {chart: a, to: 1}\n").2.starts_with("unknown field"));
}

#[test]
fn helm_3_has_another_word_for_rollback_on_failure() {
    assert!(steps("  - install: {chart: a, atomic: true}\n")[0].flags.rollback_on_failure);
    let (.., message) = step_error("  - install: {chart: a, atomic: true, atomic: false}\n");
    assert!(message.starts_with("written twice: "), "{message}");
}

#[test]
fn words_that_mean_nothing_are_refused_where_they_stand() {
    for (step, column, part) in [
        ("  - install: {chart: a, timeout: soon}\n", 34, "write it as 90s"),
        ("  - install: {chart: a, wait: perhaps}\n", 31, "no way to wait"),
        ("  - test: {}\n    outcomes: {Job/a: explode}\n", 23, "is no outcome"),
        ("  - test: {}\n    outcomes: {migrate: fail}\n", 16, "write Kind/name"),
        ("  - test: {}\n    expect: {hooks: [migrate]}\n", 22, "write Kind/name"),
        ("  - test: {}\n    expect: {status: deplyed}\n", 22, "did you mean \"deployed\"?"),
        ("  - test: {}\n    expect: {exit: one}\n", 20, "a whole number"),
        ("  - test: {filter: {a: b}}\n", 20, "a list of texts"),
        ("  - install: {chart: a, set: {tag: x}}\n", 30, "write set: [key=value]"),
        ("  - upgrade: {chart: a, setString: {tag: x}}\n", 36, "write setString: [key=value]"),
    ] {
        let (_, at, message) = step_error(step);
        assert!(message.contains(part) && at == column, "{step}: {at}: {message}");
    }
}

#[test]
fn a_step_is_one_action() {
    for step in ["  - after: 5m\n", "  - install: {chart: a}\n    uninstall: {}\n", "  -\n"] {
        let (line, column, message) = step_error(step);
        assert!(line == 1 && column <= 5 && message.starts_with("a step is one of"), "{step}: {message}");
    }
    assert_eq!(steps("  - uninstall:\n")[0].action, Action::Uninstall);
}

#[test]
fn waiting_is_said_by_a_truth_or_a_word() {
    let wait = |word: &str| steps(&format!("  - install: {{chart: a, wait: {word}}}\n"))[0].flags.wait;
    assert_eq!((wait("true"), wait("false")), (Wait::Watcher, Wait::HookOnly));
    assert_eq!((wait("legacy"), wait("watcher")), (Wait::Legacy, Wait::Watcher));
}

#[test]
fn a_number_will_do_for_helm_and_no_status_is_a_status() {
    let helm = |word: &str| scenario(&format!("spec: {{release: a, helm: {word}, steps: [test: ]}}\n")).helm;
    assert_eq!((helm("3"), helm("'4'"), helm("argocd")), ("3".into(), "4".into(), "argocd".into()));
    assert!(
        error("spec: {release: a, helm: agrocd, steps: [test: ]}\n").2.contains("did you mean \"argocd\"?")
    );
    let expect = |text: &str| {
        let step = steps(&format!("  - uninstall: {{}}\n    expect: {{{text}}}\n")).remove(0);
        step.expect.unwrap().status
    };
    assert_eq!((expect("status: null"), expect("exit: 0")), (Some(Newest::Absent), None));
}

#[test]
fn names_that_kubernetes_refuses_are_refused() {
    assert!(error("spec: {release: Demo_1, steps: [test: ]}\n").2.contains("no name that Helm gives"));
    assert!(
        error("spec: {release: a, namespace: a.b, steps: [test: ]}\n").2.contains("no name of a namespace")
    );
    assert!(error("spec: {release: a, steps: []}\n").2.contains("no step"));
    assert!(error("spec: {steps: [test: ]}\n").2.contains("there is no `release`"));
}

#[test]
fn another_kind_or_version_is_refused() {
    let of = |text: &str| read(text).remove(0).unwrap_err();
    let kind = of("apiVersion: v1\nkind: ConfigMap\n");
    assert_eq!((kind.line, kind.column, kind.is_foreign), (2, 7, true));
    assert!(of("apiVersion: hookward.dev/v9\nkind: RolloutScenario\n").message.contains("unknown version"));
}

#[test]
fn a_chart_without_a_path_was_the_folder_of_the_scenario() {
    let said = (1, 22, "name a chart, or a file of manifests".to_owned());
    assert_eq!(step_error("  - install: {chart: \"\"}\n"), said);
    assert_eq!(step_error("  - upgrade: {chart: \"\"}\n").2, said.2);
}

#[test]
fn a_null_was_told_in_the_words_of_programmers() {
    let (_, _, message) = step_error("  - install: {chart: }\n");
    assert!(message.contains("a text is wanted here") && !message.contains("Option"), "{message}");
}

#[test]
fn a_value_of_another_kind_was_told_without_its_field_and_what_is_wanted() {
    for (step, wanted) in [
        ("  - install: {chart: [a]}\n", "a text is wanted here: write chart: TEXT"),
        ("  - install: {chart: }\n", "a text is wanted here: write chart: TEXT"),
        ("  - rollback: {to: -1}\n", "a whole number is wanted here, not below 0: write to: 1"),
        ("  - rollback: 1\n", "a map is wanted here: write rollback: {…}"),
        ("  - test: {}\n    expect: {exit: one}\n", "a whole number is wanted here: write exit: 1"),
        ("  - test: {}\n    expect: {hooks: {a: b}}\n", "a list is wanted here: write hooks: […]"),
    ] {
        assert_eq!(step_error(step).2, wanted, "{step}");
    }
    let (.., message) = error("spec: {release: {a: b}, steps: [test: ]}\n");
    assert_eq!(message, "a text is wanted here: write release: TEXT");
}

#[test]
fn an_install_with_nothing_below_it_was_taken_for_a_step_without_an_action() {
    for (step, place) in [("  - install:\n", (1, 5)), ("  - {uninstall: {}, upgrade: }\n", (1, 21))] {
        let (line, column, message) = step_error(step);
        assert_eq!((line, column), place, "{message}");
        assert!(
            message.ends_with(" needs a chart: write install: {chart: PATH}") || place.1 == 21,
            "{message}"
        );
    }
}

#[test]
fn expectations_that_nothing_could_fail_were_taken_in_silence() {
    for (expect, column, part) in [
        ("", 5, "nothing is expected here: name exit, error, status, hooks or leftovers"),
        ("{}", 13, "nothing is expected here"),
        ("{exit: }", 14, "0 or 1"),
        ("{exit: -1}", 20, "no program exits with that"),
        ("{error: }", 14, "for none exit: 0"),
        ("{error: ''}", 21, "for any error expect exit: 1"),
        ("{hooks: }", 14, "write [] for none"),
        ("{leftovers: ~}", 14, "write [] for none"),
        ("{status: 5}", 22, "\"5\" is no status of a revision"),
    ] {
        let (line, at, message) = step_error(&format!("  - test: {{}}\n    expect: {expect}\n"));
        assert!((line, at) == (2, column) && message.contains(part), "{expect}: {line}:{at}: {message}");
    }
}

#[test]
fn that_there_is_no_hook_and_no_revision_may_be_expected() {
    let step = steps("  - test: {}\n    expect: {hooks: [], leftovers: [], status: ~}\n").remove(0);
    let none = Some(Vec::new());
    let wanted =
        Expect { hooks: none.clone(), leftovers: none, status: Some(Newest::Absent), ..Expect::default() };
    assert_eq!(step.expect, Some(wanted));
}

#[test]
fn the_place_of_a_chart_is_where_it_is_named() {
    let steps = steps("  - test: {}\n  - upgrade:\n      wait: true\n      chart: ./v2\n");
    let place = |index: usize| steps[index].chart.as_ref().map(|source| source.place);
    assert_eq!((place(0), place(1)), (None, Some((11, 14))));
}

#[test]
fn flags_that_the_tool_does_not_have_were_taken_in_silence() {
    let spec =
        |helm: &str, step: &str| format!("spec:\n  release: demo\n  helm: \"{helm}\"\n  steps:\n{step}\n");
    for (helm, step, part) in [
        ("argocd", "  - install: {chart: a, noHooks: true}", "noHooks: Argo CD never runs Helm"),
        ("argocd", "  - install: {chart: a, timeout: 5m}", "takes none of its flags"),
        ("3", "  - install: {chart: a, serverSide: true}", "no server-side apply"),
        ("3", "  - install: {chart: a, wait: legacy}", "one way to wait"),
        ("flux", "  - test: {logs: true}", "no logs"),
    ] {
        let (line, column, message) = error(&spec(helm, step));
        assert!(line == 8 && column > 12 && message.contains(part), "{step}: {line}:{column}: {message}");
    }
    for step in ["  - install: {chart: a, noHooks: false}", "  - rollback: {to: 1}"] {
        assert_eq!(scenario(&spec("argocd", step)).steps.len(), 1, "{step}");
    }
    let text = format!("{HEAD}{}", spec("4", "  - install: {chart: a, atomic: true}"));
    assert!(read_for(&text, Some("argocd")).remove(0).is_err());
    assert_eq!(read_for(&text, Some("3")).remove(0).unwrap().helm, "3");
}

#[test]
fn flux_waits_for_resources_unless_told_otherwise() {
    let wait = |helm: &str, how: &str| {
        let spec = format!("spec: {{release: a, helm: {helm}, steps: [install: {{chart: a{how}}}]}}\n");
        scenario(&spec).steps[0].flags.wait
    };
    assert_eq!((wait("flux", ""), wait("'4'", "")), (Wait::Watcher, Wait::HookOnly));
    assert_eq!(wait("flux", ", wait: false"), Wait::HookOnly);
}

#[test]
fn that_flux_should_not_wait_for_jobs_was_passed_over() {
    for action in ["install: {chart: a", "upgrade: {chart: a", "rollback: {to: 1"] {
        let jobs = |helm: &str, how: &str| {
            let spec = format!("spec: {{release: a, helm: {helm}, steps: [{action}{how}}}]}}\n");
            scenario(&spec).steps[0].flags.wait_for_jobs
        };
        assert!(!jobs("flux", ", waitForJobs: false") && jobs("flux", ""), "{action}");
        assert!(jobs("'4'", ", waitForJobs: true") && !jobs("'4'", ""), "{action}");
    }
}

#[test]
fn a_filter_that_helm_passes_over_ran_all_tests() {
    for filter in ["reachable", "name=", "'name=a,b'", "[name=a, kind=Job]"] {
        let (line, column, message) = step_error(&format!("  - test:\n      filter: {filter}\n"));
        assert_eq!((line, column), (2, 15), "{filter}: {message}");
        assert!(message.starts_with("write name=a for the test a alone"), "{filter}: {message}");
    }
    for filter in ["name=a", "'!name=a'", "[name=a, name=b]", "'name=a,name=b'"] {
        assert_eq!(steps(&format!("  - test: {{filter: {filter}}}\n")).len(), 1, "{filter}");
    }
}
