//! What is on its way out is not held back, however bad it is.

use serde_json::json;
use tests::chart::{changed, hook_job, suspended_job};

use super::{ALL, Place, SOON, assert_refused};

fn bad(name: &str) -> serde_json::Value {
    changed(suspended_job(name, "pre-install"), "/metadata", "finalizers", json!(["example.com/hold"]))
}

/// A bad hook that was there before us.
fn place(prefix: &str) -> Place {
    let place = Place::unguarded(prefix);
    let _ = place.create(&bad("migrate")).expect_ok();
    place.guard("", &ALL)
}

#[test]
fn a_bad_hook_can_be_deleted_and_its_finalizers_removed() {
    let place = place("free-delete");
    let _ = place.kubectl(&["delete", "job", "migrate", "--wait=false"], "").expect_ok();
    assert!(place.job("migrate")["metadata"].get("deletionTimestamp").is_some());
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let _ = place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "").expect_ok();
    place.rig.wait_for("the Job to go", SOON, || place.find("job", "migrate").is_none().then_some(()));
}

#[test]
fn an_object_on_its_way_out_may_even_become_worse() {
    let place = Place::guarded("free-worse");
    let patch = r#"{"spec":{"suspend":true}}"#;
    let suspend = || place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "");
    let held =
        changed(hook_job("migrate", "pre-install"), "/metadata", "finalizers", json!(["example.com/hold"]));
    let _ = place.create(&held).expect_ok();
    assert_refused(&suspend(), &["`job-suspended`"]);
    let _ = place.kubectl(&["delete", "job", "migrate", "--wait=false"], "").expect_ok();
    let _ = suspend().expect_ok();
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let _ = place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "").expect_ok();
}

#[test]
fn finalizers_come_and_go_on_a_bad_hook_that_stays() {
    let place = place("free-finalizers");
    for finalizers in [r#"["example.com/hold","argocd.argoproj.io/hook-finalizer"]"#, "null"] {
        let patch = format!(r#"{{"metadata":{{"finalizers":{finalizers}}}}}"#);
        let _ =
            place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", &patch], "").expect_ok();
    }
}

#[test]
fn the_status_of_a_bad_hook_can_be_written() {
    let place = place("free-status");
    let before = place.answered(&[]);
    let patch = r#"{"status":{"active":1}}"#;
    let status = ["patch", "job", "migrate", "--subresource=status", "--type=merge", "--patch", patch];
    let _ = place.kubectl(&status, "").expect_ok();
    assert_eq!(place.answered(&[]), before, "nobody should ask us about a status");
}

#[test]
fn all_of_a_namespace_can_go() {
    let place = place("free-namespace");
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let _ = place.kubectl(&["delete", "jobs", "--all", "--wait=false"], "").expect_ok();
    let _ = place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "").expect_ok();
    let namespace = place.namespace.as_str();
    let _ = place.rig.kubectl(&["delete", "namespace", namespace, "--wait=false"]).expect_ok();
    place.rig.wait_for("the namespace to go", SOON, || {
        place.rig.get_json("namespace", "", namespace).is_none().then_some(())
    });
}
