//! The ServiceAccount of the pod is not there.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, between, cause, pod, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = evidence.refused().find(|text| text.contains("error looking up service account "))?;
    let place = between(text, "error looking up service account ", ":").unwrap_or_default();
    let name = place.rsplit('/').next().unwrap_or_default();
    let is = |known: Option<bool>| {
        evidence.needs.iter().any(|need| need.kind == "ServiceAccount" && need.is_there == known)
    };
    // Where nobody may look, it may be there by now.
    let verb = if is(None) { "was" } else { "is" };
    let what = format!("could not have {}: there {verb} no ServiceAccount {name:?}", pod(evidence));
    let namespace = shell_word(&evidence.hook.namespace);
    let is_there = is(Some(true));
    let what = if is_there { format!("{what} then; it is there now") } else { what };
    let found = cause("service-account", what).said(text).rules(&["dep-service-account"]);
    Some(
        found
            .advice(format!(
                "make it a hook of the same event with a lower weight than {}: ordinary objects come after pre-install hooks",
                template(evidence)
            ))
            .command(format!("kubectl -n {namespace} create serviceaccount {}", shell_word(name)), "if it should come from elsewhere")
            .only_if(!is_there),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::{evidence::Need, testing::evidence};

    #[test]
    fn the_account_is_named() {
        let said = "Error creating: pods \"migrate-\" is forbidden: error looking up service account demo/migrator: serviceaccount \"migrator\" not found";
        let found = find(&evidence(&json!({"events": [["Job", "migrate", "FailedCreate", said]]}))).unwrap();
        assert_eq!(found.what, "could not have its pod: there is no ServiceAccount \"migrator\"");
        assert_eq!(
            found.repair[1].command.as_deref(),
            Some("kubectl -n demo create serviceaccount migrator")
        );
    }

    #[test]
    fn an_account_that_nobody_may_look_at_was_said_not_to_be_there() {
        let said = "Error creating: error looking up service account demo/migrator: not found";
        let mut seen = evidence(&json!({"events": [["Job", "migrate", "FailedCreate", said]]}));
        seen.needs = vec![Need { kind: "ServiceAccount", name: "migrator".to_owned(), ..Need::default() }];
        assert!(find(&seen).unwrap().what.ends_with("there was no ServiceAccount \"migrator\""));
    }

    #[test]
    fn what_a_log_says_about_accounts_is_something_else() {
        assert!(
            find(&evidence(
                &json!({"events": [["Pod", "migrate-x", "Failed", "serviceaccount \"a\" not found"]]})
            ))
            .is_none()
        );
    }
}
