//! One object at a time: what is judged, what is left alone, and what the answer says.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    routes,
    testing::{answer, app, job, log, post, review, text},
};

fn suspended() -> Value {
    job(&json!({"suspend": true}))
}

async fn ask(path: &str, object: &Value, changes: &Value) -> Value {
    answer(&app(), path, &review(object, changes)).await
}

async fn is_allowed(object: &Value, changes: &Value) -> bool {
    ask("/validate", object, changes).await["allowed"] == true
}

#[tokio::test]
async fn a_denial_says_which_rule_where_and_how_to_learn_more() {
    let app = app();
    let response = answer(&app, "/validate", &review(&suspended(), &json!({}))).await;
    assert_eq!(response["allowed"], false);
    assert_eq!(
        (&response["status"]["code"], &response["status"]["reason"]),
        (&json!(403), &json!("Forbidden"))
    );
    let message = response["status"]["message"].as_str().unwrap();
    assert!(message.starts_with("`job-suspended`: Job \"migrate\" /spec/suspend: "), "{message}");
    assert!(message.ends_with("\nexplain: hookward rules job-suspended"), "{message}");
    assert_eq!(response["auditAnnotations"]["mode"], "deny");
    assert!(response["auditAnnotations"]["rules"].as_str().unwrap().contains("job-suspended"));
    assert_eq!(response["auditAnnotations"]["generation"], "0");
    let metrics = app.metrics.render();
    assert!(metrics.contains(r#"requests_total{decision="denied",operation="create",path="validate"} 1"#));
    assert!(metrics.contains(r#"findings_total{mode="deny",rule="job-suspended"} 1"#));
}

#[tokio::test]
async fn mutate_allows_what_validate_will_refuse() {
    assert_eq!(ask("/mutate", &suspended(), &json!({})).await["allowed"], true);
}

#[tokio::test]
async fn mutate_never_changes_on_update() {
    let changes = json!({"operation": "UPDATE", "oldObject": job(&json!({}))});
    assert_eq!(ask("/mutate", &job(&json!({})), &changes).await, json!({"uid": "6c1d4bd5", "allowed": true}));
}

#[tokio::test]
async fn a_patch_applies_and_settles() {
    let mut object =
        job(&json!({"backoffLimit": 6, "template": {"spec": {"restartPolicy": "Never", "containers": []}}}));
    let response = ask("/mutate", &object, &json!({})).await;
    let Some(patch) = response["patch"].as_str() else {
        // No rule that ships repairs this object.
        assert!(response.get("patchType").is_none());
        return;
    };
    assert_eq!(response["patchType"], "JSONPatch");
    let patch: json_patch::Patch = serde_json::from_slice(&STANDARD.decode(patch).unwrap()).unwrap();
    json_patch::patch(&mut object, &patch).unwrap();
    assert!(object["metadata"]["annotations"]["hookward.dev/fixed"].is_string());
    assert!(ask("/mutate", &object, &json!({})).await.get("patch").is_none());
}

#[tokio::test]
async fn what_is_no_hook_is_not_judged() {
    let mut object = suspended();
    object["metadata"]["annotations"] = json!({"team": "shop"});
    assert_eq!(ask("/validate", &object, &json!({})).await, json!({"uid": "6c1d4bd5", "allowed": true}));
}

#[tokio::test]
async fn subresources_deletions_and_objects_being_deleted_are_never_blocked() {
    let object = suspended();
    assert!(
        is_allowed(
            &object,
            &json!({"operation": "UPDATE", "subResource": "status", "oldObject": job(&json!({}))})
        )
        .await
    );
    assert!(is_allowed(&Value::Null, &json!({"operation": "DELETE", "oldObject": object})).await);
    assert!(is_allowed(&object, &json!({"operation": "CONNECT"})).await);
    let mut leaving = suspended();
    leaving["metadata"]["deletionTimestamp"] = json!("2026-11-20T00:00:00Z");
    assert!(is_allowed(&suspended(), &json!({"operation": "UPDATE", "oldObject": leaving})).await);
    assert!(!is_allowed(&leaving, &json!({})).await, "nobody creates an object that is on its way out");
}

#[tokio::test]
async fn an_update_is_held_only_to_what_it_makes_worse() {
    assert!(!is_allowed(&suspended(), &json!({"operation": "UPDATE", "oldObject": job(&json!({}))})).await);
    assert!(is_allowed(&suspended(), &json!({"operation": "UPDATE", "oldObject": suspended()})).await);
}

#[tokio::test]
async fn an_annotation_newly_added_counts_and_one_taken_away_does_not() {
    let mut plain = suspended();
    plain["metadata"]["annotations"] = json!({});
    assert!(!is_allowed(&suspended(), &json!({"operation": "UPDATE", "oldObject": plain})).await);
    assert!(is_allowed(&plain, &json!({"operation": "UPDATE", "oldObject": suspended()})).await);
}

#[tokio::test]
async fn the_last_of_two_members_is_the_one_that_is_stored() {
    let two = |first: bool, second: bool| {
        let text = review(&job(&json!({"suspend": "PLACE"})), &json!({})).to_string();
        text.replace(
            "\"suspend\":\"PLACE\"",
            &format!("\"suspend\":{first},\"Suspend\":true,\"suspend\":{second}"),
        )
    };
    for (first, second) in [(true, false), (false, true)] {
        let response = ServiceExt::oneshot(routes(app()), post("/validate", two(first, second)));
        let answer: Value = serde_json::from_str(&text(response.await.unwrap()).await).unwrap();
        assert_eq!(answer["response"]["allowed"], !second);
    }
}

#[tokio::test]
async fn a_large_object_is_judged_like_a_small_one() {
    let mut object = suspended();
    object["spec"]["template"] = json!({"metadata": {"annotations": {"script": "x".repeat(200_000)}}});
    assert!(!is_allowed(&object, &json!({})).await);
}

#[tokio::test]
async fn a_name_cannot_write_to_a_terminal() {
    let mut object = suspended();
    object["metadata"]["name"] = json!("migrate\u{1b}[2J\r\nallowed");
    let response = ask("/validate", &object, &json!({})).await;
    let message = response["status"]["message"].as_str().unwrap();
    assert_eq!(message.lines().count(), 2, "{message}");
    assert!(!message.contains('\u{1b}'));
}

#[tokio::test]
async fn no_answer_tells_of_values() {
    let mut object = suspended();
    object["spec"]["template"]["spec"]["containers"] = json!([{"name": "c", "image": "i", "command": ["sh", "-c", "echo hunter2"], "env": [{"name": "P", "value": "hunter2"}]}]);
    for path in ["/validate", "/mutate"] {
        assert!(!ask(path, &object, &json!({})).await.to_string().contains("hunter2"));
    }
}

/// What is logged while `path` answers.
fn logged(path: &str, object: &Value) -> String {
    log::logged(ask(path, object, &json!({})))
}

#[test]
fn a_denial_is_one_line_in_the_log() {
    let mut object = suspended();
    object["spec"]["template"]["spec"]["containers"] =
        json!([{"name": "c", "env": [{"name": "P", "value": "hunter2"}]}]);
    let log = logged("/validate", &object);
    assert_eq!(log.lines().count(), 1, "{log}");
    let line: Value = serde_json::from_str(&log).unwrap();
    let fields = &line["fields"];
    for (field, value) in [
        ("decision", "denied"),
        ("path", "validate"),
        ("operation", "create"),
        ("namespace", "shop"),
        ("user", "helm"),
    ] {
        assert_eq!(fields[field], value, "{log}");
    }
    assert!(fields["rules"].as_str().unwrap().contains("job-suspended"));
    assert!(!log.contains("hunter2"));
}

#[test]
fn what_is_allowed_is_not_worth_a_line() {
    let mut object = job(&json!({}));
    (object["apiVersion"], object["kind"]) = (json!("v1"), json!("ConfigMap"));
    assert_eq!(logged("/mutate", &object), "");
}

#[test]
fn what_was_only_looked_at_was_told_nowhere_by_its_name() {
    let log = logged("/validate", &job(&json!({"backoffLimit": 1, "ttlSecondsAfterFinished": 600})));
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!(line["fields"]["decision"], "allowed", "{log}");
    assert_ne!(line["fields"]["rules"], "", "{log}");
}

#[test]
fn an_object_was_changed_and_the_log_did_not_say_so() {
    let log = logged("/mutate", &suspended());
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!((&line["fields"]["decision"], &line["fields"]["path"]), (&json!("patched"), &json!("mutate")));
    assert!(line["fields"]["rules"].as_str().unwrap().contains("job-ttl-missing"), "{log}");
}

#[tokio::test]
async fn more_values_than_can_be_judged_are_no_mistake_of_the_caller() {
    let app = app();
    let review = review(&job(&json!({"x": "PLACE"})), &json!({})).to_string();
    let body = review.replace("\"PLACE\"", &format!("[{}0]", "0,".repeat(600_000)));
    for path in ["/mutate", "/validate"] {
        let response = routes(Arc::clone(&app)).oneshot(post(path, body.clone())).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, "the object has more values than are judged\n");
    }
    assert!(app.metrics.render().contains("rejected_total{reason=\"too_many_values\"} 2"));
}

/// A hook of 1.5 MB, as much as etcd takes, that is hardly anything but short texts.
fn dense() -> Value {
    let settings: Vec<_> =
        (0..300).map(|index| json!({"name": format!("SETTING_{index}"), "value": "some value"})).collect();
    let containers: Vec<_> =
        (0..116).map(|index| json!({"name": format!("c{index}"), "image": "i", "env": settings})).collect();
    let mut object = suspended();
    object["spec"]["template"]["spec"]["containers"] = json!(containers);
    let length = object.to_string().len();
    assert!((1_400_000..1_600_000).contains(&length), "{length}");
    object
}

#[tokio::test]
async fn the_densest_object_that_can_be_stored_is_judged_also_beside_what_it_was() {
    let object = dense();
    assert!(!is_allowed(&object, &json!({})).await);
    let mut old = object.clone();
    old["spec"]["suspend"] = json!(false);
    assert!(!is_allowed(&object, &json!({"operation": "UPDATE", "oldObject": old})).await);
}

/// What text makes much of: one hook with many events, and many values.
#[tokio::test]
async fn an_object_that_would_take_all_memory_is_not_judged() {
    let events = |count: usize| {
        let mut object = suspended();
        object["metadata"]["annotations"][hooks::annotations::HOOK] = json!(",".repeat(count));
        object
    };
    let values = |count: usize| {
        let mut object = suspended();
        object["zz"] = vec![json!({"a": 1}); count].into();
        object
    };
    for (object, status) in
        [(events(200_000), 200), (events(2_000_000), 503), (values(10_000), 200), (values(100_000), 503)]
    {
        let body = review(&object, &json!({})).to_string();
        let request = post("/validate?timeout=30s", body);
        let response = routes(app()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), status);
    }
}
