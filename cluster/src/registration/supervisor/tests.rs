//! Tests of when the leader writes, and of when it stops trying.

use prometheus::Registry;
use serde_json::json;

use super::*;
use crate::{
    registration::{Expected, pace::BURST},
    testing::{self, Asked, Log},
};

/// The bundle that is registered, and another one.
const PEM: Option<&str> = Some("PEM");
const NEW: Option<&str> = Some("NEW");

fn configuration(failure_policy: &str) -> Value {
    let client = json!({"url": "https://a", "caBundle": "UEVN"});
    let webhook = json!({"name": "a", "failurePolicy": failure_policy, "clientConfig": client});
    json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "hookward", "resourceVersion": "7"}, "webhooks": [webhook]})
}

/// A leader's desk: only the validating configuration was installed, and it is there as it was.
struct Desk {
    supervisor: Supervisor,
    leader: watch::Sender<bool>,
    log: Log,
}

impl Desk {
    fn new(repair: bool, answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (client, log) = testing::client(answer);
        let expected = Expected::parse(&configuration("Ignore").to_string()).unwrap();
        let options = Options { repair, ..Options::new("hookward", Some(expected)) };
        let (sender, metrics) = (watch::Sender::new(Registered::default()), Metrics::new(&Registry::new()));
        let mut supervisor = Supervisor::new(&client, options, None, metrics, sender);
        supervisor.note(Configuration::Mutating, None);
        supervisor.note(Configuration::Validating, Some(configuration("Ignore")));
        Self { supervisor, leader: watch::Sender::new(true), log }
    }

    /// Somebody changes the failure policy.
    fn tampered(mut self) -> Self {
        self.supervisor.note(Configuration::Validating, Some(configuration("Fail")));
        self
    }

    /// What is written in one round.
    async fn round(&mut self, bundle: Option<&str>) -> Vec<Asked> {
        self.supervisor.look(bundle);
        self.supervisor.act(bundle, &self.leader.subscribe()).await;
        self.supervisor.look(bundle);
        self.log.lock().unwrap().drain(..).collect()
    }

    async fn settle(&self) {
        tokio::time::advance(self.supervisor.options.settle).await;
    }
}

fn forbidden(_: &Asked) -> (u16, Value) {
    testing::refusal(403, "Forbidden")
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_pauses_longer_and_longer() {
    let mut desk = Desk::new(false, forbidden);
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        assert_eq!(desk.round(NEW).await.len(), 1);
        assert_eq!(desk.round(NEW).await.len(), 0);
        tokio::time::advance(Duration::from_millis(seconds * 1_000 + 1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_or_knows_no_bundle_writes_nothing() {
    let mut desk = Desk::new(true, forbidden);
    assert_eq!(desk.round(None).await, []);
    desk.leader.send_replace(false);
    assert_eq!(desk.round(NEW).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_never_stays_is_not_fought_for_without_end() {
    let mut desk = Desk::new(false, |_| (200, configuration("Ignore")));
    assert_eq!(desk.round(NEW).await.len(), BURST as usize);
    assert_eq!(desk.round(NEW).await.len(), 0);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(desk.round(NEW).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_put_right_once_it_has_lasted() {
    let mut desk = Desk::new(true, |_| (200, configuration("Ignore"))).tampered();
    assert_eq!(desk.round(PEM).await, []);
    desk.settle().await;
    let asked = desk.round(PEM).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body[1]["value"][0]["failurePolicy"], "Ignore");
    assert_eq!(desk.supervisor.sender.borrow().drift, []);
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_comes_back_is_put_right_once_per_settling_time() {
    let mut desk = Desk::new(true, |_| (200, configuration("Fail"))).tampered();
    assert_eq!(desk.round(PEM).await, []);
    for _ in 0..3 {
        desk.settle().await;
        assert_eq!(desk.round(PEM).await.len(), 1);
        assert_eq!(desk.round(PEM).await.len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_put_right_where_that_is_not_wanted() {
    let mut desk = Desk::new(false, forbidden).tampered();
    assert_eq!(desk.round(PEM).await, []);
    desk.settle().await;
    assert_eq!(desk.round(PEM).await, []);
    assert_eq!(desk.supervisor.told.len(), 1, "but it is told");
}
