//! Pod Security refuses the pod.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, between, cause, pod, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = evidence.refused().find(|text| text.contains("violates PodSecurity "))?;
    let level = between(text, "violates PodSecurity \"", "\"").unwrap_or("its level");
    let level = level.split_once(':').map_or(level, |(level, _)| level);
    let what =
        format!("could not have {}: Pod Security admits only {level:?} in the namespace", pod(evidence));
    let found = cause("pod-security", what).said(text);
    let namespace = shell_word(&evidence.hook.namespace);
    let is_labelled = evidence.pod_security.is_some();
    Some(
        found
            .advice(format!("write the securityContext that it asks for into {}", template(evidence)))
            .command(
                format!("kubectl get namespace {namespace} --show-labels"),
                "shows which level is enforced",
            )
            .only_if(is_labelled),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    const SAID: &str = "Error creating: pods \"migrate-x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false";

    #[test]
    fn the_level_is_named() {
        let found = find(&evidence(
            &json!({"events": [["Job", "migrate", "FailedCreate", SAID]], "podSecurity": "restricted"}),
        ))
        .unwrap();
        assert_eq!(
            found.what,
            "could not have its pod: Pod Security admits only \"restricted\" in the namespace"
        );
        assert_eq!(found.repair.len(), 2);
    }

    #[test]
    fn a_pod_is_refused_at_once() {
        let found = find(&evidence(&json!({"kind": "Pod", "description": SAID}))).unwrap();
        assert!(found.what.starts_with("could not have it: "));
    }
}
