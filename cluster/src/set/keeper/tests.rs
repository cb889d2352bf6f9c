//! What is put in force and said, told by events alone, without an API server.

use std::sync::atomic::{AtomicBool, Ordering};

use policies::{Judging, Mode, Profile, documents::Documents};
use prometheus::Registry;
use serde_json::{Value, json};

use super::*;
use crate::{metrics::Metrics, status::desk::Place};

/// Turns true when it is let go of.
struct Held(Arc<AtomicBool>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A keeper, with what it tells the world.
struct Scene {
    keeper: Keeper,
    desk: Desk,
    set: Arc<ArcSwap<PolicySet>>,
    ready: [Arc<AtomicBool>; 2],
    leader: watch::Sender<bool>,
    labels: watch::Sender<bool>,
    base: watch::Sender<Arc<Documents>>,
}

impl Scene {
    fn new() -> Self {
        let set = Arc::new(ArcSwap::from_pointee(PolicySet::shipped(Profile::Baseline)));
        let (base, receiver) = watch::channel(Arc::default());
        let (leader, is_leader) = watch::channel(false);
        let (labels, has_labels) = watch::channel(false);
        let options = Options {
            profile: Profile::Baseline,
            pod: "pod-0".to_owned(),
            namespace: None,
            base: receiver,
            leader: is_leader,
            events: true,
            metrics: Metrics::new(&Registry::new()),
        };
        let ready: [Arc<AtomicBool>; 2] = Default::default();
        let [policies, exceptions] = ready.clone().map(Held);
        let synced = Synced { policies: Box::new(policies), exceptions: Box::new(exceptions) };
        let desk = Desk::default();
        let keeper = Keeper::new(options, Arc::clone(&set), synced, desk.clone(), has_labels);
        Self { keeper, desk, set, ready, leader, labels, base }
    }

    /// With empty lists of both kinds.
    fn synced() -> Self {
        let mut scene = Self::new();
        scene.list(Kind::HookPolicy, []);
        scene.list(Kind::HookException, []);
        scene
    }

    fn list(&mut self, kind: Kind, objects: impl IntoIterator<Item = DynamicObject>) {
        self.keeper.take(kind, Event::Init);
        for object in objects {
            self.keeper.take(kind, Event::InitApply(object));
        }
        self.keeper.take(kind, Event::InitDone);
    }

    fn generation(&self) -> u64 {
        self.set.load().generation()
    }

    fn mode(&self) -> Mode {
        self.set.load().policy(None).mode("job-suspended", Judging::Object).unwrap()
    }

    fn ready(&self) -> [bool; 2] {
        self.ready.each_ref().map(|ready| ready.load(Ordering::Relaxed))
    }

    /// The places that somebody writes to.
    fn written(&self) -> Vec<Place> {
        std::iter::from_fn(|| self.desk.take()).map(|write| write.place()).collect()
    }
}

fn object(kind: &str, name: &str, generation: i64, spec: &Value) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": kind,
        "metadata": {"name": name, "uid": name, "generation": generation}, "spec": spec,
    }))
    .unwrap()
}

fn policy(name: &str, mode: &str) -> DynamicObject {
    object("HookPolicy", name, 1, &json!({"rules": {"job-suspended": {"mode": mode}}}))
}

#[test]
fn half_of_a_set_is_never_in_force() {
    let mut scene = Scene::new();
    scene.list(Kind::HookPolicy, [policy("a", "audit")]);
    scene.keeper.take(Kind::HookPolicy, Event::Apply(policy("b", "warn")));
    assert_eq!((scene.generation(), scene.ready()), (0, [false; 2]));
    assert_eq!(scene.written(), [], "nothing has become of it yet");
    scene.list(Kind::HookException, []);
    assert_eq!((scene.generation(), scene.ready()), (1, [true; 2]));
    assert_eq!(scene.mode(), Mode::Audit);
    assert_eq!(scene.written().len(), 2);
}

#[test]
fn policies_wait_for_the_labels_that_they_select_by() {
    let mut scene = Scene::new();
    let selector = json!({"namespaceSelector": {"matchLabels": {"env": "prod"}}});
    scene.list(Kind::HookPolicy, [object("HookPolicy", "a", 1, &selector)]);
    scene.list(Kind::HookException, []);
    assert_eq!(scene.ready(), [false, true]);
    scene.labels.send_replace(true);
    scene.keeper.let_go();
    assert_eq!(scene.ready(), [true, true]);
}

#[test]
fn each_change_is_one_generation_and_a_status_is_none() {
    let mut scene = Scene::synced();
    let first = scene.generation();
    scene.keeper.take(Kind::HookPolicy, Event::Apply(policy("a", "audit")));
    assert_eq!((scene.generation(), scene.mode()), (first + 1, Mode::Audit));
    scene.keeper.take(Kind::HookPolicy, Event::Apply(policy("a", "audit")));
    assert_eq!(scene.generation(), first + 1);
    scene.keeper.take(Kind::HookPolicy, Event::Delete(policy("a", "audit")));
    assert_eq!((scene.generation(), scene.mode() > Mode::Audit), (first + 2, true));
}

#[test]
fn what_went_while_nobody_listened_is_not_in_force_after_the_next_list() {
    let mut scene = Scene::synced();
    scene.list(Kind::HookPolicy, [policy("a", "audit")]);
    assert_eq!(scene.mode(), Mode::Audit);
    scene.keeper.take(Kind::HookPolicy, Event::Init);
    assert_eq!(scene.mode(), Mode::Audit, "a list that only begins changes nothing");
    scene.keeper.take(Kind::HookPolicy, Event::InitDone);
    assert!(scene.mode() > Mode::Audit);
}

#[test]
fn a_list_that_brought_nothing_new_was_a_new_generation() {
    let mut scene = Scene::synced();
    scene.list(Kind::HookPolicy, [policy("a", "audit")]);
    let before = scene.generation();
    scene.list(Kind::HookPolicy, [policy("a", "audit")]);
    assert_eq!(scene.generation(), before);
    scene.list(Kind::HookPolicy, []);
    assert_eq!(scene.generation(), before + 1);
}

#[test]
fn a_new_file_is_put_in_force_under_the_objects() {
    let mut scene = Scene::synced();
    let settings = serde_json::from_value(json!({"rules": {"job-suspended": {"mode": "audit"}}})).unwrap();
    let named = policies::policy_set::Named { name: "file".to_owned(), settings, is_base: true };
    scene.base.send_replace(Arc::new(Documents { policies: vec![named], ..Documents::default() }));
    scene.keeper.exchange();
    assert_eq!(scene.mode(), Mode::Audit);
}

#[test]
fn only_a_leader_writes_conditions_and_takes_over_what_is_missing() {
    let mut scene = Scene::synced();
    let spec =
        json!({"rules": ["*"], "namespaces": ["*"], "reason": "r", "expiresAt": "2030-01-01T00:00:00Z"});
    scene.keeper.take(Kind::HookPolicy, Event::Apply(policy("a", "audit")));
    scene.keeper.take(Kind::HookException, Event::Apply(object("HookException", "x", 1, &spec)));
    let own = Place::Replica { policy: "a".to_owned(), pod: "pod-0".to_owned() };
    assert_eq!(scene.written(), std::slice::from_ref(&own));
    scene.leader.send_replace(true);
    scene.keeper.report_all(Kind::HookPolicy);
    scene.keeper.report_all(Kind::HookException);
    let conditions = |kind, name: &str| Place::Conditions(kind, name.to_owned());
    let expected = [own, conditions(Kind::HookPolicy, "a"), conditions(Kind::HookException, "x")];
    assert_eq!(scene.written(), expected);
}
