//! What a pod cannot start without, and what it is told to do about it.

use super::*;
use crate::{
    settings::Settings,
    testing::{accepts, findings, shipped},
};

const INSTALL: &str = "helm.sh/hook: pre-install";
const UPGRADE: &str = "helm.sh/hook: pre-upgrade";

/// A Pod that needs something, and a ConfigMap, a Secret and a claim called `shop`.
fn release(pod: &str, spec: &str, others: &str) -> String {
    let other = |kind: &str| {
        format!(
            "---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: shop, annotations: {{{others}}}}}\n"
        )
    };
    let others = [other("ConfigMap"), other("Secret"), other("PersistentVolumeClaim")].concat();
    format!(
        "apiVersion: v1
kind: Pod
metadata: {{name: migrate, annotations: {{{pod}}}}}
spec: {{{spec}}}
{others}"
    )
}

fn found(pod: &str, spec: &str, others: &str) -> Vec<(Mode, String)> {
    let found = shipped(&DepConfig, &Settings::default(), &release(pod, spec, others));
    found.into_iter().map(|judged| (judged.mode, judged.finding.message)).collect()
}

#[test]
fn everything_a_pod_cannot_start_without_counts() {
    for (spec, what) in [
        ("volumes: [{name: a, configMap: {name: shop}}]", "mounts ConfigMap \"shop\""),
        ("volumes: [{name: a, secret: {secretName: shop}}]", "mounts Secret \"shop\""),
        (
            "volumes: [{name: a, persistentVolumeClaim: {claimName: shop}}]",
            "mounts PersistentVolumeClaim \"shop\"",
        ),
        (
            "volumes: [{name: a, projected: {sources: [{secret: {name: shop}}]}}]",
            "mounts Secret \"shop\"",
        ),
        (
            "initContainers: [{name: a, env: [{name: A, valueFrom: {secretKeyRef: {name: shop, key: b}}}]}]",
            "reads Secret \"shop\"",
        ),
    ] {
        let message = format!(
            "Pod \"migrate\" {what}, which Helm creates only after the pre-install hooks: its pod never starts"
        );
        assert_eq!(found(INSTALL, spec, ""), [(Mode::Deny, message)]);
    }
}

#[test]
fn a_name_that_is_used_twice_is_one_finding() {
    let spec = "containers: [{name: a, envFrom: [{configMapRef: {name: shop}}]}, {name: b, envFrom: [{configMapRef: {name: shop}}]}]";
    assert_eq!(found("helm.sh/hook: 'pre-install,pre-upgrade'", spec, "").len(), 1);
}

#[test]
fn before_an_upgrade_the_revision_before_may_have_it() {
    let found = found(UPGRADE, "volumes: [{name: a, configMap: {name: shop}}]", "");
    assert_eq!(found[0].0, Mode::Warn);
    assert!(found[0].1.contains("as the revision before left it"), "{}", found[0].1);
}

#[test]
fn a_mode_that_a_policy_names_was_lowered() {
    let yaml = release(UPGRADE, "volumes: [{name: a, configMap: {name: shop}}]", "");
    assert_eq!(findings(&DepConfig, None, &Settings::default(), &yaml)[0].mode, Mode::Deny);
}

fn help(yaml: &str) -> String {
    shipped(&DepConfig, &Settings::default(), yaml)[0].finding.help.clone()
}

#[test]
fn followed_to_the_letter_the_fix_deleted_the_secret_of_the_application() {
    let hook = "helm.sh/hook: 'pre-upgrade,pre-rollback', helm.sh/hook-weight: '5'";
    let alone = release(hook, "containers: [{name: a, envFrom: [{secretRef: {name: shop}}]}]", "");
    assert_eq!(
        help(&alone),
        "make the Secret, which nothing else here uses, a hook of pre-upgrade,pre-rollback with a weight below 5, or run the \
         hook afterwards"
    );
    let template = "spec: {containers: [{name: a, envFrom: [{secretRef: {name: shop}}]}]}";
    for user in [
        format!("apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec: {{template: {{{template}}}}}"),
        format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: ping, annotations: {{helm.sh/hook: test}}}}\n{template}"),
    ] {
        let help = help(&format!("{alone}---\n{user}\n"));
        assert!(help.starts_with("leave the Secret as it is, which others use"), "{help}");
        assert!(help.contains("a copy under another name: a hook of pre-upgrade,pre-rollback with"), "{help}");
    }
}

#[test]
fn a_weight_that_is_low_enough_was_asked_for_again() {
    let secret = "volumes: [{name: a, secret: {secretName: shop}}]";
    let said = |others| help(&release(INSTALL, secret, others));
    assert_eq!(
        said("helm.sh/hook: post-upgrade"),
        "add pre-install to helm.sh/hook of the Secret, with a weight below 0"
    );
    assert_eq!(
        said("helm.sh/hook: post-upgrade, helm.sh/hook-weight: '-20'"),
        "add pre-install to helm.sh/hook of the Secret"
    );
}

#[test]
fn nobody_is_told_to_make_a_claim_a_hook() {
    let claim = "volumes: [{name: a, persistentVolumeClaim: {claimName: shop}}]";
    for others in ["", "helm.sh/hook: post-install"] {
        let help = help(&release(INSTALL, claim, others));
        assert!(help.starts_with("run the hook after the PersistentVolumeClaim is there"), "{help}");
    }
}

#[test]
fn a_public_image_needs_no_secret() {
    let found = found(INSTALL, "imagePullSecrets: [{name: shop}]", "");
    assert_eq!(found[0].0, Mode::Warn);
    assert!(found[0].1.contains("private image"), "{}", found[0].1);
}

#[test]
fn optional_references_and_names_from_elsewhere_pass() {
    accepts(
        &DepConfig,
        &release(INSTALL, "volumes: [{name: a, secret: {secretName: shop, optional: true}}]", ""),
    );
    accepts(&DepConfig, &release(INSTALL, "volumes: [{name: a, secret: {secretName: elsewhere}}]", ""));
    let options = serde_json::json!({"externalNames": ["shop"]});
    let yaml = release(INSTALL, "volumes: [{name: a, secret: {secretName: shop}}]", "");
    assert!(findings(&DepConfig, Some(options), &Settings::default(), &yaml).is_empty());
}

#[test]
fn an_earlier_hook_is_in_time_and_a_later_one_is_not() {
    let spec = "volumes: [{name: a, configMap: {name: shop}}]";
    assert_eq!(found(INSTALL, spec, &format!("{INSTALL}, helm.sh/hook-weight: '-1'")), []);
    assert_eq!(found(INSTALL, spec, &format!("{INSTALL}, helm.sh/hook-weight: '1'"))[0].0, Mode::Deny);
    assert_eq!(found(UPGRADE, spec, &format!("{UPGRADE}, helm.sh/hook-weight: '1'"))[0].0, Mode::Deny);
}
