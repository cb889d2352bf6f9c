//! A finished hook Job that stays.

use hooks::{Event, Object};
use json_patch::PatchOperation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    context::Context,
    declare_rule,
    finding::Finding,
    job, patch,
    rule::{Meta, Rule},
    settings::{Engine, Gitops},
};

declare_rule! {
    /// ## What it checks
    ///
    /// `spec.ttlSecondsAfterFinished` of a hook Job is absent. The fix sets the option `default`, or the larger of 300 and
    /// `engine.timeoutSeconds`. Left alone are test hooks, Jobs that another object owns, hooks of an event in `skipEvents`, and delete
    /// hooks of what Argo CD tracks: it would run them again.
    ///
    /// ## Why it matters
    ///
    /// A finished Job stays until something deletes it, with its pods. Worse, Helm 4 takes the old result for the new run where the
    /// delete policy leaves the Job in place: the release is `deployed`, and the hook has not run.
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
    /// spec: {backoffLimit: 3, ttlSecondsAfterFinished: 300}
    /// ```
    JobTtlMissing, "job-ttl-missing", severity: Low, release: Audit, object: Audit,
    fix: Default, off_for_tests: true, options: Options
}

/// Long enough for a person to read the logs, and for every hook of the event to be waited for.
const SHORTEST: i64 = 300;
/// How Argo CD marks what it tracks.
const ARGOCD_ANNOTATION: &str = "argocd.argoproj.io/tracking-id";
/// How it does so by label.
const ARGOCD_LABEL: &str = "argocd.argoproj.io/instance";

/// How long finished Jobs stay, and which are left alone.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Options {
    /// The seconds that the fix sets; the larger of 300 and `engine.timeoutSeconds` when absent.
    #[schemars(range(min = 60, max = 2_147_483_647))]
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<u32>,
    /// Hooks of these events are left alone: `pre-delete`.
    skip_events: Vec<SkippedEvent>,
}

/// The name of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct SkippedEvent(Event);

impl TryFrom<String> for SkippedEvent {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Event::parse(&name).map(Self).ok_or_else(|| format!("there is no event {name:?}"))
    }
}

impl From<SkippedEvent> for String {
    fn from(skipped: SkippedEvent) -> Self {
        skipped.0.to_string()
    }
}

impl Options {
    /// The seconds that the fix sets.
    pub(crate) fn seconds(&self, engine: &Engine) -> i64 {
        self.default.map_or_else(|| engine.timeout_seconds.max(SHORTEST), i64::from)
    }
}

impl Rule for JobTtlMissing {
    fn meta(&self) -> &'static Meta {
        &Self::META
    }

    fn check(&self, cx: &Context<'_>, findings: &mut Vec<Finding>) {
        if !stays(cx) {
            return;
        }
        let message =
            format!("{} stays after it has finished, with its pods, until something deletes it", cx.object);
        let help = format!("set spec.ttlSecondsAfterFinished to {}", seconds(cx));
        findings.push(Finding::new("/spec/ttlSecondsAfterFinished", message, help).fixable());
    }

    fn fix(&self, cx: &Context<'_>) -> Vec<PatchOperation> {
        if !stays(cx) {
            return Vec::new();
        }
        vec![patch::set("/spec/ttlSecondsAfterFinished", seconds(cx))]
    }
}

fn stays(cx: &Context<'_>) -> bool {
    let is_absent = job::spec(cx.object).is_some_and(|spec| spec.get("ttlSecondsAfterFinished").is_none());
    let is_skipped =
        || cx.options::<Options>().skip_events.iter().any(|skipped| cx.hook.events.contains(skipped.0));
    is_absent && !cx.object.is_owned() && !is_skipped() && !runs_again(cx)
}

fn seconds(cx: &Context<'_>) -> i64 {
    cx.options::<Options>().seconds(cx.engine)
}

/// Whether Argo CD would miss the Job and make it again: it looks for the delete hooks of an application until that is gone.
///
/// Source: Argo CD 3.5 `controller/hook.go`, `executeHooks`.
fn runs_again(cx: &Context<'_>) -> bool {
    let deletes = cx.hook.events.any(|event| matches!(event, Event::PreDelete | Event::PostDelete));
    deletes && (cx.engine.gitops == Gitops::Argocd || is_tracked(cx.object))
}

fn is_tracked(object: Object<'_>) -> bool {
    object.annotation(ARGOCD_ANNOTATION).is_some() || object.label(ARGOCD_LABEL).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        settings::Settings,
        testing::{accepts, findings, fixed, rejects},
    };

    fn job(event: &str, metadata: &str) -> String {
        format!(
            "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, annotations: {{helm.sh/hook: '{event}'}}{metadata}}}
spec: {{backoffLimit: 3}}"
        )
    }

    fn engine(gitops: Gitops, timeout_seconds: i64) -> Settings {
        Settings {
            engine: Some(Engine { gitops, timeout_seconds, ..Engine::default() }),
            ..Settings::default()
        }
    }

    #[test]
    fn the_fix_outlasts_helm() {
        let seconds = |options, timeout| {
            let after =
                fixed(&JobTtlMissing, options, &engine(Gitops::Helm, timeout), &job("pre-upgrade", ""));
            after["spec"]["ttlSecondsAfterFinished"].as_i64().unwrap()
        };
        assert_eq!(seconds(None, 60), 300);
        assert_eq!(seconds(None, 900), 900);
        assert_eq!(seconds(Some(serde_json::json!({"default": 86400})), 900), 86400);
    }

    #[test]
    fn argo_cd_runs_a_delete_hook_again_when_it_is_gone() {
        accepts(&JobTtlMissing, &job("pre-delete", ", labels: {argocd.argoproj.io/instance: shop}"));
        let tracked = job("post-delete", "")
            .replace("annotations: {", "annotations: {argocd.argoproj.io/tracking-id: 'shop:x', ");
        accepts(&JobTtlMissing, &tracked);
        rejects(&JobTtlMissing, &job("pre-delete", ""), "Job \"migrate\" stays");
        rejects(
            &JobTtlMissing,
            &job("pre-upgrade", ", labels: {argocd.argoproj.io/instance: shop}"),
            "stays",
        );
        assert!(
            findings(&JobTtlMissing, None, &engine(Gitops::Argocd, 300), &job("pre-delete", "")).is_empty()
        );
    }

    #[test]
    fn owned_jobs_and_test_hooks_are_left_alone() {
        accepts(&JobTtlMissing, &job("pre-upgrade", ", ownerReferences: [{kind: CronJob, name: nightly}]"));
        accepts(&JobTtlMissing, &job("test", ""));
        rejects(&JobTtlMissing, &job("test,post-install", ""), "stays");
    }

    #[test]
    fn events_can_be_skipped() {
        let skip = serde_json::json!({"skipEvents": ["pre-delete"]});
        let found =
            |event| findings(&JobTtlMissing, Some(skip.clone()), &Settings::default(), &job(event, ""));
        assert!(found("pre-delete,pre-upgrade").is_empty());
        assert_eq!(found("pre-upgrade").len(), 1);
        let unknown =
            (JobTtlMissing.meta().options.parse)(Some(&serde_json::json!({"skipEvents": ["never"]})));
        assert_eq!(unknown.err().as_deref(), Some("there is no event \"never\""));
    }
}
