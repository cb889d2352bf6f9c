//! How configurations differ from what was installed, once the API server's defaults are counted in. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Configuration, Drift, DriftKind, Expected, Live, Registered, authorities::Authorities, ours};

/// Compares; `needed` is what must be registered, if that is known.
pub(super) fn registered(
    live: &Live,
    expected: Option<&Expected>,
    needed: Option<&Authorities>,
) -> Registered {
    if live.len() < Configuration::ALL.len() {
        return Registered::default();
    }
    let is_ours = |configuration| is_ours(configuration, live, expected);
    let of_each = |configuration: &Configuration| {
        let expected = expected.and_then(|expected| expected.configuration(*configuration));
        drift(*configuration, live[configuration].as_ref(), expected, needed)
    };
    let drift = Configuration::ALL.iter().filter(|one| is_ours(**one)).flat_map(of_each).collect();
    let bundle = ours::everywhere(&ours::bundles(live, expected)).map(|all| all.pem());
    Registered { bundle, hosts: ours::hosts(live, expected), drift }
}

/// Whether there should be a configuration of this kind. Where nobody knows, one that is there is enough.
fn is_ours(configuration: Configuration, live: &Live, expected: Option<&Expected>) -> bool {
    match expected {
        Some(expected) => expected.configuration(configuration).is_some(),
        None => live[&configuration].is_some() || live.values().all(Option::is_none),
    }
}

fn drift(
    configuration: Configuration,
    live: Option<&Value>,
    expected: Option<&Value>,
    needed: Option<&Authorities>,
) -> Vec<Drift> {
    let of = |webhook: Option<&str>, kind, field: &str| {
        let webhook = webhook.map(str::to_owned);
        Drift { configuration, webhook, kind, field: field.to_owned() }
    };
    let Some(live) = live else { return vec![of(None, DriftKind::Gone, "")] };
    let (live, mut drift) = (by_name(live), Vec::new());
    let expected = expected.map_or_else(|| live.clone(), by_name);
    for (name, expected) in &expected {
        let Some(live) = live.get(name) else {
            drift.push(of(Some(name), DriftKind::Gone, ""));
            continue;
        };
        let fields = differing(configuration, live, expected);
        drift.extend(fields.iter().map(|field| of(Some(name), kind_of(field), field)));
        if needed.is_some_and(|needed| !ours::trusted(live).contains_all(needed)) {
            drift.push(of(Some(name), DriftKind::CaBundle, "clientConfig.caBundle"));
        }
    }
    let strangers = live.keys().filter(|name| !expected.contains_key(*name));
    drift.extend(strangers.map(|name| of(Some(name), DriftKind::Other, "")));
    drift
}

/// The webhooks of a configuration by name; the last of a name counts.
fn by_name(configuration: &Value) -> BTreeMap<&str, &Value> {
    let webhooks = configuration["webhooks"].as_array().into_iter().flatten();
    webhooks.filter_map(|webhook| Some((webhook["name"].as_str()?, webhook))).collect()
}

fn differing(configuration: Configuration, live: &Value, expected: &Value) -> Vec<String> {
    let (live, expected) = (completed(configuration, live), completed(configuration, expected));
    let names: std::collections::BTreeSet<_> = live.keys().chain(expected.keys()).collect();
    let differ = |name: &&String| live.get(*name) != expected.get(*name);
    names.into_iter().filter(differ).cloned().collect()
}

fn kind_of(field: &str) -> DriftKind {
    match field {
        "rules" => DriftKind::Rule,
        "failurePolicy" => DriftKind::FailurePolicy,
        "namespaceSelector" | "objectSelector" => DriftKind::Selector,
        "matchConditions" => DriftKind::Condition,
        _ => DriftKind::Other,
    }
}

/// A webhook with the API server's defaults, without what is empty and without its bundle.
///
/// Source: Kubernetes `pkg/apis/admissionregistration/v1/defaults.go`.
fn completed(configuration: Configuration, webhook: &Value) -> Map<String, Value> {
    let mut webhook = webhook.clone();
    if let Some(client) = webhook["clientConfig"].as_object_mut() {
        client.remove("caBundle");
        if let Some(service) = client.get_mut("service").and_then(Value::as_object_mut) {
            service.entry("port").or_insert(json!(443));
        }
    }
    for rule in webhook["rules"].as_array_mut().into_iter().flatten() {
        if let Some(rule) = rule.as_object_mut() {
            rule.entry("scope").or_insert(json!("*"));
        }
    }
    let Value::Object(mut fields) = without_empty(webhook) else { return Map::new() };
    let mut default = |name: &str, value: Value| {
        fields.entry(name).or_insert(value);
    };
    default("failurePolicy", json!("Fail"));
    default("matchPolicy", json!("Equivalent"));
    default("timeoutSeconds", json!(10));
    if configuration == Configuration::Mutating {
        default("reinvocationPolicy", json!("Never"));
    }
    fields
}

/// Without nulls, empty lists and empty maps, which mean what absence means in all fields of a webhook.
fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, without_empty(value)));
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
