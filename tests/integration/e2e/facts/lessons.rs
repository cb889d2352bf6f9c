//! What is commonly said about hooks, asked of Helm.

use tests::chart::{ending, hook_job, settings};

use super::{
    Chart, EACH_TIME, Helm, Place, assert_refused, assert_says, atomic, changed, json, object, revisions,
    uid, with_both_helms,
};

/// A Job that fails at once.
fn failing(name: &str, events: &str) -> serde_json::Value {
    changed(ending(hook_job(name, events), "fail"), "/spec", "backoffLimit", json!(0))
}

fn hooks_have_no_labels_are_in_no_manifest_and_outlive_the_release(helm: Helm) {
    let place = Place::unguarded("fact-outlive");
    let chart = Chart::new(&[hook_job("migrate", EACH_TIME), settings("1")]);
    let _ = place.install(helm, &chart).expect_ok();
    for selector in ["app.kubernetes.io/managed-by=Helm", "release=shop", "helm.sh/hook"] {
        let found = place.kubectl(&["get", "jobs", "--output=name", "--selector", selector], "").expect_ok();
        assert_eq!(found.stdout, "", "{selector}");
    }
    let told = |what: &str| {
        let command = place.rig.helm(helm).args(["get", what, "shop"]);
        command.namespace(&place.namespace).run().expect_ok().stdout
    };
    assert!(told("manifest").contains("settings") && !told("manifest").contains("migrate"));
    assert!(told("hooks").contains("migrate"));
    let before = place.job("migrate");
    let _ = place.upgrade(helm, &chart).expect_ok();
    let jobs = place.kubectl(&["get", "jobs", "--output=name"], "").expect_ok();
    assert_eq!(jobs.stdout.trim(), "job.batch/migrate", "one, not one per run");
    assert_ne!(uid(&place.job("migrate")), uid(&before));
    let _ = place.helm(helm, "uninstall", None, &[]).expect_ok();
    assert_eq!(place.find("configmap", "settings"), None);
    assert!(place.find("job", "migrate").is_some());
}

fn tests_say_a_phase_and_have_no_logs_of_jobs(helm: Helm) {
    let place = Place::unguarded("fact-tests");
    let _ = place.install(helm, &Chart::new(&[hook_job("reachable", "test")])).expect_ok();
    let ran = place.helm(helm, "test", None, &[]).expect_ok();
    assert!(ran.stdout.contains("TEST SUITE:     reachable"), "{ran:?}");
    assert!(ran.stdout.contains("Phase:          Succeeded"), "{ran:?}");
    assert!(!ran.stdout.contains("PASSED"), "{ran:?}");
    let first = place.job("reachable");
    assert_refused(&place.helm(helm, "test", None, &["--logs"]), &["pods \"reachable\" not found"]);
    assert_ne!(uid(&place.job("reachable")), uid(&first), "the default policy holds for tests too");
}

fn a_failed_post_upgrade_hook_fails_the_upgrade_and_leaves_what_is_new(helm: Helm) {
    let place = Place::unguarded("fact-post");
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let ran = place.upgrade(helm, &Chart::new(&[settings("2"), failing("notify", "post-upgrade")]));
    assert_refused(&ran, &["UPGRADE FAILED: post-upgrade hooks failed: "]);
    assert_eq!(place.history(helm), revisions(&[(1, "deployed"), (2, "failed")]));
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "2");
    let status = place.rig.helm(helm).args(["status", "shop"]).namespace(&place.namespace).run();
    assert!(status.stdout.contains("STATUS: failed\nREVISION: 2"), "{status:?}");
}

fn a_failed_pre_upgrade_hook_rolls_nothing_back(helm: Helm) {
    let place = Place::unguarded("fact-pre");
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let before = place.find("configmap", "settings");
    let ran = place.upgrade(helm, &Chart::new(&[settings("2"), failing("migrate", "pre-upgrade")]));
    assert_refused(&ran, &["UPGRADE FAILED: pre-upgrade hooks failed: "]);
    assert!(!ran.stderr.contains("rolled back"), "{ran:?}");
    assert_eq!(place.history(helm), revisions(&[(1, "deployed"), (2, "failed")]));
    assert_eq!(place.find("configmap", "settings"), before, "nothing was changed that could be rolled back");
}

fn an_automatic_rollback_is_a_third_revision_with_the_hooks_of_the_first(helm: Helm) {
    let place = Place::unguarded("fact-atomic");
    let first = Chart::new(&[hook_job("good-way-back", "pre-rollback"), settings("1")]);
    let _ = place.install(helm, &first).expect_ok();
    let bad = [failing("migrate", "pre-upgrade"), hook_job("bad-way-back", "pre-rollback"), settings("2")];
    let second = Chart::new(&bad);
    let ran = place.helm(helm, "upgrade", Some(second.path()), &[atomic(helm)]);
    assert_refused(&ran, &["release shop failed, and has been rolled back due to "]);
    assert_eq!(place.history(helm), revisions(&[(1, "superseded"), (2, "failed"), (3, "deployed")]));
    assert!(place.find("job", "good-way-back").is_some());
    assert_eq!(place.find("job", "bad-way-back"), None);
    assert!(place.find("job", "migrate").is_some(), "what the failed hook left stays");
}

/// The failed revision has not come to deleting it, and by its manifest the resource should not be there.
#[test]
fn helm_3_cannot_roll_back_what_would_have_dropped_a_resource() {
    let upgraded = |helm: Helm| {
        let place = Place::unguarded("fact-atomic-drop");
        let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
        let second = Chart::new(&[failing("migrate", "pre-upgrade")]);
        let ran = place.helm(helm, "upgrade", Some(second.path()), &[atomic(helm)]);
        assert!(place.find("configmap", "settings").is_some());
        (ran, place.history(helm))
    };
    let (ran, history) = upgraded(Helm::V3);
    assert_refused(
        &ran,
        &[
            "an error occurred while rolling back the release",
            "no ConfigMap with the name \"settings\" found",
        ],
    );
    assert_eq!(history, revisions(&[(1, "deployed"), (2, "superseded"), (3, "failed")]));
    let (ran, history) = upgraded(Helm::V4);
    assert_refused(&ran, &["release shop failed, and has been rolled back"]);
    assert_eq!(history, revisions(&[(1, "superseded"), (2, "failed"), (3, "deployed")]));
}

fn a_field_in_the_wrong_place_is_lost_in_helm_3_and_refused_in_helm_4(helm: Helm) {
    let place = Place::unguarded("fact-field");
    let job = changed(hook_job("backup", "pre-delete"), "/spec", "volumes", json!([{"name": "backup"}]));
    let _ = place.install(helm, &Chart::new(&[job, object("ConfigMap", "x", "")])).expect_ok();
    let ran = place.helm(helm, "uninstall", None, &[]);
    match helm {
        Helm::V3 => assert_says(&ran.expect_ok(), &[r#"Warning: unknown field \"spec.volumes\""#]),
        Helm::V4 => assert_refused(&ran, &[".spec.volumes: field not declared in schema"]),
    }
}

with_both_helms! {
    hooks_have_no_labels_are_in_no_manifest_and_outlive_the_release
    tests_say_a_phase_and_have_no_logs_of_jobs
    a_failed_post_upgrade_hook_fails_the_upgrade_and_leaves_what_is_new
    a_failed_pre_upgrade_hook_rolls_nothing_back
    an_automatic_rollback_is_a_third_revision_with_the_hooks_of_the_first
    a_field_in_the_wrong_place_is_lost_in_helm_3_and_refused_in_helm_4
}
