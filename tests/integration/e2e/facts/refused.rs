//! Jobs that the API server takes in no form, and Jobs that are over before they have a pod.

use tests::{
    chart::{ending, hook_job},
    rig::Ran,
};

use super::{
    Chart, EACH_TIME, Helm, Place, Value, assert_refused, changed, json, object, with_both_helms, within,
};

/// A Job whose pods never end, with this in its specification, as a hook.
fn hanging(name: &str, value: Value) -> Value {
    changed(ending(hook_job("count", EACH_TIME), "hang"), "/spec", name, value)
}

/// What an install says of such a hook; Helm gives it little time.
fn installed(place: &Place, helm: Helm, name: &str, value: Value) -> Ran {
    within(place, helm, "install", &Chart::new(&[hanging(name, value)]), &["--timeout=20s"])
}

fn a_count_below_nothing_is_refused(helm: Helm) {
    let place = Place::unguarded("fact-negative");
    let ran = installed(&place, helm, "backoffLimit", json!(-1));
    let words = r#"Job.batch "count" is invalid: spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"#;
    assert_refused(&ran, &["warning: Hook pre-install", words]);
    assert_eq!(place.find("job", "count"), None);
}

fn a_count_that_is_a_text_is_refused(helm: Helm) {
    let place = Place::unguarded("fact-text");
    let ran = installed(&place, helm, "backoffLimit", json!("3"));
    let words = match helm {
        Helm::V3 => {
            "json: cannot unmarshal string into Go struct field JobSpec.spec.backoffLimit of type int32"
        }
        Helm::V4 => ".spec.backoffLimit: expected numeric (int or float), got string",
    };
    assert_refused(&ran, &["warning: Hook pre-install", words]);
    assert_eq!(place.find("job", "count"), None);
}

fn a_job_of_which_nothing_has_to_end_is_complete_at_once(helm: Helm) {
    let place = Place::unguarded("fact-completions");
    let _ = installed(&place, helm, "completions", json!(0)).expect_ok();
}

fn a_deadline_of_more_than_292_years_is_over_at_once(helm: Helm) {
    let place = Place::unguarded("fact-centuries");
    let ran = installed(&place, helm, "activeDeadlineSeconds", json!(9_223_372_037_u64));
    let words = match helm {
        Helm::V3 => "job count failed: DeadlineExceeded",
        Helm::V4 => "Job Failed. failed: 0/1",
    };
    assert_refused(&ran, &[words]);
}

fn an_unknown_member_in_a_list_stops_the_build(helm: Helm) {
    let place = Place::unguarded("fact-list");
    let mut job = changed(hook_job("count", ""), "/spec", "volumes", json!([]));
    job["metadata"] = json!({"name": "count"});
    let list = |events| changed(object("List", "all", events), "", "items", json!([job]));
    let words = r#"error validating data: ValidationError(Job.spec): unknown field "volumes" in io.k8s.api.batch.v1.JobSpec"#;
    let ran = place.install(helm, &Chart::new(&[list("")]));
    assert_refused(&ran, &["unable to build kubernetes objects from release manifest", words]);
    assert!(!place.helm(helm, "status", None, &[]).ok(), "nothing is stored");
    let ran = place.install(helm, &Chart::new(&[list("pre-install")]));
    assert_refused(&ran, &["unable to build kubernetes object for pre-install hook", words]);
}

with_both_helms! {
    a_count_below_nothing_is_refused
    a_count_that_is_a_text_is_refused
    a_job_of_which_nothing_has_to_end_is_complete_at_once
    a_deadline_of_more_than_292_years_is_over_at_once
    an_unknown_member_in_a_list_stops_the_build
}
