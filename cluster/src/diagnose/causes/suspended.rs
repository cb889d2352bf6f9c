//! The Job is suspended: it waits for somebody, and Helm for it.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, cause, template};
use crate::diagnose::Cause;

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    let job = evidence.job.there()?;
    let is_suspended = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    if !is_suspended || !evidence.is_job_active() {
        return None;
    }
    let (namespace, name) = (shell_word(&evidence.hook.namespace), shell_word(&evidence.hook.name));
    let command = format!(
        "kubectl -n {namespace} patch job {name} --type=merge -p '{{\"spec\":{{\"suspend\":false}}}}'"
    );
    Some(
        cause(
            "suspended",
            "is suspended: it has no pod until somebody resumes it, and Helm waits for nothing",
        )
        .rules(&["job-suspended"])
        .advice(format!("remove suspend from {}", template(evidence)))
        .command(command, "runs it once, without Helm"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn a_suspended_job_is_resumed_by_somebody() {
        let job = |suspend: bool| json!({"job": {"metadata": {"name": "migrate"}, "spec": {"suspend": suspend, "template": {}}}});
        let found = find(&evidence(&job(true))).unwrap();
        assert!(found.repair[1].command.as_deref().unwrap().contains(r#"-p '{"spec":{"suspend":false}}'"#));
        assert!(find(&evidence(&job(false))).is_none());
    }
}
