//! Hookward's own rollout, played by `hookward rollout --cluster`.

use std::{fs, thread};

use serde_json::Value;
use tests::{installed::Installed, rig::Helm};

use super::{
    SOON,
    stage::{NAMESPACE, Stage, VALUES},
};

/// The chart is installed before anybody can be asked; from then on everybody is asked all the time.
#[test]
fn install_upgrade_and_rollback_of_the_own_chart_lose_nothing_and_go_as_simulated() {
    let stage = Stage::enter();
    let _ = stage
        .node
        .helm(Helm::V4)
        .args(["uninstall", "hookward", "--wait"])
        .namespace(NAMESPACE)
        .run()
        .expect_ok();
    let _ = stage.node.kubectl(&["delete", "namespace", NAMESPACE, "--timeout=90s"]).expect_ok();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.yaml");
    fs::write(&file, scenario()).unwrap();
    let arguments = [
        "hookward".into(),
        "rollout".into(),
        "--cluster".into(),
        // The other tests go on with it.
        "--keep".into(),
        "--format=json".into(),
        "--kubeconfig".into(),
        stage.node.kubeconfig().into_os_string(),
        "--helm-bin".into(),
        stage.node.programs().path("helm4").into_os_string(),
        file.into_os_string(),
    ];
    let (code, stdout, stderr) = thread::scope(|scope| {
        let played = scope.spawn(move || {
            let (mut stdin, mut stdout, mut stderr) = (&b""[..], Vec::new(), Vec::new());
            let code = cli::run(arguments, &mut cli::Io::of_memory(&mut stdin, &mut stdout, &mut stderr));
            (code, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
        });
        let is_installed = || {
            let secret = stage.node.get_json("secret", NAMESPACE, "sh.helm.release.v1.hookward.v1");
            let is_deployed =
                secret.is_some_and(|secret| secret["metadata"]["labels"]["status"] == "deployed");
            (is_deployed || played.is_finished()).then_some(())
        };
        stage.node.wait_for("the install", SOON * 2, is_installed);
        let mut told = None;
        let done = stage.during("install, then upgrade and rollback by hookward rollout", || {
            told = Some(played.join().unwrap());
            stage.settled(2);
        });
        done.assert_nothing_lost();
        told.unwrap()
    });
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let answer: Value = serde_json::from_str(&stdout).unwrap();
    let actions = answer["scenarios"][0]["actions"].as_array().unwrap();
    let revisions: Vec<_> = actions.iter().map(|action| action["revision"].as_u64().unwrap()).collect();
    assert_eq!(revisions, [1, 2, 3]);
}

/// The next step waits until all that ask have begun.
fn scenario() -> String {
    let values = VALUES.map(|value| value.trim_start_matches("--set=").to_owned()).join(", ");
    let chart = fs::canonicalize(Installed::chart()).unwrap();
    let chart = chart.display();
    format!(
        "apiVersion: hookward.dev/v1alpha1
kind: RolloutScenario
metadata: {{name: own}}
spec:
  release: hookward
  namespace: {NAMESPACE}
  helm: \"4\"
  steps:
  - install: {{chart: {chart}, set: [{values}, replicas=2], wait: true, timeout: 90s}}
    expect: {{exit: 0, status: deployed, hooks: [], leftovers: []}}
  - upgrade: {{chart: {chart}, set: [{values}, replicas=2, image.tag=next], wait: true, timeout: 90s}}
    after: 8s
    expect: {{exit: 0, status: deployed, hooks: []}}
  - rollback: {{to: 1, wait: true, timeout: 90s}}
    after: 3s
    expect: {{exit: 0, status: deployed, hooks: []}}
"
    )
}
