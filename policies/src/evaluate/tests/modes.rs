//! What a policy, a profile and a finding make of each other: modes, and whether a repair comes.

use super::*;

fn judged_at(settings: &serde_json::Value, yaml: &str, rule: &str) -> Judged {
    let manifest = only(yaml);
    let found = object(&policy(settings), &creation(Object::new(&manifest.root))).findings;
    found.into_iter().find(|judged| judged.rule.id == rule).unwrap()
}

#[test]
fn a_rule_that_usually_only_reports_does_what_it_is_told() {
    let mode = |settings| {
        mode_at(&policy(&settings), Moment::Upgrade, &job("pre-upgrade", ""), "job-deadline-missing")
    };
    assert_eq!(mode(json!({})), Some(Mode::Audit));
    assert_eq!(mode(json!({"engine": {"gitops": "argocd"}})), Some(Mode::Warn));
    assert_eq!(mode(json!({"rules": {"job-deadline-missing": {"mode": "deny"}}})), Some(Mode::Deny));
}

#[test]
fn strict_denied_what_is_not_grave() {
    let secret =
        |kind: &str| format!("{{{kind}, metadata: {{name: a, annotations: {{helm.sh/hook: pre-install}}}}}}");
    let mode =
        |kind| judged_at(&json!({"profile": "strict"}), &secret(kind), "hook-orphan-on-uninstall").mode;
    assert_eq!(mode("apiVersion: v1, kind: Secret"), Mode::Warn);
    assert_eq!(mode("apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole"), Mode::Deny);
}

#[test]
fn strict_still_denies_what_a_rule_says_it_denies() {
    let weight = job("pre-upgrade', helm.sh/hook-weight: '1.5", "");
    assert_eq!(judged_at(&json!({"profile": "strict"}), &weight, "hook-weight-invalid").mode, Mode::Deny);
}

#[test]
fn what_no_policy_repairs_was_called_fixable() {
    let yaml = job("pre-upgrade", "");
    let fixable = |rule: &str, settings: serde_json::Value| judged_at(&settings, &yaml, rule).fixable;
    let fix = |rule: &str, fix: bool| json!({"rules": {rule: {"fix": fix}}});
    assert!(fixable("job-ttl-missing", json!({})));
    assert!(fixable("job-ttl-missing", json!({"profile": "audit"})));
    assert!(!fixable("job-ttl-missing", fix("job-ttl-missing", false)));
    assert!(!fixable("job-deadline-missing", json!({})));
    assert!(fixable("job-deadline-missing", fix("job-deadline-missing", true)));
    let owned = yaml.replace("name: migrate", "name: migrate, ownerReferences: [{kind: Shop, name: a}]");
    assert!(!judged_at(&json!({}), &owned, "job-backoff-limit-unset").fixable);
}
