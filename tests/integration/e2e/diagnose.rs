//! Why a hook failed: releases that really fail, on a cluster whose pods are played.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, hook_job, settings},
    diagnosed::Diagnosed,
    rig::Helm,
};

use super::{Place, SOON};

/// What is said to do gets the release out of there.
mod followed;
/// What the API server refuses.
mod refused;
/// What never ends, or ends badly.
mod runs;
/// Where the release stands, and who may look.
mod state;

/// How long Helm waits here for what never comes.
const BRIEFLY: &[&str] = &["--timeout=6s"];

/// A hook of an install that may not be tried twice.
fn once(job: Value) -> Value {
    changed(job, "/spec", "backoffLimit", json!(0))
}

fn migrate() -> Value {
    hook_job("migrate", "pre-install,pre-upgrade")
}

/// Installs what will fail, and looks at it.
#[track_caller]
fn failed_install(place: &Place, helm: Helm, objects: &[Value]) -> Diagnosed {
    let ran = place.helm(helm, "install", Some(Chart::new(objects).path()), BRIEFLY);
    assert!(!ran.ok(), "it did not fail: {ran:?}");
    Diagnosed::of(place.rig, &place.namespace)
}

/// Upgrades a release that is well to what will fail, and looks at it.
#[track_caller]
fn failed_upgrade(place: &Place, helm: Helm, objects: &[Value]) -> Diagnosed {
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let ran = place.helm(helm, "upgrade", Some(Chart::new(objects).path()), BRIEFLY);
    assert!(!ran.ok(), "it did not fail: {ran:?}");
    Diagnosed::of(place.rig, &place.namespace)
}

/// The API server counts in seconds: whatever is stored from now on is younger than the Job.
#[track_caller]
fn until_the_next_second(place: &Place, job: &str) {
    let created = place.job(job)["metadata"]["creationTimestamp"].clone();
    place.rig.wait_for("the next second", SOON, || {
        let probe = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "clock"}});
        let _ = place.create(&probe).expect_ok();
        let now = place.find("configmap", "clock").unwrap()["metadata"]["creationTimestamp"].clone();
        let _ = place.kubectl(&["delete", "configmap", "clock"], "").expect_ok();
        (now != created).then_some(())
    });
}
