//! What `plan` and `rollout` do not run, told where a reader would believe that it was tried.

use super::{Files, hookward, rollout::scenario};

fn job(name: &str, namespace: &str, metadata: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: {name}, namespace: {namespace}{metadata}}}
spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never}}}}}}
---
"
    )
}

fn hook(name: &str, events: &str) -> String {
    job(name, "demo", &format!(", annotations: {{helm.sh/hook: '{events}'}}"))
}

/// Plays steps with a release `shop.yaml`; gives the exit code and what stderr holds.
fn rollout(release: &str, steps: &str, flags: &[&str]) -> (u8, String) {
    let files = Files::new(&[("shop.yaml", release), ("x.yaml", &scenario(steps))]);
    let ran = hookward(["rollout", &files.path("x.yaml")].iter().chain(flags));
    (ran.code, files.relative(&ran.stderr))
}

/// What `plan` notes.
fn plan(release: &str, flags: &[&str]) -> (u8, String) {
    let files = Files::new(&[("shop.yaml", release)]);
    let ran =
        hookward(["plan", &files.path("shop.yaml"), "-n", "demo", "--format", "json"].iter().chain(flags));
    (ran.code, files.relative(&ran.stderr))
}

const BOTH: &str = "  - install: {chart: shop.yaml}\n  - upgrade: {chart: shop.yaml}\n";

#[test]
fn a_rollout_passed_without_the_migration_that_helm_drops() {
    let release = hook("migrate", "pre-upgrad,pre-install") + &hook("warm", "post-install");
    let wanted = "Job/migrate: Helm drops the document with helm.sh/hook \"pre-upgrad,pre-install\", and nothing of it is run or made: there is no event \"pre-upgrad\"; did you mean \"pre-upgrade\"?\n";
    let told = rollout(&release, BOTH, &[]);
    assert_eq!(told, (0, format!("note: x.yaml:8:22: {wanted}")));
    assert_eq!(
        plan(&release, &["--outcome", "Job/migrate=fail"]),
        (2, format!("error: --outcome: {wanted}"))
    );
}

#[test]
fn an_event_of_helm_2_is_no_slip() {
    let release = hook("migrate", "crd-install") + &hook("warm", "post-install");
    let (code, stderr) = rollout(&release, "  - install: {chart: shop.yaml}\n", &[]);
    assert!(code == 0 && stderr.ends_with("there is no event \"crd-install\" since Helm 3\n"), "{stderr}");
}

#[test]
fn an_outcome_of_what_does_not_run_in_its_step_was_passed_over_in_silence() {
    let release = hook("reachable", "test") + &hook("migrate", "pre-upgrade,pre-install");
    let with = |name: &str| {
        format!(
            "  - install: {{chart: shop.yaml}}\n    outcomes: {{Job/{name}: fail}}\n    expect: {{exit: 0}}\n"
        )
    };
    let wanted = "note: x.yaml:8:5: Job/reachable does not run in this install, so its outcome changes nothing; it is a hook for test\n";
    assert_eq!(rollout(&release, &with("reachable"), &[]), (0, wanted.to_owned()));
    let absent = with("migrate").replace("shop.yaml}", "none.yaml}") + BOTH;
    let files = Files::new(&[
        ("none.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"),
        ("shop.yaml", &release),
        ("x.yaml", &scenario(&absent.replacen("  - install: {chart: shop.yaml}\n", "", 1))),
    ]);
    let ran = hookward(["rollout", &files.path("x.yaml")]);
    let wanted = "note: x.yaml:8:5: Job/migrate does not run in this install, so its outcome changes nothing; it is not in this chart\n";
    assert_eq!((ran.code, files.relative(&ran.stderr).as_str()), (0, wanted));
}

#[test]
fn an_outcome_that_no_action_has_a_use_for_was_passed_over_in_silence() {
    let release = hook("reachable", "test") + &hook("migrate", "pre-upgrade");
    let vain = |name: &str, actions: &str, why: &str| {
        (
            0,
            format!(
                "note: --outcome: Job/{name} does not run in {actions}, so its outcome changes nothing; {why}\n"
            ),
        )
    };
    let test = vain("reachable", "install or upgrade", "it is a hook for test");
    let reachable = ["--outcome", "Job/reachable=ok"];
    assert_eq!((plan(&release, &reachable), rollout(&release, BOTH, &reachable)), (test.clone(), test));
    let left_out = vain("migrate", "install or upgrade", "hooks are left out");
    assert_eq!(plan(&release, &["--outcome", "Job/migrate=fail", "--no-hooks"]), left_out);
    for (name, actions) in [("migrate", ["install", "upgrade"]), ("reachable", ["install", "test"])] {
        let outcome = format!("Job/{name}=fail");
        let [first, second] = actions;
        let flags = ["--outcome", &outcome, "--action", first, "--action", second];
        assert_eq!(plan(&release, &flags), (0, String::new()), "it runs in one of {actions:?}");
    }
}

#[test]
fn what_would_run_is_not_said_to_have_no_outcome() {
    let release = hook("first", "pre-install")
        + &hook("second", "post-install")
        + &hook("undo", "pre-delete")
        + &hook("back", "post-rollback")
        + &hook("always", "pre-upgrade")
        + &job("plain", "demo", "");
    for (steps, outcomes) in [
        ("install: {chart: shop.yaml}", "{Job/first: fail, Job/second: fail, Job/plain: hang}"),
        ("install: {chart: shop.yaml, rollbackOnFailure: true}", "{Job/first: fail, Job/undo: ok}"),
        ("upgrade: {chart: shop.yaml, install: true}", "{Job/first: fail}"),
    ] {
        let steps = format!("  - {steps}\n    outcomes: {outcomes}\n    expect: {{exit: 1}}\n");
        assert_eq!(rollout(&release, &steps, &[]), (0, String::new()), "{steps}");
    }
    let upgrade = "    outcomes: {Job/always: fail, Job/back: ok}\n    expect: {exit: 1}\n";
    let steps = BOTH.replace("upgrade: {", "upgrade: {rollbackOnFailure: true, ") + upgrade;
    assert_eq!(rollout(&release, &steps, &[]), (0, String::new()));
    let steps = format!(
        "{BOTH}  - rollback: {{to: 1}}\n    outcomes: {{Job/back: ok}}\n  - test: {{}}\n    outcomes: {{Job/plain: ok}}\n"
    );
    let wanted = "note: x.yaml:12:5: Job/plain does not run in this test, so its outcome changes nothing\n";
    assert_eq!(rollout(&release, &steps, &[]), (0, wanted.to_owned()));
}

#[test]
fn one_outcome_hit_the_jobs_of_that_name_in_all_namespaces() {
    let hook = ", annotations: {helm.sh/hook: pre-install}";
    let release = job("m", "a", hook) + &job("m", "b", hook);
    let files = Files::new(&[("shop.yaml", &*release)]);
    let results = |outcomes: &[&str]| {
        let mut words = vec!["plan", "--action", "install", "--format", "json"];
        words.extend(outcomes.iter().flat_map(|outcome| ["--outcome", outcome]));
        let path = files.path("shop.yaml");
        let steps = hookward(words.iter().chain([&path.as_str()])).json()["actions"][0]["steps"].clone();
        let waits = steps.as_array().unwrap().iter().filter(|step| step["verb"] == "wait");
        waits.map(|step| format!("{} {}", step["object"]["namespace"], step["result"])).collect::<Vec<_>>()
    };
    let only_b = [r#""a" "ok""#, r#""b" "failed""#];
    assert_eq!(results(&["Job/b/m=fail"]), only_b);
    assert_eq!(results(&["Job/m=fail", "Job/a/m=ok"]), only_b, "the one that says more counts");
    assert_eq!(results(&["Job/m=fail"]), [r#""a" "failed""#]);
    let steps = "  - install: {chart: shop.yaml}\n    outcomes: {Job/b/m: fail}\n";
    assert_eq!(rollout(&release, steps, &[]), (1, String::new()));
    let beaten = rollout(&release, steps, &["--outcome", "Job/m=ok"]);
    assert_eq!(beaten, (0, String::new()), "the command line beats the scenario, whichever says more");
    let (code, stderr) = plan(&release, &["--outcome", "Job/elsewhere/m=fail"]);
    assert!(code == 2 && stderr.ends_with("; did you mean \"Job/a/m\"?\n"), "{stderr}");
}
