//! What people get wrong in a scenario, in what it plays, and on the command line of `rollout`: each told once, where it stands.

use serde_json::json;

use super::{Files, Ran, charts, hookward, rollout::scenario};
use crate::architecture::root;

fn job(name: &str, annotations: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, annotations: {{helm.sh/hook: 'pre-install,pre-upgrade'}}}}
spec:
  template:
    metadata:
      annotations: {{{annotations}}}
    spec: {{restartPolicy: Never}}
"
    )
}

/// Plays all files of `s/`, with the texts of errors and notes relative to the folder.
fn play(files: &Files, names: &[&str], flags: &[&str]) -> Ran {
    let paths: Vec<_> = names.iter().map(|name| files.path(name)).collect();
    let words = ["rollout", "--format", "json"].into_iter().chain(paths.iter().map(String::as_str));
    let mut ran = hookward(words.chain(flags.iter().copied()));
    ran.stdout = files.relative(&ran.stdout);
    ran.stderr = files.relative(&ran.stderr);
    ran
}

/// How many scenarios were played.
fn played(ran: &Ran) -> usize {
    ran.json()["scenarios"].as_array().unwrap().len()
}

fn install(chart: &str) -> String {
    scenario(&format!("  - install: {{chart: {chart}}}\n"))
}

#[test]
fn an_outcome_that_is_no_text_was_taken_for_a_success() {
    let both =
        format!("{}---\n{}", job("a", "hookward.dev/outcome: 5"), job("b", "hookward.dev/outcome: Fail"));
    let files = Files::new(&[
        ("bad.yaml", &both),
        ("good.yaml", &job("a", "")),
        ("x.yaml", &install("bad.yaml")),
        ("y.yaml", &install("good.yaml")),
    ]);
    let ran = play(&files, &["x.yaml", "y.yaml"], &[]);
    assert_eq!((ran.code, played(&ran)), (2, 1), "the other one is played");
    let asked = "is no outcome: say ok, fail, hang, or how long it takes to succeed, as in 90s";
    let wanted = [
        format!(
            "error: bad.yaml:7:21: Job \"a\": annotation hookward.dev/outcome: 5 {asked} (for x.yaml:8:22)\n"
        ),
        format!(
            "error: bad.yaml:16:21: Job \"b\": annotation hookward.dev/outcome: \"Fail\" {asked}; did you mean \"fail\"? (for x.yaml:8:22)\n"
        ),
    ];
    assert_eq!(ran.stderr, wanted.concat());
    let planned = hookward(["plan", &files.path("bad.yaml")]);
    assert_eq!((planned.code, planned.stderr.lines().count()), (2, 2), "{}", planned.stderr);
    assert!(
        files.relative(&planned.stderr).starts_with("error: bad.yaml:7:21: Job \"a\""),
        "{}",
        planned.stderr
    );
}

#[test]
fn an_outcome_in_a_template_is_told_where_it_is_written() {
    let template = job("a", "hookward.dev/outcome: nope");
    let files = charts::chart(&format!("---\n# Source: shop/templates/job.yaml\n{template}"), "", 0);
    files.write("shop/templates/job.yaml", format!("{{{{- /* a template */}}}}\n\n{template}"));
    let ran = hookward(["plan", &files.path("shop"), "--helm-bin", &files.path("helm")]);
    assert!(
        files.relative(&ran.stderr).starts_with("error: shop/templates/job.yaml:9:21: Job \"a\": annotation"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_outcome_on_the_job_itself_was_passed_over_in_silence() {
    let text = job("a", "")
        .replace("annotations: {helm.sh/hook", "annotations: {hookward.dev/outcome: fail, helm.sh/hook");
    let files = Files::new(&[("v1.yaml", &text), ("x.yaml", &install("v1.yaml"))]);
    let ran = play(&files, &["x.yaml"], &[]);
    let wanted = "note: v1.yaml:3:35: Job \"a\": annotation hookward.dev/outcome counts in the metadata of the pod template, not here\n";
    assert_eq!((ran.code, &*ran.stderr), (0, wanted));
}

#[test]
fn an_outcome_for_all_rollouts_was_wanted_in_each() {
    let files = Files::new(&[
        ("a.yaml", &job("migrate", "")),
        ("b.yaml", &job("warm", "")),
        (
            "c.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {helm.sh/hook: pre-install}}\n",
        ),
        ("x.yaml", &install("a.yaml")),
        ("y.yaml", &install("b.yaml")),
        ("z.yaml", &install("c.yaml")),
    ]);
    let play = |outcome| play(&files, &["x.yaml", "y.yaml", "z.yaml"], &["--outcome", outcome]);
    let ran = play("Job/warm=fail");
    let exits: Vec<_> = (0..3).map(|at| ran.json()["scenarios"][at]["actions"][0]["exit"].clone()).collect();
    assert_eq!((ran.code, exits, &*ran.stderr), (1, vec![json!(0), json!(1), json!(0)], ""));
    for (outcome, said) in [
        (
            "Job/warn=fail",
            "an outcome names Job/warn, and no such object is in the chart; did you mean \"Job/warm\"?",
        ),
        ("ConfigMap/c=fail", "ConfigMap/c has no pods, so nothing can become of them"),
    ] {
        let ran = play(outcome);
        assert_eq!((ran.code, played(&ran)), (2, 3), "the rest is played");
        assert_eq!(ran.stderr, format!("error: --outcome: {said}\n"));
    }
}

#[test]
fn a_slip_in_what_is_expected_failed_without_a_reason() {
    let steps = "  - install: {chart: v1.yaml}\n    expect: {hooks: [Job/migrat], leftovers: [Job/migrat]}\n";
    let files = Files::new(&[("v1.yaml", &job("migrate", "")), ("x.yaml", &scenario(steps))]);
    let ran = play(&files, &["x.yaml"], &[]);
    let note = "note: x.yaml:8:5: no hook is called Job/migrat; did you mean \"Job/migrate\"?\n";
    assert_eq!((ran.code, &*ran.stderr), (1, note));
    let without = "  - install: {chart: v1.yaml, noHooks: true}\n    expect: {hooks: [], leftovers: []}\n";
    files.write("y.yaml", scenario(without));
    assert_eq!(play(&files, &["y.yaml"], &[]).code, 0, "that there is none may be expected");
}

#[test]
fn what_a_scenario_names_and_is_not_there_was_told_in_another_file() {
    let steps = "  - install: {chart: ./v8, values: [a.yaml]}\n  - upgrade: {wait: true, chart: https://b.test/v9.tgz}\n";
    let files = Files::new(&[("s/x.yaml", &scenario(steps))]);
    let ran = play(&files, &["s/x.yaml"], &[]);
    let wanted = "error: s/x.yaml:8:22: there is no chart at s/v8
error: s/x.yaml:8:22: there is no file of values at s/a.yaml
error: s/x.yaml:9:34: there is no chart at https://b.test/v9.tgz; fetch it first: only what is on this disk is read
";
    assert_eq!((ran.code, &*ran.stderr), (2, wanted));
    let place = &ran.json()["errors"][0];
    assert_eq!((&place["file"], &place["line"]), (&json!("s/x.yaml"), &json!(8)));
}

#[test]
fn the_chart_that_a_scenario_lies_in_was_missing_and_had_no_name() {
    let files = Files::new(&[
        ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("x.yaml", &scenario("  - install: {chart: .}\n")),
        ("helm", &format!("#!/bin/sh\ncat <<END\n{}END\n", job("migrate", ""))),
    ]);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(files.path("helm"), mode).unwrap();
    let ran = std::process::Command::new(tests::server::program())
        .args(["rollout", "x.yaml", "--helm-bin", "./helm"])
        .current_dir(files.folder())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn a_library_chart_was_told_of_as_a_file_without_a_release() {
    let files =
        Files::new(&[("lib/Chart.yaml", "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n")]);
    let ran = hookward(["plan", &files.path("lib")]);
    assert_eq!(
        (ran.code, &*files.relative(&ran.stderr)),
        (2, "error: lib: a library chart renders nothing\n")
    );
}

#[test]
fn a_file_without_a_scenario_was_told_once_for_each_of_its_documents() {
    let shop = root().join("examples/shop.yaml").display().to_string();
    let ran = hookward(["rollout", &shop, "--format", "json"]);
    let errors = ran.errors();
    assert_eq!((ran.code, errors.len(), errors[0].1), (2, 1, Some(6)));
    assert_eq!(
        errors[0].2,
        "this is a file of Service, Deployment, Pod and 3 other kinds, not a RolloutScenario: that begins with apiVersion: hookward.dev/v1alpha1 and kind: RolloutScenario; hookward plan and hookward check read manifests"
    );
}

#[test]
fn files_that_cannot_be_read_keep_no_other_from_being_played() {
    let head = "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {name: x}\n";
    let good = install("../v1.yaml");
    let levels = (1..9)
        .map(|level| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", ")));
    let files = Files::new(&[
        ("v1.yaml", &job("migrate", "")),
        ("s/bom.yaml", &format!("\u{feff}{good}")),
        ("s/crlf.yaml", &good.replace('\n', "\r\n")),
        ("s/nul.yaml", &format!("{good}\0")),
        ("s/tab.yaml", &good.replace("  - install", "\t- install")),
        ("s/twice.yaml", &scenario("  - install: {chart: ../v1.yaml, chart: ../v1.yaml}\n")),
        ("s/bomb.yaml", &format!("{head}a0: &a0 [1]\n{}", levels.collect::<String>())),
        ("s/deep.yaml", &format!("{head}spec: {}{}\n", "[".repeat(9000), "]".repeat(9000))),
        ("s/values.yaml", "replicas: 1\n"),
    ]);
    let ran = play(&files, &["s"], &[]);
    let wanted = "error: s/bomb.yaml:10:10: this document cannot be read: document has too many values
error: s/deep.yaml:4:135: this document cannot be read: nested too deeply
error: s/nul.yaml:9: this is a binary file, not text (byte 159); give YAML or JSON in UTF-8
error: s/tab.yaml:8:2: this document cannot be read: tabs disallowed within this context (block indentation)
error: s/twice.yaml:8:34: written twice: chart
";
    assert_eq!((ran.code, played(&ran), &*ran.stderr), (2, 2, wanted));
}

#[test]
fn the_rollout_in_the_help_is_one() {
    let help = hookward(["rollout", "--help"]).stdout;
    let from = help.find("apiVersion: ").unwrap();
    let to = help.find("Exit codes: ").unwrap();
    let read = lifecycle::scenario::read(&help[from..to].replace("\n  ", "\n"));
    assert!(matches!(&read[..], [Ok(scenario)] if scenario.steps.len() == 3), "{read:?}");
}

#[test]
fn no_line_of_the_help_is_too_long_and_each_shows_an_example() {
    for command in ["rollout", "diagnose"] {
        let [long, short] = ["--help", "-h"].map(|flag| hookward([command, flag]).stdout);
        let too_long: Vec<_> =
            long.lines().chain(short.lines()).filter(|line| line.chars().count() > 100).collect();
        assert!(too_long.is_empty() && short.contains("Exit codes: 0 "), "{too_long:?}");
        assert!(long.contains(&format!("\nExamples:\n  hookward {command} ")), "{long}");
    }
}

#[test]
fn a_mistyped_filter_of_tests_passed_in_silence() {
    let tested = job("reachable", "").replace("pre-install,pre-upgrade", "test");
    let steps =
        |filter: &str| scenario(&format!("  - install: {{chart: a.yaml}}\n  - test: {{filter: {filter}}}\n"));
    let files = Files::new(&[
        ("a.yaml", &tested),
        ("good.yaml", &steps("name=reachable")),
        ("slip.yaml", &steps("name=reachabel")),
        ("bare.yaml", &steps("reachable")),
    ]);
    let ran = play(&files, &["good.yaml", "slip.yaml", "bare.yaml"], &[]);
    assert_eq!((ran.code, played(&ran)), (2, 2), "{}", ran.stderr);
    let wanted = "note: slip.yaml:9:5: no test is called reachabel; did you mean \"reachable\"?\n";
    assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    let wanted = "error: bare.yaml:9:20: write name=a for the test a alone";
    assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
}

#[test]
fn days_were_refused_without_a_word_of_hours() {
    let days = "there are no days, use hours: 24h";
    let step = "  - install: {chart: a.yaml}\n  - test: {}\n    after: 1d\n";
    let files = Files::new(&[("a.yaml", &job("a", "")), ("x.yaml", &scenario(step))]);
    let ran = play(&files, &["x.yaml"], &[]);
    let wanted = format!("error: x.yaml:10:12: \"1d\" is no duration; write it as 90s or 1m30s; {days}\n");
    assert_eq!((ran.code, &*ran.stderr), (2, &*wanted));
    for (flag, value) in [("--after", "1d"), ("--timeout", "2w"), ("--outcome", "Job/a=1d02h")] {
        let ran = hookward(["plan", &files.path("a.yaml"), flag, value]);
        assert!(ran.code == 2 && ran.stderr.contains(days), "{}", ran.stderr);
    }
    let slip = hookward(["plan", &files.path("a.yaml"), "--after", "5"]);
    assert!(slip.code == 2 && !slip.stderr.contains(days), "{}", slip.stderr);
}
