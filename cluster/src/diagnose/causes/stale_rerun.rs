//! The Job of an earlier run stood in the way, or was taken for the new one.

use hooks::{DeletePolicy, annotations::DELETE_POLICY};

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::{Cause, shell::word};

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let said = evidence.release.description.as_str();
    let told = evidence.refused().any(|text| text == said);
    let kind = &evidence.hook.kind;
    let what = if told && said.contains(&format!("\"{}\" already exists", evidence.hook.name)) {
        format!("was not run: the {kind} of an earlier run is still there, and Helm does not replace it")
    } else if told && said.contains("field is immutable") {
        format!("was not run: the {kind} of an earlier run is still there, and its pods cannot be changed")
    } else if is_older_than_its_run(evidence) {
        format!(
            "was not run: Helm took the {kind} of an earlier run for this one, and its old end for the new one"
        )
    } else {
        return None;
    };
    let (namespace, name) = (word(&evidence.hook.namespace), word(&evidence.hook.name));
    let found = cause("stale-rerun", what).rules(&["hook-stale-rerun", "hook-policy-no-before-creation"]);
    let found = if told { found.said(said) } else { found };
    Some(
        found
            .command(
                format!("kubectl -n {namespace} delete {} {name}", kind.to_lowercase()),
                "makes way for the next run",
            )
            .advice(format!(
                "add {} to {DELETE_POLICY} in {}",
                DeletePolicy::BeforeHookCreation,
                template(evidence)
            ))
            .only_if(!evidence.hook.deletes_before_creation),
    )
}

/// Whether the Job was there before its revision was stored: both times are the API server's, so that no clock can deceive.
fn is_older_than_its_run(evidence: &Evidence) -> bool {
    let created = evidence
        .job
        .there()
        .and_then(|job| job.metadata.creation_timestamp.as_ref())
        .map(|at| at.0.as_second());
    let is_test = evidence.hook.event == Some(hooks::Event::Test);
    !is_test
        && !evidence.hook.deletes_before_creation
        && evidence.hook.phase == Some(hooks::release::Phase::Succeeded)
        && created.zip(evidence.release.stored_at).is_some_and(|(created, stored)| created < stored)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn helm_3_is_told_that_it_exists() {
        let said = "pre-upgrade hooks failed: jobs.batch \"migrate\" already exists";
        let found = find(&evidence(&json!({"description": said, "policy": "hook-succeeded"}))).unwrap();
        assert_eq!(found.repair[0].command.as_deref(), Some("kubectl -n demo delete job migrate"));
        assert!(found.repair[1].text.contains("add before-hook-creation"));
    }

    #[test]
    fn helm_4_is_told_that_pods_cannot_be_changed() {
        let said = "Job.batch \"migrate\" is invalid: spec.template: Invalid value: {}: field is immutable";
        assert!(find(&evidence(&json!({"description": said}))).unwrap().what.contains("cannot be changed"));
    }

    #[test]
    fn a_job_that_is_older_than_its_revision_was_not_run() {
        let of = |created: &str, phase: &str, policy: serde_json::Value| {
            let job = json!({"metadata": {"name": "migrate", "creationTimestamp": created}});
            find(&evidence(&json!({"status": "deployed", "phase": phase, "job": job, "policy": policy})))
                .is_some()
        };
        let (before, after) = ("1970-01-12T13:46:39Z", "1970-01-12T13:46:40Z");
        assert!(of(before, "Succeeded", json!("hook-failed")));
        assert!(!of(after, "Succeeded", json!("hook-failed")));
        assert!(!of(before, "Failed", json!("hook-failed")));
        assert!(!of(before, "Succeeded", json!(null)));
    }
}
