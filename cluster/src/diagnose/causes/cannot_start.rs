//! A container cannot be started although its image is there: no such command, no right to run it, a bad mount.

use super::{super::evidence::Evidence, cause, pod, template};
use crate::diagnose::Cause;

/// Source: Kubernetes `pkg/kubelet/kuberuntime/kuberuntime_container.go`; `StartError` and the last are containerd's and dockershim's.
const REASONS: [&str; 8] = [
    "CreateContainerError",
    "RunContainerError",
    "StartError",
    "ContainerCannotRun",
    "PreCreateHookError",
    "PostStartHookError",
    "PreStartHookError",
    "CreateContainerConfigError",
];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let (container, text) = evidence.containers().find_map(|container| {
        let waiting =
            container.waiting().filter(|(reason, _)| REASONS.contains(reason)).map(|(_, message)| message);
        let ended = container.states().filter_map(|state| state.terminated.as_ref());
        let ended = ended
            .filter(|ended| ended.reason.as_deref().is_some_and(|reason| REASONS.contains(&reason)))
            .map(|ended| ended.message.as_deref().unwrap_or_default())
            .next();
        waiting.or(ended).map(|text| (container, text))
    })?;
    let is_config = container.waiting().is_some_and(|(reason, _)| reason == "CreateContainerConfigError");
    let is_missing = is_config && text.contains(" not found") || text.contains("couldn't find key");
    if is_missing {
        return None;
    }
    let name = &container.status.name;
    let what = format!("could not start {}: the container {name:?} does not come up", pod(evidence));
    let advice = if text.contains("executable file not found") || text.contains("no such file") {
        format!(
            "look at command and args of {name:?} in {}: that program is not in the image",
            template(evidence)
        )
    } else {
        format!("look at {name:?} in {}", template(evidence))
    };
    Some(cause("cannot-start", what).said(text).advice(advice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, pod, waiting};

    #[test]
    fn a_command_that_is_not_there_is_told() {
        let state = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": "exec: \"migrat\": executable file not found in $PATH"}});
        let found = find(&evidence(&json!({"pods": [pod(&state)]}))).unwrap();
        assert_eq!(found.what, "could not start its pod: the container \"main\" does not come up");
        assert!(found.repair[0].text.contains("command and args"));
    }

    #[test]
    fn missing_configuration_is_another_cause() {
        let pods = |message| json!({"pods": [pod(&waiting("CreateContainerConfigError", message))]});
        assert!(find(&evidence(&pods("secret \"a\" not found"))).is_none());
        assert!(find(&evidence(&pods("container has runAsNonRoot and image will run as root"))).is_some());
    }
}
