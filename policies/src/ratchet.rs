//! What an UPDATE may keep: a problem that the stored object had too, as far as it had it.

use std::collections::HashMap;

use crate::{
    finding::{Finding, Judged},
    mode::Mode,
};

/// Drops the findings that the stored object `had` as well, at least as strictly: a problem that was only warned about, say because
/// the hook could have blocked a recovery, is no licence for the same problem where it denies.
pub(crate) fn keep_what_is_new(findings: &mut Vec<Judged>, had: &[Judged]) {
    let mut before: HashMap<(&str, &str), Mode> = HashMap::new();
    for old in had {
        let mode = before.entry((old.rule.id, key(&old.finding))).or_insert(old.mode);
        *mode = old.mode.max(*mode);
    }
    findings.retain(|judged| {
        before.get(&(judged.rule.id, key(&judged.finding))).is_none_or(|mode| *mode < judged.mode)
    });
}

/// What makes two findings of a rule the same one.
fn key(finding: &Finding) -> &str {
    finding.identity.as_deref().unwrap_or(&finding.message)
}

#[cfg(test)]
mod tests {
    use hooks::{Interest, Object, manifest};

    use crate::{Mode, Moment, Operation, Policy, Profile, evaluate};

    /// The modes of `rule` when the first document becomes the second.
    fn modes(rule: &str, yaml: &str) -> Vec<Mode> {
        let policy = Policy::resolve([], Profile::Baseline, std::sync::Arc::default()).unwrap();
        let manifests = manifest::read(yaml, Interest::Judged, &hooks::yaml::Limits::default());
        let roots: Vec<_> = manifests.into_iter().map(|manifest| manifest.unwrap().root).collect();
        let request = evaluate::Request {
            operation: Operation::Update,
            object: Object::new(&roots[1]),
            old: Some(Object::new(&roots[0])),
            namespace: Some("shop"),
            field_manager: Some("kubectl"),
            moment: Moment::Unknown,
            now: 0,
        };
        let found = evaluate::object(&policy, &request).findings;
        found.iter().filter(|judged| judged.rule.id == rule).map(|judged| judged.mode).collect()
    }

    fn suspended(events: &str) -> String {
        format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a, annotations: {{helm.sh/hook: '{events}'}}}}\nspec: {{suspend: true}}\n"
        )
    }

    fn binding(subject: &str) -> String {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: a, annotations: {{helm.sh/hook: pre-install}}}}\n\
             roleRef: {{kind: ClusterRole, name: cluster-admin}}\nsubjects: [{{kind: ServiceAccount, namespace: shop, name: {subject}}}]\n"
        )
    }

    #[test]
    fn a_hook_made_for_a_recovery_was_a_way_around_denial() {
        let before = suspended("pre-delete");
        assert_eq!(
            modes("job-suspended", &format!("{before}---\n{}", suspended("pre-upgrade"))),
            [Mode::Deny]
        );
        assert_eq!(modes("job-suspended", &format!("{before}---\n{before}")), []);
    }

    #[test]
    fn an_update_is_never_repaired() {
        let root = hooks::json::object(
            br#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","annotations":{"helm.sh/hook":"pre-upgrade"}},"spec":{}}"#,
            Interest::Judged,
        )
        .unwrap();
        let policy = Policy::resolve([], Profile::Baseline, std::sync::Arc::default()).unwrap();
        let request = |operation| evaluate::Request {
            operation,
            object: Object::new(&root),
            old: None,
            namespace: Some("shop"),
            field_manager: None,
            moment: Moment::Unknown,
            now: 0,
        };
        assert!(!evaluate::fixes(&policy, &request(Operation::Create)).operations.is_empty());
        assert!(evaluate::fixes(&policy, &request(Operation::Update)).operations.is_empty());
    }

    #[test]
    fn a_binding_got_another_subject_unseen() {
        let rule = "sec-cluster-admin-binding";
        assert_eq!(modes(rule, &format!("{}---\n{}", binding("a"), binding("evil"))), [Mode::Deny]);
        assert_eq!(modes(rule, &format!("{}---\n{}", binding("a"), binding("a"))), []);
    }
}
