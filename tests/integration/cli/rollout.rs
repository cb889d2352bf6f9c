//! `rollout`: rollouts that are written down, played, and compared with what is expected.

use serde_json::{Value, json};

use super::{Files, PLAIN, Ran, charts, hookward, hookward_with};
use crate::architecture::root;

const MIGRATE: &str = "# Source: shop/templates/migrate.yaml
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}
spec: {backoffLimit: 0, ttlSecondsAfterFinished: 300, template: {spec: {restartPolicy: Never}}}
";

/// A scenario called `x` of these steps.
pub(super) fn scenario(steps: &str) -> String {
    format!(
        "apiVersion: hookward.dev/v1alpha1
kind: RolloutScenario
metadata: {{name: x}}
spec:
  release: demo
  namespace: demo
  steps:
{steps}"
    )
}

/// Plays steps beside a release `v1.yaml`.
fn play(steps: &str, flags: &[&str]) -> Ran {
    let files = Files::new(&[("v1.yaml", MIGRATE), ("x.yaml", &scenario(steps))]);
    let mut ran = hookward(["rollout", &files.path("x.yaml"), "--format", "json"].iter().chain(flags));
    ran.stdout = files.relative(&ran.stdout);
    ran
}

#[test]
fn flags_of_other_commands_were_taken_for_what_is_spelt_like_them() {
    for (flag, value, wanted) in [
        ("--fail-on", "deny", "expect: {exit: 0}"),
        ("--timeout", "1s", "timeout: 10m}"),
        ("--timeout", "-5s", "timeout: 10m}"),
        ("--set", "a=b", "set: [a=b]}"),
        ("--values", "a.yaml", "values: [values.yaml]}"),
        ("-f", "a.yaml", "values: [values.yaml]}"),
        ("-n", "shop", "spec: {namespace: shop}"),
        ("--release", "shop", "spec: {release: shop}"),
        ("--policy", "a.yaml", "hookward check"),
        ("--wait", "-v", "wait: true}"),
    ] {
        let ran = hookward(["rollout", "x.yaml", flag, value]);
        assert!(ran.code == 2 && ran.stderr.contains(wanted), "{}", ran.stderr);
        assert!(!ran.stderr.contains("similar"), "{}", ran.stderr);
    }
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn nothing_is_missing_and_nothing_is_new() {
    let ran = play("  - install: {chart: v1.yaml}\n    expect: {exit: 1, leftovers: [Job/migrate]}\n", &[]);
    let document = ran.json();
    assert_eq!((ran.code, keys(&document)), (1, vec!["errors", "scenarios", "version"]));
    let scenario = &document["scenarios"][0];
    assert_eq!(keys(scenario), ["actions", "expectations", "helm", "name", "namespace", "passed", "release"]);
    assert_eq!(
        [&scenario["name"], &scenario["passed"], &scenario["helm"]],
        [&json!("x"), &json!(false), &json!("4.2.4")]
    );
    let names = json!(["Job/migrate"]);
    assert_eq!(
        scenario["expectations"],
        json!([
            {"step": 0, "field": "exit", "expected": 1, "actual": 0, "ok": false},
            {"step": 0, "field": "leftovers", "expected": names, "actual": names, "ok": true},
        ])
    );
    let head = r#"{"version":1,"scenarios":[{"name":"x","passed":false,"helm":"4.2.4","release":"demo","namespace":"demo","actions":[{"action":"install","#;
    assert!(ran.stdout.starts_with(head) && ran.stdout.lines().count() == 1, "{}", ran.stdout);
}

#[test]
fn the_published_schema_describes_it() {
    let schema = cli::output::rollout_v1::schema().to_value();
    let names = |pointer: &str| keys(schema.pointer(pointer).unwrap());
    let document = play("  - install: {chart: v1.yaml}\n    expect: {exit: 0}\n", &[]).json();
    assert_eq!(names("/properties"), keys(&document));
    let scenario = &document["scenarios"][0];
    assert_eq!(names("/$defs/Scenario/properties"), keys(scenario));
    assert_eq!(names("/$defs/Expectation/properties"), keys(&scenario["expectations"][0]));
}

#[test]
fn the_examples_hold() {
    let folder = root().join("examples/rollouts").display().to_string();
    let ran = hookward(["rollout", &folder, "--format", "json"]);
    let document = ran.json();
    let scenarios = document["scenarios"].as_array().unwrap();
    let failed: Vec<_> = scenarios.iter().filter(|one| one["passed"] == false).collect();
    assert_eq!((ran.code, &failed[..], &*ran.stderr), (0, &[][..], ""));
    assert!(scenarios.len() >= 5);
}

#[test]
fn the_examples_tell_what_they_say() {
    let played = |name: &str| {
        let path = root().join("examples/rollouts").join(name).display().to_string();
        hookward(["rollout", &path, "--format", "json"]).json()["scenarios"][0]["actions"].clone()
    };
    let results = |action: &Value| {
        let steps = action["steps"].as_array().unwrap().iter();
        steps.map(|step| format!("{} {}", step["verb"], step["result"]).replace('"', "")).collect::<Vec<_>>()
    };
    let stale = played("stale-success.yaml");
    assert_eq!(results(&stale[1])[..2], ["apply ok", "wait stale"], "nothing ran, and all is well");
    let data = played("data-deleted-on-upgrade.yaml");
    assert_eq!(results(&data[1])[..2], ["delete ok", "create ok"], "the claim is another one");
    let wedged = played("pre-delete-wedges-uninstall.yaml");
    assert_eq!(wedged[2]["steps"], json!([]), "the upgrade is refused before anything is done");
    let back = played("failed-migration-rolls-back.yaml");
    assert_eq!(back[1]["history"].as_array().unwrap().len(), 3);
    let tested = played("test-after-upgrade.yaml");
    assert_eq!(tested[3]["exit"], 1);
}

#[test]
fn the_scenario_of_the_design_is_played() {
    let files = Files::new(&[
        ("v1.yaml", MIGRATE),
        ("v2.yaml", &MIGRATE.replace("backoffLimit: 0", "backoffLimit: 1")),
        (
            "x.yaml",
            &scenario(
                "  - install: {chart: ./v1.yaml, timeout: 12s}
  - upgrade: {chart: ./v2.yaml, rollbackOnFailure: true}
    outcomes: {Job/migrate: fail}
    expect: {exit: 1, status: deployed, hooks: [Job/migrate], leftovers: [Job/migrate]}
  - rollback: {to: 1}
  - test: {}
  - uninstall: {noHooks: true}
",
            ),
        ),
    ]);
    let ran = hookward(["rollout", &files.path("x.yaml"), "--format", "json"]);
    assert_eq!((ran.code, &ran.json()["scenarios"][0]["passed"]), (0, &json!(true)), "{}", ran.stdout);
    assert_eq!(ran.json()["scenarios"][0]["actions"].as_array().unwrap().len(), 5);
}

#[test]
fn a_step_of_which_nothing_is_expected_must_succeed() {
    let failing = "  - install: {chart: v1.yaml}\n    outcomes: {Job/migrate: fail}\n";
    let ran = play(failing, &[]);
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.json()["scenarios"][0]["expectations"],
        json!([{"step": 0, "field": "exit", "expected": 0, "actual": 1, "ok": false}])
    );
    let expected = play(&format!("{failing}    expect: {{status: failed}}\n"), &[]);
    assert_eq!(expected.code, 0, "{}", expected.stdout);
    let good = play("  - install: {chart: v1.yaml}\n", &[]);
    assert_eq!((good.code, &good.json()["scenarios"][0]["expectations"]), (0, &json!([])));
}

#[test]
fn the_steps_after_one_that_failed_are_played() {
    let ran =
        play("  - install: {chart: v1.yaml}\n    outcomes: {Job/migrate: fail}\n  - uninstall: {}\n", &[]);
    assert_eq!((ran.code, ran.json()["scenarios"][0]["actions"].as_array().unwrap().len()), (1, 2));
}

#[test]
fn time_passes_before_a_step() {
    let leftovers = |after: &str| {
        let ran = play(&format!("  - install: {{chart: v1.yaml}}\n  - test: {{}}\n{after}"), &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()["scenarios"][0]["actions"][1]["leftovers"].as_array().unwrap().len()
    };
    assert_eq!((leftovers(""), leftovers("    after: 6m\n")), (1, 0));
}

#[test]
fn the_command_line_beats_the_scenario_which_beats_the_annotation() {
    let annotated = MIGRATE
        .replace("{spec: {restart", "{metadata: {annotations: {hookward.dev/outcome: hang}}, spec: {restart");
    let exit = |outcomes: &str, flags: &[&str]| {
        let step = format!("  - install: {{chart: v1.yaml}}\n{outcomes}");
        let files = Files::new(&[("v1.yaml", &annotated), ("x.yaml", &scenario(&step))]);
        let ran = hookward(["rollout", &files.path("x.yaml"), "--format", "json"].iter().chain(flags));
        ran.json()["scenarios"][0]["actions"][0]["steps"][2]["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(exit("", &[]), "timeout");
    assert_eq!(exit("    outcomes: {Job/migrate: fail}\n", &[]), "failed");
    assert_eq!(exit("    outcomes: {Job/migrate: fail}\n", &["--outcome", "Job/migrate=ok"]), "ok");
}

#[test]
fn the_command_line_may_name_another_tool() {
    let step = "  - install: {chart: v1.yaml}\n";
    let helm = |flags: &[&str]| play(step, flags).json()["scenarios"][0]["helm"].as_str().unwrap().to_owned();
    assert_eq!((helm(&[]), helm(&["--helm", "3"])), ("4.2.4".into(), "3.21.4".into()));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_the_others_are_played() {
    let good = scenario("  - install: {chart: v1.yaml}\n");
    let files = Files::new(&[
        ("v1.yaml", MIGRATE),
        ("x.yaml", &format!("{}---\n{good}", scenario("  - install: {chart: v1.yaml, timout: 5s}\n"))),
    ]);
    let ran = hookward(["rollout", &files.path("x.yaml"), "--format", "json"]);
    assert_eq!((ran.code, ran.json()["scenarios"].as_array().unwrap().len()), (2, 1));
    let [(file, line, message)] = &ran.errors()[..] else { panic!("{}", ran.stdout) };
    assert_eq!((&*files.relative(file), *line), ("x.yaml", Some(8)));
    assert_eq!(message, "unknown field \"timout\"; did you mean \"timeout\"?");
    assert!(files.relative(&ran.stderr).starts_with("error: x.yaml:8:31: unknown field"), "{}", ran.stderr);
}

#[test]
fn an_outcome_of_nothing_is_a_slip() {
    let ran = play("  - install: {chart: v1.yaml}\n    outcomes: {Job/migrat: fail}\n", &[]);
    let (file, line, message) = ran.errors().remove(0);
    assert_eq!((ran.code, &*file, line), (2, "x.yaml", Some(8)));
    assert!(message.contains("did you mean \"Job/migrate\"?"), "{message}");
}

#[test]
fn a_folder_is_searched_for_scenarios_and_for_nothing_else() {
    let files = Files::new(&[
        ("all/x.yaml", &scenario("  - install: {chart: ../v1.yaml}\n")),
        ("all/plain.yaml", PLAIN),
        ("all/broken.yaml", "a: b: c\n"),
        ("all/chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("none/plain.yaml", PLAIN),
        ("v1.yaml", MIGRATE),
    ]);
    let ran = hookward(["rollout", &files.path("all"), "--format", "json"]);
    assert_eq!((ran.code, ran.json()["scenarios"].as_array().unwrap().len()), (0, 1), "{}", ran.stderr);
    let none = hookward(["rollout", &files.path("none"), "--format", "json"]);
    assert_eq!((none.code, &*none.errors()[0].2), (2, "no RolloutScenario in this folder"));
    let plain = hookward(["rollout", &files.path("none/plain.yaml"), "--format", "json"]);
    assert_eq!((plain.code, plain.errors()[0].1), (2, Some(2)), "{}", plain.stdout);
}

#[test]
fn the_standard_input_is_a_file_where_the_command_is_run() {
    let files = Files::new(&[("v1.yaml", MIGRATE)]);
    let step = format!("  - install: {{chart: {}}}\n", files.path("v1.yaml"));
    let ran = hookward_with(&scenario(&step), ["rollout", "-", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_bad_flag_leaves_a_document_with_the_reason() {
    let ran = play("  - test: {}\n", &["--bogus"]);
    assert_eq!((ran.code, ran.errors().len(), ran.json()["scenarios"].as_array().unwrap().len()), (2, 1, 0));
    assert_eq!(hookward(["rollout"]).code, 2);
    assert_eq!(hookward(["rollout", "missing.yaml"]).code, 2);
}

#[test]
fn charts_are_rendered_as_for_what_helm_would_do() {
    let files = charts::chart(&format!("---\n{MIGRATE}"), "", 0);
    files.write("helm", std::fs::read_to_string(files.path("helm")).unwrap().replace("> ", ">> "));
    files.write("values.yaml", "a: b\n");
    let steps = "  - upgrade: {chart: ./shop, install: true, values: [values.yaml], set: [c=d]}
  - upgrade: {chart: ./shop, install: true}
  - upgrade: {chart: ./shop, install: true}
  - uninstall: {}
  - upgrade: {chart: ./shop, install: true}
";
    files.write("x.yaml", scenario(steps));
    let ran =
        hookward(["rollout", &files.path("x.yaml"), "--helm-bin", &files.path("helm"), "--format", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stderr, ran.stdout);
    let said = std::fs::read_to_string(files.path("args")).unwrap();
    let is_upgrade: Vec<_> = said.lines().map(|line| line.contains("--is-upgrade")).collect();
    assert_eq!(is_upgrade, [false, true, false], "each version is rendered once: {said}");
    let first = said.lines().next().unwrap();
    for part in
        ["--namespace demo", &format!("--values {}", files.path("values.yaml")), "--set c=d", "-- demo "]
    {
        assert!(first.contains(part), "{part} in {first}");
    }
}

#[test]
fn several_formats_are_written_at_once() {
    let files = Files::new(&[("v1.yaml", MIGRATE), ("x.yaml", &scenario("  - install: {chart: v1.yaml}\n"))]);
    let paths = ["junit", "markdown", "html"].map(|format| (format, files.path(format)));
    let path = files.path("x.yaml");
    let more = paths.iter().flat_map(|(format, path)| ["--format", format, "-o", path]);
    let ran = hookward(["rollout", &path, "--format", "text"].into_iter().chain(more));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains('x') && paths.iter().all(|(_, path)| std::fs::metadata(path).unwrap().len() > 0)
    );
}

#[test]
fn what_helm_dropped_while_it_rendered_a_chart_was_told_of_plans_only() {
    let files = charts::chart(&format!("---\n{MIGRATE}"), charts::DROPPED_BY_4, 0);
    files.write("x.yaml", scenario("  - install: {chart: ./shop}\n"));
    let helm = files.path("helm");
    let plan = hookward(["plan", &files.path("shop"), "--helm-bin", &helm]);
    let rollout = hookward(["rollout", &files.path("x.yaml"), "--helm-bin", &helm, "-v"]);
    for ran in [plan, rollout] {
        assert_eq!((ran.code, ran.stdout.matches("dropped").count()), (0, 2), "{}", ran.stdout);
    }
}

#[test]
fn a_name_made_of_the_revision_was_simulated_as_if_it_never_changed() {
    let files = charts::chart(&format!("---\n{MIGRATE}"), "", 0);
    files.write("shop/templates/job.yaml", "metadata: {name: 'migrate-{{ .Release.Revision }}'}\n");
    std::fs::create_dir_all(files.path("shop/charts/db/templates")).unwrap();
    files.write("shop/charts/db/Chart.yaml", "name: db\n");
    files
        .write("shop/charts/db/templates/a.yaml", "{{ if lookup \"v1\" \"Secret\" \"a\" \"b\" }}{{ end }}\n");
    files.write(
        "x.yaml",
        scenario(
            "  - install: {chart: ./shop}\n  - upgrade: {chart: ./shop}\n  - upgrade: {chart: ./shop}\n",
        ),
    );
    let said = |path: &str, command: &str| {
        let ran = hookward([command, &files.path(path), "--helm-bin", &files.path("helm")]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        files.relative(&ran.stderr).replace("./", "")
    };
    let notes = "note: shop/charts/db/templates/a.yaml: uses lookup, which finds nothing here; Helm asks the cluster\n\
         note: shop/templates/job.yaml: uses .Release.Revision, which is rendered as 1 here whatever the revision is; \
         names made of it differ with each upgrade that Helm plays\n";
    assert_eq!((said("shop", "plan"), said("x.yaml", "rollout")), (notes.to_owned(), notes.to_owned()));
}

#[test]
fn a_broken_kubeconfig_was_quoted_with_the_token_in_it() {
    let files = Files::new(&[
        ("v1.yaml", MIGRATE),
        ("x.yaml", &scenario("  - install: {chart: v1.yaml}\n")),
        ("broken", "users:\n- user: {token: s3cr3t}\n  name: [\n"),
    ]);
    let ran =
        hookward(["rollout", &files.path("x.yaml"), "--cluster", "--kubeconfig", &files.path("broken")]);
    let wanted = "error: x.yaml: cannot use the kubeconfig: broken is no kubeconfig: see line 3, column 9\n";
    assert_eq!((ran.code, files.relative(&ran.stderr).as_str(), ran.stdout.as_str()), (2, wanted, ""));
}
