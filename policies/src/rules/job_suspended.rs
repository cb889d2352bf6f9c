//! A hook Job that nobody starts.

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.suspend` of a hook Job is `true`, and no queue is named that would resume it.
    ///
    /// ## Why it matters
    ///
    /// A suspended Job makes no pods. Helm waits for it until the timeout, and the release fails without a word about the reason.
    /// Kueue suspends Jobs and resumes them; a Job with the label `kueue.x-k8s.io/queue-name` is left alone.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {suspend: true}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {suspend: false}
    /// ```
    JobSuspended, "job-suspended", severity: High, release: Deny, object: Deny
}

/// Names the queue that resumes the Job.
const QUEUE: &str = "kueue.x-k8s.io/queue-name";

impl Rule for JobSuspended {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let suspend = cx.object.spec().and_then(|spec| spec.get("suspend")?.as_bool());
        if !cx.object.is_job() || suspend != Some(true) || cx.object.label(QUEUE).is_some() {
            return;
        }
        let message = format!("{} never starts: Helm waits for it until the timeout", cx.object);
        findings.push(Finding::new("/spec/suspend", message, "remove suspend").label("nobody resumes it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{accepts, rejects};

    #[test]
    fn a_queue_resumes_it() {
        accepts(
            &JobSuspended,
            "apiVersion: batch/v1
kind: Job
metadata: {name: migrate, labels: {kueue.x-k8s.io/queue-name: team}, annotations: {helm.sh/hook: pre-upgrade}}
spec: {suspend: true}",
        );
    }

    #[test]
    fn the_message_names_the_job() {
        rejects(
            &JobSuspended,
            "apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {suspend: true}",
            "Job \"migrate\" never starts",
        );
    }
}
