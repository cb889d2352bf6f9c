//! A finished Job of the last run, which Helm 4 takes for the run it asked for.

use serde_json::json;
use tests::{
    chart::{Chart, changed, job_with_policy, settings},
    rig::Helm,
};

use super::{Place, SOON, assert_refused, revisions, uid};

/// Without before-hook-creation: the Job of the last run stays.
fn chart(value: &str) -> Chart {
    Chart::new(&[job_with_policy("migrate", "pre-install,pre-upgrade", "hook-failed"), settings(value)])
}

#[test]
fn helm_4_is_denied_a_stale_rerun() {
    let place = Place::guarded("stale");
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let before = place.job("migrate");
    let refused = place.upgrade(Helm::V4, &chart("2"));
    assert_refused(
        &refused,
        &[
            "admission webhook \"validate.hookward.dev\" denied the request: `hook-stale-rerun`: Job \"migrate\"",
        ],
    );
    assert_eq!(uid(&place.job("migrate")), uid(&before));
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "1");
    assert_eq!(place.history(Helm::V4), revisions(&[(1, "deployed"), (2, "failed")]));
}

#[test]
fn without_us_helm_4_reports_a_hook_that_did_not_run_as_deployed() {
    let place = Place::unguarded("stale-unguarded");
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let before = place.job("migrate");
    let _ = place.upgrade(Helm::V4, &chart("2")).expect_ok();
    let after = place.job("migrate");
    assert_eq!(uid(&after), uid(&before));
    assert_eq!(after["status"], before["status"]);
    assert_eq!(place.history(Helm::V4), revisions(&[(1, "superseded"), (2, "deployed")]));
}

#[test]
fn without_us_helm_4_cannot_apply_a_changed_pod_to_the_old_job() {
    let place = Place::unguarded("stale-changed");
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let job = job_with_policy("migrate", "pre-install,pre-upgrade", "hook-failed");
    let job = changed(job, "/spec/template/spec/containers/0", "image", json!("shop:2"));
    assert_refused(&place.upgrade(Helm::V4, &Chart::new(&[job])), &["field is immutable"]);
}

#[test]
fn helm_3_fails_in_the_same_place_with_and_without_us() {
    for place in [Place::unguarded("stale-helm3"), Place::guarded("stale-helm3")] {
        let _ = place.install(Helm::V3, &chart("1")).expect_ok();
        assert_refused(&place.upgrade(Helm::V3, &chart("2")), &["jobs.batch \"migrate\" already exists"]);
    }
}

#[test]
fn the_injected_ttl_cures_the_stale_rerun() {
    let place = Place::guarded("stale-cured");
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let before = place.job("migrate");
    assert_eq!(before["spec"]["ttlSecondsAfterFinished"], 300);
    let marker = place.rig.audit_marker();
    // The five minutes pass at once.
    let patch = r#"{"spec":{"ttlSecondsAfterFinished":0}}"#;
    let _ = place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "").expect_ok();
    place
        .rig
        .wait_for("the Job to go by its TTL", SOON, || place.find("job", "migrate").is_none().then_some(()));
    assert_eq!(place.helm_wrote(marker), []);
    let _ = place.upgrade(Helm::V4, &chart("2")).expect_ok();
    let after = place.job("migrate");
    assert_ne!(uid(&after), uid(&before));
    assert_eq!(after["status"]["succeeded"], 1);
}
