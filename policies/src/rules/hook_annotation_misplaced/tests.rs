//! What is almost an annotation of Helm, and what only looks so.

use super::*;
use crate::{
    mode::{Mode, Severity},
    settings::Settings,
    testing::{accepts, findings, rejects, shipped},
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
    rejects(&HookAnnotationMisplaced, &hook, "it has no effect");
    let cron = "{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, \
                spec: {jobTemplate: {metadata: {annotations: {helm.sh/hook: test}}}}}";
    rejects(&HookAnnotationMisplaced, cron, "on its template");
}

#[test]
fn a_hook_on_the_pods_of_a_hook_was_held_to_be_untidy() {
    for map in ["annotations", "labels"] {
        let yaml = format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, annotations: {{helm.sh/hook: test}}}}, \
             spec: {{template: {{metadata: {{{map}: {{helm.sh/hook: test}}}}, spec: {{}}}}}}}}"
        );
        let found = shipped(&HookAnnotationMisplaced, &Settings::default(), &yaml);
        assert_eq!((found[0].mode, found[0].severity), (Mode::Warn, Severity::Medium), "{map}");
        let field = format!("/spec/template/metadata/{map}/helm.sh~1hook");
        assert_eq!((&found[0].finding.field, found.len()), (&field, 1));
    }
}

#[test]
fn what_is_no_text_was_not_seen() {
    for value in ["5", "true", "null"] {
        let weight = pod(&format!("annotations: {{helm.sh/hook-weight: {value}}}"));
        rejects(&HookAnnotationMisplaced, &weight, "helm.sh/hook-weight has no effect");
        rejects(&HookAnnotationMisplaced, &pod(&format!("labels: {{helm.sh/hook: {value}}}")), "is a label");
    }
}

/// A hook `List` with one item that has these annotations.
fn list(annotations: &str) -> String {
    let list = "apiVersion: v1, kind: List, metadata: {annotations: {helm.sh/hook: test}}";
    format!("{{{list}, items: [{}]}}", pod(&format!("annotations: {{{annotations}}}")))
}

#[test]
fn what_an_item_says_beside_its_list_was_not_seen() {
    for name in [WEIGHT, DELETE_POLICY] {
        let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &list(&format!("{name}: x")));
        assert_eq!(found[0].finding.field, format!("/items/0{}", wording::annotation(name)));
        assert!(found[0].finding.message.contains("only that of the List, or of the first object, counts"));
    }
    rejects(&HookAnnotationMisplaced, &list("helm.sh/hook: pre-delete"), "of its own");
    accepts(&HookAnnotationMisplaced, &list("helm.sh/hook: test"));
}

#[test]
fn the_first_object_of_several_was_told_that_its_own_annotations_do_not_count() {
    let object = |annotations: &str| {
        format!(r#"{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"a","annotations":{{{annotations}}}}}}}"#)
    };
    let hook = r#""helm.sh/hook":"test","helm.sh/hook-weight":"1","helm.sh/hook-delete-policy":"hook-failed""#;
    accepts(&HookAnnotationMisplaced, &(object(hook) + &object("")));
    accepts(&HookAnnotationMisplaced, &(object(hook) + &object(hook)));
    let other = r#""helm.sh/hook-weight":"2""#;
    let found =
        findings(&HookAnnotationMisplaced, None, &Settings::default(), &(object(hook) + &object(other)));
    let fields: Vec<_> = found.iter().map(|judged| &*judged.finding.field).collect();
    assert_eq!(fields, [format!("/items/1{}", wording::annotation(WEIGHT))]);
}

#[test]
fn a_slip_in_an_item_was_looked_for_in_its_list() {
    let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &list("helm.sh/weight: x"));
    assert_eq!((&*found[0].finding.field, found.len()), ("/items/0/metadata/annotations/helm.sh~1weight", 1));
}

#[test]
fn items_of_a_list_are_no_hooks() {
    let yaml =
        format!("{{apiVersion: v1, kind: List, items: [{}]}}", pod("annotations: {helm.sh/hook: test}"));
    let found = findings(&HookAnnotationMisplaced, None, &Settings::default(), &yaml);
    assert_eq!(found[0].finding.field, "/items/0/metadata/annotations/helm.sh~1hook");
}
