//! A hook Job that may hang for ever.

use json_patch::PatchOperation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    job, patch,
    rule::{Meta, Rule},
    settings::Gitops,
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.activeDeadlineSeconds` of a hook Job is absent. It is reported only, and a warning where `engine.gitops` is `argocd`.
    /// The fix is off unless a policy switches it on: a deadline stops a long migration midway. It sets the option `default`, or nine
    /// tenths of `engine.timeoutSeconds`.
    ///
    /// ## Why it matters
    ///
    /// A pod that hangs never fails, so no limit of retries ends it. Helm stops waiting after its timeout and leaves the Job running;
    /// Argo CD has no timeout and waits for ever.
    ///
    /// ## Bad
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 3}
    /// ```
    ///
    /// ## Good
    ///
    /// ```yaml
    /// apiVersion: batch/v1
    /// kind: Job
    /// metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
    /// spec: {backoffLimit: 3, activeDeadlineSeconds: 270}
    /// ```
    JobDeadlineMissing, "job-deadline-missing", severity: Medium, release: Audit, object: Audit,
    argocd: Warn, fix: OptIn, off_for_tests: true, options: Options
}

/// The deadline that the fix sets.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// In seconds; nine tenths of `engine.timeoutSeconds` when absent.
    #[schemars(range(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<u32>,
}

impl Rule for JobDeadlineMissing {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !is_endless(cx) {
            return;
        }
        let after = match cx.engine.gitops {
            Gitops::Argocd => "Argo CD waits for it for ever".to_owned(),
            Gitops::Helm | Gitops::Flux => {
                format!("Helm gives up after {} s, and it goes on", cx.engine.timeout_seconds)
            }
        };
        let message = format!("{} has no deadline: if a pod of it hangs, {after}", cx.object);
        let help = "set spec.activeDeadlineSeconds to what it may take, below Helm's timeout";
        findings.push(Finding::new("/spec/activeDeadlineSeconds", message, help).fixable());
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if !is_endless(cx) {
            return Vec::new();
        }
        let timeout = cx.engine.timeout_seconds;
        let seconds =
            cx.options::<Options>().default.map_or_else(|| (timeout - timeout / 10).max(1), i64::from);
        vec![patch::set("/spec/activeDeadlineSeconds", seconds)]
    }
}

fn is_endless(cx: &Context<'_>) -> bool {
    job::spec(cx.object).is_some_and(|spec| spec.get("activeDeadlineSeconds").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mode::Mode,
        settings::{Engine, Settings},
        testing::{accepts, fixed, shipped},
    };

    const ENDLESS: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}
spec: {backoffLimit: 3}";

    fn engine(gitops: Gitops, timeout_seconds: i64) -> Settings {
        Settings {
            engine: Some(Engine { gitops, timeout_seconds, ..Engine::default() }),
            ..Settings::default()
        }
    }

    #[test]
    fn it_is_worse_where_nothing_else_ends_the_wait() {
        let worst = |gitops| {
            let judged = shipped(&JobDeadlineMissing, &engine(gitops, 300), ENDLESS).remove(0);
            (judged.mode, judged.finding.message)
        };
        let audit = "Job \"migrate\" has no deadline: if a pod of it hangs, Helm gives up after 300 s, and it goes on";
        assert_eq!(worst(Gitops::Helm), (Mode::Audit, audit.to_owned()));
        assert_eq!(worst(Gitops::Flux).0, Mode::Audit);
        assert_eq!(worst(Gitops::Argocd).0, Mode::Warn);
    }

    #[test]
    fn the_fix_stays_below_the_timeout() {
        let seconds = |options, timeout| {
            let after = fixed(&JobDeadlineMissing, options, &engine(Gitops::Helm, timeout), ENDLESS);
            after["spec"]["activeDeadlineSeconds"].as_i64().unwrap()
        };
        assert_eq!(seconds(None, 300), 270);
        assert_eq!(seconds(None, 1), 1);
        assert_eq!(seconds(Some(serde_json::json!({"default": 3600})), 300), 3600);
    }

    #[test]
    fn tests_and_other_kinds_may_take_their_time() {
        accepts(&JobDeadlineMissing, &ENDLESS.replace("pre-upgrade", "test"));
        accepts(&JobDeadlineMissing, &ENDLESS.replace("kind: Job", "kind: Pod"));
    }
}
