//! The registration is looked after: the bundle, every kind of drift, and Helm's own upgrades beside it.

use std::time::Duration;

use cluster::{
    Registration,
    events::Recorder,
    registration::{Configuration, DriftKind, Expected, Options, Registered},
};
use serde_json::{Value, json};
use tests::{
    chart::Chart,
    rig::{Helm, Ran, Rig},
};
use tokio::sync::watch;

use super::{SOON, replica::Replica, rig, with_both_helms};

with_both_helms! {
    upgrades_leave_the_bundle_alone
    an_upgrade_after_a_repair_meets_no_conflict
}

const VALIDATING: &str = "validatingwebhookconfiguration";
const MUTATING: &str = "mutatingwebhookconfiguration";

/// Both configurations, named after the namespace, for a server that is never called.
fn installed(name: &str, failure_policy: &str, validating: &[&str]) -> [Value; 2] {
    let webhook = |webhook: &str| {
        json!({
            "name": format!("{webhook}.hookward.dev"),
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"service": {"name": "nobody", "namespace": name, "path": "/validate"}},
            "failurePolicy": failure_policy,
            "sideEffects": "NoneOnDryRun",
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "no-namespace-at-all"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE", "UPDATE"]}],
            "matchConditions": [{"name": "is-hook", "expression": "has(object.metadata.annotations)"}],
        })
    };
    let configuration = |kind: &str, names: &[&str]| {
        let webhooks: Vec<_> = names.iter().map(|name| webhook(name)).collect();
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind,
            "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "hookward"}}, "webhooks": webhooks,
        })
    };
    [
        configuration("MutatingWebhookConfiguration", &["mutate"]),
        configuration("ValidatingWebhookConfiguration", validating),
    ]
}

fn expected(objects: &[Value]) -> Expected {
    Expected::parse(&json!({"kind": "List", "items": objects}).to_string()).unwrap()
}

/// A replica that looks after the configurations of one namespace's name, which go with it.
struct Watchman {
    rig: &'static Rig,
    name: String,
    replica: Replica,
    bundle: watch::Sender<Option<String>>,
    leader: watch::Sender<bool>,
    registration: Option<Registration>,
}

impl Watchman {
    fn new() -> Self {
        let rig = rig();
        Self {
            rig,
            name: rig.namespace("drift"),
            replica: Replica::new(rig),
            bundle: watch::Sender::new(None),
            leader: watch::Sender::new(true),
            registration: None,
        }
    }

    fn install(self, helm: Helm, objects: &[Value]) -> Self {
        let _ = self.helm(helm, "install", objects).expect_ok();
        self
    }

    fn helm(&self, helm: Helm, command: &str, objects: &[Value]) -> Ran {
        let chart = Chart::new(objects);
        let helm = self.rig.helm(helm).args([command, "guard"]);
        helm.path(chart.path()).namespace(&self.name).briefly().run()
    }

    fn apply(self, objects: &[Value]) -> Self {
        self.rig.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
        self
    }

    /// Begins to look after them.
    fn watch(self, expected: Option<Expected>, repair: bool) -> Self {
        let settle = Duration::from_millis(200);
        let options = Options { repair, settle, ..Options::new(&self.name, expected) };
        self.watch_with(options)
    }

    fn watch_with(mut self, options: Options) -> Self {
        let (bundle, leader) = (self.bundle.subscribe(), self.leader.subscribe());
        let Replica { client, metrics, .. } = &self.replica;
        let start = || {
            let recorder = Recorder::start(client, "hookward-1", metrics);
            Registration::start(client, options, bundle, leader, Some(recorder), metrics)
        };
        self.registration = Some(self.replica.within(start));
        self
    }

    fn wants(self, bundle: &str) -> Self {
        self.bundle.send_replace(Some(bundle.to_owned()));
        self
    }

    fn seen(&self) -> Registered {
        self.registration.as_ref().unwrap().registered().borrow().clone()
    }

    #[track_caller]
    fn wait(&self, what: &str, condition: impl Fn(&Registered) -> bool) -> Registered {
        self.rig.wait_for(what, SOON, || Some(self.seen()).filter(&condition))
    }

    #[track_caller]
    fn wait_for_bundle(&self, bundle: &str) {
        self.wait("the bundle", |seen| seen.bundle.as_deref() == Some(bundle));
    }

    fn live(&self, kind: &str) -> Option<Value> {
        self.rig.get_json(kind, "", &self.name)
    }

    /// The base64 of the bundle of each webhook.
    fn bundles(&self) -> Vec<Value> {
        let of = |kind| self.live(kind).map(|mut live| live["webhooks"].take()).unwrap_or_default();
        let webhooks = [of(MUTATING), of(VALIDATING)];
        let webhooks = webhooks.iter().flat_map(|webhooks| webhooks.as_array().into_iter().flatten());
        webhooks.map(|webhook| webhook["clientConfig"]["caBundle"].clone()).collect()
    }

    #[track_caller]
    fn patch(&self, operations: &Value) {
        let patch = operations.to_string();
        let args =
            ["patch", VALIDATING, &self.name, "--type=json", "--field-manager=somebody", "--patch", &patch];
        let _ = self.rig.kubectl(&args).expect_ok();
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.registration = None;
        for kind in [MUTATING, VALIDATING] {
            let _ = self.rig.kubectl(&["delete", kind, &self.name, "--ignore-not-found", "--wait=false"]);
        }
    }
}

/// A certificate that the API server takes for a bundle.
pub(super) fn pem() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
}

fn base64(text: &str) -> Value {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text).into()
}

fn upgrades_leave_the_bundle_alone(helm: Helm) {
    let both = ["validate", "recovery"];
    let bundle = pem();
    let watchman = Watchman::new();
    let name = watchman.name.clone();
    let mut watchman =
        watchman.install(helm, &installed(&name, "Ignore", &both)).watch(None, false).wants(&bundle);
    watchman.wait_for_bundle(&bundle);
    // From here on nobody puts right what Helm does.
    watchman.registration = None;
    let three = vec![base64(&bundle); 3];
    for (what, failure_policy) in [("nothing", "Ignore"), ("a field", "Fail")] {
        let _ = watchman.helm(helm, "upgrade", &installed(&name, failure_policy, &both)).expect_ok();
        assert_eq!(watchman.bundles(), three, "after an upgrade that changes {what}");
    }
    let rollback = watchman.rig.helm(helm).args(["rollback", "guard", "1"]).namespace(&name).run();
    let _ = rollback.expect_ok();
    assert_eq!(watchman.bundles(), three, "after a rollback");
    let _ = watchman.helm(helm, "upgrade", &installed(&name, "Ignore", &["validate"])).expect_ok();
    assert_eq!(watchman.bundles(), three[..2], "after an upgrade without one of the webhooks");
    let _ = watchman.helm(helm, "upgrade", &installed(&name, "Ignore", &both)).expect_ok();
    let watchman = watchman.watch(None, false);
    watchman.wait_for_bundle(&bundle);
    assert_eq!(watchman.bundles(), three, "a webhook that is new gets the bundle");
}

fn an_upgrade_after_a_repair_meets_no_conflict(helm: Helm) {
    let watchman = Watchman::new();
    let name = watchman.name.clone();
    let objects = installed(&name, "Ignore", &["validate"]);
    let mut watchman = watchman.install(helm, &objects).watch(Some(expected(&objects)), true).wants(&pem());
    watchman.wait("a clean start", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    watchman.patch(&json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"}]));
    let is_repaired = || watchman.replica.shows("hookward_registration_repairs_total 1").then_some(());
    watchman.rig.wait_for("the repair", SOON, is_repaired);
    watchman.wait("the repair", |seen| seen.drift.is_empty());
    let owners = || {
        let args = ["get", VALIDATING, &name, "--show-managed-fields", "--output=json"];
        let text = watchman.rig.kubectl(&args).stdout;
        (!text.contains(r#""manager": "somebody""#) && !owns(&text, "f:failurePolicy")).then_some(())
    };
    watchman.rig.wait_for("the fields to be given up", SOON, owners);
    let _ = watchman.rig.kubectl(&["delete", MUTATING, &name]).expect_ok();
    let is_repaired = || watchman.replica.shows("hookward_registration_repairs_total 2").then_some(());
    watchman.rig.wait_for("the second repair", SOON, is_repaired);
    watchman.wait("the second repair", |seen| seen.drift.is_empty());
    watchman.registration = None;
    let _ = watchman.helm(helm, "upgrade", &installed(&name, "Fail", &["validate"])).expect_ok();
    for kind in [MUTATING, VALIDATING] {
        assert_eq!(watchman.live(kind).unwrap()["webhooks"][0]["failurePolicy"], "Fail", "{kind}");
    }
    let _ = watchman.rig.helm(helm).args(["uninstall", "guard"]).namespace(&name).run().expect_ok();
    assert!(watchman.live(MUTATING).is_none() && watchman.live(VALIDATING).is_none());
}

/// Whether our own field manager owns a field of this name.
fn owns(configuration: &str, field: &str) -> bool {
    let configuration: Value = serde_json::from_str(configuration).unwrap();
    let managers = configuration["metadata"]["managedFields"].as_array().unwrap();
    managers
        .iter()
        .any(|entry| entry["manager"] == "hookward" && entry["fieldsV1"].to_string().contains(field))
}

#[test]
fn every_drift_is_seen_told_of_and_put_right() {
    let watchman = Watchman::new();
    let objects = installed(&watchman.name, "Ignore", &["validate", "recovery"]);
    let watchman = watchman.apply(&objects).wants(&pem()).watch(Some(expected(&objects)), false);
    watchman.wait("a clean start", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    let replace = |field: &str, value: Value| json!([{"op": "replace", "path": format!("/webhooks/0/{field}"), "value": value}]);
    let cases = [
        (DriftKind::Rule, replace("rules/0/operations", json!(["DELETE"]))),
        (DriftKind::FailurePolicy, replace("failurePolicy", json!("Fail"))),
        (
            DriftKind::Selector,
            json!([{"op": "add", "path": "/webhooks/0/objectSelector/matchLabels", "value": {"a": "b"}}]),
        ),
        (DriftKind::Condition, replace("matchConditions/0/expression", json!("false"))),
        (DriftKind::Other, replace("timeoutSeconds", json!(1))),
        (DriftKind::Gone, json!([{"op": "remove", "path": "/webhooks/1"}])),
    ];
    for (kind, patch) in &cases {
        watchman.patch(patch);
        watchman.wait(kind.name(), |seen| seen.drift.iter().any(|drift| drift.kind == *kind));
        let gauge = format!("hookward_registration_drift{{kind=\"{}\"}} 1", kind.name());
        assert!(watchman.replica.shows(&gauge), "{gauge}");
    }
    watchman.rig.wait_for("an event", SOON, || {
        let events = watchman.rig.kubectl(&["get", "events", "--namespace=default", "--output=json"]).stdout;
        let events: Value = serde_json::from_str(&events).unwrap();
        let is_ours = |event: &Value| {
            event["reason"] == "RegistrationDrift"
                && event["involvedObject"]["name"] == watchman.name.as_str()
        };
        events["items"].as_array().unwrap().iter().any(is_ours).then_some(())
    });
    let watchman = watchman.watch(Some(expected(&objects)), true);
    watchman.wait("the repair", |seen| seen.drift.is_empty() && seen.bundle.is_some());
}

#[test]
fn a_bundle_that_was_emptied_is_registered_again() {
    let bundle = pem();
    let watchman = Watchman::new();
    let objects = installed(&watchman.name, "Ignore", &["validate"]);
    let watchman = watchman.apply(&objects).wants(&bundle).watch(Some(expected(&objects)), false);
    watchman.wait_for_bundle(&bundle);
    let before = watchman.live(VALIDATING).unwrap()["metadata"]["generation"].as_i64();
    watchman.patch(&json!([{"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}]));
    watchman.rig.wait_for("the bundle", SOON, || {
        let generation = watchman.live(VALIDATING).unwrap()["metadata"]["generation"].as_i64();
        (generation > before && watchman.bundles() == vec![base64(&bundle); 2]).then_some(())
    });
    let next = [bundle, pem()].concat();
    let watchman = watchman.wants(&next);
    watchman.wait_for_bundle(&next);
}

#[test]
fn a_configuration_that_is_gone_is_made_again_only_by_a_leader_who_may() {
    let watchman = Watchman::new();
    let objects = installed(&watchman.name, "Ignore", &["validate"]);
    watchman.leader.send_replace(false);
    let watchman = watchman.apply(&objects).wants(&pem()).watch(Some(expected(&objects)), true);
    let _ = watchman.rig.kubectl(&["delete", VALIDATING, &watchman.name]).expect_ok();
    // What is gone calls nobody, and the rest is given what this replica needs.
    let seen = watchman.wait("the loss", |seen| {
        seen.bundle.is_some() && seen.drift.iter().any(|drift| drift.kind == DriftKind::Gone)
    });
    let gone = seen.drift.iter().find(|drift| drift.kind == DriftKind::Gone).unwrap();
    assert_eq!((gone.configuration, &gone.webhook), (Configuration::Validating, &None));
    assert!(watchman.live(VALIDATING).is_none());
    watchman.leader.send_replace(true);
    watchman.wait("the repair", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    let live = watchman.live(VALIDATING).unwrap();
    assert_eq!(live["metadata"]["labels"]["app.kubernetes.io/name"], "hookward");
}

/// The same, as a release of this name installs it.
fn marked(mut objects: [Value; 2], revision: &str) -> [Value; 2] {
    for object in &mut objects {
        object["metadata"]["annotations"] = json!({"hookward.dev/registration": revision});
    }
    objects
}

#[test]
fn an_upgrade_that_adds_a_webhook_never_finished() {
    let bundle = pem();
    let watchman = Watchman::new();
    let old = marked(installed(&watchman.name, "Ignore", &["validate"]), "1");
    let new = marked(installed(&watchman.name, "Ignore", &["validate", "recovery"]), "2");
    let (file, expected_by_leader) = watch::channel(Some(expected(&old)));
    let options = Options {
        expected: expected_by_leader,
        repair: true,
        settle: Duration::from_millis(1),
        ..Options::new(&watchman.name, None)
    };
    let watchman = watchman.apply(&old).wants(&bundle).watch_with(options);
    watchman.wait("a clean start", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    let watchman = watchman.apply(&new);
    watchman.rig.wait_for("the bundle in the new webhook", SOON, || {
        (watchman.bundles() == vec![base64(&bundle); 3]).then_some(())
    });
    watchman.wait("the old file to differ", |seen| !seen.drift.is_empty());
    file.send_replace(Some(expected(&new)));
    watchman.wait("the new file to be known", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    assert_eq!(watchman.live(VALIDATING).unwrap()["webhooks"].as_array().unwrap().len(), 2);
    assert!(watchman.replica.shows("hookward_registration_repairs_total 0"));
}

#[test]
fn a_missing_mark_switched_repairs_off_for_ever() {
    let watchman = Watchman::new();
    let objects = marked(installed(&watchman.name, "Ignore", &["validate"]), "1");
    let options = Options {
        repair: true,
        settle: Duration::from_millis(1),
        catch_up: Duration::from_secs(1),
        ..Options::new(&watchman.name, Some(expected(&objects)))
    };
    let watchman = watchman.apply(&objects).wants(&pem()).watch_with(options);
    watchman.wait("a clean start", |seen| seen.drift.is_empty() && seen.bundle.is_some());
    watchman.patch(&json!([
        {"op": "remove", "path": "/metadata/annotations/hookward.dev~1registration"},
        {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"},
    ]));
    watchman.rig.wait_for("the repair", SOON, || {
        let live = watchman.live(VALIDATING)?;
        let is_right = live["webhooks"][0]["failurePolicy"] == "Ignore"
            && live["metadata"]["annotations"]["hookward.dev/registration"] == "1";
        is_right.then_some(())
    });
}

#[test]
fn a_follower_adds_what_it_needs_and_the_leader_takes_it_away_only_after_a_while() {
    let (ours, theirs) = (pem(), pem());
    let leader = Watchman::new();
    let objects = installed(&leader.name, "Ignore", &["validate"]);
    let farewell = Duration::from_secs(3);
    let options = Options { farewell, ..Options::new(&leader.name, Some(expected(&objects))) };
    let leader = leader.apply(&objects).wants(&ours).watch_with(options.clone());
    leader.wait_for_bundle(&ours);
    let mut follower = Watchman::new();
    follower.name.clone_from(&leader.name);
    follower.leader.send_replace(false);
    follower = follower.wants(&theirs).watch_with(options);
    let has_both = |seen: &Registered| {
        seen.bundle.as_ref().is_some_and(|bundle| bundle.contains(&ours) && bundle.contains(&theirs))
    };
    follower.wait("what it needs", has_both);
    leader.wait("both", has_both);
    // The follower leaves, and nobody needs it any more.
    follower.registration = None;
    leader.wait_for_bundle(&ours);
    assert_eq!(leader.bundles(), vec![base64(&ours); 2]);
}
