//! An admission webhook or policy refuses the hook or its pods, or does not answer.

use super::{super::evidence::Evidence, between, cause};
use crate::diagnose::Cause;

/// What our own webhooks are called.
const OURS: &str = ".hookward.dev";

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = evidence.refused().find(|text| {
        text.contains("admission webhook \"")
            || text.contains("denied request: ")
            || text.contains("failed calling webhook ")
    })?;
    if let Some(name) = between(text, "failed calling webhook \"", "\"") {
        let what = format!(
            "could not be admitted: the webhook {name:?} does not answer, and nothing passes without it"
        );
        return Some(
            cause("admission", what)
                .said(text)
                .advice(format!("see to the server behind {name:?}; then try again")),
        );
    }
    if let Some(policy) = between(text, "ValidatingAdmissionPolicy '", "'") {
        let what = format!("was refused by the policy {policy:?}");
        return Some(
            cause("admission", what)
                .said(text)
                .advice("do what the policy asks for, or ask its owners for an exception"),
        );
    }
    let name = between(text, "admission webhook \"", "\"").unwrap_or("?");
    let found = cause("admission", format!("was refused by the webhook {name:?}")).said(text);
    Some(if name.ends_with(OURS) {
        found.advice("do what the rule asks for (hookward rules ID), or ask for a HookException")
    } else {
        found.advice("do what the webhook asks for, or ask its owners for an exception")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    fn of(description: &str) -> Option<Cause> {
        find(&evidence(&json!({"description": description})))
    }

    #[test]
    fn the_webhook_is_named() {
        let found = of("Hook pre-upgrade a failed: admission webhook \"policy.example.org\" denied the request: no latest").unwrap();
        assert_eq!(found.what, "was refused by the webhook \"policy.example.org\"");
        let ours =
            of("admission webhook \"validate.hookward.dev\" denied the request: `job-suspended`: x").unwrap();
        assert!(ours.repair[0].text.contains("HookException"));
    }

    #[test]
    fn a_webhook_without_an_answer_is_another_matter() {
        let found = of(
            "failed calling webhook \"a.b\": failed to call webhook: Post \"https://x\": connection refused",
        )
        .unwrap();
        assert!(found.what.contains("does not answer"));
    }

    #[test]
    fn a_policy_of_kubernetes_is_named() {
        let found = of("jobs.batch \"m\" is forbidden: ValidatingAdmissionPolicy 'limits' with binding 'b' denied request: too much").unwrap();
        assert_eq!(found.what, "was refused by the policy \"limits\"");
        assert!(of("timed out waiting for the condition").is_none());
    }
}
