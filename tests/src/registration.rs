//! Webhook configurations that lead from one namespace of the test cluster to one server.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{rig::Rig, server::Server};

/// A hook and a release record that nobody means: whether they reach the server shows whether webhooks are in force.
const CANARY: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: canary, annotations: {helm.sh/hook: pre-install}}
---
apiVersion: v1
kind: Secret
metadata: {name: canary, labels: {owner: helm, status: pending-install}}
type: helm.sh/release.v1
";

/// The label by which objects of our own kinds, which have no namespace, are led to one server: its value is the namespace.
pub const LABEL: &str = "test";

/// Registered webhooks; they are removed when the value is dropped.
#[derive(Debug)]
pub struct Registration {
    rig: &'static Rig,
    name: String,
}

impl Registration {
    /// Registers the webhooks whose names begin with one of `names`, for this namespace alone, or for objects with its [`LABEL`] where
    /// there is no namespace, and waits until requests come in.
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
        let mut configurations = printed(self.rig, server);
        for configuration in &mut configurations {
            configuration["metadata"] = json!({"name": self.name});
            if let Some(webhooks) = configuration["webhooks"].as_array_mut() {
                webhooks.retain(is_wanted);
                for webhook in webhooks {
                    restrict(webhook, namespace);
                }
            }
        }
        let list = json!({"apiVersion": "v1", "kind": "List", "items": configurations});
        self.rig.apply(&list.to_string());
        self.wait(server, namespace, names);
    }

    /// Leads to it from every namespace with the [`LABEL`] as well.
    ///
    /// # Panics
    /// When the API server refuses that.
    #[track_caller]
    pub fn widen(&self, namespace: &str) {
        for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
            let Some(mut configuration) = self.rig.get_json(kind, "", &self.name) else { continue };
            for webhook in configuration["webhooks"].as_array_mut().into_iter().flatten() {
                webhook["namespaceSelector"] = json!({"matchLabels": {LABEL: namespace}});
            }
            self.rig.apply(&configuration.to_string());
        }
    }

    fn wait(&self, server: &Server, namespace: &str, names: &[&str]) {
        let paths = ["mutate", "validate", "release"].into_iter().filter(|name| names.contains(name));
        let ours = ["policy", "stamp"].into_iter().filter(|_| names.contains(&"policy"));
        let labels: Vec<String> = paths.chain(ours).map(|path| format!("path=\"{path}\"")).collect();
        let policy = json!({
            "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy",
            "metadata": {"name": "canary", "labels": {LABEL: namespace}}, "spec": {},
        });
        let canaries =
            if names.contains(&"policy") { format!("{CANARY}---\n{policy}\n") } else { CANARY.to_owned() };
        self.rig.wait_for("webhooks to be called", Duration::from_secs(30), || {
            let args = ["create", "--dry-run=server", "--namespace", namespace, "-f", "-"];
            let _ = self.rig.kubectl_with(&args, &canaries);
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
    if webhook["name"] == "policy.hookward.dev" {
        webhook["objectSelector"] = json!({"matchLabels": {LABEL: namespace}});
        return;
    }
    let only = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]});
    let selector = &mut webhook["namespaceSelector"]["matchExpressions"];
    match selector.as_array_mut() {
        Some(expressions) => expressions.push(only),
        None => *selector = json!([only]),
    }
}

/// The configurations that the program prints, read by `kubectl`.
fn printed(rig: &Rig, server: &Server) -> Vec<Value> {
    let read = ["create", "--dry-run=client", "--output=json", "--filename=-"];
    let text = rig.kubectl_with(&read, &server.webhooks()).expect_ok().stdout;
    let objects = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let objects =
        objects.map(|object| object.unwrap_or_else(|error| panic!("kubectl wrote no JSON: {error}")));
    objects
        .flat_map(|mut object| match object["items"].take() {
            Value::Array(items) => items,
            _ => vec![object],
        })
        .collect()
}
