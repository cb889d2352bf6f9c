//! The webhook configurations: for a server outside of the cluster, or for the servers behind a Service.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hooks::{
    Event,
    annotations::{HOOK, RELEASE_TYPE},
};
use policies::{
    Profile,
    documents::{GROUP, VERSION},
};
use serde_json::{Value, json};

use super::server_url::ServerUrl;

/// Name of both configurations.
const NAME: &str = "hookward";
/// The label that every namespace has: its name.
const NAMESPACE: &str = "kubernetes.io/metadata.name";
/// How long the API server waits, in seconds.
const TIMEOUT: u32 = 10;

/// Where the API server finds the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address<'a> {
    /// At this URL, outside of the cluster or by its name.
    Url(&'a ServerUrl),
    /// Behind a Service; the webhooks then leave its namespace alone.
    Service {
        /// The name of the Service.
        name: &'a str,
        /// The namespace of the Service.
        namespace: &'a str,
    },
}

impl Address<'_> {
    /// The name or address that the certificate must be for.
    #[must_use]
    pub fn host(&self) -> String {
        match self {
            Self::Service { name, namespace } => format!("{name}.{namespace}.svc"),
            Self::Url(url) => url.host(),
        }
    }

    fn client(&self, path: &str, bundle: Option<&str>) -> Value {
        let mut client = match self {
            Self::Url(url) => json!({"url": format!("{url}/{path}")}),
            Self::Service { name, namespace } => {
                json!({"service": {"name": name, "namespace": namespace, "path": format!("/{path}"), "port": 443}})
            }
        };
        if let Some(bundle) = bundle {
            client["caBundle"] = json!(BASE64_STANDARD.encode(bundle));
        }
        client
    }
}

/// Both configurations as one `List` for `kubectl apply`. `bundle` says whom the API server trusts; in a cluster the servers
/// themselves say it.
#[must_use]
pub fn list(address: &Address<'_>, bundle: Option<&str>, profile: Profile) -> Value {
    let strict = if profile == Profile::Audit { "Ignore" } else { "Fail" };
    let any = |operations: &[&str]| json!({"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "*", "operations": operations});
    let both = &["CREATE", "UPDATE"];
    let webhook = |name: &str, path: &str, failure_policy: &str, rule: Value| {
        webhook(name, &address.client(path, bundle), failure_policy, &rule)
    };
    let mut mutate = webhook("mutate", "mutate", "Ignore", any(&["CREATE"]));
    mutate["matchConditions"] = json!([condition("is-hook", &exists(&annotated()))]);
    mutate["reinvocationPolicy"] = json!("IfNeeded");
    let mut validate = webhook("validate", "validate", strict, any(both));
    validate["matchConditions"] = json!([condition("goes-forward", &exists(&forward())), staying()]);
    let mut recovery = webhook("recovery", "validate", "Ignore", any(both));
    let back = format!("{} && !{}", exists(&annotated()), exists(&forward()));
    recovery["matchConditions"] = json!([condition("takes-back", &back), staying()]);
    let secrets = json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "scope": "*", "operations": ["CREATE"]});
    let mut release = webhook("release", "release", "Ignore", secrets);
    let is_release = format!("object.type == '{RELEASE_TYPE}'");
    release["matchConditions"] = json!([condition("is-release", &is_release)]);
    release["objectSelector"] = json!({
        "matchLabels": {"owner": "helm"},
        "matchExpressions": [{"key": "status", "operator": "In", "values": ["pending-install", "pending-upgrade"]}],
    });
    if let Address::Service { namespace, .. } = address {
        for one in [&mut mutate, &mut validate, &mut recovery, &mut release] {
            one["namespaceSelector"] =
                json!({"matchExpressions": [{"key": NAMESPACE, "operator": "NotIn", "values": [namespace]}]});
        }
    }
    let mut policy = webhook("policy", "policy", "Fail", ours());
    policy["sideEffects"] = json!("None");
    // What writes down who asks and what believes nobody are two paths: a review does not say which of the two asks.
    let mut stamp = webhook("policy", "policy/stamp", "Fail", ours());
    stamp["sideEffects"] = json!("None");
    stamp["reinvocationPolicy"] = json!("IfNeeded");
    json!({"apiVersion": "v1", "kind": "List", "items": [
        configuration("MutatingWebhookConfiguration", &json!([mutate, stamp])),
        configuration("ValidatingWebhookConfiguration", &json!([validate, recovery, release, policy])),
    ]})
}

fn webhook(name: &str, client: &Value, failure_policy: &str, rule: &Value) -> Value {
    json!({
        "name": format!("{name}.hookward.dev"),
        "admissionReviewVersions": ["v1"],
        "clientConfig": client,
        "failurePolicy": failure_policy,
        "matchPolicy": "Equivalent",
        "sideEffects": "NoneOnDryRun",
        "timeoutSeconds": TIMEOUT,
        "rules": [rule],
    })
}

fn condition(name: &str, expression: &str) -> Value {
    json!({"name": name, "expression": expression})
}

/// What is on its way out is nobody's business: while nobody answers, its finalizers have to go all the same.
fn staying() -> Value {
    let leaves = "has(oldObject.metadata) && has(oldObject.metadata.deletionTimestamp)";
    condition("stays", &format!("oldObject == null || !({leaves})"))
}

/// Our own kinds, and the subresource by which exceptions are approved.
fn ours() -> Value {
    json!({
        "apiGroups": [GROUP],
        "apiVersions": [VERSION],
        "resources": ["hookpolicies", "hookexceptions", "hookexceptions/status"],
        "scope": "Cluster",
        "operations": ["CREATE", "UPDATE"],
    })
}

fn configuration(kind: &str, webhooks: &Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": NAME, "labels": {"app.kubernetes.io/name": NAME}},
        "webhooks": webhooks,
    })
}

/// In CEL: whether the old or the new object is as described; on CREATE there is no old one.
fn exists(description: &str) -> String {
    format!("[object, oldObject].exists(one, one != null && {description})")
}

/// In CEL: whether `one` is a hook.
fn annotated() -> String {
    format!("has(one.metadata) && has(one.metadata.annotations) && '{HOOK}' in one.metadata.annotations")
}

/// In CEL: whether `one` is a hook with an event that takes nothing back; a word that Helm does not know counts as one.
fn forward() -> String {
    let back: Vec<_> = Event::ALL
        .into_iter()
        .filter(|event| event.is_recovery())
        .map(|event| format!("'{}'", event.name()))
        .collect();
    let back = back.join(", ");
    let events = format!("one.metadata.annotations['{HOOK}'].split(',')");
    format!("{} && {events}.exists(event, !(event.trim().lowerAscii() in [{back}]))", annotated())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_url(url: &str, profile: Profile) -> Value {
        list(&Address::Url(&url.parse().unwrap()), Some("PEM"), profile)
    }

    fn webhooks(list: &Value) -> impl Iterator<Item = &Value> {
        list["items"].as_array().unwrap().iter().flat_map(|one| one["webhooks"].as_array().unwrap())
    }

    #[test]
    fn every_webhook_has_its_path_and_failure_policy() {
        let list = by_url("https://10.0.0.1:8443/", Profile::Baseline);
        let facts: Vec<_> = webhooks(&list)
            .map(|one| {
                [&one["name"], &one["clientConfig"]["url"], &one["failurePolicy"]]
                    .map(|value| value.as_str().unwrap().to_owned())
            })
            .collect();
        let expected = [
            ["mutate.hookward.dev", "https://10.0.0.1:8443/mutate", "Ignore"],
            ["policy.hookward.dev", "https://10.0.0.1:8443/policy/stamp", "Fail"],
            ["validate.hookward.dev", "https://10.0.0.1:8443/validate", "Fail"],
            ["recovery.hookward.dev", "https://10.0.0.1:8443/validate", "Ignore"],
            ["release.hookward.dev", "https://10.0.0.1:8443/release", "Ignore"],
            ["policy.hookward.dev", "https://10.0.0.1:8443/policy", "Fail"],
        ];
        assert_eq!(facts, expected.map(|row| row.map(str::to_owned)));
    }

    #[test]
    fn servers_behind_a_service_leave_their_own_namespace_alone() {
        let address = Address::Service { name: "hooks", namespace: "guard" };
        let list = list(&address, None, Profile::Baseline);
        for one in webhooks(&list) {
            let client = &one["clientConfig"];
            assert_eq!((&client["service"]["name"], client.get("caBundle")), (&json!("hooks"), None));
            let excluded = &one["namespaceSelector"]["matchExpressions"][0];
            // Our own kinds are not in a namespace.
            let wanted = if one["name"] == "policy.hookward.dev" { &Value::Null } else { &json!(["guard"]) };
            assert_eq!(&excluded["values"], wanted, "{one}");
        }
    }

    #[test]
    fn the_host_of_an_address_is_what_a_certificate_names() {
        assert_eq!(Address::Service { name: "hooks", namespace: "guard" }.host(), "hooks.guard.svc");
        assert_eq!(Address::Url(&"https://10.0.0.1:8443/".parse().unwrap()).host(), "10.0.0.1");
    }

    #[test]
    fn of_hooks_nothing_fails_closed_under_audit() {
        let list = by_url("https://a", Profile::Audit);
        for one in webhooks(&list).filter(|one| one["name"] != "policy.hookward.dev") {
            assert_eq!(one["failurePolicy"], "Ignore");
        }
    }
}
