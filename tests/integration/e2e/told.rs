//! What a server in a cluster knows of releases, and what it tells people besides those it answers.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, ending, hook_job, suspended_job},
    kinds,
    rig::Helm,
    server::Setup,
};

use super::{ALL, OBJECTS, Place, SOON, assert_refused, with_both_helms};

with_both_helms! {
    only_a_recovery_that_is_proven_softens_a_security_rule
    a_release_is_named_by_what_the_gate_let_pass
}

/// Guarded by a server that knows the cluster.
#[track_caller]
fn guarded(place: Place, flags: &[&str], webhooks: &[&str]) -> Place {
    kinds::define(place.rig);
    let setup = Setup::new("baseline", "");
    let setup = setup.in_cluster(&place.rig.kubeconfig(), &place.namespace, "replica-0");
    let setup = flags.iter().fold(setup, |setup, flag| setup.flag(flag));
    place.guard_by(setup.start(), webhooks)
}

/// The reasons of all Events about objects of this name, and the kinds of those.
#[track_caller]
fn events(place: &Place, name: &str) -> Vec<(String, String)> {
    let shown = place.kubectl(&["get", "events.events.k8s.io", "--output=json"], "").expect_ok();
    let list: Value = serde_json::from_str(&shown.stdout).unwrap();
    let about = |event: &&Value| {
        event["regarding"]["name"] == name
            && event["reason"]
                .as_str()
                .is_some_and(|reason| reason.starts_with("Hook") || reason.starts_with("Release"))
    };
    let told = list["items"].as_array().unwrap().iter().filter(about);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    told.map(|event| (text(&event["reason"]), text(&event["regarding"]["kind"]))).collect()
}

#[track_caller]
fn waits_for_event(place: &Place, name: &str, reason: &str, kind: &str) {
    place.rig.wait_for("the event", SOON, || {
        events(place, name).contains(&(reason.to_owned(), kind.to_owned())).then_some(())
    });
}

#[test]
fn denials_and_removals_are_events_and_what_is_only_tried_is_none() {
    let place = Place::unguarded("told");
    let _ = place.create(&suspended_job("old", "pre-install")).expect_ok();
    let place = guarded(place, &[], &ALL);
    let tried = suspended_job("tried", "pre-install").to_string();
    assert!(!place.kubectl(&["create", "--dry-run=server", "--filename=-"], &tried).ok());
    assert!(!place.create(&suspended_job("migrate", "pre-install")).ok());
    waits_for_event(&place, "migrate", "HookDenied", "Job");
    let _ = place.kubectl(&["annotate", "job", "old", "helm.sh/hook-"], "").expect_ok();
    waits_for_event(&place, "old", "HookAnnotationRemoved", "Job");
    let chart = Chart::new(&[suspended_job("migrate", "pre-install")]);
    assert!(!place.install(Helm::V4, &chart).ok());
    waits_for_event(&place, "sh.helm.release.v1.shop.v1", "ReleaseDenied", "Secret");
    // They are written in the order in which they were decided.
    assert_eq!(events(&place, "tried"), []);
}

#[test]
fn a_denied_namespace_had_no_event_where_those_of_the_cluster_are() {
    let place = guarded(Place::unguarded("told-namespace"), &[], &OBJECTS);
    let annotate = ["annotate", "namespace", &place.namespace, "helm.sh/hook=pre-install,pre-upgrade"];
    assert_refused(&place.rig.kubectl(&annotate), &["`hook-namespace`"]);
    let field = format!("regarding.name={}", place.namespace);
    let list = ["get", "events.events.k8s.io", "--namespace=default", "--output=jsonpath={.items[*].reason}"];
    let list = [&list[..], &["--field-selector", &field]].concat();
    place.rig.wait_for("the event", SOON, || (place.rig.kubectl(&list).stdout == "HookDenied").then_some(()));
}

fn only_a_recovery_that_is_proven_softens_a_security_rule(helm: Helm) {
    let place = Place::unguarded("proven");
    let mut job = hook_job("migrate", "pre-upgrade,pre-rollback");
    job["spec"]["template"]["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    let chart = Chart::new(&[job]);
    let _ = place.install(helm, &chart).expect_ok();
    let place = guarded(place, &["--release-lookup"], &OBJECTS);
    let refused = place.upgrade(helm, &chart);
    assert_refused(&refused, &["`sec-privileged`", "in release \"shop\" revision 2"]);
    let rollback = place.rig.helm(helm).args(["rollback", "shop", "1"]).namespace(&place.namespace).briefly();
    let _ = rollback.run().expect_ok();
    assert_eq!(place.history(helm).last().map(|(_, status)| status.as_str()), Some("deployed"));

    // Who looks nothing up cannot tell one from the other.
    let namespace = place.namespace.clone();
    let setup = Setup::new("baseline", "");
    let next = setup.in_cluster(&place.rig.kubeconfig(), &namespace, "replica-1").start();
    place.registration.as_ref().unwrap().turn_to(&next, &namespace, &OBJECTS);
    let rollback = place.rig.helm(helm).args(["rollback", "shop", "1"]).namespace(&namespace).briefly();
    assert_refused(&rollback.run(), &["`sec-privileged`"]);
}

fn a_release_is_named_by_what_the_gate_let_pass(helm: Helm) {
    let place = guarded(Place::unguarded("named"), &[], &ALL);
    let hook = ending(hook_job("migrate", "pre-install"), "succeed");
    let _ = place.install(helm, &Chart::new(&[hook])).expect_ok();
    let _ = place.kubectl(&["delete", "job", "migrate"], "").expect_ok();
    let refused = place.create(&suspended_job("migrate", "pre-install"));
    assert_refused(&refused, &["`job-suspended`", "in release \"shop\" revision 1"]);
    assert!(!place.create(&suspended_job("other", "pre-install")).stderr.contains("in release"));
}
