//! Tests of what is written, and of what happens when it cannot be.

use prometheus::{Registry, TextEncoder};
use serde_json::Value;

use super::*;
use crate::testing::{self, Asked, Log};

fn announcement(name: &str) -> Announcement {
    Announcement {
        about: Identity {
            api_version: "batch/v1".into(),
            kind: "Job".into(),
            namespace: Some("shop".into()),
            name: name.into(),
            uid: None,
        },
        reason: "HookDenied",
        action: "Deny",
        topic: "job-suspended".into(),
        text: "it is wrong".into(),
    }
}

/// As the API server does: what is sent, with a name.
fn accept(asked: &Asked) -> (u16, Value) {
    let mut body = asked.body.clone();
    body["metadata"]["name"] = "hookward-abc".into();
    (201, body)
}

struct Desk {
    writer: Writer,
    log: Log,
    registry: Registry,
}

impl Desk {
    fn new(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (client, log) = testing::client(answer);
        let registry = Registry::new();
        let writer = Writer::new(client, "hookward-1", Metrics::new(&registry));
        Self { writer, log, registry }
    }

    fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    #[track_caller]
    fn shows(&self, line: &str) {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn an_event_says_who_what_and_about_what() {
    let mut desk = Desk::new(accept);
    desk.writer.take(announcement("migrate")).await;
    let asked = &desk.asked()[0];
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("POST", "/apis/events.k8s.io/v1/namespaces/shop/events")
    );
    let expected = [
        ("/note", "it is wrong"),
        ("/reason", "HookDenied"),
        ("/action", "Deny"),
        ("/type", "Warning"),
        ("/regarding/kind", "Job"),
        ("/regarding/name", "migrate"),
        ("/regarding/namespace", "shop"),
        ("/reportingController", "hookward.dev/webhook"),
        ("/reportingInstance", "hookward-1"),
    ];
    for (pointer, value) in expected {
        assert_eq!(asked.body.pointer(pointer).and_then(Value::as_str), Some(value), "{pointer}");
    }
}

#[tokio::test]
async fn what_comes_again_is_one_event_with_a_count() {
    let mut desk = Desk::new(accept);
    for _ in 0..50 {
        desk.writer.take(announcement("migrate")).await;
    }
    desk.writer.write_repetitions().await;
    desk.writer.write_repetitions().await;
    let asked = desk.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!((asked[1].method.as_str(), &asked[1].body["series"]["count"]), ("PATCH", &50.into()));
    assert!(asked[1].path.ends_with("/events/hookward-abc"), "{}", asked[1].path);
}

#[tokio::test]
async fn objects_without_a_namespace_are_told_of_in_the_default_one() {
    let mut desk = Desk::new(accept);
    let mut cluster_scoped = announcement("admins");
    cluster_scoped.about.namespace = None;
    desk.writer.take(cluster_scoped).await;
    assert_eq!(desk.asked()[0].path, "/apis/events.k8s.io/v1/namespaces/default/events");
}

#[tokio::test]
async fn a_flood_in_one_namespace_is_dropped_and_counted() {
    let mut desk = Desk::new(accept);
    for number in 0..100 {
        desk.writer.take(announcement(&number.to_string())).await;
    }
    assert!(desk.asked().len() < 30, "{} events", desk.asked().len());
    desk.shows(r#"hookward_events_dropped_total{reason="rate_limited"} 75"#);
}

#[tokio::test]
async fn who_may_not_write_events_counts_and_goes_on() {
    let mut desk = Desk::new(|_| testing::refusal(403, "Forbidden"));
    desk.writer.take(announcement("a")).await;
    desk.writer.take(announcement("a")).await;
    assert_eq!(desk.asked().len(), 2, "what was not written is tried again");
    desk.shows(r#"hookward_events_dropped_total{reason="refused"} 2"#);
}

#[tokio::test]
async fn an_event_that_has_gone_is_written_anew() {
    let mut desk = Desk::new(|asked| match asked.method.as_str() {
        "POST" => accept(asked),
        _ => testing::refusal(404, "NotFound"),
    });
    desk.writer.take(announcement("a")).await;
    desk.writer.take(announcement("a")).await;
    desk.writer.write_repetitions().await;
    desk.writer.take(announcement("a")).await;
    let methods: Vec<_> = desk.asked().into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, ["POST", "PATCH", "POST"]);
}

#[tokio::test]
async fn a_full_queue_is_counted_and_nobody_waits() {
    let registry = Registry::new();
    let (queue, _waiting) = mpsc::channel(1);
    let recorder = Recorder { queue, metrics: Metrics::new(&registry) };
    for _ in 0..3 {
        recorder.announce(announcement("a"));
    }
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains(r#"hookward_events_dropped_total{reason="queue_full"} 2"#), "{text}");
}
