//! The object of the last run does not go away, and Helm will not begin before it has.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, cause};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let said = evidence.release.description.as_str();
    let is_before = evidence.hook.phase.is_none() && evidence.refused().any(|text| text == said);
    let is_told = said.contains(" still exists. status: ") || said.contains("context deadline exceeded");
    let live = evidence.job.there().map(|job| &job.metadata);
    let live = live.or_else(|| evidence.pods.first().map(|pod| &pod.metadata));
    let finalizers: Vec<String> = match (live, evidence.object.there()) {
        (Some(metadata), _) => metadata.finalizers.clone().unwrap_or_default(),
        (None, Some(object)) => {
            let list = object["metadata"]["finalizers"].as_array().into_iter().flatten();
            list.filter_map(|one| one.as_str().map(str::to_owned)).collect()
        }
        (None, None) => Vec::new(),
    };
    if !is_before || !is_told {
        return None;
    }
    let (kind, name) = (&evidence.hook.kind, &evidence.hook.name);
    let holder = match finalizers.as_slice() {
        [] => String::new(),
        all => {
            format!(": {} keeps it", all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(", "))
        }
    };
    let what = format!("was not begun: the {kind} of the last run does not go away{holder}");
    let namespace = shell_word(&evidence.hook.namespace);
    let found = cause("deletion-blocked", what).said(said);
    let found = if kind == "PersistentVolumeClaim" {
        found.advice("a pod still uses the claim; better make it an ordinary object, which Helm does not delete and make anew")
    } else {
        found.advice("see why whoever set the finalizer does not remove it")
    };
    Some(found.command(
        format!("kubectl -n {namespace} get {} {} -o yaml", kind.to_lowercase(), shell_word(name)),
        "shows deletionTimestamp and finalizers",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn whoever_keeps_it_is_named() {
        let job = json!({"metadata": {"name": "migrate", "finalizers": ["example.org/keep"]}});
        let said = "pre-upgrade hooks failed: resource Job/demo/migrate still exists. status: Terminating, message: Resource scheduled for deletion\ncontext deadline exceeded";
        let found = find(&evidence(&json!({"phase": "", "job": job, "description": said}))).unwrap();
        assert!(found.what.ends_with("does not go away: \"example.org/keep\" keeps it"), "{}", found.what);
    }

    #[test]
    fn a_hook_that_ran_was_not_held_up() {
        assert!(
            find(&evidence(&json!({"phase": "Failed", "description": "context deadline exceeded"})))
                .is_none()
        );
    }
}
