//! The rights that the chart grants are enough for all that a replica does, and a restart of the API server ends none of it.

use std::collections::BTreeMap;

use cluster::{
    Leader, Registration, SecretFile,
    events::{Announcement, Recorder},
    leader,
    registration::{self, Expected},
    releases::Releases,
};
use policies::decision::Identity;
use serde_json::{Value, json};
use tests::{kinds, rig::Rig};
use tokio::sync::watch;

use super::{SOON, drift::pem, replica::Replica};

/// What a replica may do, as in the chart's roles.
fn rights(user: &str, namespace: &str) -> Value {
    let right = |group: &str, resources: &[&str], names: &[&str], verbs: &[&str]| {
        let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    let configurations = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
    let watching = ["get", "list", "watch", "patch"];
    let registration = "admissionregistration.k8s.io";
    let everywhere = [
        right(registration, &configurations, &[user], &watching),
        right(registration, &configurations, &[], &["create"]),
        right("events.k8s.io", &["events"], &[], &["create", "patch"]),
        right("", &["secrets"], &[], &["list", "watch"]),
        right("hookward.dev", &["hookpolicies"], &[], &["get", "list", "watch"]),
        right("hookward.dev", &["hookpolicies/status"], &[], &["patch"]),
    ];
    let at_home = [
        right("coordination.k8s.io", &["leases"], &["hookward"], &watching),
        right("", &["secrets"], &["hookward"], &watching),
    ];
    let group = "rbac.authorization.k8s.io";
    let subjects = json!([{"kind": "User", "name": user, "apiGroup": group}]);
    let role = |kind: &str, namespace: Option<&str>, rules: &[Value]| {
        let (api, metadata) = (format!("{group}/v1"), json!({"name": user, "namespace": namespace}));
        let reference = json!({"apiGroup": group, "kind": kind, "name": user});
        [
            json!({"apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules}),
            json!({"apiVersion": api, "kind": format!("{kind}Binding"), "metadata": metadata, "roleRef": reference, "subjects": subjects}),
        ]
    };
    let objects = [role("ClusterRole", None, &everywhere), role("Role", Some(namespace), &at_home)].concat();
    let at_home = json!({"name": "hookward", "namespace": namespace});
    let made = [
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": at_home}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": at_home}),
    ];
    let items = [objects, made.to_vec()].concat();
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn configurations(name: &str) -> Vec<Value> {
    let webhook = json!({
        "name": "a.hookward.dev", "admissionReviewVersions": ["v1"], "clientConfig": {"url": "https://127.0.0.1:1"},
        "sideEffects": "None", "failurePolicy": "Ignore",
        "rules": [{"apiGroups": ["example.org"], "apiVersions": ["*"], "resources": ["none"], "operations": ["CREATE"]}],
    });
    let of = |kind| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "webhooks": [webhook]});
    ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].map(of).to_vec()
}

/// All that a replica does in a cluster, but policies.
struct Duties {
    leader: Leader,
    recorder: Recorder,
    registration: Registration,
    releases: Releases,
    secret: SecretFile,
    bundle: watch::Sender<Option<String>>,
}

impl Duties {
    fn begin(replica: &Replica, namespace: &str, name: &str) -> Self {
        let (client, metrics) = (&replica.client, &replica.metrics);
        let options = leader::Options {
            duration: std::time::Duration::from_secs(4),
            grace: std::time::Duration::from_secs(2),
            ..leader::Options::new(namespace, "hookward", "a")
        };
        let bundle = watch::Sender::new(None);
        replica.within(|| {
            let leader = Leader::start(client, options, metrics);
            let recorder = Recorder::start(client, "a", metrics);
            let list = json!({"kind": "List", "items": configurations(name)}).to_string();
            let options = registration::Options {
                repair: true,
                settle: std::time::Duration::ZERO,
                ..registration::Options::new(name, Some(Expected::parse(&list).unwrap()))
            };
            let registration = Registration::start(
                client,
                options,
                bundle.subscribe(),
                leader.is_leader(),
                Some(recorder.clone()),
                metrics,
            );
            let releases = Releases::start(client, metrics, super::releases::memory());
            let secret = SecretFile::new(client, namespace, "hookward");
            Self { leader, recorder, registration, releases, secret, bundle }
        })
    }

    /// Each duty leaves a trace: a Lease, configurations made with this bundle, a Secret and an Event.
    #[track_caller]
    fn are_done(&self, rig: &Rig, replica: &Replica, namespace: &str, round: &str) {
        let bundle = pem();
        self.bundle.send_replace(Some(bundle.clone()));
        rig.wait_for("the leader", SOON, || self.leader.is_leader().borrow().then_some(()));
        rig.wait_for("the registration", SOON, || {
            let seen = self.registration.registered().borrow().clone();
            // The one before stays beside it for a while.
            let has_it = seen.bundle.is_some_and(|registered| registered.contains(&bundle));
            (seen.drift.is_empty() && has_it).then_some(())
        });
        rig.wait_for("the first list of releases", SOON, || self.releases.synced().borrow().then_some(()));
        replica.runtime().block_on(async {
            let version = self.secret.read().await.unwrap().version;
            self.secret.replace(&version, &BTreeMap::from([(round.to_owned(), vec![1])])).await.unwrap();
        });
        let about = Identity { namespace: Some(namespace.into()), name: round.into(), ..Identity::default() };
        let announce = || Announcement {
            about: about.clone(),
            reason: "HookDenied",
            action: "Deny",
            topic: String::new(),
            text: "a".into(),
        };
        self.recorder.announce(announce());
        rig.wait_for("an event", SOON, || {
            let args = [
                "get",
                "events",
                "--namespace",
                namespace,
                "--output=jsonpath={.items[*].involvedObject.name}",
            ];
            rig.kubectl(&args).stdout.contains(round).then_some(())
        });
    }
}

#[test]
fn every_duty_is_done_with_the_least_rights_and_after_a_restart_of_the_api_server() {
    let rig = kinds::own_rig();
    kinds::define(&rig);
    let (namespace, user) = (rig.namespace("rights"), "hookward-least");
    rig.apply(&kinds::policy("mine", &json!({"profile": "audit"})).to_string());
    rig.apply(&rights(user, &namespace).to_string());
    let replica = Replica::acting_as(&rig, user);
    let duties = Duties::begin(&replica, &namespace, user);
    duties.are_done(&rig, &replica, &namespace, "before");
    wait_for_condition(&rig, "True", "as they were installed");
    rig.end_api_server();
    rig.wait_for("the leader to stop", SOON, || (!*duties.leader.is_leader().borrow()).then_some(()));
    rig.start_api_server();
    duties.are_done(&rig, &replica, &namespace, "after");
    let refused = r#"hookward_events_dropped_total{reason="refused"} 0"#;
    assert!(replica.shows(refused), "an event was refused");
}

#[test]
fn every_policy_says_whether_the_webhooks_are_registered() {
    let rig = kinds::own_rig();
    kinds::define(&rig);
    let name = "hookward-says";
    rig.apply(&kinds::policy("mine", &json!({"profile": "audit"})).to_string());
    let list = json!({"apiVersion": "v1", "kind": "List", "items": configurations(name)}).to_string();
    rig.apply(&list);
    let replica = Replica::new(&rig);
    let options = registration::Options {
        settle: std::time::Duration::ZERO,
        ..registration::Options::new(name, Some(Expected::parse(&list).unwrap()))
    };
    let (bundle, leader) = (watch::Sender::new(Some(pem())), watch::Sender::new(true));
    let (bundle, leader) = (bundle.subscribe(), leader.subscribe());
    let start = || Registration::start(&replica.client, options, bundle, leader, None, &replica.metrics);
    let _registration = replica.within(start);
    wait_for_condition(&rig, "True", "as they were installed");
    let patch = |policy: &str| {
        let patch =
            json!([{"op": "replace", "path": "/webhooks/0/failurePolicy", "value": policy}]).to_string();
        let args = ["patch", "validatingwebhookconfiguration", name, "--type=json", "--patch", &patch];
        let _ = rig.kubectl(&args).expect_ok();
    };
    patch("Fail");
    wait_for_condition(&rig, "False", "failurePolicy is not what was installed");
    patch("Ignore");
    wait_for_condition(&rig, "True", "as they were installed");
}

#[track_caller]
fn wait_for_condition(rig: &Rig, status: &str, words: &str) {
    rig.wait_for("the condition", SOON, || {
        let policy = rig.get_json("hookpolicy", "", "mine")?;
        let conditions = policy["status"]["conditions"].as_array()?;
        let condition = conditions.iter().find(|condition| condition["type"] == "Registered")?;
        (condition["status"] == status && condition["message"].as_str()?.contains(words)).then_some(())
    });
}
