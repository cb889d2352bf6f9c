//! No node takes the pod.

use hooks::plain::shell_word;
use k8s_openapi::api::core::v1::Pod;

use super::{super::evidence::Evidence, cause, pod};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = evidence.pods.iter().find_map(refused)?;
    // A claim that is not there has a cause of its own.
    if text.contains("persistentvolumeclaim \"") && text.contains(" not found") {
        return None;
    }
    let what = format!("could not start {}: no node takes it", pod(evidence));
    let advice = if text.contains("Insufficient ") {
        "make room on the nodes, or let it ask for less"
    } else if text.contains("unbound immediate PersistentVolumeClaims") {
        "see to the volume that its claim waits for"
    } else {
        "look at its nodeSelector, affinity and tolerations"
    };
    let namespace = shell_word(&evidence.hook.namespace);
    let name = evidence.pods.first().and_then(|pod| pod.metadata.name.as_deref()).unwrap_or_default();
    let command = format!("kubectl -n {namespace} describe pod {}", shell_word(name));
    Some(cause("unschedulable", what).said(text).advice(advice).command(command, "shows what it waits for"))
}

fn refused(pod: &Pod) -> Option<&str> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|one| {
        one.type_ == "PodScheduled" && one.status == "False" && one.reason.as_deref() == Some("Unschedulable")
    })?;
    Some(condition.message.as_deref().unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnose::testing::evidence;

    fn of(message: &str) -> Option<Cause> {
        let condition: Value =
            json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message});
        let pod = json!({"metadata": {"name": "migrate-x"}, "status": {"conditions": [condition]}});
        find(&evidence(&json!({"pods": [pod]})))
    }

    #[test]
    fn the_schedulers_words_are_told() {
        let found = of("0/3 nodes are available: 3 Insufficient memory.").unwrap();
        assert_eq!(found.what, "could not start its pod: no node takes it");
        assert!(found.repair[0].text.starts_with("make room"));
        assert!(
            of("node(s) didn't match Pod's node affinity/selector").unwrap().repair[0]
                .text
                .contains("nodeSelector")
        );
    }

    #[test]
    fn a_claim_that_is_missing_is_another_cause() {
        assert!(of("persistentvolumeclaim \"data\" not found").is_none());
    }
}
