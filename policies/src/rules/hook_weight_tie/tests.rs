//! Who runs too early, and who only seems to.

use super::*;
use crate::{
    settings::{Engine, Settings},
    testing::{accepts, findings, rejects, shipped},
};

fn hook(kind: &str, name: &str, annotations: &str, rest: &str) -> String {
    format!("{{{kind}, metadata: {{name: {name}, annotations: {{{annotations}}}}}{rest}}}\n---\n")
}

const JOB: &str = "apiVersion: batch/v1, kind: Job";
const MAP: &str = "apiVersion: v1, kind: ConfigMap";
const MOUNTS: &str = ", spec: {template: {spec: {volumes: [{name: s, configMap: {name: scripts}}]}}}";

fn mounts(job: &str, map: &str) -> String {
    hook(JOB, "migrate", job, MOUNTS) + &hook(MAP, "scripts", map, "")
}

#[test]
fn the_message_says_who_needs_what_and_the_help_which_weight() {
    let yaml = mounts(
        "helm.sh/hook: pre-install, helm.sh/hook-weight: '5'",
        "helm.sh/hook: pre-install, helm.sh/hook-weight: '5'",
    );
    let found = findings(&HookWeightTie, None, &Settings::default(), &yaml);
    let finding = &found[0].finding;
    assert_eq!(finding.message, "Job \"migrate\" runs before ConfigMap \"scripts\", which it mounts");
    assert_eq!(finding.help, "give ConfigMap \"scripts\" weight 4");
    assert_eq!((found.len(), finding.item), (1, Some(0)));
}

#[test]
fn a_pair_that_meets_at_two_events_is_told_once() {
    let both = "helm.sh/hook: 'pre-install,pre-upgrade'";
    assert_eq!(findings(&HookWeightTie, None, &Settings::default(), &mounts(both, both)).len(), 1);
}

#[test]
fn order_by_weight_and_events_apart_are_no_tie() {
    let plain = "helm.sh/hook: pre-install";
    accepts(&HookWeightTie, &mounts(plain, "helm.sh/hook: pre-install, helm.sh/hook-weight: '-1'"));
    accepts(&HookWeightTie, &mounts(plain, "helm.sh/hook: pre-upgrade"));
}

#[test]
fn what_is_optional_or_there_already_is_not_missed() {
    let post = "helm.sh/hook: post-install";
    accepts(&HookWeightTie, &mounts(post, "helm.sh/hook: 'pre-install,post-install'"));
    rejects(
        &HookWeightTie,
        &mounts(post, "helm.sh/hook: 'pre-install,post-install', helm.sh/hook-delete-policy: hook-succeeded"),
        "which it mounts",
    );
    accepts(
        &HookWeightTie,
        &mounts(post, post).replace("name: scripts}}", "name: scripts, optional: true}}"),
    );
}

#[test]
fn what_an_earlier_event_left_was_missed() {
    for (job, map) in [
        ("pre-upgrade", "pre-install,pre-upgrade"),
        ("pre-upgrade", "post-install,pre-upgrade"),
        ("post-upgrade", "pre-install,post-upgrade"),
        ("pre-rollback", "pre-install,pre-rollback"),
        ("pre-delete", "post-install,pre-delete"),
        ("test", "pre-install,test"),
    ] {
        let (job, map) = (format!("helm.sh/hook: '{job}'"), format!("helm.sh/hook: '{map}'"));
        accepts(&HookWeightTie, &mounts(&job, &map));
        let gone = format!("{map}, helm.sh/hook-delete-policy: hook-succeeded");
        rejects(&HookWeightTie, &mounts(&job, &gone), "which it mounts");
    }
}

#[test]
fn the_account_of_a_test_was_missed_though_it_is_there_since_install() {
    let account = ", spec: {serviceAccountName: tests}";
    let yaml = |events: &str| {
        hook("apiVersion: v1, kind: Pod", "smoke", "helm.sh/hook: test", account)
            + &hook("apiVersion: v1, kind: ServiceAccount", "tests", &format!("helm.sh/hook: '{events}'"), "")
    };
    accepts(&HookWeightTie, &yaml("pre-install,test"));
    rejects(&HookWeightTie, &yaml("test"), "runs as");
}

#[test]
fn a_role_that_comes_late_warns_unless_told_otherwise() {
    let binding = ", roleRef: {kind: Role, name: z}, subjects: [{kind: ServiceAccount, name: a}]";
    let group = "apiVersion: rbac.authorization.k8s.io/v1";
    let yaml = hook(&format!("{group}, kind: RoleBinding"), "b", "helm.sh/hook: test", binding)
        + &hook(&format!("{group}, kind: Role"), "z", "helm.sh/hook: test", "");
    assert_eq!(shipped(&HookWeightTie, &Settings::default(), &yaml)[0].mode, Mode::Warn);
    assert_eq!(findings(&HookWeightTie, None, &Settings::default(), &yaml)[0].mode, Mode::Deny);
}

#[test]
fn a_name_that_sorts_first_is_enough() {
    accepts(
        &HookWeightTie,
        &mounts("helm.sh/hook: test", "helm.sh/hook: test").replace("name: scripts", "name: a-scripts"),
    );
}

#[test]
fn rights_that_come_too_late_are_missed() {
    let account = ", spec: {template: {spec: {serviceAccountName: a}}}";
    let binding = "apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding";
    let to = ", roleRef: {kind: Role, name: r}, subjects: [{kind: ServiceAccount, name: a}]";
    let yaml = |name: &str| {
        hook("apiVersion: v1, kind: ServiceAccount", "a", "helm.sh/hook: test", "")
            + &hook(JOB, "migrate", "helm.sh/hook: test", account)
            + &hook(binding, name, "helm.sh/hook: test", to)
    };
    rejects(&HookWeightTie, &yaml("z"), "RoleBinding \"z\", which gives ServiceAccount \"a\" its rights");
    accepts(&HookWeightTie, &yaml("b"));
    // Of one name, kinds go in Helm's install order: bindings before Jobs.
    accepts(&HookWeightTie, &yaml("migrate"));
}

#[test]
fn argo_cd_goes_by_kind() {
    let settings = Settings {
        engine: Some(Engine { gitops: Gitops::Argocd, ..Engine::default() }),
        ..Settings::default()
    };
    let plain = "helm.sh/hook: pre-install";
    assert!(findings(&HookWeightTie, None, &settings, &mounts(plain, plain)).is_empty());
}
