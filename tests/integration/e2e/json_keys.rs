//! Members that are written twice, or in another case: what the API server stores is what we judged.

use tests::rig::Ran;

use super::{OBJECTS, Place, assert_refused};

/// A Job whose annotations and spec are these texts, sent as it stands.
#[track_caller]
fn send(place: &Place, name: &str, metadata: &str, spec: &str) -> Ran {
    let template = r#""template":{"metadata":{"annotations":{"hookward.dev/outcome":"hang"}},"spec":{"restartPolicy":"Never","containers":[{"name":"main","image":"shop:1"}]}}"#;
    let text = format!(
        r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"{name}",{metadata}}},"spec":{{{spec},{template}}}}}"#
    );
    let path = format!("/apis/batch/v1/namespaces/{}/jobs", place.namespace);
    place.kubectl(&["create", "--raw", &path, "--filename=-"], &text)
}

const HOOK: &str = r#""annotations":{"helm.sh/hook":"pre-install"}"#;
const DENIED: [&str; 1] = ["denied the request: `job-suspended`"];

#[test]
fn of_a_member_written_twice_the_last_is_stored_and_judged() {
    let place = Place::unguarded("json-twice").guard("", &OBJECTS);
    assert_refused(&send(&place, "bad", HOOK, r#""suspend":false,"suspend":true"#), &DENIED);
    let _ = send(&place, "good", HOOK, r#""suspend":true,"suspend":false"#).expect_ok();
    assert_eq!(place.job("good")["spec"]["suspend"], false);
}

#[test]
fn a_member_in_another_case_is_neither_stored_nor_judged() {
    let place = Place::unguarded("json-case").guard("", &OBJECTS);
    assert_refused(&send(&place, "bad", HOOK, r#""suspend":true,"Suspend":false,"SUSPEND":false"#), &DENIED);
    let _ = send(&place, "good", HOOK, r#""Suspend":true"#).expect_ok();
    assert_eq!(place.job("good")["spec"]["suspend"], false);
    let _ = send(&place, "no-hook", r#""Annotations":{"helm.sh/hook":"pre-install"}"#, r#""suspend":true"#)
        .expect_ok();
    assert_eq!(place.job("no-hook")["metadata"].get("annotations"), None);
}

/// Annotations are a map, and a map that is written twice is merged: the first annotation is still there, and judged.
#[test]
fn annotations_written_twice_do_not_hide_a_hook() {
    let place = Place::unguarded("json-hidden").guard("", &OBJECTS);
    for metadata in [
        format!(r#"{HOOK},"annotations":{{}}"#),
        format!(r#""annotations":{{}},{HOOK}"#),
        format!(r#"{HOOK},"Annotations":{{}},"annotations":{{"team":"shop"}}"#),
    ] {
        assert_refused(&send(&place, "hidden", &metadata, r#""suspend":true"#), &DENIED);
    }
    // Taken away for good, it is no hook: for the API server, for Helm and for us.
    let metadata = format!(r#"{HOOK},"annotations":null"#);
    let _ = send(&place, "no-hook", &metadata, r#""suspend":true"#).expect_ok();
    assert_eq!(place.job("no-hook")["metadata"].get("annotations"), None);
    let metadata = r#""annotations":{"helm.sh/hook":"pre-install","helm.sh/hook":""}"#;
    let _ = send(&place, "last", metadata, r#""suspend":false"#).expect_ok();
    assert_eq!(place.job("last")["metadata"]["annotations"]["helm.sh/hook"], "");
}
