//! What of a review is read, and what is refused.

use serde_json::{Value, json};

use super::*;

fn review(request: &str) -> String {
    format!(r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{request}}}"#)
}

#[track_caller]
fn refuses(body: &str, sentence: &str) {
    assert_eq!(parse(body.as_bytes()).unwrap_err().to_string(), sentence);
}

#[test]
fn the_parts_that_matter_are_borrowed() {
    let body = review(
        r#"{"uid":"1","kind":{"group":"batch","kind":"Job"},"operation":"CREATE","namespace":"shop","object":{"a":1},
            "oldObject":null,"userInfo":{"username":"u","extra":{"x":["y"]}},"options":{"fieldManager":"helm"},"new":{}}"#,
    );
    let request = parse(body.as_bytes()).unwrap();
    assert!(matches!(&request.uid.0, Cow::Borrowed("1")));
    assert!(matches!(&request.namespace.as_ref().unwrap().0, Cow::Borrowed("shop")));
    assert_eq!(request.object.unwrap().get(), r#"{"a":1}"#);
    assert!(request.old_object.is_none() && !request.is_subresource());
    assert_eq!((request.namespace(), request.field_manager()), (Some("shop"), Some("helm")));
}

#[test]
fn escapes_are_read_too() {
    let body = review(r#"{"uid":"\u0061\n","namespace":""}"#);
    let request = parse(body.as_bytes()).unwrap();
    assert_eq!(request.uid.as_str(), "a\n");
    assert_eq!(request.namespace(), None);
}

#[test]
fn a_duplicate_in_the_envelope_is_refused() {
    refuses(
        &review(r#"{"uid":"1","object":{},"object":{}}"#),
        "this is no AdmissionReview: duplicate field `object` at line 1, column 102",
    );
    let escaped = review(r#"{"uid":"1","\u0075id":"2"}"#);
    assert!(parse(escaped.as_bytes()).unwrap_err().to_string().contains("duplicate field `uid`"));
}

#[test]
fn names_keep_their_case() {
    let body = review(r#"{"uid":"1","Object":{"a":1},"OBJECT":{"a":2}}"#);
    assert!(parse(body.as_bytes()).unwrap().object.is_none());
}

#[test]
fn other_versions_and_kinds_are_refused() {
    let body = review(r#"{"uid":"1"}"#);
    refuses(
        &body.replace("k8s.io/v1", "k8s.io/v1beta1"),
        "only AdmissionReview in admission.k8s.io/v1 is understood",
    );
    refuses(&body.replace("AdmissionReview", "Pod"), "this is no AdmissionReview: its kind is another");
}

#[test]
fn a_review_needs_a_request_with_a_uid() {
    refuses(&review("null"), "this is no AdmissionReview: it holds no request");
    refuses(&review(r#"{"uid":""}"#), "this is no AdmissionReview: its request has no uid");
    refuses(&review("{}"), "this is no AdmissionReview: missing field `uid` at line 1, column 73");
}

#[test]
fn no_error_quotes_the_body() {
    for body in [
        r#"{"apiVersion":{"hunter2":1}}"#,
        r#"{"apiVersion":"hunter2"}"#,
        "hunter2",
        "\"hunter2\"",
        r#"["hunter2"]"#,
    ] {
        let error = parse(body.as_bytes()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
    refuses("{", "this is no AdmissionReview: the JSON ends too early at line 1, column 1");
    refuses("}", "this is no AdmissionReview: this is not JSON at line 1, column 1");
    refuses(
        &review("7"),
        "this is no AdmissionReview: a field has another type than it should at line 1, column 72",
    );
}

fn written(patch: Option<Patch>) -> Value {
    let response = Response {
        uid: "1",
        allowed: true,
        status: None,
        warnings: Vec::new(),
        audit_annotations: None,
        patch,
    };
    serde_json::from_slice(&write(&response)).unwrap()
}

#[test]
fn an_empty_answer_is_only_a_uid_and_a_word() {
    assert_eq!(
        written(None),
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {"uid": "1", "allowed": true}})
    );
}

#[test]
fn a_patch_comes_with_its_type() {
    let response = &written(Some(Patch { patch: "W10=".into(), patch_type: "JSONPatch" }))["response"];
    assert_eq!((&response["patch"], &response["patchType"]), (&json!("W10="), &json!("JSONPatch")));
}
