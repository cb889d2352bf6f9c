//! What the policy, the hook and the moment make of a finding.

use hooks::{Interest, Object, manifest};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    exception::{Exception, ExceptionSpec},
    mode::Profile,
    testing::{creation, fix_once, only},
};

fn policy(settings: &serde_json::Value) -> Policy {
    with_exceptions(settings, Vec::new())
}

fn with_exceptions(settings: &serde_json::Value, exceptions: Vec<Exception>) -> Policy {
    let settings = serde_json::from_value(settings.clone()).unwrap();
    Policy::resolve([&settings], Profile::Baseline, exceptions.into()).unwrap()
}

/// A Job with these events and this spec; nothing but what a test says about it is worth a finding.
fn job(events: &str, spec: &str) -> String {
    format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: migrate, namespace: shop, annotations: {{helm.sh/hook: '{events}'}}}}
spec: {{{spec}}}"
    )
}

const SUSPENDED: &str = "suspend: true";
const PRIVILEGED: &str =
    "template: {spec: {restartPolicy: Never, containers: [{name: a, securityContext: {privileged: true}}]}}";

/// The mode of a rule's finding about `yaml` when it is created at `moment`.
fn mode_at(policy: &Policy, moment: Moment, yaml: &str, rule: &str) -> Option<Mode> {
    let manifest = only(yaml);
    let verdict = object(policy, &Request { moment, ..creation(Object::new(&manifest.root)) });
    verdict.findings.iter().find(|judged| judged.rule.id == rule).map(|judged| judged.mode)
}

/// The rules that find something when `old` becomes `new`, with their modes.
fn on_update(policy: &Policy, old: &str, new: &str) -> Vec<(&'static str, Mode)> {
    let (old, new) = (only(old), only(new));
    let request = Request {
        operation: Operation::Update,
        old: Some(Object::new(&old.root)),
        field_manager: Some("helm"),
        ..creation(Object::new(&new.root))
    };
    assert!(fixes(policy, &request).operations.is_empty(), "an update is never changed");
    object(policy, &request).findings.iter().map(|judged| (judged.rule.id, judged.mode)).collect()
}

mod recovery {
    use super::*;

    #[test]
    fn one_recovery_event_is_enough_while_nobody_knows_what_happens() {
        let policy = policy(&json!({}));
        let mode = |events| mode_at(&policy, Moment::Unknown, &job(events, SUSPENDED), "job-suspended");
        for events in ["pre-rollback", "post-delete", "pre-upgrade,post-rollback"] {
            assert_eq!(mode(events), Some(Mode::Warn), "{events}");
        }
        assert_eq!(mode("pre-install,pre-upgrade,test"), Some(Mode::Deny));
    }

    #[test]
    fn a_hook_that_is_known_to_run_for_an_upgrade_is_denied() {
        let policy = policy(&json!({}));
        let mode = |moment, events| mode_at(&policy, moment, &job(events, SUSPENDED), "job-suspended");
        assert_eq!(mode(Moment::Upgrade, "pre-upgrade,pre-rollback"), Some(Mode::Deny));
        assert_eq!(mode(Moment::Install, "post-install,post-delete"), Some(Mode::Deny));
        assert_eq!(mode(Moment::Upgrade, "pre-rollback"), Some(Mode::Warn));
        assert_eq!(mode(Moment::Upgrade, "post-install,post-delete"), Some(Mode::Warn));
    }

    #[test]
    fn a_proven_recovery_softens_everything() {
        let policy = policy(&json!({}));
        for moment in [Moment::Rollback, Moment::Uninstall] {
            for (spec, rule) in [(SUSPENDED, "job-suspended"), (PRIVILEGED, "sec-privileged")] {
                assert_eq!(mode_at(&policy, moment, &job("pre-upgrade", spec), rule), Some(Mode::Warn));
            }
        }
    }

    #[test]
    fn one_more_event_is_no_way_around_security() {
        let policy = policy(&json!({}));
        for moment in [Moment::Unknown, Moment::Upgrade, Moment::Install, Moment::Test] {
            let mode =
                mode_at(&policy, moment, &job("pre-upgrade,pre-rollback", PRIVILEGED), "sec-privileged");
            assert_eq!(mode, Some(Mode::Deny), "{moment:?}");
        }
    }

    #[test]
    fn it_can_be_enforced() {
        let policy = policy(&json!({"recoveryEvents": "enforce"}));
        for moment in [Moment::Unknown, Moment::Rollback] {
            let mode = mode_at(&policy, moment, &job("pre-rollback", SUSPENDED), "job-suspended");
            assert_eq!(mode, Some(Mode::Deny), "{moment:?}");
        }
    }

    #[test]
    fn what_reports_only_stays_a_report() {
        let policy = policy(&json!({"rules": {"job-suspended": {"mode": "audit"}}}));
        let mode = mode_at(&policy, Moment::Rollback, &job("pre-rollback", SUSPENDED), "job-suspended");
        assert_eq!(mode, Some(Mode::Audit));
    }
}

mod tests_are_lax {
    use super::*;

    #[test]
    fn rules_that_tests_are_free_of_say_nothing() {
        let policy = policy(&json!({}));
        let mode = |events| mode_at(&policy, Moment::Unknown, &job(events, ""), "job-ttl-missing");
        assert_eq!(mode("test"), None);
        assert_eq!(mode("test-success"), None);
        assert_eq!(mode("test,post-install"), Some(Mode::Audit));
    }

    #[test]
    fn nothing_is_repaired_that_would_not_be_said() {
        let policy = policy(&json!({}));
        let before = only(&job("test", "backoffLimit: 6")).root.to_json();
        assert_eq!(fix_once(&policy, &before), before);
    }

    #[test]
    fn the_others_hold_for_tests_too() {
        let policy = policy(&json!({}));
        assert_eq!(
            mode_at(&policy, Moment::Test, &job("test", PRIVILEGED), "sec-privileged"),
            Some(Mode::Deny)
        );
    }
}

mod updates {
    use super::*;

    const QUIET: &str = "ttlSecondsAfterFinished: 300, backoffLimit: 3, activeDeadlineSeconds: 60";

    fn quiet(more: &str) -> String {
        job("pre-upgrade", &format!("{QUIET}, {more}"))
            .replace("hook: '", "hook-delete-policy: before-hook-creation, helm.sh/hook: '")
    }

    #[test]
    fn a_new_problem_is_denied_and_an_old_one_is_kept() {
        let policy = policy(&json!({}));
        assert_eq!(on_update(&policy, &quiet(""), &quiet(SUSPENDED)), [("job-suspended", Mode::Deny)]);
        assert_eq!(on_update(&policy, &quiet(SUSPENDED), &quiet(SUSPENDED)), []);
        assert_eq!(on_update(&policy, &quiet(SUSPENDED), &quiet("")), []);
    }

    #[test]
    fn the_same_problem_in_another_place_is_new() {
        let policy = policy(&json!({}));
        let second = PRIVILEGED.replace("[{", "[{name: b, securityContext: {privileged: true}}, {");
        assert_eq!(on_update(&policy, &quiet(PRIVILEGED), &quiet(&second)), [("sec-privileged", Mode::Deny)]);
    }

    #[test]
    fn what_becomes_a_hook_is_judged_like_a_new_one() {
        let policy = policy(&json!({}));
        let plain = quiet(SUSPENDED).replace("helm.sh/hook: 'pre-upgrade'", "a: b");
        assert_eq!(on_update(&policy, &plain, &quiet(SUSPENDED)), [("job-suspended", Mode::Deny)]);
    }

    #[test]
    fn what_is_a_hook_no_more_is_nobodys_business() {
        let policy = policy(&json!({}));
        let plain = quiet(SUSPENDED).replace("helm.sh/hook: 'pre-upgrade'", "a: b");
        assert_eq!(on_update(&policy, &quiet(SUSPENDED), &plain), []);
    }

    #[test]
    fn an_old_result_is_never_taken_for_a_new_run() {
        let policy = policy(&json!({}));
        let finished = format!("{}\nstatus: {{conditions: [{{type: Complete, status: 'True'}}]}}", quiet(""));
        assert_eq!(on_update(&policy, &finished, &finished), [("hook-stale-rerun", Mode::Deny)]);
    }
}

mod repairs {
    use super::*;

    const BARE: &str = "backoffLimit: 6, template: {spec: {restartPolicy: Always}}";

    #[test]
    fn all_repairs_are_made_at_once_and_recorded() {
        let yaml = job("pre-upgrade", BARE);
        let manifest = only(&yaml);
        let made = fixes(&policy(&json!({})), &creation(Object::new(&manifest.root)));
        for rule in ["job-backoff-limit-unset", "job-restart-policy-always", "job-ttl-missing"] {
            assert!(made.rules.contains(&rule), "{rule}");
        }
        let last = serde_json::to_value(made.operations.last().unwrap()).unwrap();
        assert_eq!(last["path"], "/metadata/annotations/hookward.dev~1fixed");
        assert_eq!(last["value"], made.rules.join(","));
        assert_eq!(made.operations.len(), made.rules.len() + 1);
    }

    #[test]
    fn a_record_of_others_is_added_to_and_lies_are_dropped() {
        let yaml = job("pre-upgrade", "backoffLimit: 3, ttlSecondsAfterFinished: 0")
            .replace("annotations: {", "annotations: {helm.sh/hook-delete-policy: before-hook-creation, hookward.dev/fixed: 'job-backoff-limit-unset,lie', ");
        let after = fix_once(&policy(&json!({})), &only(&yaml).root.to_json());
        assert_eq!(
            after["metadata"]["annotations"]["hookward.dev/fixed"],
            "job-backoff-limit-unset,job-ttl-too-low"
        );
    }

    #[test]
    fn what_is_owned_or_no_hook_is_left_as_it_is() {
        let policy = policy(&json!({}));
        let bare = job("pre-upgrade", BARE);
        for yaml in [
            bare.replace("name: migrate", "name: migrate, ownerReferences: [{kind: CronJob, name: nightly}]"),
            bare.replace("helm.sh/hook: 'pre-upgrade'", "a: b"),
        ] {
            let before = only(&yaml).root.to_json();
            assert_eq!(fix_once(&policy, &before), before);
        }
    }

    #[test]
    fn a_deletion_mark_in_a_new_object_is_no_way_around_repairs() {
        let marked = job("pre-upgrade", BARE)
            .replace("name: migrate", "name: migrate, deletionTimestamp: '2026-01-01T00:00:00Z'");
        let before = only(&marked).root.to_json();
        assert_ne!(fix_once(&policy(&json!({})), &before), before);
    }

    #[test]
    fn what_is_repaired_never_denies() {
        let yaml = job("pre-upgrade", "ttlSecondsAfterFinished: 0");
        let mode = |fix| {
            let rules = json!({"rules": {"job-ttl-too-low": {"mode": "deny", "fix": fix}}});
            mode_at(&policy(&rules), Moment::Upgrade, &yaml, "job-ttl-too-low")
        };
        assert_eq!((mode(true), mode(false)), (Some(Mode::Warn), Some(Mode::Deny)));
    }

    #[test]
    fn the_audit_profile_changes_nothing() {
        let before = only(&job("pre-upgrade", BARE)).root.to_json();
        assert_eq!(fix_once(&policy(&json!({"profile": "audit"})), &before), before);
    }

    fn maybe(field: &'static str, values: &'static [&'static str]) -> impl Strategy<Value = String> {
        prop::option::of(prop::sample::select(values))
            .prop_map(move |value| value.map(|value| format!("{field}: {value}")).unwrap_or_default())
    }

    /// Where a privilege could come from.
    const RICH: &str = "serviceAccountName: shop, volumes: [{name: data, hostPath: {path: /}}], \
        containers: [{name: main, image: shop, later: 1}], initContainers: [{name: first, image: shop}]";

    fn jobs() -> impl Strategy<Value = String> {
        let events = prop::sample::select(
            &["pre-install", "pre-upgrade,post-delete", "test", "post-rollback", "typo"][..],
        );
        let pods = maybe("restartPolicy", &["Always", "OnFailure", "Never"]);
        let spec = (
            maybe("backoffLimit", &["0", "3", "6", "100", "'6'", "null"]),
            maybe("ttlSecondsAfterFinished", &["-1", "0", "59", "60", "3600", "null"]),
            maybe("activeDeadlineSeconds", &["30"]),
            maybe("podFailurePolicy", &["{rules: []}"]),
        );
        (events, pods, spec).prop_map(|(events, pods, (limit, ttl, deadline, failure))| {
            let template = format!("template: {{spec: {{{RICH}, {pods}}}}}, later: {{deep: [1]}}");
            let fields = [limit, ttl, deadline, failure, template];
            job(events, &fields.into_iter().filter(|field| !field.is_empty()).collect::<Vec<_>>().join(", "))
        })
    }

    /// Without what a repair may set.
    fn others(mut object: serde_json::Value) -> serde_json::Value {
        let remove = |place: Option<&mut serde_json::Value>, names: &[&str]| {
            let members = place.and_then(serde_json::Value::as_object_mut).unwrap();
            members.retain(|name, _| !names.contains(&name.as_str()));
        };
        let ends = ["backoffLimit", "ttlSecondsAfterFinished", "activeDeadlineSeconds"];
        remove(object.pointer_mut("/spec"), &ends);
        remove(object.pointer_mut("/spec/template/spec"), &["restartPolicy"]);
        remove(
            object.pointer_mut("/metadata/annotations"),
            &["helm.sh/hook-delete-policy", "hookward.dev/fixed"],
        );
        object
    }

    proptest! {
        #[test]
        fn no_repair_touches_containers_volumes_or_accounts(yaml in jobs()) {
            let policy = policy(&json!({"rules": {"job-deadline-missing": {"fix": true}}}));
            let before = only(&yaml).root.to_json();
            prop_assert_eq!(others(fix_once(&policy, &before)), others(before));
        }

        #[test]
        fn repairing_twice_is_repairing_once(yaml in jobs()) {
            let policy = policy(&json!({"rules": {"job-deadline-missing": {"fix": true}}}));
            let once = fix_once(&policy, &only(&yaml).root.to_json());
            prop_assert_eq!(fix_once(&policy, &once), once.clone());
            let text = once.to_string();
            let root = hooks::json::object(text.as_bytes(), Interest::Everything).unwrap();
            let verdict = object(&policy, &creation(Object::new(&root)));
            let left = verdict.findings.iter().find(|judged| judged.finding.fixable);
            prop_assert!(left.is_none(), "{:?} is left", left.map(|judged| judged.rule.id));
        }
    }
}

mod exceptions {
    use super::*;

    /// 2026-01-01.
    const EXPIRY: i64 = 1_767_225_600;

    fn excepted(namespace: &str, now: i64) -> Vec<(Mode, Option<Excepted>)> {
        let spec = ExceptionSpec {
            rules: vec!["job-susp*".into()],
            namespaces: vec![namespace.into()],
            kinds: vec!["Job".into()],
            names: vec!["mig*".into()],
            reason: "a queue resumes it".into(),
            expires_at: "2026-01-01T00:00:00Z".into(),
            requested_by: None,
            changed_by: None,
            authors: Vec::new(),
        };
        let policy = with_exceptions(&json!({}), vec![Exception::new("queue", spec).unwrap()]);
        let yaml = job("pre-upgrade", SUSPENDED);
        let manifest = only(&yaml);
        let verdict = object(&policy, &Request { now, ..creation(Object::new(&manifest.root)) });
        let found = verdict.findings.into_iter().filter(|judged| judged.rule.id == "job-suspended");
        found.map(|judged| (judged.mode, judged.excepted)).collect()
    }

    #[test]
    fn what_is_covered_is_reported_with_what_it_would_have_been() {
        let by = Excepted { by: "queue".into(), would_be: Mode::Deny };
        assert_eq!(excepted("shop", EXPIRY - 1), [(Mode::Audit, Some(by))]);
    }

    #[test]
    fn the_day_counts() {
        assert_eq!(excepted("shop", EXPIRY), [(Mode::Deny, None)]);
    }

    #[test]
    fn another_namespace_is_another_matter() {
        assert_eq!(excepted("sho", EXPIRY - 1), [(Mode::Deny, None)]);
    }
}

mod modes;
mod whole_releases;
