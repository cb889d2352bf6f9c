//! Documents that say no kind, no version of it, or one in small letters.

use tests::rig::Ran;

use super::{Chart, EACH_TIME, Helm, Place, assert_refused, json, object, with_both_helms};

/// A `ConfigMap`, a hook if there are events, without what is not to be said.
fn without(events: &str, unsaid: &[&str]) -> String {
    let mut object = object("ConfigMap", "first", events);
    for member in unsaid {
        object.as_object_mut().unwrap().remove(*member);
    }
    object.to_string()
}

fn installed(place: &Place, helm: Helm, template: &str) -> Ran {
    place.install(helm, &Chart::new(&[]).with("templates/x.yaml", template.as_bytes()))
}

fn an_ordinary_resource_without_kind_or_version_stops_the_install(helm: Helm) {
    let place = Place::unguarded("fact-kindless");
    for (unsaid, words) in [
        (&["apiVersion", "kind"][..], "[apiVersion not set, kind not set]"),
        (&["apiVersion"], "apiVersion not set"),
        (&["kind"], "kind not set"),
    ] {
        let words =
            format!(r#"objects from release manifest: error validating "": error validating data: {words}"#);
        assert_refused(&installed(&place, helm, &without("", unsaid)), &[&words]);
    }
}

fn a_hook_without_a_kind_stops_at_the_deletion_before_it(helm: Helm) {
    let place = Place::unguarded("fact-kindless-hook");
    let deleting = "unable to build kubernetes object for deleting hook";
    let words = r#"unable to decode "": Object 'Kind' is missing in"#;
    assert_refused(&installed(&place, helm, &without(EACH_TIME, &["kind"])), &[deleting, words]);
    let _ = place.helm(helm, "uninstall", None, &[]);
    let mut job = object("Job", "first", EACH_TIME);
    job["apiVersion"] = json!("");
    let words = r#"resource mapping not found for name: "first" namespace: "" from "": no matches for kind "Job" in version """#;
    assert_refused(&installed(&place, helm, &job.to_string()), &[deleting, words]);
}

fn a_hook_of_the_core_group_without_a_version_stops_at_its_creation(helm: Helm) {
    let place = Place::unguarded("fact-versionless");
    let ran = installed(&place, helm, &without(EACH_TIME, &["apiVersion"]));
    assert_refused(&ran, &["unable to build kubernetes object for pre-install hook", "apiVersion not set"]);
}

fn a_kind_in_small_letters_is_found_and_refused(helm: Helm) {
    let place = Place::unguarded("fact-small-letters");
    let words = match helm {
        Helm::V3 => {
            r#"configmap in version "v1" cannot be handled as a ConfigMap: no kind "configmap" is registered"#
        }
        Helm::V4 => "first /v1, Kind=configmap: invalid object type: /v1, Kind=configmap",
    };
    for events in ["", EACH_TIME] {
        assert_refused(&installed(&place, helm, &object("configmap", "first", events).to_string()), &[words]);
        let _ = place.helm(helm, "uninstall", None, &[]);
    }
    let ran = installed(&place, helm, &object("configMap", "first", EACH_TIME).to_string());
    assert_refused(&ran, &[r#"no matches for kind "configMap" in version "v1""#]);
}

with_both_helms! {
    an_ordinary_resource_without_kind_or_version_stops_the_install
    a_hook_without_a_kind_stops_at_the_deletion_before_it
    a_hook_of_the_core_group_without_a_version_stops_at_its_creation
    a_kind_in_small_letters_is_found_and_refused
}
