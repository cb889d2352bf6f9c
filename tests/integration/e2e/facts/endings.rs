//! How hooks end, and what Helm makes of Jobs that go meanwhile.

use tests::{
    chart::{ending, hook_job, job_with_policy},
    rig::Ran,
};

use super::{
    Chart, EACH_TIME, Helm, Place, SOON, assert_refused, changed, json, meanwhile, object, revisions,
    with_both_helms, within,
};

/// A Job that goes at its end, and in the same list, so awaited together, one that takes longer.
fn list() -> Chart {
    let plain = |mut job: serde_json::Value| {
        job["metadata"].as_object_mut().unwrap().remove("annotations");
        job
    };
    let quick = changed(plain(hook_job("quick", "")), "/spec", "ttlSecondsAfterFinished", json!(0));
    let slow = changed(plain(hook_job("slow", "")), "/spec", "completions", json!(4));
    let list = object("List", "both", EACH_TIME);
    Chart::new(&[changed(list, "", "items", json!([quick, slow]))])
}

#[test]
fn helm_4_loses_a_finished_job_that_goes_before_the_wait_is_over() {
    let place = Place::unguarded("fact-ttl-4");
    let ran = within(&place, Helm::V4, "install", &list(), &["--timeout=15s"]);
    assert_refused(&ran, &["quick not ready. status: NotFound", "context deadline exceeded"]);
    let slow = place.job("slow");
    assert_eq!(slow["status"]["succeeded"], 4, "both have ended well");
}

#[test]
fn helm_3_remembers_a_finished_job_that_goes_before_the_wait_is_over() {
    let place = Place::unguarded("fact-ttl-3");
    let _ = place.install(Helm::V3, &list()).expect_ok();
    assert_eq!(place.find("job", "quick"), None);
}

#[test]
fn a_job_alone_that_goes_at_its_end_is_mostly_seen_in_time() {
    let seen = |turn: usize| {
        let place = Place::unguarded(&format!("fact-ttl-alone-{turn}"));
        let job = changed(hook_job("migrate", EACH_TIME), "/spec", "ttlSecondsAfterFinished", json!(0));
        let ran = within(&place, Helm::V4, "install", &Chart::new(&[job]), &["--timeout=10s"]);
        assert!(ran.ok() || ran.stderr.contains("migrate not ready. status: NotFound"), "{ran:?}");
        ran.ok()
    };
    assert!((0..4).any(seen));
}

/// Installs a Job that hangs, and deletes it while Helm waits for it.
fn deleted_meanwhile(place: &Place, helm: Helm) -> Ran {
    let chart = Chart::new(&[ending(hook_job("migrate", EACH_TIME), "hang")]);
    meanwhile(place, helm, "install", &chart, "10s", || {
        // The controller counts pods that are ready a second late: Helm has long begun to watch.
        place.rig.wait_for("a Job whose pod is ready", SOON, || {
            place.find("job", "migrate").filter(|job| job["status"]["ready"] == 1)
        });
        let _ = place.kubectl(&["delete", "job", "migrate"], "").expect_ok();
    })
}

#[test]
fn helm_3_takes_a_deleted_job_for_a_success() {
    let place = Place::unguarded("fact-deleted-3");
    let _ = deleted_meanwhile(&place, Helm::V3).expect_ok();
    assert_eq!(place.history(Helm::V3), revisions(&[(1, "deployed")]));
}

#[test]
fn helm_4_waits_for_a_deleted_job_until_its_timeout() {
    let place = Place::unguarded("fact-deleted-4");
    let ran = deleted_meanwhile(&place, Helm::V4);
    assert_refused(&ran, &["migrate not ready. status: NotFound", "context deadline exceeded"]);
}

#[test]
fn helm_4_reads_the_failure_of_an_old_job() {
    let place = Place::unguarded("fact-old-failure");
    let job = ending(job_with_policy("migrate", EACH_TIME, "hook-succeeded"), "fail");
    let chart = Chart::new(&[changed(job, "/spec", "backoffLimit", json!(0))]);
    assert_refused(&place.install(Helm::V4, &chart), &["Job Failed"]);
    let before = place.job("migrate");
    assert_refused(&place.upgrade(Helm::V4, &chart), &["Job Failed"]);
    assert_eq!(super::uid(&place.job("migrate")), super::uid(&before));
}

fn after_a_failed_pre_delete_hook_nothing_but_an_uninstall_works(helm: Helm) {
    let place = Place::unguarded("fact-pre-delete");
    let job = ending(hook_job("goodbye", "pre-delete"), "fail");
    let chart = Chart::new(&[changed(job, "/spec", "backoffLimit", json!(0)), object("ConfigMap", "x", "")]);
    let _ = place.install(helm, &chart).expect_ok();
    assert!(!place.helm(helm, "uninstall", None, &[]).ok());
    assert_eq!(place.history(helm), revisions(&[(1, "uninstalling")]));
    assert!(place.find("configmap", "x").is_some(), "nothing was deleted");
    assert_refused(&place.upgrade(helm, &chart), &["UPGRADE FAILED: \"shop\" has no deployed releases"]);
    assert!(!place.helm(helm, "uninstall", None, &[]).ok(), "the stored hook fails again");
    let _ = place.helm(helm, "uninstall", None, &["--no-hooks"]).expect_ok();
}

with_both_helms! {
    after_a_failed_pre_delete_hook_nothing_but_an_uninstall_works
}
