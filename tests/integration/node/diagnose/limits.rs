//! Hooks that a namespace has no room for, does not admit, or whose time is over.

use super::{Helm, changed, create, failed, json, migrate, node};
use crate::node::SOON;

#[test]
fn a_quota_without_room() {
    let node = node();
    let namespace = node.namespace("diagnose-quota");
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "0"}}});
    create(node, &namespace, &quota);
    // A quota counts as soon as the controller has counted.
    node.wait_for("the quota", SOON, || {
        node.get_json("resourcequota", &namespace, "team")?["status"]["used"]["pods"].as_str().map(drop)
    });
    failed(node, &namespace, Helm::V4, &[migrate("true")], "6s").assert_first(
        "quota",
        &["the quota \"team\" leaves no room for it", "is forbidden: exceeded quota: team"],
    );
}

#[test]
fn a_pod_that_pod_security_does_not_admit() {
    let node = node();
    let namespace = node.namespace("diagnose-security");
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let _ = node.kubectl(&["label", "namespace", &namespace, label]).expect_ok();
    failed(node, &namespace, Helm::V3, &[migrate("true")], "6s").assert_first(
        "pod-security",
        &["Pod Security admits only \"restricted\" in the namespace", "allowPrivilegeEscalation != false"],
    );
}

#[test]
fn a_job_whose_deadline_is_over() {
    let node = node();
    let namespace = node.namespace("diagnose-deadline");
    let job = changed(migrate("sleep 60"), "/spec", "activeDeadlineSeconds", json!(3));
    failed(node, &namespace, Helm::V4, &[job], "30s")
        .assert_first("deadline", &["did not end within its activeDeadlineSeconds of 3s"]);
}

#[test]
fn a_job_that_helm_did_not_wait_for() {
    let node = node();
    let namespace = node.namespace("diagnose-timeout");
    failed(node, &namespace, Helm::V3, &[migrate("sleep 60")], "5s")
        .assert_first("timeout", &["Helm waited its whole timeout (5s)"]);
}
