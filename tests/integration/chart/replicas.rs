//! The number of replicas while somebody else may choose it.

use std::time::Duration;

use tests::{
    installed::Installed,
    rig::{Helm, Programs, Rig},
};

use super::render::{NAMESPACE, Offline, find};

/// The autoscaler looks four times a minute.
const SOON: Duration = Duration::from_secs(60);

/// What the Deployment asks for.
#[track_caller]
fn replicas(rig: &Rig) -> i64 {
    let deployment = rig.get_json("deployment", NAMESPACE, "hookward").unwrap();
    deployment["spec"]["replicas"].as_i64().unwrap()
}

#[track_caller]
fn upgrade(rig: &Rig, helm: Helm, set: &str) {
    let command = rig.helm(helm).args(["upgrade", "hookward", "--install", "--create-namespace"]);
    let command = command.path(&Installed::chart()).namespace(NAMESPACE);
    let _ = command.args(["--reset-values", "--set", set]).run().expect_ok();
}

/// Changes the number as the autoscaler does.
#[track_caller]
fn scale(rig: &Rig, count: u8) {
    let count = format!("--replicas={count}");
    let _ = rig.kubectl(&["scale", "deployment", "hookward", "--namespace", NAMESPACE, &count]).expect_ok();
}

#[test]
fn an_upgrade_takes_no_replicas_away_that_an_autoscaler_chose() {
    let Some(programs) = Programs::find() else { return };
    // One of its own: what is installed concerns all of a cluster.
    let rig = Rig::start(&programs).unwrap();
    for helm in Helm::ALL {
        upgrade(&rig, helm, "replicas=3");
        assert_eq!(replicas(&rig), 3, "{helm:?}");
        upgrade(&rig, helm, "autoscaling.enabled=true");
        assert_eq!(
            replicas(&rig),
            3,
            "{helm:?}: switching it on must not replace what is there by a default"
        );
        scale(&rig, 4);
        upgrade(&rig, helm, "autoscaling.enabled=true,log.level=debug");
        assert_eq!(replicas(&rig), 4, "{helm:?}");
        // The autoscaler itself takes away what is too much.
        upgrade(&rig, helm, "autoscaling.enabled=true,autoscaling.maxReplicas=3");
        rig.wait_for("the autoscaler", SOON, || (replicas(&rig) == 3).then_some(()));
        let _ = rig.helm(helm).args(["uninstall", "hookward"]).namespace(NAMESPACE).run().expect_ok();
    }
}

#[test]
fn without_a_cluster_to_ask_an_autoscaler_begins_with_its_least() {
    let Some(helm) = Offline::find() else { return };
    let objects = helm.objects(&["--set", "autoscaling.enabled=true,autoscaling.minReplicas=3,replicas=9"]);
    assert_eq!(find(&objects, "Deployment", "hookward")["spec"]["replicas"], 3);
}
