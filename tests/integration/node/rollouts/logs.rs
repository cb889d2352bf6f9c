//! What real pods say: kept of hooks that fail, and printed by Helm where it is asked to.

use std::{ffi::OsString, fs};

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed},
    node::{BUSYBOX, Node},
    rig::Helm,
};

use crate::node::node;

/// What the hook knows and its log must not show.
const SECRET: &str = "hunter2-swordfish";

/// A hook of one container that runs `script`, once.
fn container(script: &str) -> Value {
    json!({"name": "main", "image": BUSYBOX, "command": ["sh", "-c", script]})
}

fn job(name: &str, event: &str, outcome: &str, script: &str) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": event}},
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": {"hookward.dev/outcome": outcome}},
            "spec": {"restartPolicy": "Never", "containers": [container(script)]},
        }},
    })
}

fn pod(name: &str, policy: &str) -> Value {
    let annotations = json!({"helm.sh/hook": "test", "helm.sh/hook-delete-policy": policy});
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "annotations": annotations},
        "spec": {"restartPolicy": "Never", "containers": [container("echo all is well")]},
    })
}

/// Plays one rollout of this chart in a namespace of its own, and gives the exit code with what was said.
fn played(
    node: &Node,
    helm: Helm,
    name: &str,
    objects: &[Value],
    steps: &str,
    format: &str,
) -> (u8, String, String) {
    let chart = Chart::new(objects);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollout.yaml");
    let word = if helm == Helm::V3 { "3" } else { "4" };
    let steps = steps.replace("CHART", &chart.path().display().to_string());
    let text = format!(
        "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {{name: {name}}}\nspec:\n  release: shop\n  \
         namespace: {name}-{format}-{word}\n  helm: \"{word}\"\n  steps:\n{steps}"
    );
    fs::write(&file, text).unwrap();
    let mut arguments: Vec<OsString> =
        ["hookward", "rollout", "--cluster", "--verbose", "--format", format].map(Into::into).into();
    arguments.extend([file.into_os_string(), "--kubeconfig".into(), node.kubeconfig().into_os_string()]);
    for program in ["helm3", "helm4"] {
        arguments.extend(["--helm-bin".into(), node.programs().path(program).into_os_string()]);
    }
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let code = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
    (code, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_log_of_a_hook_that_fails_is_kept_without_its_secrets() {
    let script = format!(
        "echo connecting; echo \"password={SECRET}\"; echo \"as $WHO\"; echo the shop is closed; exit 1"
    );
    let migrate = job("migrate", "pre-install", "fail", &script);
    let variable = json!([{"name": "WHO", "value": "shopkeeper-4711"}]);
    let migrate = changed(migrate, "/spec/template/spec/containers/0", "env", variable);
    let migrate = changed(
        migrate,
        "/metadata/annotations",
        "helm.sh/hook-delete-policy",
        json!("before-hook-creation,hook-failed"),
    );
    let steps = "  - install: {chart: CHART, timeout: 60s}\n    expect: {exit: 1, hooks: [Job/migrate], leftovers: []}\n";
    for format in ["json", "text"] {
        let objects = std::slice::from_ref(&migrate);
        let (code, stdout, stderr) = played(node(), Helm::V4, "rollout-logs", objects, steps, format);
        assert_eq!(code, 0, "{stdout}\n{stderr}");
        assert!(stderr.contains("Job/migrate said last:\n  connecting\n"), "{stderr}");
        assert!(stderr.contains("\n  the shop is closed"), "{stderr}");
        for secret in [SECRET, "shopkeeper-4711"] {
            assert!(!stdout.contains(secret) && !stderr.contains(secret), "{stdout}\n{stderr}");
        }
        let words = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("the shop is closed"), "the hook and its log stand together: {stdout}");
        if format == "json" {
            let answer: Value = serde_json::from_str(&stdout).unwrap();
            let steps = answer["scenarios"][0]["actions"][0]["steps"].as_array().unwrap();
            let wait = steps.iter().find(|step| step["verb"] == "wait").unwrap();
            let said = wait["message"].as_str().unwrap();
            assert!(
                said.contains("it said last: password=") && said.ends_with(" | the shop is closed"),
                "{said}"
            );
        }
    }
}

/// The pod of such a Job goes with its last failure, and its container begins anew before; so the log is kept in between.
#[test]
fn the_log_of_a_container_that_is_started_again_is_kept_too() {
    let script = "echo the shop is closed; exit 1";
    let migrate = changed(job("migrate", "pre-install", "fail", script), "/spec", "backoffLimit", json!(1));
    let again = changed(migrate.clone(), "/spec/template/spec", "restartPolicy", json!("OnFailure"));
    // Before it there is one that fails, so that it never runs.
    let first = json!([{"name": "wait", "image": BUSYBOX, "command": ["sh", "-c", script]}]);
    let before = changed(migrate, "/spec/template/spec/containers/0", "command", json!(["true"]));
    let before = changed(before, "/spec/template/spec", "initContainers", first);
    let steps = "  - install: {chart: CHART, timeout: 90s}\n    expect: {exit: 1}\n";
    for (name, hook) in [("rollout-again", again), ("rollout-before", before)] {
        let (code, stdout, stderr) = played(node(), Helm::V4, name, &[hook], steps, "json");
        assert_eq!(code, 0, "{name}: {stdout}\n{stderr}");
        assert!(stderr.contains("Job/migrate said last:\n  the shop is closed\n"), "{name}: {stderr}");
    }
}

/// The end of `helm test --logs` hangs on whether there is a pod of that name, and whether it is still there.
#[test]
fn helm_tests_with_logs_end_as_simulated() {
    let steps = "  - install: {chart: CHART, timeout: 60s}\n  - test: {logs: true, timeout: 60s}\n    expect: {exit: EXIT}\n";
    for helm in Helm::ALL {
        let cases = [
            ("rollout-said", pod("check", "before-hook-creation"), 0),
            ("rollout-said-gone", pod("check", "hook-succeeded"), u8::from(helm == Helm::V3)),
            ("rollout-said-job", job("check", "test", "ok", "echo all is well"), 1),
        ];
        for (name, hook, exit) in cases {
            let steps = steps.replace("EXIT", &exit.to_string());
            let (code, stdout, stderr) = played(node(), helm, name, &[hook], &steps, "json");
            assert_eq!(code, 0, "{helm:?} {name}: {stdout}\n{stderr}");
        }
    }
}

/// Where the simulation prints a log, Helm does, and nowhere else.
#[test]
fn helm_prints_the_log_of_each_test_that_the_simulation_prints() {
    let node = node();
    for helm in Helm::ALL {
        for (policy, is_printed) in [("before-hook-creation", true), ("hook-succeeded", helm == Helm::V4)] {
            let namespace = node.namespace("rollout-prints");
            let chart = Chart::new(&[pod("check", policy)]);
            let _ = node
                .helm(helm)
                .args(["install", "shop"])
                .path(chart.path())
                .namespace(&namespace)
                .run()
                .expect_ok();
            let ran = node.helm(helm).args(["test", "shop", "--logs"]).namespace(&namespace).run();
            let printed = ran.stdout.contains("POD LOGS:") && ran.stdout.contains("all is well");
            assert_eq!((ran.ok(), printed), (is_printed, is_printed), "{helm:?} {policy}: {ran:?}");
            assert_eq!(simulated(helm, &chart), is_printed, "{helm:?} {policy}");
        }
    }
}

/// Whether the simulation prints the log of the test.
fn simulated(helm: Helm, chart: &Chart) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollout.yaml");
    let word = if helm == Helm::V3 { "3" } else { "4" };
    let text = format!(
        "apiVersion: hookward.dev/v1alpha1\nkind: RolloutScenario\nmetadata: {{name: prints}}\nspec:\n  release: shop\n  namespace: prints\n  \
         helm: \"{word}\"\n  steps:\n  - install: {{chart: {0}}}\n  - test: {{logs: true}}\n",
        chart.path().display()
    );
    fs::write(&file, text).unwrap();
    let program = node().programs().path(if helm == Helm::V3 { "helm3" } else { "helm4" });
    let arguments: [OsString; 6] = [
        "hookward".into(),
        "rollout".into(),
        "--format=json".into(),
        "--helm-bin".into(),
        program.into(),
        file.into(),
    ];
    let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
    let _ = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
    let answer: Value = serde_json::from_slice(&stdout).unwrap();
    let steps = answer["scenarios"][0]["actions"][1]["steps"].as_array().unwrap().clone();
    steps.iter().any(|step| step["verb"] == "log" && step["result"] == "ok")
}
