//! A server that takes its policies from a cluster: what it waits for, what it begins with, and how it lets go.

use serde_json::json;
use tests::{
    chart::suspended_job,
    kinds,
    rig::{Programs, Rig},
    server::{Server, Setup},
};

use super::{OBJECTS, Place, SOON, assert_refused};

/// Denies nothing.
const AUDIT: &str = "
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: base}
spec: {profile: audit}
";

fn setup(rig: &Rig, namespace: &str) -> Setup {
    Setup::new("baseline", AUDIT).in_cluster(&rig.kubeconfig(), namespace, &format!("{namespace}-0"))
}

/// Whether a hook that never ends would be denied now.
fn denies(place: &Place) -> bool {
    let job = suspended_job("migrate", "pre-install").to_string();
    !place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job).ok()
}

#[test]
fn it_is_not_ready_before_our_kinds_are_defined() {
    let programs = Programs::find().expect("no test cluster: run cargo xtask test");
    let rig = Rig::start(&programs).unwrap();
    let server = setup(&rig, "default").start_unready();
    rig.wait_for("the first failure", SOON, || {
        server.log().contains("the watch is interrupted").then_some(())
    });
    assert_eq!(server.readiness(), "waiting for exceptions, policies");
    // Whoever asks all the same gets no judgement, and the failure policy counts.
    rig.apply(&server.webhooks());
    let job = suspended_job("migrate", "pre-install").to_string();
    let create = || rig.kubectl_with(&["create", "--dry-run=server", "--filename=-"], &job);
    rig.wait_for("the webhooks to be called", SOON, || (!create().ok()).then_some(()));
    assert_refused(&create(), &["failed calling webhook \"validate.hookward.dev\""]);
    let reason = ["reason=\"not_ready\""];
    assert!(server.count("hookward_requests_rejected_total", &reason) > 0 && !server.is_ready());
    kinds::define(&rig);
    rig.wait_for("the server to be ready", SOON, || server.is_ready().then_some(()));
    let _ = create().expect_ok();
}

#[test]
fn the_policies_of_the_cluster_are_laid_over_the_file() {
    let place = Place::unguarded("laid-over");
    kinds::define(place.rig);
    let server = setup(place.rig, &place.namespace).start();
    let place = place.guard_by(server, &OBJECTS);
    assert!(!denies(&place), "the file says audit");
    let policy = json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy", "metadata": {"name": place.namespace},
        "spec": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
            "rules": {"job-suspended": {"mode": "deny"}},
        },
    });
    place.rig.apply(&policy.to_string());
    place.rig.wait_for("the policy to be in force", SOON, || denies(&place).then_some(()));
    let _ = place.kubectl(&["delete", "hookpolicy", &place.namespace], "").expect_ok();
    place.rig.wait_for("the file to count alone", SOON, || (!denies(&place)).then_some(()));
}

#[test]
fn the_file_may_change_under_the_policies_of_the_cluster() {
    let place = Place::unguarded("file-changes");
    kinds::define(place.rig);
    let server = setup(place.rig, &place.namespace).start();
    let mut place = place.guard_by(server, &OBJECTS);
    assert!(!denies(&place));
    place.server().rewrite_policies(&AUDIT.replace("audit", "baseline"));
    place.rig.wait_for("the file to be read again", SOON, || denies(&place).then_some(()));
    let job = suspended_job("migrate", "pre-install");
    assert_refused(&place.create(&job), &["`job-suspended`"]);
}

#[test]
fn the_next_server_need_not_wait_for_the_lease_of_one_that_ended() {
    let rig = super::rig();
    kinds::define(rig);
    let namespace = rig.namespace("lease");
    let holder = || {
        let lease = rig.get_json("lease", &namespace, "hookward")?;
        Some(lease["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned())
    };
    let leads = |name: &str| rig.wait_for("the leader", SOON, || (holder()? == name).then_some(()));
    let start = |name: &str| -> Server {
        Setup::new("baseline", "").in_cluster(&rig.kubeconfig(), &namespace, name).start()
    };
    let mut first = start("first");
    leads("first");
    first.terminate();
    assert!(first.wait().success(), "{}", first.log());
    assert_eq!(holder().as_deref(), Some(""), "the Lease was not given back");
    let _second = start("second");
    leads("second");
}
