//! Which objects Helm makes of a text that holds more than one, and of what it is a hook.

use super::{
    Chart, EACH_TIME, Helm, Place, Value, assert_refused, changed, json, object, uid, with_both_helms,
};

/// The first object, which is a hook.
fn first() -> String {
    object("ConfigMap", "first", EACH_TIME).to_string()
}

/// A claim with data.
fn claim() -> Value {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": spec})
}

/// The claim as a template that hides the hook, or itself: as text, with what brings Helm to it.
fn hidden() -> [String; 6] {
    let claim = claim();
    let mut other_case = claim.clone();
    other_case["Metadata"] = json!({"annotations": {"helm.sh/hook": EACH_TIME}});
    let mut of_map = object("ConfigMap", "first", EACH_TIME);
    of_map["items"] = json!([claim]);
    let mut typed = object("PersistentVolumeClaimList", "first", EACH_TIME);
    typed["items"] = json!([{"metadata": claim["metadata"], "spec": claim["spec"]}]);
    [
        format!("{}\n{claim}\n", first()),
        format!("{} ---\n# YAML\n{claim}\n{{", first()),
        format!("{}nullnull{claim}", first()),
        other_case.to_string(),
        of_map.to_string(),
        typed.to_string(),
    ]
}

/// Which claim it is that is there.
fn of_claim(place: &Place) -> Option<String> {
    place.find("pvc", "data").map(|claim| uid(&claim).to_owned())
}

/// A chart of this one template.
fn chart(template: &str) -> Chart {
    Chart::new(&[]).with("templates/x.yaml", template.as_bytes())
}

fn what_follows_the_first_json_object_is_deleted_and_created_with_it(helm: Helm) {
    let place = Place::unguarded("fact-stream");
    let _ = place.create(&claim()).expect_ok();
    let before = of_claim(&place);
    let _ = place.install(helm, &chart(&hidden()[0])).expect_ok();
    let after = place.find("pvc", "data").unwrap();
    assert_ne!(of_claim(&place), before);
    assert_eq!(after["metadata"].get("annotations"), None, "nothing of it tells the API server of a hook");
}

fn a_hook_or_an_object_that_hid_from_us_is_refused_before_anything_is_touched(helm: Helm) {
    let place = Place::guarded("fact-stream-gate");
    let _ = place.create(&claim()).expect_ok();
    let before = of_claim(&place);
    for template in hidden() {
        let said = [
            "no hook and no object was touched",
            "`hook-data-kind-recreated`: PersistentVolumeClaim \"data\"",
        ];
        assert_refused(&place.install(helm, &chart(&template)), &said);
        assert_eq!(of_claim(&place), before, "{template}");
        assert_eq!(place.find("configmap", "first"), None, "{template}");
    }
}

fn each_of_them_is_deleted_where_nobody_refuses_it(helm: Helm) {
    for template in &hidden()[1..] {
        let place = Place::unguarded("fact-stream-each");
        let _ = place.create(&claim()).expect_ok();
        let before = of_claim(&place);
        // What the other case brings to the object, a server-side apply refuses: after the deletion.
        let _ = place.install(helm, &chart(template));
        assert_ne!(of_claim(&place), before, "{template}");
    }
}

fn nothing_is_built_when_something_else_follows(helm: Helm) {
    let place = Place::unguarded("fact-stream-fault");
    let _ = place.create(&claim()).expect_ok();
    let before = of_claim(&place);
    let template = format!("{}\n{}\nkind: ConfigMap\n", first(), claim());
    let said =
        ["unable to build kubernetes object for deleting hook", "error parsing : invalid character 'k'"];
    assert_refused(&place.install(helm, &chart(&template)), &said);
    assert_eq!(of_claim(&place), before);
}

fn of_ordinary_resources_only_the_first_object_is_created(helm: Helm) {
    let place = Place::unguarded("fact-stream-ordinary");
    let plain = |name| object("ConfigMap", name, "");
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n...\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\n";
    let chart = chart(&format!("{}\n{}\n", plain("a"), plain("b"))).with("templates/y.yaml", yaml.as_bytes());
    let _ = place.install(helm, &chart).expect_ok();
    let is_there = ["a", "b", "c", "d"].map(|name| place.find("configmap", name).is_some());
    assert_eq!(is_there, [true, false, true, false]);
}

fn of_a_list_in_a_list_nothing_is_built(helm: Helm) {
    let said = ["*unstructured.Unstructured is not a list: no Items field in this object"];
    for metadata in [object("List", "first", EACH_TIME), object("List", "first", "")] {
        let place = Place::unguarded("fact-list-in-list");
        let inner = json!({"apiVersion": "v1", "kind": "List", "items": [claim()]});
        let list = changed(metadata, "", "items", json!([inner]));
        assert_refused(&place.install(helm, &chart(&list.to_string())), &said);
        assert_eq!(of_claim(&place), None);
    }
}

fn an_item_with_items_that_are_no_list_is_an_object(helm: Helm) {
    let place = Place::unguarded("fact-items");
    let item = changed(claim(), "", "items", json!("x"));
    let list = changed(object("List", "first", ""), "", "items", json!([item]));
    let chart = chart(&list.to_string());
    // Otherwise Helm refuses a member that the schema of the kind does not know, and a server-side apply does.
    let unchecked = ["--disable-openapi-validation", "--server-side=false"];
    let flags = match helm {
        Helm::V3 => &unchecked[..1],
        Helm::V4 => &unchecked,
    };
    let ran = place.helm(helm, "install", Some(chart.path()), flags);
    assert!(of_claim(&place).is_some(), "{ran:?}");
}

with_both_helms! {
    of_a_list_in_a_list_nothing_is_built
    an_item_with_items_that_are_no_list_is_an_object
    what_follows_the_first_json_object_is_deleted_and_created_with_it
    a_hook_or_an_object_that_hid_from_us_is_refused_before_anything_is_touched
    each_of_them_is_deleted_where_nobody_refuses_it
    nothing_is_built_when_something_else_follows
    of_ordinary_resources_only_the_first_object_is_created
}
