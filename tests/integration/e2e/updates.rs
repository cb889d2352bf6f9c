//! Updates in every form that Kubernetes knows, which make a hook of an object or an object of a hook.

use serde_json::{Value, json};
use tests::chart::{changed, ending, hook_job, suspended_job};

use super::{OBJECTS, Place, assert_refused};

/// How the annotation comes and goes.
#[derive(Debug, Clone, Copy)]
enum Way {
    ServerSideApply,
    Patch,
    Replace,
}

impl Way {
    const ALL: [Self; 3] = [Self::ServerSideApply, Self::Patch, Self::Replace];
}

const APPLY: [&str; 4] = ["apply", "--server-side", "--field-manager=deployer", "--filename=-"];
const DENIED: [&str; 1] =
    ["admission webhook \"validate.hookward.dev\" denied the request: `job-suspended`: Job \"migrate\""];

/// The same Job without the annotation.
fn plain(mut job: Value) -> Value {
    job["metadata"].as_object_mut().unwrap().remove("annotations");
    job
}

/// Makes the stored Job look like `wanted`, as far as its annotations go.
fn update(place: &Place, way: Way, wanted: &Value) -> tests::rig::Ran {
    match way {
        Way::ServerSideApply => place.kubectl(&APPLY, &wanted.to_string()),
        Way::Patch => {
            let annotation = &wanted["metadata"]["annotations"]["helm.sh/hook"];
            let patch = json!({"metadata": {"annotations": {"helm.sh/hook": annotation}}}).to_string();
            place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", &patch], "")
        }
        Way::Replace => {
            let annotations = wanted["metadata"]["annotations"].clone();
            let stored = changed(place.job("migrate"), "/metadata", "annotations", annotations);
            place.kubectl(&["replace", "--filename=-"], &stored.to_string())
        }
    }
}

#[test]
fn a_hook_cannot_be_made_of_a_bad_object_afterwards() {
    for way in Way::ALL {
        let place = Place::guarded("updates-add");
        let bad = suspended_job("migrate", "pre-install");
        let _ = place.kubectl(&APPLY, &plain(bad.clone()).to_string()).expect_ok();
        assert_refused(&update(&place, way, &bad), &DENIED);
        assert!(place.job("migrate")["metadata"]["annotations"].get("helm.sh/hook").is_none(), "{way:?}");
    }
}

#[test]
fn a_hook_made_of_a_good_object_is_allowed_and_not_changed() {
    for way in Way::ALL {
        let place = Place::guarded("updates-add-good");
        let good = ending(hook_job("migrate", "pre-install"), "hang");
        let _ = place.kubectl(&APPLY, &plain(good.clone()).to_string()).expect_ok();
        let _ = update(&place, way, &good).expect_ok();
        let job = place.job("migrate");
        assert_eq!(job["metadata"]["annotations"]["helm.sh/hook"], "pre-install", "{way:?}");
        assert_eq!(job["spec"].get("ttlSecondsAfterFinished"), None, "{way:?}");
        assert_eq!(job["spec"]["backoffLimit"], 6, "{way:?}");
    }
}

#[test]
fn an_annotation_may_be_taken_away_even_from_a_bad_object() {
    for way in Way::ALL {
        let place = Place::unguarded("updates-strip");
        let bad = suspended_job("migrate", "pre-install");
        let _ = place.kubectl(&APPLY, &bad.to_string()).expect_ok();
        let place = place.guard("", &OBJECTS);
        let _ = update(&place, way, &plain(bad)).expect_ok();
        assert!(place.job("migrate")["metadata"]["annotations"].get("helm.sh/hook").is_none(), "{way:?}");
    }
}

#[test]
fn what_was_bad_before_is_not_held_against_an_update_and_what_becomes_worse_is() {
    let place = Place::unguarded("updates-ratchet");
    let _ = place.create(&suspended_job("migrate", "pre-install")).expect_ok();
    let good = ending(hook_job("other", "pre-install"), "hang");
    let _ = place.create(&good).expect_ok();
    let place = place.guard("", &OBJECTS);
    let label = |job: &str| place.kubectl(&["label", "job", job, "team=shop"], "");
    let _ = label("migrate").expect_ok();
    let _ = label("other").expect_ok();
    let suspend = |job: &str| {
        place.kubectl(&["patch", "job", job, "--type=merge", "--patch", r#"{"spec":{"suspend":true}}"#], "")
    };
    let _ = suspend("migrate").expect_ok();
    assert_refused(&suspend("other"), &["denied the request: `job-suspended`: Job \"other\""]);
}

/// What a webhook adds to an apply is owned by nobody, so the next apply does not take it away.
#[test]
fn an_injected_field_stays_through_the_next_apply() {
    let place = Place::guarded("updates-apply");
    let job = ending(hook_job("migrate", "pre-install"), "hang");
    let _ = place.kubectl(&APPLY, &job.to_string()).expect_ok();
    assert_eq!(place.job("migrate")["spec"]["ttlSecondsAfterFinished"], 300);
    let labelled = changed(job, "/metadata", "labels", json!({"team": "shop"}));
    let _ = place.kubectl(&APPLY, &labelled.to_string()).expect_ok();
    let shown =
        place.kubectl(&["get", "job", "migrate", "--output=json", "--show-managed-fields"], "").expect_ok();
    let after: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(after["metadata"]["labels"]["team"], "shop");
    assert_eq!(after["spec"]["ttlSecondsAfterFinished"], 300);
    let owners = after["metadata"]["managedFields"].as_array().unwrap();
    let of_deployer = owners.iter().find(|owner| owner["manager"] == "deployer").unwrap();
    assert_eq!(of_deployer["fieldsV1"]["f:spec"].get("f:ttlSecondsAfterFinished"), None, "{of_deployer}");
}
