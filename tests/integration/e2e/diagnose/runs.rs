//! Hooks that were begun and did not end well, or did not end.

use std::thread;

use serde_json::json;
use tests::{
    chart::{Chart, changed, ending, hook_job, job_with_policy, suspended_job},
    diagnosed::Diagnosed,
    rig::Helm,
};

use super::{
    super::{Place, SOON, with_both_helms},
    failed_upgrade, migrate, once,
};

with_both_helms! {
    a_program_that_fails
    a_job_that_hangs
    a_deadline
}

fn a_program_that_fails(helm: Helm) {
    let place = Place::unguarded("diagnose-program");
    let said = failed_upgrade(&place, helm, &[once(ending(migrate(), "fail"))]);
    said.assert_first(
        "program",
        &[
            "failed by itself: its container \"main\" ended with exit code 1",
            "Helm saw it fail after",
            "The Job has given up",
        ],
    );
    assert_eq!(said.causes(), ["program", "back-off"]);
}

fn a_job_that_hangs(helm: Helm) {
    let place = Place::unguarded("diagnose-hang");
    failed_upgrade(&place, helm, &[ending(migrate(), "hang")]).assert_first(
        "timeout",
        &[
            "had not ended when Helm stopped waiting after",
            "The Job has no deadline and still runs",
            "# ends what still runs",
            "rule job-deadline-missing",
        ],
    );
}

fn a_deadline(helm: Helm) {
    let place = Place::unguarded("diagnose-deadline");
    let job = changed(ending(migrate(), "hang"), "/spec", "activeDeadlineSeconds", json!(2));
    failed_upgrade(&place, helm, &[job]).assert_first(
        "deadline",
        &["did not end within its activeDeadlineSeconds of 2s", "The Job has given up"],
    );
}

#[test]
fn more_tries_than_helm_waits_for() {
    let place = Place::unguarded("diagnose-tries");
    let said = failed_upgrade(&place, Helm::V4, &[ending(migrate(), "fail")]);
    said.assert_first(
        "program",
        &[
            "also it tries longer than Helm waits: with a backoffLimit of 6 the pauses alone take 10m 30s",
            "rule job-backoff-limit-unset",
        ],
    );
    assert_eq!(said.causes(), ["program", "back-off", "timeout"]);
}

#[test]
fn a_suspended_job() {
    let place = Place::unguarded("diagnose-suspended");
    failed_upgrade(&place, Helm::V3, &[suspended_job("migrate", "pre-upgrade")]).assert_first(
        "suspended",
        &[
            "has no pod until somebody resumes it",
            "The Job stays suspended",
            "rule job-suspended refuses this",
        ],
    );
}

#[test]
fn a_pod_that_no_node_takes() {
    let place = Place::unguarded("diagnose-unschedulable");
    let job = changed(migrate(), "/spec/template/spec", "nodeSelector", json!({"there": "is-none"}));
    failed_upgrade(&place, Helm::V4, &[job]).assert_first(
        "unschedulable",
        &["no node takes it", "nodes are available", "for a pod that never started"],
    );
}

#[test]
fn a_pod_that_is_restarted_for_ever() {
    let place = Place::unguarded("diagnose-always");
    let template = hook_job("check", "pre-upgrade");
    let mut spec = template["spec"]["template"]["spec"].clone();
    spec["restartPolicy"] = json!("Always");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": spec});
    failed_upgrade(&place, Helm::V4, &[pod])
        .assert_first("never-ends", &["Pod/check", "its restartPolicy is Always", "The Pod is Running"]);
}

/// Kubernetes takes the Job of a pod that is evicted for failed.
#[test]
fn a_pod_that_is_evicted() {
    let place = Place::unguarded("diagnose-evicted");
    let job = once(ending(migrate(), "hang"));
    let said = thread::scope(|scope| {
        scope.spawn(|| {
            let name = place.rig.wait_for("the pod", SOON, || {
                let pods = place.kubectl(&["get", "pods", "--selector=job-name=migrate", "-o=jsonpath={.items[?(@.status.phase==\"Running\")].metadata.name}"], "");
                Some(pods.stdout.trim().to_owned()).filter(|name| !name.is_empty())
            });
            let patch = r#"{"status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory."}}"#;
            let _ = place.kubectl(&["patch", "pod", &name, "--subresource=status", "--type=merge", "--patch", patch], "").expect_ok();
        });
        failed_upgrade(&place, Helm::V4, &[job])
    });
    said.assert_first(
        "evicted",
        &["it was taken from its node (Evicted)", "The node was low on resource: memory."],
    );
}

/// Helm 4 waits on; Helm 3 would call it a success.
#[test]
fn a_job_that_somebody_deletes() {
    let place = Place::unguarded("diagnose-vanished");
    let job = ending(migrate(), "hang");
    let said = thread::scope(|scope| {
        scope.spawn(|| {
            place.rig.wait_for("the pod", SOON, || {
                let job = place.find("job", "migrate")?;
                (job["status"]["ready"] == 1).then_some(())
            });
            let _ = place.kubectl(&["delete", "job", "migrate"], "").expect_ok();
        });
        failed_upgrade(&place, Helm::V4, &[job])
    });
    said.assert_first(
        "vanished",
        &["was gone before Helm had seen its end: somebody deleted it", "The Job is gone."],
    );
}

/// Events outlive the Job that Helm deleted.
#[test]
fn a_job_that_helm_deleted_when_it_failed() {
    let place = Place::unguarded("diagnose-deleted");
    let job =
        once(ending(job_with_policy("migrate", "pre-upgrade", "before-hook-creation,hook-failed"), "fail"));
    let said = failed_upgrade(&place, Helm::V3, &[job]);
    said.assert_first(
        "back-off",
        &["gave up after 1 try", "hook-failed in its delete policy lets Helm delete it"],
    );
}

#[test]
fn a_test_that_fails() {
    let place = Place::unguarded("diagnose-test");
    let _ =
        place.install(Helm::V4, &Chart::new(&[once(ending(hook_job("smoke", "test"), "fail"))])).expect_ok();
    let ran = place.helm(Helm::V4, "test", None, &[]);
    assert!(!ran.ok(), "{ran:?}");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first("program", &["is deployed since", "Job/smoke (test, weight 0) failed by itself"]);
    assert_eq!(said.commands().last(), Some(&format!("helm test shop -n {}", place.namespace).as_str()));
}
