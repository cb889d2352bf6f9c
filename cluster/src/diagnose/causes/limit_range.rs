//! A `LimitRange` of the namespace refuses what a container asks for.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, cause, pod, template};
use crate::diagnose::Cause;

/// How the `LimitRanger` speaks.
///
/// Source: Kubernetes `plugin/pkg/admission/limitranger/admission.go`.
const WORDS: [&str; 3] = [" usage per ", "limit to request ratio per ", " request ratio per "];

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let is_about =
        |text: &&str| text.contains("is forbidden") && WORDS.iter().any(|words| text.contains(words));
    let text = evidence.refused().find(is_about)?;
    let what = format!("could not have {}: a LimitRange refuses what it asks for", pod(evidence));
    let command = format!("kubectl -n {} describe limitrange", shell_word(&evidence.hook.namespace));
    let found = cause("limit-range", what).said(text);
    Some(
        found
            .advice(format!("change resources in {}", template(evidence)))
            .command(command, "shows what is allowed"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn a_container_that_asks_for_too_much_is_refused() {
        let said = "Error creating: pods \"migrate-x\" is forbidden: maximum memory usage per Container is 64Mi, but limit is 1Gi";
        let seen = json!({"events": [["Job", "migrate", "FailedCreate", said]]});
        assert_eq!(find(&evidence(&seen)).unwrap().id, "limit-range");
        assert!(find(&evidence(&json!({}))).is_none());
    }
}
