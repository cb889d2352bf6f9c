//! Which exceptions count, and what is said of the others.

use serde_json::{Value, json};

use super::{
    expiring::{Told, Warning},
    *,
};
use crate::testing;

/// 2030-01-01T00:00:00Z
const END: i64 = 1_893_456_000;
const DAY: i64 = 24 * 60 * 60;

fn object(spec: &Value, status: &Value) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookException",
        "metadata": {"name": "legacy", "uid": "u1", "generation": 3},
        "spec": spec, "status": status,
    }))
    .unwrap()
}

fn spec() -> Value {
    json!({
        "rules": ["job-suspended"], "namespaces": ["shop"], "reason": "ticket 7",
        "expiresAt": "2030-01-01T00:00:00Z", "requestedBy": "alice", "changedBy": "alice",
    })
}

fn by(person: &str, generation: i64) -> Value {
    json!({"approvedGeneration": generation, "approvedBy": person, "approvedAt": "2029-12-01T00:00:00Z"})
}

/// The reason and the message of the condition at `now`, and whether the exception is among those that judge.
fn told(spec: &Value, status: &Value, now: i64) -> (String, String, bool) {
    let mut exceptions = Exceptions::default();
    exceptions.apply(&object(spec, status));
    let condition = exceptions.condition("legacy", now).unwrap();
    assert_eq!(condition.status == "True", condition.reason == "Approved");
    (condition.reason, condition.message, exceptions.approved().next().is_some())
}

#[track_caller]
fn counts_not(spec: &Value, status: &Value, reason: &str, words: &str) {
    let (said, message, judges) = told(spec, status, END - DAY);
    assert!(said == reason && message.contains(words) && !judges, "{said}: {message}");
}

#[test]
fn an_approved_exception_counts_until_its_day() {
    let (reason, message, judges) = told(&spec(), &by("bob", 3), END - DAY);
    assert_eq!((&*reason, &*message, judges), ("Approved", "counts until 2030-01-01T00:00:00Z", true));
}

#[test]
fn an_exception_that_nobody_approved_does_not_count() {
    counts_not(&spec(), &json!({}), "NotApproved", "nobody has approved it");
    counts_not(&spec(), &json!({"approvedGeneration": 3}), "NotApproved", "nobody has approved it");
    counts_not(&spec(), &json!({"approvedGeneration": "3"}), "NotApproved", "nobody has approved it");
}

#[test]
fn nobody_approves_what_they_asked_for_or_changed() {
    counts_not(&spec(), &by("alice", 3), "NotApproved", "\"alice\" asked for it");
    let mut changed = spec();
    changed["changedBy"] = json!("carol");
    counts_not(&changed, &by("carol", 3), "NotApproved", "\"carol\" changed it");
}

#[test]
fn a_change_voids_the_approval() {
    counts_not(&spec(), &by("bob", 2), "Voided", "generation 2 was approved, and it is at generation 3");
}

#[test]
fn without_a_requester_nobody_can_approve() {
    let mut unstamped = spec();
    unstamped.as_object_mut().unwrap().remove("requestedBy");
    counts_not(&unstamped, &by("bob", 3), "NotApproved", "requestedBy");
}

#[test]
fn what_makes_no_sense_does_not_count() {
    for (field, value, words) in [
        ("expiresAt", json!("tomorrow"), "RFC 3339"),
        ("reason", json!(" "), "reason is empty"),
        ("rules", json!([]), "rules is empty"),
        ("name", json!("migrate"), "unknown field"),
        ("names", json!("migrate"), "invalid type"),
    ] {
        let mut broken = spec();
        broken[field] = value;
        counts_not(&broken, &by("bob", 3), "Invalid", words);
    }
}

#[test]
fn the_end_comes_without_an_event_and_early_for_clocks_that_are_behind() {
    assert_eq!(told(&spec(), &by("bob", 3), END - SKEW - 1).0, "Approved");
    let (reason, message, _) = told(&spec(), &by("bob", 3), END - SKEW);
    assert_eq!((&*reason, &*message), ("Expired", "counts no more: it ended at 2030-01-01T00:00:00Z"));
    let mut exceptions = Exceptions::default();
    exceptions.apply(&object(&spec(), &by("bob", 3)));
    assert_eq!(
        exceptions.approved().next().unwrap().expires_at,
        END - SKEW,
        "whoever judges ends it early too"
    );
}

#[test]
fn only_what_counts_is_a_change() {
    let mut exceptions = Exceptions::default();
    assert!(!exceptions.apply(&object(&spec(), &json!({}))));
    assert!(exceptions.apply(&object(&spec(), &by("bob", 3))));
    let mut status = by("bob", 3);
    status["conditions"] = json!([{
        "type": "Active", "status": "True", "reason": "Approved", "message": "",
        "lastTransitionTime": "2029-12-01T00:00:00Z",
    }]);
    assert!(!exceptions.apply(&object(&spec(), &status)), "a condition was written");
    assert!(exceptions.apply(&object(&spec(), &by("bob", 2))), "the approval is void");
    assert!(!exceptions.remove("legacy"));
}

#[test]
fn people_are_told_seven_days_and_one_day_before_once() {
    let mut exceptions = Exceptions::default();
    exceptions.apply(&object(&spec(), &by("bob", 3)));
    let told = Told::default();
    let due = |days: i64| told.due(&exceptions, END - SKEW - days * DAY).len();
    assert_eq!([due(8), due(7), due(6), due(2), due(1), due(0)], [0, 1, 0, 0, 1, 0]);
    let late = Told::default();
    assert_eq!(late.due(&exceptions, END - DAY / 2).len(), 1, "whoever begins late tells only the last");
    exceptions.apply(&object(&spec(), &by("alice", 3)));
    assert_eq!(Told::default().due(&exceptions, END - DAY), [], "what does not count does not end");
}

/// The only warning that is due at `now`.
#[track_caller]
fn warning(told: &Told, exceptions: &Exceptions, now: i64) -> Warning {
    let mut due = told.due(exceptions, now);
    assert_eq!(due.len(), 1);
    due.remove(0)
}

#[tokio::test]
async fn a_warning_that_could_not_be_written_is_tried_again() {
    // So that the next attempt is due by the clock of the test, the day is far from the clock of the machine.
    let mut exceptions = Exceptions::default();
    let mut spec = spec();
    spec["expiresAt"] = json!("2999-01-01T00:00:00Z");
    exceptions.apply(&object(&spec, &by("bob", 3)));
    let soon = exceptions.approved().next().unwrap().expires_at - DAY;
    let told = Told::default();
    for status in [500, 403] {
        let (client, log) = testing::client(move |_| testing::refusal(status, "No"));
        warning(&told, &exceptions, soon).tell(client, "pod".to_owned(), told.clone()).await;
        assert_eq!(log.lock().unwrap().len(), 1);
    }
    let under_way = warning(&told, &exceptions, soon);
    assert_eq!(told.due(&exceptions, soon), [], "somebody is at it");
    let (client, _) = testing::client(|asked| (201, asked.body.clone()));
    under_way.tell(client, "pod".to_owned(), told.clone()).await;
    assert_eq!(told.due(&exceptions, soon), []);
}

#[tokio::test]
async fn a_warning_that_somebody_else_wrote_is_told() {
    let mut exceptions = Exceptions::default();
    exceptions.apply(&object(&spec(), &by("bob", 3)));
    let told = Told::default();
    let (client, _) = testing::client(|_| testing::refusal(409, "AlreadyExists"));
    warning(&told, &exceptions, END - DAY).tell(client, "pod".to_owned(), told.clone()).await;
    assert_eq!(told.due(&exceptions, END - DAY), []);
}

#[tokio::test]
async fn who_asked_for_our_events_did_not_see_that_exceptions_end() {
    let mut exceptions = Exceptions::default();
    let mut spec = spec();
    spec["rules"] = json!(vec!["job-suspended"; 100]);
    exceptions.apply(&object(&spec, &by("bob", 3)));
    let told = Told::default();
    let (client, log) = testing::client(|asked| (201, asked.body.clone()));
    warning(&told, &exceptions, END - DAY).tell(client, "p".repeat(200), told.clone()).await;
    let asked = log.lock().unwrap()[0].clone();
    assert_eq!(asked.path, "/apis/events.k8s.io/v1/namespaces/default/events");
    assert_eq!(asked.body["reportingController"], "hookward.dev/webhook", "as the page says");
    assert_eq!(
        (&asked.body["regarding"]["name"], &asked.body["regarding"]["uid"]),
        (&json!("legacy"), &json!("u1"))
    );
    assert!(asked.body["metadata"].get("generateName").is_none(), "one name for all replicas");
    let length = |field: &str| asked.body[field].as_str().unwrap().len();
    assert!(length("note") <= 1024 && length("reportingInstance") <= 128);
}
