//! The pod was taken from its node: evicted, preempted, or the node went away.

use super::{super::evidence::Evidence, cause};
use crate::diagnose::Cause;

/// Source: Kubernetes `pkg/kubelet/eviction`, `pkg/controller/podgc`, and the condition `DisruptionTarget`.
const REASONS: [&str; 5] = ["Evicted", "NodeLost", "NodeShutdown", "Terminated", "Preempting"];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let (reason, text) = evidence.pods.iter().filter_map(|pod| pod.status.as_ref()).find_map(|status| {
        let whole = status.reason.as_deref().filter(|reason| REASONS.contains(reason));
        let whole = whole.map(|reason| (reason, status.message.as_deref().unwrap_or_default()));
        let conditions = || status.conditions.iter().flatten();
        let disrupted = conditions().find(|one| one.type_ == "DisruptionTarget" && one.status == "True");
        let disrupted = disrupted.map(|one| {
            (one.reason.as_deref().unwrap_or("disruption"), one.message.as_deref().unwrap_or_default())
        });
        whole.or(disrupted)
    })?;
    let what = format!("lost its pod: it was taken from its node ({reason})");
    Some(cause("evicted", what).said(text).advice(
        "run it again; if it happens again, let it ask for what it really takes (resources.requests)",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn eviction_and_disruption_are_told_apart_from_failure() {
        let evicted = json!({"metadata": {}, "status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}});
        assert_eq!(
            find(&evidence(&json!({"pods": [evicted]}))).unwrap().what,
            "lost its pod: it was taken from its node (Evicted)"
        );
        let condition =
            json!({"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"});
        let preempted = json!({"metadata": {}, "status": {"conditions": [condition]}});
        assert!(
            find(&evidence(&json!({"pods": [preempted]}))).unwrap().what.contains("PreemptionByScheduler")
        );
        assert!(
            find(&evidence(&json!({"pods": [{"metadata": {}, "status": {"phase": "Failed"}}]}))).is_none()
        );
    }
}
