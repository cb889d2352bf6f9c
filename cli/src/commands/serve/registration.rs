//! The webhook configurations for a server that runs outside of the cluster.

use anyhow::bail;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hooks::{
    Event,
    annotations::{HOOK, PREFIX},
};
use policies::Profile;
use serde_json::{Value, json};

/// Name of both configurations.
const NAME: &str = "hookward";
/// How long the API server waits, in seconds.
const TIMEOUT: u32 = 10;

/// Both configurations as one `List` for `kubectl apply`; `url` is where the API server reaches the server, `bundle` whom it trusts.
///
/// # Errors
/// When the URL is none that the API server would accept.
pub fn list(url: &str, bundle: &str, profile: Profile) -> anyhow::Result<Value> {
    let url = url.trim_end_matches('/');
    let is_plain = |host: &str| !host.is_empty() && !host.contains(['?', '#', '@', ' ']);
    if !url.strip_prefix("https://").is_some_and(is_plain) {
        bail!("{url:?} is no address of a webhook; write https://HOST:PORT");
    }
    let webhook = |name: &str, path: &str, failure_policy: &str, rule: Value, condition: (&str, String)| {
        json!({
            "name": format!("{name}.hookward.dev"),
            "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": format!("{url}/{path}"), "caBundle": BASE64_STANDARD.encode(bundle)},
            "failurePolicy": failure_policy,
            "matchPolicy": "Equivalent",
            "sideEffects": "NoneOnDryRun",
            "timeoutSeconds": TIMEOUT,
            "rules": [rule],
            "matchConditions": [{"name": condition.0, "expression": condition.1}],
        })
    };
    let any = |operations: &[&str]| json!({"apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "scope": "*", "operations": operations});
    let both = &["CREATE", "UPDATE"];
    let strict = if profile == Profile::Audit { "Ignore" } else { "Fail" };
    let mut mutate =
        webhook("mutate", "mutate", "Ignore", any(&["CREATE"]), ("is-hook", exists(&annotated())));
    mutate["reinvocationPolicy"] = json!("IfNeeded");
    let validate = webhook("validate", "validate", strict, any(both), ("goes-forward", exists(&forward())));
    let back = format!("{} && !{}", exists(&annotated()), exists(&forward()));
    let recovery = webhook("recovery", "validate", "Ignore", any(both), ("takes-back", back));
    let record = ("is-release", format!("object.type == '{PREFIX}release.v1'"));
    let secrets = json!({"apiGroups": [""], "apiVersions": ["v1"], "resources": ["secrets"], "scope": "*", "operations": ["CREATE"]});
    let mut release = webhook("release", "release", "Ignore", secrets, record);
    release["objectSelector"] = json!({
        "matchLabels": {"owner": "helm"},
        "matchExpressions": [{"key": "status", "operator": "In", "values": ["pending-install", "pending-upgrade"]}],
    });
    Ok(json!({"apiVersion": "v1", "kind": "List", "items": [
        configuration("MutatingWebhookConfiguration", &json!([mutate])),
        configuration("ValidatingWebhookConfiguration", &json!([validate, recovery, release])),
    ]}))
}

/// The host of a URL that [`list`] accepts, without port and brackets.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
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

    #[test]
    fn every_webhook_has_its_path_and_failure_policy() {
        let list = list("https://10.0.0.1:8443/", "PEM", Profile::Baseline).unwrap();
        let webhooks =
            list["items"].as_array().unwrap().iter().flat_map(|one| one["webhooks"].as_array().unwrap());
        let facts: Vec<_> = webhooks
            .map(|one| {
                [&one["name"], &one["clientConfig"]["url"], &one["failurePolicy"]]
                    .map(|value| value.as_str().unwrap().to_owned())
            })
            .collect();
        let expected = [
            ["mutate.hookward.dev", "https://10.0.0.1:8443/mutate", "Ignore"],
            ["validate.hookward.dev", "https://10.0.0.1:8443/validate", "Fail"],
            ["recovery.hookward.dev", "https://10.0.0.1:8443/validate", "Ignore"],
            ["release.hookward.dev", "https://10.0.0.1:8443/release", "Ignore"],
        ];
        assert_eq!(facts, expected.map(|row| row.map(str::to_owned)));
    }

    #[test]
    fn the_host_of_a_url_is_what_a_certificate_names() {
        for (url, wanted) in [
            ("https://10.0.0.1:8443/", "10.0.0.1"),
            ("https://[::1]:8443", "::1"),
            ("https://hooks.demo.svc/a:b", "hooks.demo.svc"),
        ] {
            assert_eq!(host(url), wanted);
        }
    }

    #[test]
    fn nothing_fails_closed_under_audit() {
        assert!(!list("https://a", "PEM", Profile::Audit).unwrap().to_string().contains("\"Fail\""));
    }

    #[test]
    fn the_address_must_be_one_of_a_webhook() {
        for url in ["http://a", "https://", "a:8443", "https://a/?x=1", "https://u@a"] {
            assert!(list(url, "PEM", Profile::Baseline).is_err(), "{url}");
        }
    }
}
