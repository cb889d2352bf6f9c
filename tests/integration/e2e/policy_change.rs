//! Policies that change while servers run: what is in force, and that a bad one changes nothing.

use serde_json::{Value, json};
use tests::{chart::suspended_job, kinds, server::Setup};

use super::{OBJECTS, Place, SOON};

/// A namespace guarded by a server that reads this cluster's policies.
#[track_caller]
fn guarded(prefix: &str) -> Place {
    let place = Place::unguarded(prefix);
    kinds::define(place.rig);
    let setup = Setup::new("baseline", "");
    let server = setup.in_cluster(&place.rig.kubeconfig(), &place.namespace, "replica-0").start();
    place.guard_by(server, &OBJECTS)
}

impl Place {
    fn policy(&self, spec: &Value) -> Value {
        json!({
            "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy",
            "metadata": {"name": self.namespace}, "spec": spec,
        })
    }

    /// Whether a hook that never ends is let through, by then at the latest.
    #[track_caller]
    fn waits_until_suspended_jobs_are(&self, allowed: bool) {
        let job = suspended_job("migrate", "pre-install").to_string();
        self.rig.wait_for("the policy to be in force", SOON, || {
            let created = self.kubectl(&["create", "--dry-run=server", "--filename=-"], &job);
            (created.ok() == allowed).then_some(())
        });
    }
}

#[test]
fn a_change_is_in_force_and_its_end_too() {
    let place = guarded("change");
    place.waits_until_suspended_jobs_are(false);
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": place.namespace}});
    for (mode, allowed) in [("off", true), ("deny", false), ("warn", true)] {
        let spec = json!({"namespaceSelector": selector, "rules": {"job-suspended": {"mode": mode}}});
        place.rig.apply(&place.policy(&spec).to_string());
        place.waits_until_suspended_jobs_are(allowed);
    }
    let _ = place.kubectl(&["delete", "hookpolicy", &place.namespace], "").expect_ok();
    place.waits_until_suspended_jobs_are(false);
}

#[test]
fn a_label_puts_a_namespace_under_a_policy() {
    let place = guarded("labelled");
    let spec = json!({
        "namespaceSelector": {"matchLabels": {"team": place.namespace}},
        "rules": {"job-suspended": {"mode": "off"}},
    });
    place.rig.apply(&place.policy(&spec).to_string());
    place.waits_until_suspended_jobs_are(false);
    let label = format!("team={}", place.namespace);
    let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, &label]).expect_ok();
    place.waits_until_suspended_jobs_are(true);
    let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, "team-"]).expect_ok();
    place.waits_until_suspended_jobs_are(false);
    let _ = place.kubectl(&["delete", "hookpolicy", &place.namespace], "").expect_ok();
}
