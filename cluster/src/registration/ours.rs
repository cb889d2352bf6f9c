//! Which webhooks of the configurations lead to us: an upgrade brings some that a replica of the version before has never heard of.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Configuration, Expected, Live, authorities::Authorities};

/// What names the registration that a release installed, on both configurations.
const REVISION: &str = "hookward.dev/registration";

/// Where a webhook leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target<'a> {
    Service { name: &'a str, namespace: &'a str },
    Host(&'a str),
}

impl<'a> Target<'a> {
    pub(super) fn of(webhook: &'a Value) -> Option<Self> {
        let client = &webhook["clientConfig"];
        if let Some(url) = client["url"].as_str() {
            return Some(Self::Host(host(url)));
        }
        let service = &client["service"];
        Some(Self::Service { name: service["name"].as_str()?, namespace: service["namespace"].as_str()? })
    }
}

/// The host of the URL of a webhook, without port and brackets.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

/// The webhooks of a configuration that lead to us, each with its place. Where nobody says where that is, all do.
pub(super) fn webhooks<'a>(
    configuration: &'a Value,
    expected: Option<&Expected>,
) -> impl Iterator<Item = (usize, &'a Value)> {
    let targets = expected.map(Expected::targets).unwrap_or_default();
    let all = configuration["webhooks"].as_array().into_iter().flatten().enumerate();
    let is_ours = move |webhook: &Value| {
        targets.is_empty() || Target::of(webhook).is_some_and(|target| targets.contains(&target))
    };
    all.filter(move |(_, webhook)| is_ours(webhook))
}

/// What a webhook is given to trust; nothing where it has no bundle.
pub(super) fn trusted(webhook: &Value) -> Authorities {
    webhook["clientConfig"]["caBundle"].as_str().map(Authorities::of_field).unwrap_or_default()
}

/// What the webhooks that lead to us are given to trust, one entry for each.
pub(super) fn bundles(live: &Live, expected: Option<&Expected>) -> Vec<Authorities> {
    let webhooks = live.values().flatten().flat_map(|live| webhooks(live, expected));
    webhooks.map(|(_, webhook)| trusted(webhook)).collect()
}

/// At which DNS names and addresses they are called, each once.
///
/// Source: Kubernetes 1.36 `k8s.io/apiserver/pkg/util/webhook/client.go`: a Service is called as `NAME.NAMESPACE.svc`.
pub(super) fn hosts(live: &Live, expected: Option<&Expected>) -> Vec<String> {
    let webhooks = live.values().flatten().flat_map(|live| webhooks(live, expected));
    let host = |(_, webhook): (usize, &Value)| match Target::of(webhook)? {
        Target::Service { name, namespace } => Some(format!("{name}.{namespace}.svc")),
        Target::Host(host) => Some(host.to_owned()),
    };
    let hosts: BTreeSet<_> = webhooks.filter_map(host).collect();
    hosts.into_iter().collect()
}

/// What at least one of them is given to trust.
pub(super) fn anywhere(bundles: &[Authorities]) -> Authorities {
    bundles.iter().fold(Authorities::default(), |mut all, bundle| {
        all.extend(bundle);
        all
    })
}

/// What all of them are given to trust. One that has no bundle at all fails whatever is served, and is given one soon: only where all
/// are like that is nothing registered.
pub(super) fn everywhere(bundles: &[Authorities]) -> Option<Authorities> {
    let mut given = bundles.iter().filter(|bundle| bundle.iter().next().is_some());
    let mut common = given.next()?.clone();
    for bundle in given {
        common.retain(|certificate| bundle.contains(certificate));
    }
    Some(common)
}

/// Whether the configurations were installed by another release than the one that our file is of. A file that does not say is of any.
pub(super) fn is_of_another_revision(live: &Live, expected: Option<&Expected>) -> bool {
    let differs = |(configuration, live): (&Configuration, &Option<Value>)| {
        let wanted = expected.and_then(|expected| expected.configuration(*configuration)).and_then(revision);
        let found = live.as_ref().map(revision);
        wanted.is_some() && found.is_some_and(|found| found != wanted)
    };
    live.iter().any(differs)
}

/// What the configuration says of it.
pub(super) fn revision(configuration: &Value) -> Option<&str> {
    configuration["metadata"]["annotations"][REVISION].as_str()
}

/// The operation that writes it into a configuration that has lost it.
pub(super) fn restored_revision(live: &Value, expected: &Value) -> Option<Value> {
    let wanted = revision(expected).filter(|wanted| revision(live) != Some(wanted))?;
    let mut annotations = live["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert(REVISION.to_owned(), wanted.into());
    Some(serde_json::json!({"op": "add", "path": "/metadata/annotations", "value": annotations}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registration::authorities::stand_in;

    #[test]
    fn where_a_webhook_leads_is_a_service_or_a_host() {
        let host = |url: &str| host(url).to_owned();
        assert_eq!(host("https://10.0.0.1:8443/validate"), "10.0.0.1");
        assert_eq!(host("https://[::1]:8443/a"), "::1");
        assert_eq!(host("https://hooks.example.com"), "hooks.example.com");
        assert_eq!(Target::of(&json!({"clientConfig": {"service": {"name": "a"}}})), None);
    }

    #[test]
    fn who_is_called_by_several_webhooks_is_one_host() {
        let service = json!({"clientConfig": {"service": {"name": "hooks", "namespace": "guard"}}});
        let url = json!({"clientConfig": {"url": "https://10.0.0.1:8443/mutate"}});
        let of = |webhooks: Value| Some(json!({"webhooks": webhooks}));
        let live = Live::from([
            (Configuration::Mutating, of(json!([service, url]))),
            (Configuration::Validating, of(json!([service]))),
        ]);
        assert_eq!(hosts(&live, None), ["10.0.0.1", "hooks.guard.svc"]);
        let of_url = json!({"kind": "ValidatingWebhookConfiguration", "webhooks": [url]}).to_string();
        assert_eq!(hosts(&live, Some(&Expected::parse(&of_url).unwrap())), ["10.0.0.1"]);
        assert!(hosts(&Live::from([(Configuration::Mutating, None)]), None).is_empty());
    }

    #[test]
    fn what_is_registered_is_what_all_trust_that_trust_anybody() {
        let of = |names: &[&str]| {
            Authorities::of_pem(&names.iter().map(|name| stand_in(name)).collect::<String>())
        };
        assert_eq!(everywhere(&[]), None);
        assert_eq!(everywhere(&[of(&[]), of(&[])]), None);
        assert_eq!(everywhere(&[of(&["a", "b"]), of(&[]), of(&["b", "c"])]), Some(of(&["b"])));
        assert_eq!(everywhere(&[of(&["a"]), of(&["b"])]), Some(of(&[])));
        assert_eq!(anywhere(&[of(&["a"]), of(&["b", "a"])]), of(&["a", "b"]));
    }
}
