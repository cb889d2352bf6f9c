//! Policies that select namespaces by labels, and namespaces that are a moment old.

use serde_json::json;
use tests::{chart::suspended_job, kinds, registration::LABEL, server::Setup};

use super::{Place, assert_refused};

/// How many namespaces are made, each with a hook right behind it.
const MANY: usize = 20;

/// The watch may not have told the server of a namespace that the API server knows: nothing is judged by the wrong policy, and nothing
/// is refused for want of labels.
#[test]
fn a_hook_that_follows_its_namespace_at_once_is_judged_by_its_labels() {
    let place = Place::unguarded("by-label");
    kinds::define(place.rig);
    let name = place.namespace.clone();
    let team = |index: usize| if index.is_multiple_of(2) { name.clone() } else { "others".to_owned() };
    let policy = json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy", "metadata": {"name": name, "labels": {LABEL: name}},
        "spec": {"namespaceSelector": {"matchLabels": {"team": name}}, "rules": {"job-suspended": {"mode": "off"}}},
    });
    place.rig.apply(&policy.to_string());
    let setup = Setup::new("baseline", "");
    let server = setup.in_cluster(&place.rig.kubeconfig(), &name, "replica-0").start();
    let place = place.guard_by(server, &["validate"]);
    place.registration.as_ref().unwrap().widen(&name);
    for index in 0..MANY {
        let namespace = format!("{name}-{index}");
        let namespaced = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": namespace, "labels": {"team": team(index), LABEL: name}},
        });
        let mut job = suspended_job("migrate", "pre-install");
        job["metadata"]["namespace"] = json!(namespace);
        // One command, one connection: nothing is faster.
        let both = format!("{namespaced}\n---\n{job}\n");
        let created = place.rig.kubectl_with(&["create", "--filename=-"], &both);
        if index.is_multiple_of(2) {
            let _ = created.expect_ok();
        } else {
            assert_refused(&created, &["denied the request: `job-suspended`"]);
        }
    }
    let rejected =
        place.server.as_ref().unwrap().count("hookward_requests_rejected_total", &["namespace_unknown"]);
    assert_eq!(rejected, 0);
    let _ = place.rig.kubectl(&["delete", "hookpolicy", &name]).expect_ok();
    let selector = format!("{LABEL}={name}");
    let _ = place.rig.kubectl(&["delete", "namespace", "--selector", &selector, "--wait=false"]).expect_ok();
}
