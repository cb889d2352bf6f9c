//! Others change hooks too: what counts is what comes out in the end.

use serde_json::{Value, json};
use tests::chart::{changed, hook_job};

use super::{OBJECTS, Place, SOON, assert_refused};

/// A `MutatingAdmissionPolicy`, which the API server asks before any webhook, and again when one has changed something.
struct Other<'a> {
    place: &'a Place,
}

impl<'a> Other<'a> {
    /// Changes Jobs of this namespace; one of them is wrong as long as it does not.
    #[track_caller]
    fn start(place: &'a Place, mutation: &Value, canary: &Value, is_changed: fn(&Value) -> bool) -> Self {
        let name = &place.namespace;
        let rule = json!({"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]});
        let here = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}});
        let policy = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": name},
            "spec": {
                "matchConstraints": {"resourceRules": [rule]}, "failurePolicy": "Fail",
                "reinvocationPolicy": "IfNeeded", "mutations": [mutation],
            },
        });
        let binding = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": name}, "spec": {"policyName": name, "matchResources": here},
        });
        place.rig.apply(&json!({"apiVersion": "v1", "kind": "List", "items": [policy, binding]}).to_string());
        let try_out = ["create", "--dry-run=server", "--output=json", "--filename=-"];
        place.rig.wait_for("the other policy", SOON, || {
            let tried = place.kubectl(&try_out, &canary.to_string());
            serde_json::from_str(&tried.stdout).is_ok_and(|job| is_changed(&job)).then_some(())
        });
        Self { place }
    }
}

impl Drop for Other<'_> {
    fn drop(&mut self) {
        let kinds = "mutatingadmissionpolicies,mutatingadmissionpolicybindings";
        let _ = self.place.rig.kubectl(&["delete", kinds, &self.place.namespace]);
    }
}

/// No hook, so nothing of ours.
fn canary(name: &str, annotation: &str) -> Value {
    let mut job = hook_job(name, "pre-install");
    job["metadata"]["annotations"] = json!({annotation: "yes"});
    job
}

/// It is harmless until it was repaired: whoever looked earlier would not see it.
#[test]
fn what_somebody_does_to_a_repaired_hook_is_judged() {
    let place = Place::unguarded("final-worse");
    let suspend = "Object{spec: Object.spec{suspend: 'hookward.dev/fixed' in object.metadata.annotations}}";
    let mutation = json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": suspend}});
    let fixed = canary("canary", "hookward.dev/fixed");
    let other = Other::start(&place, &mutation, &fixed, |job| job["spec"]["suspend"] == true);
    let plain = hook_job("before", "pre-install");
    let _ = place.create(&plain).expect_ok();
    assert_eq!(place.job("before")["spec"]["suspend"], false);
    drop(other);
    let place = place.guard("", &OBJECTS);
    let _other = Other::start(&place, &mutation, &fixed, |job| job["spec"]["suspend"] == true);
    let refused = place.create(&hook_job("migrate", "pre-install"));
    assert_refused(&refused, &["\"validate.hookward.dev\" denied the request: `job-suspended`"]);
}

#[test]
fn what_somebody_takes_back_is_repaired_again() {
    let place = Place::guarded("final-undone");
    let undo = "has(object.spec.ttlSecondsAfterFinished)
        ? [JSONPatch{op: 'remove', path: '/spec/ttlSecondsAfterFinished'}] : []";
    let mutation = json!({"patchType": "JSONPatch", "jsonPatch": {"expression": undo}});
    let lives = changed(canary("canary", "example.com/any"), "/spec", "ttlSecondsAfterFinished", json!(7));
    let _other = Other::start(&place, &mutation, &lives, |job| {
        job["spec"].is_object() && job["spec"].get("ttlSecondsAfterFinished").is_none()
    });
    let _ = place.create(&hook_job("migrate", "pre-install")).expect_ok();
    assert_eq!(place.job("migrate")["spec"]["ttlSecondsAfterFinished"], 300);
}
