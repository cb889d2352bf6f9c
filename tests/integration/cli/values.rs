//! Values on their way to helm; that it understands the flags is for the tests with the real one.

use super::{Files, PLAIN, Ran, SUSPENDED, charts, hookward_with};

/// A chart, and a helm that keeps what it is given on its standard input, one line for each time it is run.
fn chart() -> Files {
    let files = charts::chart(PLAIN, "", 0);
    let (args, input, out) = (files.path("args"), files.path("input"), files.path("stdout"));
    files.write(
        "helm",
        format!("#!/bin/sh\necho \"$@\" >> {args}\ncat >> {input}\necho >> {input}\ncat {out}\n"),
    );
    files
}

fn ran(files: &Files, command: &str, stdin: &str, more: &[&str]) -> Ran {
    let flag = if command == "plan" { "--helm-bin" } else { "--helm" };
    let (path, helm) = (files.path("shop"), files.path("helm"));
    let arguments = [command, &path, flag, &helm, "--format", "json"];
    hookward_with(stdin, arguments.into_iter().chain(more.iter().copied()))
}

#[test]
fn values_on_the_standard_input_were_left_out() {
    for flags in [&["-f", "-"][..], &["--values", "a.yaml,-"], &["--set-file", "a=b,c=-"]] {
        for command in ["check", "try", "plan"] {
            let files = chart();
            let ran = ran(&files, command, "a: b", flags);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let input = std::fs::read_to_string(files.path("input")).unwrap();
            assert!(!input.is_empty() && input.lines().all(|line| line == "a: b"), "{command} {input:?}");
        }
    }
    let files = chart();
    assert_eq!(ran(&files, "check", "a: b", &["-f", "v.yaml"]).code, 0);
    assert_eq!(std::fs::read_to_string(files.path("input")).unwrap(), "\n", "nobody asked for it");
}

#[test]
fn the_standard_input_was_both_values_and_manifests() {
    let files = chart();
    for command in ["check", "try", "plan"] {
        let ran = ran(&files, command, SUSPENDED, &["-", "-f", "-"]);
        assert_eq!(ran.code, 2, "{}", ran.stdout);
        let errors = ran.errors();
        assert!(errors.len() == 1 && errors[0].2.contains("can be read only once"), "{errors:?}");
    }
}

#[test]
fn values_that_are_no_text_are_told() {
    let files = chart();
    let ran = ran(&files, "check", "a: \0", &["-f", "-"]);
    assert!(ran.code == 2 && ran.errors()[0].2.contains("binary"), "{}", ran.stdout);
}

#[test]
fn values_in_json_and_to_the_letter_were_refused() {
    let files = chart();
    let flags = ["--set-json", r#"a={"b":[1,2]}"#, "--set-literal", "c=d,e"];
    for command in ["check", "try", "plan"] {
        assert_eq!(ran(&files, command, "", &flags).code, 0);
    }
    let said = std::fs::read_to_string(files.path("args")).unwrap();
    assert!(said.lines().count() >= 3, "{said}");
    for line in said.lines() {
        assert!(line.contains(r#"--set-json a={"b":[1,2]} --set-literal c=d,e"#), "{line}");
    }
}

#[test]
fn what_helm_is_told_had_no_effect_on_rendered_manifests_in_silence() {
    let note = |command: &str, more: &[&str]| {
        let ran = hookward_with(PLAIN, [command, "-"].iter().chain(more).copied());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    for command in ["check", "try"] {
        let wanted = "note: --values, --set, --helm have no effect: nothing here is a chart\n";
        assert_eq!(note(command, &["--set", "a=b", "-f", "v.yaml", "--helm", "helm3"]), wanted);
        let wanted = "note: --api-versions has no effect: nothing here is a chart\n";
        assert_eq!(note(command, &["-a", "batch/v1"]), wanted);
        assert_eq!(note(command, &[]), "");
        let files = chart();
        assert_eq!(ran(&files, command, "", &["--set", "a=b"]).stderr, "");
    }
}

#[test]
fn values_had_no_effect_on_rendered_manifests_in_a_plan_or_a_rollout_in_silence() {
    let flags = ["--set", "a=b", "-f", "v.yaml", "--helm-bin", "helm9"];
    let wanted = "note: --values, --set, --helm-bin have no effect: nothing here is a chart\n";
    let plan = |more: &[&str]| hookward_with(PLAIN, ["plan", "-"].iter().chain(more).copied()).stderr;
    assert_eq!((plan(&flags).as_str(), plan(&[]).as_str()), (wanted, ""));
    let files = chart();
    let (chart, helm) = (files.path("shop"), files.path("helm"));
    assert_eq!(plan(&["--previous", &chart, "--helm-bin", &helm, "--set", "a=b"]), "");

    files.write("plain.yaml", PLAIN);
    files.write("v.yaml", "");
    let scenario = "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {name: a}\nspec:\n  release: a\n  namespace: b\n  steps:\n  - install: {chart: plain.yaml, set: [a=b], values: [v.yaml]}\n  - upgrade: {chart: shop, set: [a=b]}\n";
    files.write("rollout.yaml", scenario);
    let ran = hookward_with("", ["rollout", &files.path("rollout.yaml"), "--helm-bin", &helm]);
    let wanted = "note: rollout.yaml:8:22: values, set have no effect: nothing here is a chart\n";
    assert_eq!(files.relative(&ran.stderr), wanted);
}

#[test]
fn a_version_of_helm_was_taken_for_a_program_without_a_hint() {
    let files = chart();
    for (command, flag, hint) in [
        ("check", "--helm", "engine.helmVersion in a file for --policy"),
        ("try", "--helm", "engine.helmVersion in a file for --policy"),
        ("plan", "--helm-bin", "--helm-bin names a program"),
    ] {
        let ran = hookward_with("", [command, &files.path("shop"), flag, "4", "--format", "json"]);
        let (file, _, message) = &ran.errors()[0];
        assert!(ran.code == 2 && file == "4" && message.contains(hint), "{message}");
    }
}
