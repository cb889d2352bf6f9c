//! Tests of what is written, and of what happens when it cannot be.

use policies::{
    Mode,
    decision::{Occasion, Told},
};
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

    /// On the word of a review.
    async fn take(&mut self, announcement: Announcement) {
        self.writer.take(announcement, Source::Review).await;
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
    desk.take(announcement("migrate")).await;
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
        desk.take(announcement("migrate")).await;
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
    desk.take(cluster_scoped).await;
    assert_eq!(desk.asked()[0].path, "/apis/events.k8s.io/v1/namespaces/default/events");
}

#[tokio::test]
async fn a_flood_in_one_namespace_is_dropped_and_counted() {
    let mut desk = Desk::new(accept);
    for number in 0..100 {
        desk.take(announcement(&number.to_string())).await;
    }
    assert!(desk.asked().len() < 30, "{} events", desk.asked().len());
    desk.shows(r#"hookward_events_dropped_total{reason="rate_limited"} 75"#);
}

#[tokio::test]
async fn who_may_not_write_events_counts_and_goes_on() {
    let mut desk = Desk::new(|_| testing::refusal(403, "Forbidden"));
    desk.take(announcement("a")).await;
    desk.take(announcement("a")).await;
    assert_eq!(desk.asked().len(), 2, "what was not written is tried again");
    desk.shows(r#"hookward_events_dropped_total{reason="refused"} 2"#);
}

#[tokio::test]
async fn a_right_that_was_lost_again_was_not_said_and_a_namespace_on_its_way_out_is_no_lost_right() {
    let error = |causes: &Value| {
        let mut status = testing::refusal(403, "Forbidden").1;
        status["details"] = serde_json::json!({"causes": causes});
        kube::Error::Api(serde_json::from_value(status).unwrap())
    };
    let terminating = error(&serde_json::json!([{"reason": "NamespaceTerminating"}]));
    let lost = error(&serde_json::json!([]));
    let mut desk = Desk::new(accept);
    assert!(desk.writer.is_to_say(CREATE, &terminating) && desk.writer.is_to_say(CREATE, &lost));
    assert!(!desk.writer.is_to_say(CREATE, &lost) && desk.writer.is_to_say(CREATE, &terminating));
    desk.take(announcement("a")).await;
    assert!(desk.writer.is_to_say(CREATE, &lost) && desk.writer.is_to_say(PATCH, &lost));
}

#[tokio::test]
async fn an_event_that_has_gone_is_written_anew() {
    let mut desk = Desk::new(|asked| match asked.method.as_str() {
        "POST" => accept(asked),
        _ => testing::refusal(404, "NotFound"),
    });
    desk.take(announcement("a")).await;
    desk.take(announcement("a")).await;
    desk.writer.write_repetitions().await;
    desk.take(announcement("a")).await;
    let methods: Vec<_> = desk.asked().into_iter().map(|asked| asked.method).collect();
    assert_eq!(methods, ["POST", "PATCH", "POST"]);
}

#[tokio::test]
async fn a_full_queue_is_counted_and_nobody_waits() {
    let registry = Registry::new();
    let ((queue, _waiting), (own, _waiting_too)) = (mpsc::channel(1), mpsc::channel(1));
    let (metrics, task) = (Metrics::new(&registry), tokio::spawn(async {}).abort_handle());
    let recorder = Recorder { queue, own, namespaces: None, metrics, task };
    for _ in 0..3 {
        recorder.announce(announcement("a"));
    }
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    assert!(text.contains(r#"hookward_events_dropped_total{reason="queue_full"} 2"#), "{text}");
}

/// A review of ours, or a forged one: nothing in it tells which.
fn decision(namespace: Option<&str>, name: usize) -> Decision {
    Decision {
        at: 0,
        occasion: Occasion::Hook,
        object: Identity { namespace: namespace.map(str::to_owned), ..announcement(&name.to_string()).about },
        allowed: false,
        findings: vec![Told { rule: "job-suspended", mode: Mode::Deny, message: "it is wrong".into() }],
        membership: None,
    }
}

/// A namespace that the watch has told of, as the API server has it.
const SHOP: &str = "shop";

/// Answers as an API server with one namespace does.
fn with_shop(asked: &Asked) -> (u16, Value) {
    match asked.path.split_once("/namespaces/") {
        Some((_, name)) if asked.method == "GET" => (200, json!({"metadata": {"name": name}})),
        Some((_, rest)) if rest.starts_with("shop/") || rest.starts_with("default/") => accept(asked),
        _ => testing::refusal(404, "NotFound"),
    }
}

/// A recorder that knows of [`SHOP`] alone, beside a log of what the API server was asked to write.
async fn guarded() -> (Recorder, Log, Registry) {
    let (client, log) = testing::client(with_shop);
    let registry = Registry::new();
    let metrics = Metrics::new(&registry);
    let recorder = Recorder::start(&client, "hookward-1", &metrics);
    let (namespaces, _) = Namespaces::watch(client, &metrics);
    assert_eq!(namespaces.learn(SHOP).await, Some(true));
    log.lock().unwrap().clear();
    (recorder.among(namespaces), log, registry)
}

/// Where Events were to be written, when everything has been.
async fn written(log: &Log, is_there: impl Fn(&[Asked]) -> bool) -> Vec<Asked> {
    loop {
        let asked = log.lock().unwrap().clone();
        if is_there(&asked) {
            return asked;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn reviews_of_namespaces_that_are_not_there_use_up_nothing_of_others() {
    let (recorder, log, registry) = guarded().await;
    for index in 0..400 {
        recorder.record(&decision(Some(&format!("made-up-{index}")), index));
    }
    recorder.record(&decision(Some(SHOP), 0));
    let asked = written(&log, |asked| asked.iter().any(|asked| asked.path.contains("/shop/"))).await;
    assert_eq!(asked.len(), 26, "one bucket for all that were made up, and the real one");
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    for line in [r#"{reason="namespace_unknown"} 25"#, r#"{reason="rate_limited"} 375"#] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_review_uses_up_what_the_server_says_of_itself() {
    let (recorder, log, _registry) = guarded().await;
    // Hooks without a namespace are told of where the server's own matters are.
    for index in 0..QUEUE * 2 {
        recorder.record(&decision(None, index));
    }
    let mut own = announcement("hookward");
    (own.about.namespace, own.reason) = (None, "RegistrationDrift");
    recorder.announce(own.clone());
    let is_ours = |asked: &Asked| asked.body["reason"] == "RegistrationDrift";
    written(&log, |asked| asked.iter().any(is_ours)).await;
    own.topic = "another".to_owned();
    recorder.announce(own);
    let asked = written(&log, |asked| asked.iter().filter(|asked| is_ours(asked)).count() == 2).await;
    assert!(asked.len() <= 27, "{}", asked.len());
}

#[tokio::test]
async fn a_namespace_that_is_a_moment_old_has_its_event() {
    let (client, log) = testing::client(accept);
    let metrics = Metrics::new(&Registry::new());
    let recorder = Recorder::start(&client, "hookward-1", &metrics);
    let recorder = recorder.among(Namespaces::watch(client, &metrics).0);
    recorder.record(&decision(Some("new"), 0));
    let asked = written(&log, |asked| !asked.is_empty()).await;
    assert_eq!(asked[0].path, "/apis/events.k8s.io/v1/namespaces/new/events");
}

#[tokio::test]
async fn a_namespace_that_leads_elsewhere_is_not_written_to() {
    let mut desk = Desk::new(accept);
    let mut elsewhere = announcement("a");
    elsewhere.about.namespace = Some("shop/pods/x/eviction?".into());
    desk.take(elsewhere).await;
    assert_eq!(desk.asked(), []);
    desk.shows(r#"hookward_events_dropped_total{reason="namespace_unknown"} 1"#);
}
