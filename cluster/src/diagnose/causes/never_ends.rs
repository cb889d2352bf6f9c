//! A Pod that is restarted for ever never ends, and Helm waits for its end.

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    if evidence.hook.kind != "Pod" {
        return None;
    }
    let spec = evidence.pod_spec()?;
    // Always is what Kubernetes fills in.
    let is_always = spec.restart_policy.as_deref().is_none_or(|policy| policy == "Always");
    is_always.then(|| {
        cause("never-ends", "never ends: its restartPolicy is Always, and Helm waits until it has succeeded")
            .rules(&["pod-restart-policy"])
            .advice(format!("set restartPolicy: Never in {}", template(evidence)))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn a_pod_that_always_restarts_never_ends() {
        let of = |kind: &str, spec: serde_json::Value| {
            find(&evidence(&json!({"kind": kind, "spec": spec}))).is_some()
        };
        assert!(of("Pod", json!({"containers": []})));
        assert!(of("Pod", json!({"containers": [], "restartPolicy": "Always"})));
        assert!(!of("Pod", json!({"containers": [], "restartPolicy": "Never"})));
        assert!(!of("Job", json!({"containers": []})));
    }
}
