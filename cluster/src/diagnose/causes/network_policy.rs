//! A `NetworkPolicy` governs what the pod may reach, and it did not reach something.

use std::collections::BTreeMap;

use hooks::plain::shell_word;
use k8s_openapi::{
    api::networking::v1::{NetworkPolicy, NetworkPolicyEgressRule},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};

use super::{super::evidence::Evidence, cause};
use crate::diagnose::Cause;

/// How programs say that they did not get through.
const WORDS: [&str; 14] = [
    "connection timed out",
    "timed out",
    "timeout expired",
    "i/o timeout",
    "no route to host",
    "network is unreachable",
    "host is unreachable",
    "connection refused",
    "could not connect",
    "can't connect",
    "name resolution",
    "no such host",
    "bad address",
    "could not translate host name",
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let lines = evidence.logs.iter().rev().flat_map(|log| log.lines.iter().rev());
    let line = lines.clone().find(|line| WORDS.iter().any(|word| line.to_lowercase().contains(word)))?;
    let pod = evidence.pods.first()?;
    let none = BTreeMap::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
    let governs = |policy: &&NetworkPolicy| is_for_egress(policy) && selects(policy, labels);
    let governing = || evidence.network_policies.iter().filter(governs);
    // What one policy allows, no other takes back.
    if governing().any(allows_everything) {
        return None;
    }
    let names: Vec<String> = governing().filter_map(|policy| policy.metadata.name.clone()).collect();
    let first = names.first()?;
    let shown = names.iter().take(3).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let what = format!(
        "did not reach something, and NetworkPolicy {shown} governs what its pod may reach, which may be why"
    );
    let namespace = shell_word(&evidence.hook.namespace);
    Some(
        cause("network-policy", what)
            .said(line)
            .command(
                format!("kubectl -n {namespace} describe networkpolicy {}", shell_word(first)),
                "shows what is allowed",
            )
            .advice("let it reach what it needs, DNS too, or look whether the other side listens"),
    )
}

/// Source: Kubernetes `api/networking/v1`, `NetworkPolicySpec.policyTypes`: without types, egress counts where there are egress rules.
fn is_for_egress(policy: &NetworkPolicy) -> bool {
    let Some(spec) = &policy.spec else { return false };
    match spec.policy_types.as_deref().unwrap_or_default() {
        [] => spec.egress.is_some(),
        types => types.iter().any(|one| one == "Egress"),
    }
}

/// Whether a rule names neither peers nor ports: then all egress is allowed.
fn allows_everything(policy: &NetworkPolicy) -> bool {
    let rules = policy.spec.as_ref().and_then(|spec| spec.egress.as_ref());
    let is_open = |rule: &NetworkPolicyEgressRule| {
        rule.to.as_ref().is_none_or(Vec::is_empty) && rule.ports.as_ref().is_none_or(Vec::is_empty)
    };
    rules.into_iter().flatten().any(is_open)
}

fn selects(policy: &NetworkPolicy, labels: &BTreeMap<String, String>) -> bool {
    let selector = policy.spec.as_ref().and_then(|spec| spec.pod_selector.as_ref());
    selector.is_none_or(|selector| matches(selector, labels))
}

/// Source: Kubernetes `apimachinery/pkg/apis/meta/v1/helpers.go`, `LabelSelectorAsSelector`.
fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector.match_labels.iter().flatten().all(|(name, value)| labels.get(name) == Some(value));
    let expressions = selector.match_expressions.iter().flatten().all(|expression| {
        let value = labels.get(&expression.key);
        let is_listed =
            || value.is_some_and(|value| expression.values.iter().flatten().any(|one| one == value));
        match expression.operator.as_str() {
            "In" => is_listed(),
            "NotIn" => !is_listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    });
    equal && expressions
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnose::{
        evidence::Log,
        testing::{ended, evidence, pod},
    };

    fn seen(line: &str, spec: &Value) -> Evidence {
        let policy = json!({"metadata": {"name": "deny-all"}, "spec": spec});
        let mut seen = evidence(&json!({"pods": [pod(&ended("Error", 1))], "networkPolicies": [policy]}));
        seen.logs = vec![Log { lines: vec![line.to_owned()], ..Log::default() }];
        seen
    }

    #[test]
    fn a_policy_that_governs_the_pod_is_named() {
        let spec =
            json!({"podSelector": {"matchLabels": {"job-name": "migrate"}}, "policyTypes": ["Egress"]});
        let found = find(&seen("dial tcp 10.0.0.1:5432: i/o timeout", &spec)).unwrap();
        assert_eq!(
            found.what,
            "did not reach something, and NetworkPolicy \"deny-all\" governs what its pod may reach, which may be why"
        );
        assert!(find(&seen("syntax error", &spec)).is_none());
    }

    #[test]
    fn a_policy_that_allows_everything_was_named_as_the_cause() {
        for rule in [json!({}), json!({"to": [], "ports": []})] {
            let spec = json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]});
            assert!(find(&seen("connect: Connection refused", &spec)).is_none(), "{spec}");
        }
        let some =
            json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": 53}]}]});
        assert!(find(&seen("connect: Connection refused", &some)).is_some());
    }

    #[test]
    fn policies_for_others_and_for_ingress_are_not_meant() {
        for spec in [
            json!({"podSelector": {}, "policyTypes": ["Ingress"]}),
            json!({"podSelector": {"matchLabels": {"a": "b"}}, "policyTypes": ["Egress"]}),
            json!({"podSelector": {"matchExpressions": [{"key": "job-name", "operator": "NotIn", "values": ["migrate"]}]}, "policyTypes": ["Egress"]}),
        ] {
            assert!(find(&seen("connection timed out", &spec)).is_none(), "{spec}");
        }
    }
}
