//! A ConfigMap, Secret or claim that the pod needs is not there, or lacks a key.

use hooks::plain::shell_word;

use super::{
    super::evidence::{Evidence, Need},
    cause, pod, template,
};
use crate::diagnose::Cause;

/// How the kubelet and the scheduler speak of such a thing.
///
/// Source: Kubernetes `pkg/kubelet/kuberuntime`, `pkg/volume/{configmap,secret}`, `pkg/scheduler/framework/plugins/volumebinding`.
const WORDS: [&str; 6] = [
    "configmap \"",
    "secret \"",
    "persistentvolumeclaim \"",
    "couldn't find key ",
    "references non-existent config key",
    "references non-existent secret key",
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = said(evidence)?;
    let need = evidence.needs.iter().find(|need| need.is_there == Some(false) && text.contains(&need.name));
    let keyless =
        evidence.needs.iter().find(|need| !need.missing_keys.is_empty() && text.contains(&need.name));
    let by_text = named(text);
    let what = match (need, keyless, &by_text) {
        (Some(need), _, _) => {
            format!("could not start {}: there is no {} {:?}", pod(evidence), need.kind, need.name)
        }
        (None, Some(need), _) => {
            format!(
                "could not start {}: {} {:?} has no key {:?}",
                pod(evidence),
                need.kind,
                need.name,
                need.missing_keys[0]
            )
        }
        (None, None, Some((kind, name))) => {
            format!("could not start {}: there was no {kind} {name:?}", pod(evidence))
        }
        (None, None, None) => {
            format!("could not start {}: something that it needs was not there", pod(evidence))
        }
    };
    let found = cause("missing-object", what).said(text).rules(&["dep-config"]);
    let advice = format!(
        "make it a hook of the same event with a lower weight than {}: ordinary objects come after pre-install hooks",
        template(evidence)
    );
    let found = found.advice(advice).only_if(need.is_some() || by_text.is_some());
    Some(match need.or(keyless) {
        Some(need) => found.command(get(evidence, need), "shows what is there"),
        None => found,
    })
}

fn said(evidence: &Evidence) -> Option<&str> {
    let is_about =
        |text: &&str| WORDS.iter().any(|words| text.contains(words)) && !text.contains("serviceaccount");
    let waiting = evidence.containers().filter_map(|container| container.waiting());
    let waiting =
        waiting.filter(|(reason, _)| *reason == "CreateContainerConfigError").map(|(_, message)| message);
    let mounts = evidence.of_pods().rev();
    let mounts =
        mounts.filter(|said| matches!(said.reason.as_str(), "FailedMount" | "FailedScheduling" | "Failed"));
    waiting.chain(mounts.map(|said| said.message.as_str())).find(is_about)
}

/// Kind and name as the text has them.
fn named(text: &str) -> Option<(&'static str, &str)> {
    let kinds = [
        ("configmap \"", "ConfigMap"),
        ("secret \"", "Secret"),
        ("persistentvolumeclaim \"", "PersistentVolumeClaim"),
    ];
    kinds.into_iter().find_map(|(words, kind)| {
        let (_, rest) = text.split_once(words)?;
        let (name, rest) = rest.split_once('"')?;
        rest.starts_with(" not found").then_some((kind, name))
    })
}

fn get(evidence: &Evidence, need: &Need) -> String {
    format!("kubectl -n {} get {}", shell_word(&evidence.hook.namespace), need.kind.to_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, pod, waiting};

    #[test]
    fn an_environment_without_its_configuration_does_not_start() {
        let pods = [pod(&waiting("CreateContainerConfigError", "configmap \"settings\" not found"))];
        let found = find(&evidence(&json!({"pods": pods, "missing": [["ConfigMap", "settings"]]}))).unwrap();
        assert_eq!(found.what, "could not start its pod: there is no ConfigMap \"settings\"");
        assert_eq!(found.repair[1].command.as_deref(), Some("kubectl -n demo get configmap"));
    }

    #[test]
    fn a_volume_of_a_secret_that_is_missing_is_told_by_an_event() {
        let said = "MountVolume.SetUp failed for volume \"tls\" : secret \"shop-tls\" not found";
        let found = find(&evidence(&json!({"events": [["Pod", "migrate-x", "FailedMount", said]]}))).unwrap();
        assert_eq!(found.what, "could not start its pod: there was no Secret \"shop-tls\"");
    }

    #[test]
    fn a_missing_key_is_named() {
        let pods = [pod(&waiting("CreateContainerConfigError", "couldn't find key url in Secret demo/db"))];
        let found = find(&evidence(&json!({"pods": pods, "missing": [["Secret", "db", "url"]]}))).unwrap();
        assert_eq!(found.what, "could not start its pod: Secret \"db\" has no key \"url\"");
    }

    #[test]
    fn a_missing_claim_is_told_by_the_scheduler() {
        let said = "0/1 nodes are available: persistentvolumeclaim \"data\" not found.";
        let found =
            find(&evidence(&json!({"events": [["Pod", "migrate-x", "FailedScheduling", said]]}))).unwrap();
        assert_eq!(found.what, "could not start its pod: there was no PersistentVolumeClaim \"data\"");
    }

    #[test]
    fn other_mounts_are_not_meant() {
        assert!(
            find(&evidence(&json!({"events": [["Pod", "migrate-x", "FailedMount", "timed out"]]}))).is_none()
        );
    }
}
