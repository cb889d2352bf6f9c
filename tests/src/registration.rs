//! Webhook configurations that lead from one namespace of the test cluster to one server.
#![allow(clippy::panic, reason = "where the fixture fails, the test has failed")]

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{rig::Rig, server::Server};

/// A hook and a release record that nobody means: whether they reach the server shows whether webhooks are in force.
const CANARY: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: {name: canary, annotations: {helm.sh/hook: pre-install}}
---
apiVersion: v1
kind: Secret
metadata: {name: canary, labels: {owner: helm, status: pending-install}}
type: helm.sh/release.v1
"#;

/// Registered webhooks; they are removed when the value is dropped.
#[derive(Debug)]
pub struct Registration {
    rig: &'static Rig,
    name: String,
}

impl Registration {
    /// Registers the webhooks whose names begin with one of `names`, for this namespace alone, and waits until requests come in.
    ///
    /// # Panics
    /// When the API server refuses them, or does not call within 30 s.
    #[must_use]
    #[track_caller]
    pub fn new(rig: &'static Rig, server: &Server, namespace: &str, names: &[&str]) -> Self {
        let registration = Self { rig, name: format!("hookward-{namespace}") };
        registration.turn_to(server, namespace, names);
        registration
    }

    /// Leads to this server from now on.
    ///
    /// # Panics
    /// As [`Registration::new`].
    #[track_caller]
    pub fn turn_to(&self, server: &Server, namespace: &str, names: &[&str]) {
        let is_wanted = |webhook: &Value| {
            let name = webhook["name"].as_str().and_then(|full| full.split('.').next());
            name.is_some_and(|name| names.contains(&name))
        };
        let mut configurations = printed(server);
        for configuration in &mut configurations {
            configuration["metadata"] = json!({"name": self.name});
            if let Some(webhooks) = configuration["webhooks"].as_array_mut() {
                webhooks.retain(is_wanted);
                webhooks.iter_mut().for_each(|webhook| restrict(webhook, namespace));
            }
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": configurations});
        self.rig.apply(&list.to_string());
        self.wait(server, namespace, names);
    }

    fn wait(&self, server: &Server, namespace: &str, names: &[&str]) {
        let paths = ["mutate", "validate", "release"].into_iter().filter(|name| names.contains(name));
        let labels: Vec<String> = paths.map(|path| format!("path=\"{path}\"")).collect();
        self.rig.wait_for("webhooks to be called", Duration::from_secs(30), || {
            let args = ["create", "--dry-run=server", "--namespace", namespace, "-f", "-"];
            let _ = self.rig.kubectl_with(&args, CANARY);
            let is_asked = |label: &String| server.count("hookward_admission_requests_total", &[label]) > 0;
            labels.iter().all(is_asked).then_some(())
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
            let _ = self.rig.kubectl(&["delete", kind, &self.name, "--ignore-not-found", "--wait=false"]);
        }
    }
}

/// Adds the namespace to the conditions that the webhook has already.
fn restrict(webhook: &mut Value, namespace: &str) {
    let only = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]});
    let selector = &mut webhook["namespaceSelector"]["matchExpressions"];
    match selector.as_array_mut() {
        Some(expressions) => expressions.push(only),
        None => *selector = json!([only]),
    }
}

/// The configurations as the server would have them.
fn printed(server: &Server) -> Vec<Value> {
    let bundle = STANDARD.encode(server.authority());
    let one = |name: &str, path: &str, operations: Value, policy: &str, condition: &str| {
        json!({
            "name": format!("{name}.hookward.dev"), "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun",
            "clientConfig": {"url": format!("{}/{path}", server.url()), "caBundle": bundle},
            "failurePolicy": policy, "matchPolicy": "Equivalent",
            "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": operations, "resources": ["*"]}],
            "matchConditions": [{"name": "hook", "expression": condition}],
        })
    };
    let annotated = "[object, oldObject].exists(one, one != null && has(one.metadata.annotations) && 'helm.sh/hook' in one.metadata.annotations";
    let event = "one.metadata.annotations['helm.sh/hook'].split(',')";
    let recovery =
        "event.trim().lowerAscii() in ['pre-rollback', 'post-rollback', 'pre-delete', 'post-delete']";
    let both = json!(["CREATE", "UPDATE"]);
    let mut mutate = one("mutate", "mutate", json!(["CREATE"]), "Ignore", &format!("{annotated})"));
    mutate["reinvocationPolicy"] = json!("IfNeeded");
    let forward = format!("{annotated} && !{event}.all(event, {recovery}))");
    let validate = one(
        "validate",
        "validate",
        both.clone(),
        if server.profile() == "audit" { "Ignore" } else { "Fail" },
        &forward,
    );
    let recovery = one("recovery", "validate", both, "Ignore", &format!("{annotated}) && !{forward}"));
    let mut release =
        one("release", "release", json!(["CREATE"]), "Ignore", "object.type == 'helm.sh/release.v1'");
    release["rules"] = json!([{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]);
    release["objectSelector"] = json!({"matchLabels": {"owner": "helm"}, "matchExpressions": [
        {"key": "status", "operator": "In", "values": ["pending-install", "pending-upgrade"]}]});
    let configuration = |kind: &str, webhooks: Value| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {}, "webhooks": webhooks});
    vec![
        configuration("MutatingWebhookConfiguration", json!([mutate])),
        configuration("ValidatingWebhookConfiguration", json!([validate, recovery, release])),
    ]
}
