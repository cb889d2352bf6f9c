//! Events on a real API server, which has its own opinion of them.

use cluster::events::Recorder;
use policies::{
    Decision, Mode,
    decision::{Identity, Occasion, Told},
};
use serde_json::Value;

use super::{SOON, replica::Replica, rig};

fn denial(namespace: Option<&str>, name: &str, message: &str) -> Decision {
    let object = Identity {
        api_version: "batch/v1".into(),
        kind: "Job".into(),
        namespace: namespace.map(str::to_owned),
        name: name.into(),
        uid: None,
    };
    let told = Told { rule: "job-suspended", mode: Mode::Deny, message: message.into() };
    Decision {
        at: 0,
        occasion: Occasion::Hook,
        object,
        allowed: false,
        findings: vec![told],
        membership: None,
    }
}

fn recorder(replica: &Replica) -> Recorder {
    replica.within(|| Recorder::start(&replica.client, "hookward-1", &replica.metrics))
}

/// The Events about objects of this name.
fn about(namespace: &str, name: &str) -> Vec<Value> {
    let text =
        rig().kubectl(&["get", "events.events.k8s.io", "--namespace", namespace, "--output=json"]).stdout;
    let mut list: Value = serde_json::from_str(&text).unwrap();
    let Value::Array(events) = list["items"].take() else { return Vec::new() };
    events.into_iter().filter(|event| event["regarding"]["name"] == name).collect()
}

#[test]
fn a_denial_is_an_event_in_the_namespace_of_the_hook() {
    let (namespace, replica) = (rig().namespace("events"), Replica::new(rig()));
    recorder(&replica).record(&denial(Some(&namespace), "migrate", "`job-suspended`: it waits for ever"));
    let event = rig().wait_for("an event", SOON, || about(&namespace, "migrate").pop());
    assert_eq!(event["note"], "`job-suspended`: it waits for ever");
    assert_eq!((&event["reason"], &event["type"]), (&"HookDenied".into(), &"Warning".into()));
    let described = rig().kubectl(&["events", "--namespace", &namespace]).stdout;
    assert!(described.contains("Job/migrate"), "{described}");
}

#[test]
fn the_same_denial_again_and_again_is_one_event_with_a_count() {
    let (namespace, replica) = (rig().namespace("events"), Replica::new(rig()));
    let recorder = recorder(&replica);
    for _ in 0..30 {
        recorder.record(&denial(Some(&namespace), "migrate", "it waits for ever"));
    }
    rig().wait_for("the count", SOON, || {
        let events = about(&namespace, "migrate");
        assert!(events.len() < 2, "{events:?}");
        events.iter().any(|event| event["series"]["count"] == 30).then_some(())
    });
}

#[test]
fn objects_without_a_namespace_and_endless_texts_are_taken_too() {
    let replica = Replica::new(rig());
    let name = rig().namespace("events-global");
    recorder(&replica).record(&denial(None, &name, &"ä".repeat(5_000)));
    let event = rig().wait_for("an event", SOON, || about("default", &name).pop());
    let note = event["note"].as_str().unwrap();
    assert!(note.len() > 1_000 && note.len() <= 1_024 && note.ends_with('…'), "{} bytes", note.len());
}

#[test]
fn a_name_that_is_not_known_yet_does_not_matter() {
    let (namespace, replica) = (rig().namespace("events"), Replica::new(rig()));
    let recorder = recorder(&replica);
    recorder.record(&denial(Some(&namespace), "", "no name"));
    recorder.record(&denial(Some(&namespace), "migrate-", "a beginning"));
    rig().wait_for("an event", SOON, || about(&namespace, "migrate-").pop());
    rig().wait_for("an event", SOON, || {
        rig()
            .kubectl(&["get", "events", "--namespace", &namespace, "--output=jsonpath={.items[*].message}"])
            .stdout
            .contains("no name")
            .then_some(())
    });
}

#[test]
fn who_may_not_write_events_goes_on_without() {
    let namespace = rig().namespace("events");
    let replica = Replica::acting_as(rig(), "nobody-in-particular");
    let recorder = recorder(&replica);
    recorder.record(&denial(Some(&namespace), "migrate", "it waits for ever"));
    recorder.record(&denial(Some("no-such-namespace"), "migrate", "it waits for ever"));
    let line = r#"hookward_events_dropped_total{reason="refused"} 2"#;
    rig().wait_for("the count", SOON, || replica.shows(line).then_some(()));
    assert!(about(&namespace, "migrate").is_empty());
}
