//! A release judged as a whole: its lists, and what Helm drops of it.

use super::*;

fn verdict(policy: &Policy, yaml: &str) -> Verdict {
    let manifests: Vec<_> = manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default())
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut all = Release { namespace: Some("shop"), ..Release::default() };
    for (index, manifest) in manifests.iter().enumerate() {
        all.add(index, "", &manifest.root);
    }
    release(policy, &all, 0)
}

fn judged(policy: &Policy, yaml: &str) -> Vec<(usize, String, Mode)> {
    let found = verdict(policy, yaml).findings.into_iter().filter(|judged| judged.rule.id == "job-suspended");
    found.map(|judged| (judged.finding.item.unwrap(), judged.finding.field, judged.mode)).collect()
}

const LIST: &str = "apiVersion: v1
kind: List
metadata: {annotations: {helm.sh/hook: pre-upgrade}}
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings}}
- {apiVersion: batch/v1, kind: Job, metadata: {name: migrate}, spec: {suspend: true}}";

#[test]
fn items_of_a_list_are_found_in_the_list() {
    let found = judged(&policy(&json!({})), LIST);
    assert_eq!(found, [(1, "/items/1/spec/suspend".to_owned(), Mode::Deny)]);
}

#[test]
fn hooks_among_the_items_of_an_ordinary_list_are_no_hooks() {
    let item = LIST.replace("metadata: {annotations: {helm.sh/hook: pre-upgrade}}\n", "").replace(
        "metadata: {name: migrate}",
        "metadata: {name: migrate, annotations: {helm.sh/hook: pre-upgrade}}",
    );
    assert_eq!(judged(&policy(&json!({})), &item), []);
}

#[test]
fn findings_name_their_object() {
    let two = format!("{}\n---\n{}", job("pre-upgrade", ""), job("post-upgrade", SUSPENDED));
    assert_eq!(judged(&policy(&json!({})), &two), [(1, "/spec/suspend".to_owned(), Mode::Deny)]);
}

#[test]
fn a_rule_that_is_off_is_silent() {
    let off = policy(&json!({"rules": {"job-suspended": {"mode": "off"}}}));
    assert_eq!(judged(&off, LIST), []);
}

/// What a policy makes of a release, rule by rule, with the places.
fn all(policy: &Policy, yaml: &str) -> Vec<(&'static str, String, bool)> {
    let found = verdict(policy, yaml).findings.into_iter();
    found.map(|judged| (judged.rule.id, judged.finding.field, judged.fixable)).collect()
}

#[test]
fn the_annotations_of_a_list_were_judged_once_per_item() {
    let yaml = LIST.replace("pre-upgrade", "pre-upgrade, helm.sh/hook-delete-policy: never");
    let found = all(&policy(&json!({})), &yaml);
    let field = "/metadata/annotations/helm.sh~1hook-delete-policy";
    for rule in ["hook-delete-policy-unknown", "hook-policy-no-before-creation"] {
        let places: Vec<_> = found.iter().filter(|one| one.0 == rule).map(|one| &*one.1).collect();
        assert_eq!(places, [field], "{rule}");
    }
}

#[test]
fn the_gravest_of_a_list_stands_for_all() {
    let yaml = "apiVersion: v1
kind: List
metadata: {annotations: {helm.sh/hook: pre-upgrade}}
items:
- {apiVersion: v1, kind: Secret, metadata: {name: settings}}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: everywhere}}";
    let found = verdict(&policy(&json!({"profile": "strict"})), yaml).findings;
    let found: Vec<_> = found.iter().filter(|one| one.rule.id == "hook-orphan-on-uninstall").collect();
    assert_eq!((found.len(), found[0].mode, found[0].finding.item), (1, Mode::Deny, Some(1)));
}

#[test]
fn items_of_a_list_were_called_fixable_though_no_webhook_sees_them() {
    let found = all(&policy(&json!({})), LIST);
    assert!(found.iter().any(|one| one.0 == "job-ttl-missing"));
    assert!(found.iter().all(|one| !one.2), "{found:?}");
}

#[test]
fn a_repair_that_never_comes_was_a_reason_not_to_deny() {
    let low = LIST.replace("suspend: true", "ttlSecondsAfterFinished: 0");
    let policy = policy(&json!({"rules": {"job-ttl-too-low": {"mode": "deny"}}}));
    let found = verdict(&policy, &low).findings;
    assert_eq!((found[0].rule.id, found[0].mode), ("job-ttl-too-low", Mode::Deny));
}

#[test]
fn what_helm_drops_was_judged_as_if_it_ran() {
    let policy = policy(&json!({}));
    for (events, rule) in [("pre-upgarde", "hook-unknown-event"), ("test-failure", "hook-legacy-event")] {
        let yaml = job(events, SUSPENDED);
        let rules: Vec<_> = all(&policy, &yaml).into_iter().map(|one| one.0).collect();
        assert_eq!(rules, [rule]);
        assert_eq!(mode_at(&policy, Moment::Unknown, &yaml, "job-suspended"), Some(Mode::Deny));
    }
    let misspelt = job("pre-upgarde', helm.sh/weight: '5", "");
    assert!(all(&policy, &misspelt).iter().any(|one| one.0 == "hook-annotation-misplaced"));
}
