//! Policies as objects on a real API server: in force at once, kept when they break, reported by each replica.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use cluster::{Metrics, Options, Synced, Watched};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use policies::{Judging, Mode, Namespace, PolicySet, Profile, documents::Documents};
use prometheus::Registry;
use serde_json::{Value, json};
use tests::{kinds, rig::Rig};
use tokio::sync::watch;

mod lag;
mod recovery;
mod rights;
mod statuses;

/// Longer than anything takes that happens at all.
const SOON: Duration = Duration::from_secs(60);

/// The watches of one replica, without a server around them.
pub(super) struct Replica {
    pub(super) client: Client,
    pub(super) set: Arc<ArcSwap<PolicySet>>,
    base: watch::Sender<Arc<Documents>>,
    pub(super) leader: watch::Sender<bool>,
    watched: Watched,
    ready: [Arc<AtomicBool>; 2],
}

/// Turns true when it is let go of.
struct Held(Arc<AtomicBool>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Replica {
    /// Starts to watch; `namespace` is where pods are looked for.
    pub(super) async fn start(rig: &Rig, pod: &str, namespace: Option<&str>) -> Self {
        Self::start_as(&rig.kubeconfig(), pod, namespace).await
    }

    /// The same, with the rights of whomever this kubeconfig is for.
    async fn start_as(kubeconfig: &Path, pod: &str, namespace: Option<&str>) -> Self {
        let client = cluster::client::connect_by(kubeconfig).await.unwrap();
        let set = Arc::new(ArcSwap::from_pointee(PolicySet::shipped(Profile::Baseline)));
        let (base, receiver) = watch::channel(Arc::default());
        let (leader, is_leader) = watch::channel(false);
        let options = Options {
            profile: Profile::Baseline,
            pod: pod.to_owned(),
            namespace: namespace.map(str::to_owned),
            base: receiver,
            leader: is_leader,
            events: true,
            metrics: Metrics::new(&Registry::new()),
        };
        let ready: [Arc<AtomicBool>; 2] = Default::default();
        let [policies, exceptions] = ready.clone().map(Held);
        let synced = Synced { policies: Box::new(policies), exceptions: Box::new(exceptions) };
        let watched = Watched::start(client.clone(), options, Arc::clone(&set), synced);
        Self { client, set, base, leader, watched, ready }
    }

    /// The same, and has read everything once.
    pub(super) async fn synced(rig: &Rig, pod: &str, namespace: Option<&str>) -> Self {
        let replica = Self::start(rig, pod, namespace).await;
        until("the first lists", || replica.is_synced().then_some(())).await;
        replica
    }

    fn is_synced(&self) -> bool {
        self.ready.iter().all(|ready| ready.load(Ordering::Relaxed))
    }

    /// The mode of the rule that all these tests are about.
    fn mode(&self, namespace: &str) -> Mode {
        let labels = self.watched.namespaces().labels(namespace);
        let namespace = Namespace { name: namespace, labels: labels.as_deref() };
        self.set.load().policy(Some(namespace)).mode("job-suspended", Judging::Object).unwrap()
    }

    async fn has_mode(&self, namespace: &str, mode: Mode) {
        until("the mode to be in force", || (self.mode(namespace) == mode).then_some(())).await;
    }
}

/// Asks again until there is an answer.
pub(super) async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < SOON, "waited {} s for {what}", SOON.as_secs());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn api(client: &Client, kind: &str, plural: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("hookward.dev", "v1alpha1", kind);
    Api::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural))
}

/// Settings for one namespace alone, so that tests do not meet.
fn only_for(namespace: &str, mode: &str) -> Value {
    json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "rules": {"job-suspended": {"mode": mode}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_laid_over_the_file() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-base", None).await;
    let settings = serde_json::from_value(only_for("laid", "audit")).unwrap();
    let named = policies::policy_set::Named { name: "base".to_owned(), settings, is_base: true };
    replica.base.send_replace(Arc::new(Documents { policies: vec![named], ..Documents::default() }));
    replica.has_mode("laid", Mode::Audit).await;

    let mut spec = only_for("laid", "warn");
    spec["priority"] = json!(1);
    rig.apply(&kinds::policy("laid", &spec).to_string());
    replica.has_mode("laid", Mode::Warn).await;
    let _ = rig.kubectl(&["delete", "hookpolicy", "laid"]).expect_ok();
    replica.has_mode("laid", Mode::Audit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_policy_leaves_the_last_good_one_and_all_others_in_force() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-bad", None).await;
    rig.apply(&kinds::policy("breaks", &only_for("breaks", "audit")).to_string());
    replica.has_mode("breaks", Mode::Audit).await;
    let mut bad = only_for("breaks", "warn");
    bad["rules"]["no-such-rule"] = json!({"mode": "deny"});
    rig.apply(&kinds::policy("breaks", &bad).to_string());
    rig.apply(&kinds::policy("beside", &only_for("beside", "audit")).to_string());
    replica.has_mode("beside", Mode::Audit).await;
    assert_eq!(replica.mode("breaks"), Mode::Audit);
    rig.apply(&kinds::policy("breaks", &only_for("breaks", "warn")).to_string());
    replica.has_mode("breaks", Mode::Warn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_select_by_the_labels_that_a_namespace_has_now() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-labels", None).await;
    let spec = json!({
        "namespaceSelector": {"matchLabels": {"live-labels": "yes"}},
        "rules": {"job-suspended": {"mode": "audit"}},
    });
    rig.apply(&kinds::policy("by-label", &spec).to_string());
    let namespace = rig.namespace("labelled");
    let shipped = replica.mode("no-such-namespace");
    until("the policy", || replica.set.load().needs_labels().then_some(())).await;
    let _ = rig.kubectl(&["label", "namespace", &namespace, "live-labels=yes"]).expect_ok();
    replica.has_mode(&namespace, Mode::Audit).await;
    let _ = rig.kubectl(&["label", "namespace", &namespace, "live-labels-"]).expect_ok();
    replica.has_mode(&namespace, shipped).await;
    let _ = rig.kubectl(&["delete", "hookpolicy", "by-label"]).expect_ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_can_be_asked_for_before_the_watch_has_told_of_it() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-learn", None).await;
    let namespaces = replica.watched.namespaces();
    let namespace = rig.namespace("learnt");
    assert_eq!(namespaces.learn(&namespace).await, Some(true));
    let labels = namespaces.labels(&namespace).unwrap();
    assert_eq!(labels["kubernetes.io/metadata.name"], namespace);
    assert_eq!(namespaces.learn("no-such-namespace").await, Some(false));
    assert_eq!(namespaces.labels("no-such-namespace"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_set_has_everything_in_it() {
    let rig = kinds::rig();
    for index in 0..20 {
        rig.apply(
            &kinds::policy(&format!("whole-{index}"), &only_for(&format!("whole-{index}"), "audit"))
                .to_string(),
        );
    }
    for round in 0..5 {
        let replica = Replica::start(rig, &format!("pod-whole-{round}"), None).await;
        let first = until("the first set", || {
            let set = replica.set.load_full();
            (set.generation() > 0).then_some(set)
        });
        let first = first.await;
        let names: Vec<_> = first.policies().iter().filter(|it| it.name.starts_with("whole-")).collect();
        assert_eq!(names.len(), 20);
        until("the handles", || replica.is_synced().then_some(())).await;
        replica.watched.stop().await;
    }
}
