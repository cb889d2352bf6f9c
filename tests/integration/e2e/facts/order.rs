//! The order of hooks, and what Helm adds to them.

use super::{Chart, EACH_TIME, Helm, Place, changed, json, object, with_both_helms};

/// Annotated with a weight.
fn weighing(object: serde_json::Value, weight: &str) -> serde_json::Value {
    changed(object, "/metadata/annotations", "helm.sh/hook-weight", json!(weight))
}

fn weight_goes_before_name_and_name_before_kind(helm: Helm) {
    let place = Place::unguarded("fact-order");
    let marker = place.rig.audit_marker();
    // By kind alone, accounts would come first, then secrets, then configuration maps.
    let chart = Chart::new(&[
        object("ConfigMap", "c", EACH_TIME),
        object("ServiceAccount", "b", EACH_TIME),
        object("Secret", "c", EACH_TIME),
        object("ConfigMap", "a", EACH_TIME),
        weighing(object("ConfigMap", "z", EACH_TIME), "-1"),
    ]);
    let _ = place.install(helm, &chart).expect_ok();
    let wrote = place.helm_wrote(marker);
    let made = wrote.iter().filter(|event| event.verb != "delete" && !event.name.starts_with("sh.helm."));
    let made: Vec<_> = made.map(|event| format!("{}/{}", event.resource, event.name)).collect();
    assert_eq!(made, ["configmaps/z", "configmaps/a", "serviceaccounts/b", "secrets/c", "configmaps/c"]);
}

fn nothing_is_added_to_a_hook(helm: Helm) {
    let place = Place::unguarded("fact-bare");
    let chart = Chart::new(&[object("ConfigMap", "hook", EACH_TIME), object("ConfigMap", "ordinary", "")]);
    let _ = place.install(helm, &chart).expect_ok();
    let hook = place.find("configmap", "hook").unwrap();
    assert_eq!(hook["metadata"].get("labels"), None);
    assert_eq!(hook["metadata"]["annotations"], json!({"helm.sh/hook": EACH_TIME}));
    let ordinary = place.find("configmap", "ordinary").unwrap();
    assert_eq!(ordinary["metadata"]["labels"], json!({"app.kubernetes.io/managed-by": "Helm"}));
    assert_eq!(ordinary["metadata"]["annotations"]["meta.helm.sh/release-name"], "shop");
}

with_both_helms! {
    weight_goes_before_name_and_name_before_kind
    nothing_is_added_to_a_hook
}
