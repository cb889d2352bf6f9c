//! Real Helm on a real control plane, with and without the server between them.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use tests::{
    chart::Chart,
    registration::Registration,
    rig::{AuditEvent, AuditMarker, Helm, Ran, Rig},
    server::Server,
};

mod certificates;
mod change_of_mode;
mod cluster_mode;
mod crds;
mod diagnose;
mod drain;
mod drift;
mod dry_run;
mod events;
mod exception_protocol;
mod exceptions;
mod facts;
mod final_state;
mod first_week;
mod gate;
mod json_keys;
mod kinds;
mod large;
mod leader;
mod least_rights;
mod memory;
mod metrics;
mod namespaces_by_label;
mod never_blocked;
mod nobodys_business;
mod outage;
mod policies_live;
mod policy_change;
mod recovery;
mod redirect;
mod releases;
mod repairs;
mod replica;
mod requests_counted;
mod rig_smoke;
mod rollout;
mod rotation;
mod shared_secret;
mod stale_rerun;
mod told;
mod untouched;
mod updates;
mod words;

/// Every webhook.
const ALL: [&str; 4] = ["mutate", "validate", "recovery", "release"];
/// Those for single objects.
const OBJECTS: [&str; 3] = ["mutate", "validate", "recovery"];
/// Longer than anything that happens without waiting for a timeout.
const SOON: Duration = Duration::from_secs(60);

/// The cluster that all tests share.
#[track_caller]
fn rig() -> &'static Rig {
    Rig::shared().expect("no test cluster: run cargo xtask test")
}

/// A test for each Helm.
macro_rules! with_both_helms {
    ($($name:ident)+) => {
        $(mod $name {
            #[test]
            fn helm_3() {
                super::$name(tests::rig::Helm::V3);
            }

            #[test]
            fn helm_4() {
                super::$name(tests::rig::Helm::V4);
            }
        })+
    };
}
use with_both_helms;

/// A namespace of its own on the cluster that all tests share, and perhaps a server that guards it.
struct Place {
    rig: &'static Rig,
    namespace: String,
    // Before the server: nobody should call it when it has gone.
    registration: Option<Registration>,
    server: Option<Server>,
}

impl Place {
    #[track_caller]
    fn unguarded(prefix: &str) -> Self {
        let rig = rig();
        Self { rig, namespace: rig.namespace(prefix), registration: None, server: None }
    }

    /// Guarded by the rules as they ship.
    #[track_caller]
    fn guarded(prefix: &str) -> Self {
        Self::unguarded(prefix).guard("", &ALL)
    }

    /// Starts a server with these policies, and these webhooks to it.
    #[track_caller]
    fn guard(self, policies: &str, webhooks: &[&str]) -> Self {
        self.guard_by(Server::start("baseline", policies), webhooks)
    }

    #[track_caller]
    fn guard_by(mut self, server: Server, webhooks: &[&str]) -> Self {
        self.registration = Some(Registration::new(self.rig, &server, &self.namespace, webhooks));
        self.server = Some(server);
        self
    }

    fn server(&mut self) -> &mut Server {
        self.server.as_mut().unwrap()
    }

    /// Answers that the server has given, by labels such as `path="release"`.
    fn answered(&self, labels: &[&str]) -> u64 {
        self.server.as_ref().unwrap().count("hookward_admission_requests_total", labels)
    }

    /// A Helm command about the release `shop`.
    #[track_caller]
    fn helm(&self, helm: Helm, command: &str, chart: Option<&Path>, flags: &[&str]) -> Ran {
        let mut helm = self.rig.helm(helm).args([command, "shop"]);
        if let Some(chart) = chart {
            helm = helm.path(chart);
        }
        helm.namespace(&self.namespace).briefly().args(flags).run()
    }

    #[track_caller]
    fn install(&self, helm: Helm, chart: &Chart) -> Ran {
        self.helm(helm, "install", Some(chart.path()), &[])
    }

    #[track_caller]
    fn upgrade(&self, helm: Helm, chart: &Chart) -> Ran {
        self.helm(helm, "upgrade", Some(chart.path()), &[])
    }

    /// Revisions and their statuses, oldest first.
    #[track_caller]
    fn history(&self, helm: Helm) -> Vec<(u64, String)> {
        let command = self.rig.helm(helm).args(["history", "shop", "--output=json"]);
        let text = command.namespace(&self.namespace).run().expect_ok().stdout;
        let revisions: Vec<Value> = serde_json::from_str(&text).unwrap();
        let of =
            |one: &Value| (one["revision"].as_u64().unwrap(), one["status"].as_str().unwrap().to_owned());
        revisions.iter().map(of).collect()
    }

    #[track_caller]
    fn kubectl(&self, args: &[&str], input: &str) -> Ran {
        self.rig.kubectl_with(&[args, &["--namespace", &self.namespace]].concat(), input)
    }

    #[track_caller]
    fn create(&self, object: &Value) -> Ran {
        self.kubectl(&["create", "--filename=-"], &object.to_string())
    }

    #[track_caller]
    fn find(&self, kind: &str, name: &str) -> Option<Value> {
        self.rig.get_json(kind, &self.namespace, name)
    }

    #[track_caller]
    fn job(&self, name: &str) -> Value {
        self.find("job", name).unwrap_or_else(|| panic!("there is no Job {name:?}"))
    }

    /// What Helm asked for since then in this namespace, with its effect on the cluster.
    #[track_caller]
    fn helm_wrote(&self, since: AuditMarker) -> Vec<AuditEvent> {
        let events = self.rig.audit_since(since);
        let is_ours = |event: &AuditEvent| {
            event.namespace == self.namespace && event.is_from_helm() && event.is_write()
        };
        events.into_iter().filter(is_ours).collect()
    }
}

fn revisions(expected: &[(u64, &str)]) -> Vec<(u64, String)> {
    expected.iter().map(|(revision, status)| (*revision, (*status).to_owned())).collect()
}

/// The identity that the API server gave: a new one means a new object.
fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap()
}

/// The flag that takes back what failed.
const fn atomic(helm: Helm) -> &'static str {
    match helm {
        Helm::V3 => "--atomic",
        Helm::V4 => "--rollback-on-failure",
    }
}

/// Whether the command failed and said all of this.
#[track_caller]
fn assert_refused(ran: &Ran, words: &[&str]) {
    assert!(!ran.ok(), "it was not refused: {ran:?}");
    assert_says(ran, words);
}

#[track_caller]
fn assert_says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} is missing in\n{}", ran.stderr);
    }
}

/// What the API server asks about the creation of an object.
fn review(object: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE",
            "namespace": "shop", "name": object["metadata"]["name"],
            "kind": {"group": "", "version": "v1", "kind": object["kind"]},
            "resource": {"group": "", "version": "v1", "resource": "things"},
            "userInfo": {"username": "admin"}, "dryRun": false, "object": object, "oldObject": null,
            "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions", "fieldManager": "helm"},
        },
    })
    .to_string()
}
