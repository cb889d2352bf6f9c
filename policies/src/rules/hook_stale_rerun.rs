//! A finished hook Job that Helm 4 takes for the run it has just asked for.

use hooks::{Node, Object, annotations::DELETE_POLICY};

use crate::{
    context::{Context, Operation},
    declare_rule,
    finding::Finding,
    rule::{Meta, Rule},
};

declare_rule! {
    /// ## What it checks
    ///
    /// An UPDATE by Helm (field manager `helm`, or `helm-controller` of Flux) of a hook Job that has already finished and is not being
    /// deleted. Only admission can see it; offline, `hook-policy-no-before-creation` warns of the cause.
    ///
    /// ## Why it matters
    ///
    /// Helm 4 applies hooks. If the Job of the last run is still there, the apply changes nothing, Helm reads the old result, and the
    /// release is `deployed` although the hook has not run: a migration is skipped and nobody is told. Helm 3 fails in the same place
    /// with `already exists`.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// # stored
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-failed}
    /// status: {conditions: [{type: Complete, status: "True"}]}
    /// ---
    /// # applied again by Helm
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata:
    ///   name: migrate
    ///   annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-failed}
    /// status: {conditions: [{type: Complete, status: "True"}]}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// # stored, and still running
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// status: {active: 1}
    /// ---
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// status: {active: 1}
    /// ```
    HookStaleRerun, "hook-stale-rerun", severity: Critical, release: Off, object: Deny
}

/// Field managers that run hooks. People who edit an old Job by hand run nothing.
const RUNNERS: [&str; 2] = ["helm", "helm-controller"];

impl Rule for HookStaleRerun {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        let by_helm = cx.field_manager.is_some_and(|manager| RUNNERS.contains(&manager));
        let Some(result) = cx.old.filter(|_| cx.operation == Operation::Update && by_helm).and_then(result)
        else {
            return;
        };
        let message = format!(
            "{} has already finished ({result}): Helm would take that old result for this run",
            cx.object
        );
        findings.push(Finding::new(
            "/metadata/name",
            message,
            format!("delete the Job, and add before-hook-creation to {DELETE_POLICY}"),
        ));
    }
}

/// How a Job has ended; `None` while it runs, or when it is going away.
fn result(job: Object<'_>) -> Option<&'static str> {
    if !job.is_job() || job.is_being_deleted() {
        return None;
    }
    let conditions = job.root().at(&["status", "conditions"]).map_or(&[][..], Node::items);
    let is_true = |kind: &str| {
        conditions.iter().any(|one| one.str_at("type") == Some(kind) && one.str_at("status") == Some("True"))
    };
    ["Complete", "Failed"].into_iter().find(|kind| is_true(kind))
}
