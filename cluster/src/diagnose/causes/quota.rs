//! A quota of the namespace leaves no room.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, between, cause, pod, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let text = evidence.refused().find(|text| is_about_quota(text))?;
    let name = between(text, "exceeded quota: ", ",").or_else(|| between(text, "failed quota: ", ":"));
    let name = name.unwrap_or_default();
    let must_specify = text.contains("must specify ");
    let what = format!("could not have {}: the quota {name:?} leaves no room for it", pod(evidence));
    let what = if must_specify {
        format!(
            "could not have {}: the quota {name:?} wants its containers to say what they take",
            pod(evidence)
        )
    } else {
        what
    };
    let found = cause("quota", what).said(text);
    Some(if must_specify {
        found.advice(format!("write resources into {}", template(evidence)))
    } else {
        let namespace = shell_word(&evidence.hook.namespace);
        let of_quota = evidence.quotas.iter().any(|quota| quota.metadata.name.as_deref() == Some(name));
        found
            .advice(format!("raise the quota, or lower what {} asks for", template(evidence)))
            .command(
                format!("kubectl -n {namespace} describe resourcequota {}", shell_word(name)),
                "shows what is left",
            )
            .only_if(of_quota)
    })
}

fn is_about_quota(text: &str) -> bool {
    text.contains("exceeded quota: ") || text.contains("failed quota: ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{evidence, job};

    #[test]
    fn an_exhausted_quota_is_named() {
        let said = "Error creating: pods \"migrate-x\" is forbidden: exceeded quota: team, requested: limits.memory=512Mi, used: limits.memory=3840Mi, limited: limits.memory=4Gi";
        let seen = json!({"job": job(""), "events": [["Job", "migrate", "FailedCreate", said]], "quotas": [{"metadata": {"name": "team"}}]});
        let found = find(&evidence(&seen)).unwrap();
        assert_eq!(found.what, "could not have its pod: the quota \"team\" leaves no room for it");
        assert_eq!(found.said.as_deref(), Some(said));
        assert_eq!(found.repair[1].command.as_deref(), Some("kubectl -n demo describe resourcequota team"));
    }

    #[test]
    fn a_pod_that_is_a_hook_is_refused_in_helms_words() {
        let said = "Hook pre-upgrade shop/templates/0.yaml failed: pods \"migrate\" is forbidden: failed quota: team: must specify limits.cpu for: main";
        let found = find(&evidence(&json!({"kind": "Pod", "description": said}))).unwrap();
        assert!(found.what.contains("wants its containers to say what they take"), "{}", found.what);
    }

    #[test]
    fn another_refusal_is_no_quota() {
        let seen = json!({"events": [["Job", "migrate", "FailedCreate", "pods \"x\" is forbidden: y"]]});
        assert!(find(&evidence(&seen)).is_none());
    }
}
