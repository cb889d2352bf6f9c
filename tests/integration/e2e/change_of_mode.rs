//! Replicas whose certificates are of different authorities, as while the mode of certificates is changed: all are trusted.

use serde_json::{Value, json};
use tests::{
    kinds,
    server::{Server, Setup},
};

use super::{Place, SOON};

const CONFIGURATIONS: [(&str, &str); 2] = [
    ("MutatingWebhookConfiguration", "mutatingwebhookconfiguration"),
    ("ValidatingWebhookConfiguration", "validatingwebhookconfiguration"),
];

/// A namespace with an empty Secret, and configurations of its name that nobody calls.
struct Stage(Place);

impl Stage {
    fn new(label: &str) -> Self {
        let place = Place::unguarded(label);
        kinds::define(place.rig);
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "certificates"}});
        let _ = place.create(&secret).expect_ok();
        let webhook = json!({
            "name": "nobody.hookward.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "clientConfig": {"url": "https://127.0.0.1:1"},
            "failurePolicy": "Ignore", "namespaceSelector": {"matchLabels": {"no": "namespace"}},
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "operations": ["CREATE"]}],
        });
        let configuration = |kind: &str| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": place.namespace}, "webhooks": [webhook]});
        let items = CONFIGURATIONS.map(|(kind, _)| configuration(kind));
        place.rig.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
        Self(place)
    }

    /// A replica that makes its certificates itself, or is given some of an authority of its own.
    fn replica(&self, name: &str, makes_them_itself: bool) -> Server {
        let namespace = &self.0.namespace;
        let setup = Setup::new("baseline", "").in_cluster(&self.0.rig.kubeconfig(), namespace, name);
        let setup = setup.flag(&format!("--webhook-configuration={namespace}"));
        let setup = if makes_them_itself {
            setup.certificates_from("certificates").flag("--cert-name=127.0.0.1")
        } else {
            setup
        };
        setup.start()
    }

    fn wait_for_leader(&self, name: &str) {
        self.0.rig.wait_for("the leader", SOON, || {
            let lease = self.0.find("lease", "hookward")?;
            (lease["spec"]["holderIdentity"] == name).then_some(())
        });
    }

    /// Both are trusted, and the leader has not changed.
    fn assert_trusted(&self, servers: &[&Server]) {
        for server in servers {
            assert!(server.metrics().contains("hookward_certificate_trusted 1"), "{}", server.log());
            assert!(!server.log().contains("calls will fail"), "{}", server.log());
        }
        self.wait_for_leader("first");
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for (_, kind) in CONFIGURATIONS {
            let _ = self.0.rig.kubectl(&["delete", kind, &self.0.namespace, "--ignore-not-found"]);
        }
    }
}

#[test]
fn a_change_of_mode_never_rolled_out_since_only_the_leader_was_trusted() {
    for makes_them_itself in [true, false] {
        let stage = Stage::new("mode");
        let first = stage.replica("first", makes_them_itself);
        stage.wait_for_leader("first");
        let second = stage.replica("second", !makes_them_itself);
        stage.assert_trusted(&[&first, &second]);
        for (_, kind) in CONFIGURATIONS {
            let live = stage.0.rig.get_json(kind, "", &stage.0.namespace).unwrap();
            assert_ne!(live["webhooks"][0]["clientConfig"]["caBundle"], Value::Null, "{kind}");
        }
    }
}

#[test]
fn a_configuration_that_was_deleted_kept_new_replicas_from_becoming_ready() {
    let stage = Stage::new("deleted");
    let first = stage.replica("first", true);
    stage.wait_for_leader("first");
    let (_, kind) = CONFIGURATIONS[1];
    let _ = stage.0.rig.kubectl(&["delete", kind, &stage.0.namespace]).expect_ok();
    let second = stage.replica("second", true);
    stage.assert_trusted(&[&first, &second]);
}
