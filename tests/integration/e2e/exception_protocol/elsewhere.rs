//! Releases with objects in another namespace than their own: exceptions go by where Helm makes the object.

use tests::chart::{Chart, changed, hook_job};

use super::*;

#[test]
fn an_exception_for_the_namespace_of_a_release_let_the_gate_pass_its_objects_in_others() {
    for helm in [Helm::V3, Helm::V4] {
        let elsewhere = Place::unguarded("elsewhere");
        let containers =
            json!([{"name": "main", "image": "shop:1", "securityContext": {"privileged": true}}]);
        let job =
            changed(hook_job("migrate", "pre-install"), "/spec/template/spec", "containers", containers);
        let job = changed(job, "/metadata", "namespace", json!(elsewhere.namespace));
        let chart = Chart::new(&[job]);
        for is_meant in [false, true] {
            let place = Place::unguarded("here");
            let meant = if is_meant { &elsewhere.namespace } else { &place.namespace };
            let exception = json!({
                "apiVersion": "hookward.dev/v1alpha1", "kind": "HookException", "metadata": {"name": "known"},
                "spec": {"rules": ["*"], "namespaces": [meant], "reason": "known", "expiresAt": "2999-01-01T00:00:00Z"},
            });
            let place = place.guard(&exception.to_string(), &["release"]);
            let installed = place.install(helm, &chart);
            if is_meant {
                let _ = installed.expect_ok();
                assert!(elsewhere.find("job", "migrate").is_some() && place.find("job", "migrate").is_none());
            } else {
                assert_refused(&installed, &["`sec-privileged`: Job \"migrate\""]);
                assert!(elsewhere.find("job", "migrate").is_none());
            }
        }
    }
}
