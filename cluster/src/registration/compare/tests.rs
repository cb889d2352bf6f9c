//! Tests of the comparison: every kind of drift, and what is none.

use super::*;
use crate::registration::authorities::stand_in;

fn of(names: &[&str]) -> Authorities {
    Authorities::of_pem(&names.iter().map(|name| stand_in(name)).collect::<String>())
}

/// What is needed and registered.
fn pem() -> String {
    of(&["PEM"]).pem()
}

fn webhook(name: &str) -> Value {
    json!({
        "name": name,
        "clientConfig": {"service": {"name": "hookward", "namespace": "hw", "path": "/validate"}},
        "failurePolicy": "Ignore",
        "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE"], "resources": ["*"]}],
        "matchConditions": [{"name": "is-hook", "expression": "true"}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    })
}

fn installed() -> Expected {
    let text = json!({"kind": "List", "items": [
        {"kind": "MutatingWebhookConfiguration", "webhooks": [webhook("mutate")]},
        {"kind": "ValidatingWebhookConfiguration", "webhooks": [webhook("validate"), webhook("recovery")]},
    ]});
    Expected::parse(&text.to_string()).unwrap()
}

/// The API server's copy, with its defaults and with our bundle.
fn stored(name: &str) -> Value {
    let mut webhook = webhook(name);
    webhook["clientConfig"]["service"]["port"] = json!(443);
    webhook["clientConfig"]["caBundle"] = json!(of(&["PEM"]).field());
    webhook["rules"][0]["scope"] = json!("*");
    webhook["matchPolicy"] = json!("Equivalent");
    webhook["timeoutSeconds"] = json!(10);
    webhook["namespaceSelector"] = json!({});
    webhook["objectSelector"] = json!({});
    if name == "mutate" {
        webhook["reinvocationPolicy"] = json!("Never");
    }
    webhook
}

fn live() -> Live {
    let configuration = |names: &[&str]| {
        let webhooks: Vec<_> = names.iter().map(|name| stored(name)).collect();
        Some(json!({"metadata": {"name": "hookward"}, "webhooks": webhooks}))
    };
    Live::from([
        (Configuration::Mutating, configuration(&["mutate"])),
        (Configuration::Validating, configuration(&["validate", "recovery"])),
    ])
}

fn seen(live: &Live) -> Registered {
    registered(live, Some(&installed()), Some(&of(&["PEM"])))
}

/// What is seen where nothing differs.
fn sound() -> Registered {
    Registered { bundle: Some(pem()), hosts: vec!["hookward.hw.svc".into()], drift: vec![] }
}

/// Changes the webhook `validate` and returns the kinds of drift in it, with their fields.
fn after(change: impl FnOnce(&mut Value)) -> Vec<(DriftKind, String)> {
    let mut live = live();
    change(&mut live.get_mut(&Configuration::Validating).unwrap().as_mut().unwrap()["webhooks"][0]);
    let drift = seen(&live).drift;
    assert!(drift.iter().all(|drift| drift.webhook.as_deref() == Some("validate")), "{drift:?}");
    drift.into_iter().map(|drift| (drift.kind, drift.field)).collect()
}

#[test]
fn the_defaults_of_the_api_server_are_no_drift() {
    assert_eq!(seen(&live()), sound());
}

#[test]
fn nothing_is_said_before_both_were_seen() {
    let mut live = live();
    live.remove(&Configuration::Mutating);
    assert_eq!(seen(&live), Registered::default());
}

#[test]
fn every_narrowed_field_has_its_kind() {
    let one = |kind, field: &str| vec![(kind, field.to_owned())];
    let drift = after(|webhook| webhook["rules"][0]["operations"] = json!(["DELETE"]));
    assert_eq!(drift, one(DriftKind::Rule, "rules"));
    assert_eq!(after(|webhook| webhook["rules"] = json!(null)), one(DriftKind::Rule, "rules"));
    let drift = after(|webhook| webhook["rules"][0]["scope"] = json!("Cluster"));
    assert_eq!(drift, one(DriftKind::Rule, "rules"));
    let drift = after(|webhook| webhook["failurePolicy"] = json!("Fail"));
    assert_eq!(drift, one(DriftKind::FailurePolicy, "failurePolicy"));
    let drift = after(|webhook| webhook["namespaceSelector"] = json!({"matchLabels": {"a": "b"}}));
    assert_eq!(drift, one(DriftKind::Selector, "namespaceSelector"));
    let drift = after(|webhook| webhook["objectSelector"] = json!({"matchLabels": {"a": "b"}}));
    assert_eq!(drift, one(DriftKind::Selector, "objectSelector"));
    let drift = after(|webhook| webhook["matchConditions"][0]["expression"] = json!("false"));
    assert_eq!(drift, one(DriftKind::Condition, "matchConditions"));
    let drift = after(|webhook| webhook["matchPolicy"] = json!("Exact"));
    assert_eq!(drift, one(DriftKind::Other, "matchPolicy"));
    let drift = after(|webhook| webhook["timeoutSeconds"] = json!(1));
    assert_eq!(drift, one(DriftKind::Other, "timeoutSeconds"));
    let drift = after(|webhook| webhook["clientConfig"]["service"]["name"] = json!("evil"));
    assert_eq!(drift, one(DriftKind::Other, "clientConfig"));
}

#[test]
fn a_bundle_that_lacks_what_is_needed_is_drift_and_one_that_has_more_is_none() {
    for (bundle, common) in
        [(json!(""), of(&["PEM"])), (json!(null), of(&["PEM"])), (json!(of(&["other"]).field()), of(&[]))]
    {
        let change = |webhook: &mut Value| webhook["clientConfig"]["caBundle"] = bundle.clone();
        assert_eq!(after(change), [(DriftKind::CaBundle, "clientConfig.caBundle".to_owned())]);
        let mut live = live();
        change(&mut webhooks_of(&mut live)[1]);
        assert_eq!(
            seen(&live).bundle,
            Some(common.pem()),
            "who has no bundle trusts nobody, whatever is served"
        );
    }
    assert_eq!(after(|webhook| webhook["clientConfig"]["caBundle"] = json!(of(&["a", "PEM"]).field())), []);
}

fn webhooks_of(live: &mut Live) -> &mut Vec<Value> {
    let validating = live.get_mut(&Configuration::Validating).unwrap().as_mut().unwrap();
    validating["webhooks"].as_array_mut().unwrap()
}

#[test]
fn between_two_writes_the_leader_said_that_nothing_is_registered() {
    let mut live = live();
    for webhook in webhooks_of(&mut live) {
        webhook["clientConfig"]["caBundle"] = json!(of(&["NEW", "PEM"]).field());
    }
    assert_eq!(seen(&live), sound());
}

#[test]
fn one_webhook_that_was_deleted_kept_every_new_replica_from_being_trusted() {
    let mut live = live();
    webhooks_of(&mut live).remove(0);
    let seen = seen(&live);
    let facts: Vec<_> = seen.drift.iter().map(ToString::to_string).collect();
    assert_eq!(facts, ["webhook validate: it is gone"]);
    assert_eq!(seen.bundle, Some(pem()));
}

#[test]
fn a_webhook_that_nobody_installed_counts_only_if_it_leads_to_us() {
    let mut live = live();
    webhooks_of(&mut live)[0]["name"] = json!("stranger");
    let facts: Vec<_> = seen(&live).drift.iter().map(ToString::to_string).collect();
    assert_eq!(facts, ["webhook validate: it is gone", "webhook stranger: nobody installed it"]);
    webhooks_of(&mut live)[0]["clientConfig"]["caBundle"] = json!(of(&["other"]).field());
    assert_eq!(seen(&live).bundle.as_deref(), Some(""));
    webhooks_of(&mut live)[0]["clientConfig"]["service"]["name"] = json!("theirs");
    assert_eq!(seen(&live).bundle, Some(pem()));
}

#[test]
fn a_configuration_that_is_gone_is_drift_unless_it_was_not_installed() {
    let mut live = live();
    live.insert(Configuration::Mutating, None);
    let both = seen(&live);
    assert_eq!((both.bundle, both.drift.len()), (Some(pem()), 1));
    assert_eq!((both.drift[0].kind, both.drift[0].webhook.as_deref()), (DriftKind::Gone, None));
    let validating = installed().configuration(Configuration::Validating).unwrap().to_string();
    let validating = Expected::parse(&validating).unwrap();
    let one = registered(&live, Some(&validating), Some(&of(&["PEM"])));
    assert_eq!(one, sound());
    live.insert(Configuration::Validating, None);
    assert_eq!(seen(&live).bundle, None);
}

#[test]
fn without_a_file_only_the_bundle_is_compared() {
    let mut live = live();
    live.get_mut(&Configuration::Validating).unwrap().as_mut().unwrap()["webhooks"][0]["failurePolicy"] =
        json!("Fail");
    assert_eq!(registered(&live, None, Some(&of(&["PEM"]))), sound());
    let other = registered(&live, None, Some(&of(&["other"])));
    assert!(other.drift.len() == 3 && other.drift.iter().all(|drift| drift.kind == DriftKind::CaBundle));
    live.insert(Configuration::Mutating, None);
    assert_eq!(registered(&live, None, Some(&of(&["PEM"]))).drift, []);
    live.insert(Configuration::Validating, None);
    assert_eq!(registered(&live, None, Some(&of(&["PEM"]))).drift.len(), 2);
}
