//! What is almost an annotation of Helm, and what only looks so.

use super::*;
use crate::{
    settings::Settings,
    testing::{accepts, findings, rejects},
};

fn pod(metadata: &str) -> String {
    format!("{{apiVersion: v1, kind: Pod, metadata: {{name: a, {metadata}}}}}")
}

#[test]
fn slips_are_told_with_what_was_meant() {
    for (slip, right) in [
        ("helm.sh/weight", WEIGHT),
        ("helm.sh/delete-policy", DELETE_POLICY),
        ("helm.sh/hook-deletion-policy", DELETE_POLICY),
        ("helm.sh/hook-wieght", WEIGHT),
        ("helm.sh/hooks", HOOK),
        ("helm.sh/Hook", HOOK),
        ("hlm.sh/hook", HOOK),
    ] {
        let yaml = pod(&format!("annotations: {{{slip}: x}}"));
        let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &yaml);
        assert_eq!(
            found.first().map(|judged| judged.finding.help.clone()),
            Some(format!("write {right}")),
            "{slip}"
        );
    }
}

#[test]
fn other_tools_have_their_own_words() {
    for name in [
        "helm.sh/chart",
        "helm.sh/resource-policy",
        "helm.sh/depends-on",
        "helm.sh/images",
        "helm.sh/release",
        "argocd.argoproj.io/hook",
        "argocd.argoproj.io/hook-delete-policy",
        "hooks.example.org/name",
        "meta.helm.sh/release-name",
    ] {
        accepts(&HookAnnotationMisplaced, &pod(&format!("annotations: {{{name}: x}}")));
    }
}

#[test]
fn a_label_makes_no_hook_but_may_stand_beside_one() {
    rejects(&HookAnnotationMisplaced, &pod("labels: {helm.sh/hook: test}"), "is a label here");
    accepts(
        &HookAnnotationMisplaced,
        &pod("labels: {helm.sh/hook: test}, annotations: {helm.sh/hook: test}"),
    );
}

#[test]
fn templates_are_not_read() {
    let job = |metadata: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a{metadata}}}, \
             spec: {{template: {{metadata: {{annotations: {{helm.sh/hook: test}}}}}}}}}}"
        )
    };
    // A template without a spec makes no pods.
    accepts(&HookAnnotationMisplaced, &job(""));
    let with_spec =
        |metadata: &str| job(metadata).replace("helm.sh/hook: test}}", "helm.sh/hook: test}}, spec: {}");
    rejects(&HookAnnotationMisplaced, &with_spec(""), "on its template");
    let hook = with_spec(", annotations: {helm.sh/hook: test}");
    let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &hook);
    assert_eq!((found[0].mode, found.len()), (Mode::Audit, 1));
    let cron = "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, \
                spec: {jobTemplate: {metadata: {annotations: {helm.sh/hook: test}}}}}";
    rejects(&HookAnnotationMisplaced, cron, "on its template");
}

#[test]
fn items_of_a_list_are_no_hooks() {
    let yaml =
        format!("{{apiVersion: v1, kind: List, items: [{}]}}", pod("annotations: {helm.sh/hook: test}"));
    let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &yaml);
    assert_eq!(found[0].finding.field, "/items/0/metadata/annotations/helm.sh~1hook");
}
