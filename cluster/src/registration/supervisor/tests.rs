//! Tests of when the leader writes, and of when it stops trying.

use prometheus::{Registry, TextEncoder};
use serde_json::json;

use super::*;
use crate::{
    registration::{Expected, authorities::stand_in},
    testing::{self, Asked, Log},
};

/// The authority that is registered, and another one.
const PEM: Option<&str> = Some("PEM");
const NEW: Option<&str> = Some("NEW");

fn of(names: &[&str]) -> Authorities {
    Authorities::of_pem(&names.iter().map(|name| stand_in(name)).collect::<String>())
}

/// One webhook with this bundle, as the release `revision` installed it.
fn release(failure_policy: &str, revision: &str, bundle: &[&str]) -> Value {
    let client = json!({"url": "https://a", "caBundle": of(bundle).field()});
    let webhook = json!({"name": "a", "failurePolicy": failure_policy, "clientConfig": client});
    let annotations = json!({"hookward.dev/registration": revision});
    let metadata = json!({"name": "hookward", "resourceVersion": "7", "annotations": annotations});
    json!({"kind": "ValidatingWebhookConfiguration", "metadata": metadata, "webhooks": [webhook]})
}

fn configuration(failure_policy: &str) -> Value {
    release(failure_policy, "1", &["PEM"])
}

/// A leader's desk: only the validating configuration was installed, and it is there as it was.
struct Desk {
    supervisor: Supervisor,
    leader: watch::Sender<bool>,
    log: Log,
    registry: Registry,
}

impl Desk {
    fn new(repair: bool, answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (client, log) = testing::client(answer);
        let expected = Expected::parse(&configuration("Ignore").to_string()).unwrap();
        let options = Options { repair, ..Options::new("hookward", Some(expected)) };
        let (sender, registry) = (watch::Sender::new(Registered::default()), Registry::new());
        let metrics = Metrics::new(&registry);
        let mut supervisor = Supervisor::new(&client, options, None, metrics, sender);
        supervisor.note(Configuration::Mutating, None);
        supervisor.note(Configuration::Validating, Some(configuration("Ignore")));
        Self { supervisor, leader: watch::Sender::new(true), log, registry }
    }

    /// Somebody changes the failure policy.
    fn tampered(mut self) -> Self {
        self.supervisor.note(Configuration::Validating, Some(configuration("Fail")));
        self
    }

    /// The configuration is this one now.
    fn shows(&mut self, configuration: Value) {
        self.supervisor.note(Configuration::Validating, Some(configuration));
    }

    /// What is written in one round.
    async fn round(&mut self, needed: Option<&str>) -> Vec<Asked> {
        let needed = needed.map(|name| of(&[name]));
        self.supervisor.look(needed.as_ref());
        self.supervisor.act(needed.as_ref(), &self.leader.subscribe()).await;
        self.supervisor.look(needed.as_ref());
        self.log.lock().unwrap().drain(..).collect()
    }

    /// What `/metrics` shows of one kind of difference.
    fn shown(&self, kind: DriftKind) -> String {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let series = format!("hookward_registration_drift{{kind=\"{}\"}} ", kind.name());
        text.lines().find_map(|line| line.strip_prefix(&series)).unwrap().to_owned()
    }

    fn is_forbidden(&mut self, configuration: Configuration) {
        self.supervisor.take(configuration, Err(watcher::Error::NoResourceVersion));
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
async fn who_knows_no_bundle_writes_nothing() {
    let mut desk = Desk::new(true, forbidden).tampered();
    assert_eq!(desk.round(None).await, []);
    desk.settle().await;
    assert_eq!(desk.round(None).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_needs_another_authority_than_the_leader_was_never_trusted() {
    let mut desk = Desk::new(true, |_| (200, release("Fail", "1", &["PEM", "NEW"]))).tampered();
    desk.leader.send_replace(false);
    assert_eq!(desk.round(PEM).await, [], "what it needs is there");
    assert_eq!(desk.round(NEW).await, [], "first the leader has a chance");
    assert!(desk.supervisor.wake() <= Instant::now() + PATIENCE);
    desk.settle().await;
    let asked = desk.round(NEW).await;
    assert_eq!(asked.len(), 1, "it adds, and repairs nothing");
    assert_eq!(asked[0].body[0]["path"], "/metadata/resourceVersion");
    assert_eq!(asked[0].body[1]["value"], of(&["NEW", "PEM"]).field());
    assert_eq!(desk.round(NEW).await, []);
}

#[tokio::test(start_paused = true)]
async fn a_leader_whose_files_are_late_took_away_what_others_had_added() {
    let mut desk = Desk::new(false, |_| (200, configuration("Ignore")));
    desk.shows(release("Ignore", "1", &["PEM", "NEW"]));
    assert_eq!(desk.round(PEM).await, []);
    let farewell = desk.supervisor.options.farewell;
    tokio::time::advance(farewell / 2).await;
    assert_eq!(desk.round(PEM).await, []);
    // Who loses the lead begins to count anew: its predecessor may need it.
    desk.leader.send_replace(false);
    assert_eq!(desk.round(PEM).await, []);
    desk.leader.send_replace(true);
    assert_eq!(desk.round(PEM).await, []);
    tokio::time::advance(farewell / 2).await;
    assert_eq!(desk.round(PEM).await, []);
    assert_eq!(desk.supervisor.farewell.next(Instant::now()), Some(Instant::now() + farewell / 2));
    tokio::time::advance(farewell / 2).await;
    let asked = desk.round(PEM).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body[1]["value"], of(&["PEM"]).field());
}

#[tokio::test(start_paused = true)]
async fn a_new_authority_is_registered_beside_the_old_one() {
    let mut desk = Desk::new(false, |_| (200, release("Ignore", "1", &["NEW", "PEM"])));
    let asked = desk.round(NEW).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body[1]["value"], of(&["NEW", "PEM"]).field());
    assert_eq!(desk.supervisor.sender.borrow().drift, []);
}

#[tokio::test(start_paused = true)]
async fn a_replica_of_the_release_before_undid_the_upgrade() {
    let mut desk = Desk::new(true, |_| (200, configuration("Ignore")));
    desk.shows(release("Fail", "2", &["PEM"]));
    assert_eq!(desk.round(PEM).await, []);
    desk.settle().await;
    assert_eq!(desk.round(PEM).await, []);
    assert_eq!(desk.supervisor.told, [], "it is no drift");
    // Its file catches up.
    let text = release("Fail", "2", &["PEM"]).to_string();
    desk.supervisor.options.expected = watch::channel(Expected::parse(&text).ok()).1;
    assert_eq!(desk.round(PEM).await, []);
    assert_eq!(desk.supervisor.sender.borrow().drift, []);
}

#[tokio::test(start_paused = true)]
async fn taking_the_mark_away_switches_nothing_off_for_longer_than_a_rollout() {
    let mut desk = Desk::new(true, |_| (200, configuration("Ignore")));
    let mut unmarked = release("Fail", "", &["PEM"]);
    unmarked["metadata"].as_object_mut().unwrap().remove("annotations");
    desk.shows(unmarked);
    assert_eq!(desk.round(PEM).await, []);
    let long = desk.supervisor.options.catch_up;
    assert!(desk.supervisor.wake() <= Instant::now() + long);
    tokio::time::advance(long).await;
    let asked = desk.round(PEM).await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].body[1]["value"][0]["failurePolicy"], "Ignore");
    assert_eq!(asked[0].body[2]["value"]["hookward.dev/registration"], "1");
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_changes_all_the_time_is_no_rollout() {
    let mut desk = Desk::new(true, |_| (200, configuration("Ignore")));
    let long = desk.supervisor.options.catch_up;
    for mark in ["2", "3", "4"] {
        desk.shows(release("Fail", mark, &["PEM"]));
        assert_eq!(desk.round(PEM).await, [], "{mark}");
        tokio::time::advance(long / 3).await;
    }
    assert_eq!(desk.round(PEM).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bundle_that_never_stays_is_not_fought_for_without_end() {
    let mut desk = Desk::new(false, |_| (200, configuration("Ignore")));
    assert_eq!(desk.round(NEW).await.len(), PACE.burst as usize);
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

#[tokio::test(start_paused = true)]
async fn who_sees_nothing_showed_that_nothing_differs() {
    let mut desk = Desk::new(false, forbidden);
    desk.supervisor.live.clear();
    desk.round(PEM).await;
    assert_eq!(desk.shown(DriftKind::Gone), "NaN", "before anything was seen");
    desk.supervisor.note(Configuration::Mutating, None);
    desk.shows(configuration("Ignore"));
    desk.round(PEM).await;
    assert_eq!(desk.shown(DriftKind::FailurePolicy), "0");
    desk.is_forbidden(Configuration::Validating);
    desk.round(PEM).await;
    assert_eq!(desk.shown(DriftKind::FailurePolicy), "NaN", "since the watch is down");
    desk.supervisor.take(Configuration::Validating, Ok(None));
    desk.round(PEM).await;
    desk.is_forbidden(Configuration::Mutating);
    desk.round(PEM).await;
    assert_eq!(desk.shown(DriftKind::Gone), "1", "what was seen to differ is not forgotten");
}

#[tokio::test(start_paused = true)]
async fn another_difference_after_a_long_one_was_told_at_once() {
    let mut desk = Desk::new(false, forbidden).tampered();
    desk.round(PEM).await;
    desk.settle().await;
    desk.round(PEM).await;
    let told = desk.supervisor.told.clone();
    assert_eq!(told.len(), 1);
    desk.supervisor.note(Configuration::Validating, None);
    desk.round(PEM).await;
    assert_eq!(desk.supervisor.told, told, "it has just begun");
    desk.settle().await;
    desk.round(PEM).await;
    assert_eq!(desk.supervisor.told[0].kind, DriftKind::Gone);
}
