//! An object that is a hook and an ordinary resource, at once or one after the other.

use super::{
    Chart, EACH_TIME, Helm, Place, assert_refused, changed, json, object, revisions, with_both_helms,
};

fn both() -> Chart {
    Chart::new(&[object("ConfigMap", "x", EACH_TIME), object("ConfigMap", "x", "")])
}

#[test]
fn helm_3_refuses_what_is_a_hook_and_an_ordinary_resource() {
    let place = Place::unguarded("fact-both-3");
    assert_refused(&place.install(Helm::V3, &both()), &["configmaps \"x\" already exists"]);
    let place = Place::unguarded("fact-both-3-later");
    let _ = place.install(Helm::V3, &Chart::new(&[])).expect_ok();
    assert_refused(&place.upgrade(Helm::V3, &both()), &["no ConfigMap with the name \"x\" found"]);
}

#[test]
fn helm_4_makes_an_ordinary_resource_of_what_is_a_hook_too() {
    let place = Place::unguarded("fact-both-4");
    let marker = place.rig.audit_marker();
    let _ = place.install(Helm::V4, &both()).expect_ok();
    let wrote = place.helm_wrote(marker);
    let verbs = wrote.iter().filter(|event| event.name == "x").map(|event| event.verb.as_str());
    assert_eq!(verbs.collect::<Vec<_>>(), ["delete", "patch", "patch"]);
    // The second apply takes back what only the first one said.
    let x = place.find("configmap", "x").unwrap();
    assert_eq!(x["metadata"]["annotations"].get("helm.sh/hook"), None);
    assert_eq!(x["metadata"]["annotations"]["meta.helm.sh/release-name"], "shop");
    let _ = place.upgrade(Helm::V4, &both()).expect_ok();
    assert!(place.find("configmap", "x").is_some());
}

fn an_ordinary_resource_that_becomes_a_hook_is_gone_after_the_upgrade(helm: Helm) {
    let place = Place::unguarded("fact-becomes");
    let _ = place.install(helm, &Chart::new(&[object("ConfigMap", "x", "")])).expect_ok();
    let _ = place.upgrade(helm, &Chart::new(&[object("ConfigMap", "x", EACH_TIME)])).expect_ok();
    assert_eq!(place.find("configmap", "x"), None);
    assert_eq!(place.history(helm), revisions(&[(1, "superseded"), (2, "deployed")]));
}

fn unless_the_hook_says_that_it_is_kept(helm: Helm) {
    let place = Place::unguarded("fact-kept");
    let _ = place.install(helm, &Chart::new(&[object("ConfigMap", "x", "")])).expect_ok();
    let hook = object("ConfigMap", "x", EACH_TIME);
    let hook = changed(hook, "/metadata/annotations", "helm.sh/resource-policy", json!("keep"));
    let _ = place.upgrade(helm, &Chart::new(&[hook])).expect_ok();
    assert!(place.find("configmap", "x").is_some());
}

with_both_helms! {
    an_ordinary_resource_that_becomes_a_hook_is_gone_after_the_upgrade
    unless_the_hook_says_that_it_is_kept
}
