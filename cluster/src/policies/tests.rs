//! What becomes of policies that come, change, break and go.

use serde_json::{Value, json};

use super::*;

fn object(name: &str, uid: &str, generation: i64, spec: &Value, status: &Value) -> DynamicObject {
    serde_json::from_value(json!({
        "apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy",
        "metadata": {"name": name, "uid": uid, "generation": generation},
        "spec": spec, "status": status,
    }))
    .unwrap()
}

fn policy(generation: i64, spec: &Value) -> DynamicObject {
    object("team", "u1", generation, spec, &json!({}))
}

fn priorities(policies: &Policies) -> Vec<i32> {
    policies.in_force().map(|named| named.settings.priority).collect()
}

#[track_caller]
fn says(policies: &Policies, status: &str, message: &str) {
    let entry = policies.entry("team", "pod-0", 0).unwrap();
    assert_eq!(
        (entry.conditions[0].status.as_str(), entry.conditions[0].message.as_str()),
        (status, message)
    );
}

#[test]
fn only_another_spec_is_a_change() {
    let mut policies = Policies::new(Profile::Baseline);
    assert!(policies.apply(&policy(1, &json!({"priority": 1}))));
    assert!(!policies.apply(&policy(1, &json!({"priority": 1}))), "a status was written");
    assert!(!policies.apply(&policy(2, &json!({"priority": 1, "rules": {}}))), "the same in other words");
    assert!(policies.apply(&policy(3, &json!({"priority": 2}))));
    assert!(policies.remove("team") && !policies.remove("team"));
}

#[test]
fn the_last_good_version_stays() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&policy(1, &json!({"priority": 1})));
    for (generation, spec) in
        [(2, json!({"prioriti": 2})), (3, json!({"rules": {"nonsense": {}}})), (4, json!(7))]
    {
        assert!(!policies.apply(&policy(generation, &spec)), "{spec}");
        assert_eq!(priorities(&policies), [1]);
        assert_eq!(policies.refused(), 1);
    }
    policies.apply(&policy(5, &json!({"rules": {"job-suspend": {}}})));
    says(
        &policies,
        "False",
        "there is no rule \"job-suspend\", did you mean \"job-suspended\"?; generation 1 stays in force",
    );
    let entry = policies.entry("team", "pod-0", 0).unwrap();
    assert_eq!((entry.generation, entry.observed_generation), (Some(1), 5));
}

#[test]
fn a_policy_that_was_never_good_is_not_in_force() {
    let mut policies = Policies::new(Profile::Baseline);
    assert!(!policies.apply(&policy(1, &json!({"rules": {"job-suspended": {"fix": true}}}))));
    says(
        &policies,
        "False",
        "rule job-suspended repairs nothing, so it has no fix to switch on; the policy is not in force",
    );
}

#[test]
fn another_object_of_the_same_name_inherits_nothing() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&policy(1, &json!({"priority": 1})));
    assert!(policies.apply(&object("team", "u2", 1, &json!({"nonsense": 1}), &json!({}))));
    assert_eq!(priorities(&policies), [0; 0]);
}

#[test]
fn one_bad_policy_does_not_touch_the_others() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&policy(1, &json!({"nonsense": 1})));
    assert!(policies.apply(&object("other", "u2", 1, &json!({"priority": 7}), &json!({}))));
    assert_eq!(priorities(&policies), [7]);
}

#[test]
fn an_entry_that_is_there_is_not_written_again() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&policy(1, &json!({})));
    let entry = policies.entry("team", "pod-0", 60).unwrap();
    let status = json!({"replicas": [serde_json::to_value(&entry).unwrap()]});
    policies.apply(&object("team", "u1", 1, &json!({}), &status));
    assert_eq!(policies.entry("team", "pod-0", 120), None);
    assert!(policies.entry("team", "pod-1", 120).is_some(), "the entry of another pod");
}

#[test]
fn a_status_that_makes_no_sense_is_written_anew() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&object("team", "u1", 1, &json!({}), &json!({"replicas": 7})));
    assert!(policies.entry("team", "pod-0", 0).is_some());
}

#[test]
fn a_contradiction_is_told_at_policies_for_everything() {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&policy(1, &json!({})));
    let selector = json!({"namespaceSelector": {"matchLabels": {"env": "prod"}}});
    policies.apply(&object("narrow", "u2", 1, &selector, &json!({})));
    assert!(policies.contradict(Some("rules differ".to_owned())));
    says(&policies, "True", "in force, but together with other policies rules differ");
    assert_eq!(policies.entry("narrow", "pod-0", 0).unwrap().conditions[0].message, "in force");
}

#[track_caller]
fn sums_up(replicas: &Value, status: Option<bool>, message: &str) {
    let mut policies = Policies::new(Profile::Baseline);
    policies.apply(&object("team", "u1", 2, &json!({}), &json!({"replicas": replicas})));
    let (wanted, _) = policies.summary("team").unwrap();
    assert_eq!((wanted.status, wanted.message.as_str()), (status, message));
}

#[test]
fn the_leader_sums_up_what_the_replicas_say() {
    let entry = |pod: &str, observed: i64, status: &str, reason: &str, message: &str| {
        json!({"pod": pod, "observedGeneration": observed, "conditions": [{
            "type": "Accepted", "status": status, "reason": reason, "message": message,
            "lastTransitionTime": "1970-01-01T00:00:00Z", "observedGeneration": observed,
        }]})
    };
    let good = entry("a", 2, "True", "InForce", "in force");
    let old = entry("b", 1, "False", "Invalid", "it was bad");
    let bad = entry("c", 2, "False", "Invalid", "it is bad");
    sums_up(&json!([]), None, "0 of 0 replicas have read generation 2");
    sums_up(&json!([good]), Some(true), "in force on 1 replica");
    sums_up(&json!([good, old]), None, "1 of 2 replicas have read generation 2");
    sums_up(&json!([bad]), Some(false), "it is bad");
    sums_up(&json!([good, bad]), Some(false), "on 1 of 2 replicas: it is bad");
}

#[test]
fn after_a_restart_the_last_good_version_was_still_said_to_be_in_force() {
    let bad = json!({"nonsense": 1});
    let mut before = Policies::new(Profile::Baseline);
    before.apply(&policy(1, &json!({"priority": 1})));
    before.apply(&policy(2, &bad));
    let mut after = Policies::new(Profile::Baseline);
    after.apply(&policy(2, &bad));
    assert_eq!((priorities(&before), priorities(&after)), (vec![1], vec![]));
    let entry = |policies: &Policies, pod: &str| {
        serde_json::to_value(policies.entry("team", pod, 0).unwrap()).unwrap()
    };
    let says = |replicas: &Value, words: [&str; 2]| {
        let mut policies = Policies::new(Profile::Baseline);
        policies.apply(&object("team", "u1", 2, &bad, &json!({"replicas": replicas})));
        let (wanted, _) = policies.summary("team").unwrap();
        let [start, end] = words;
        assert_eq!(wanted.status, Some(false));
        assert!(wanted.message.starts_with(start) && wanted.message.ends_with(end), "{}", wanted.message);
    };
    let (old, new) = (entry(&before, "a"), entry(&after, "b"));
    says(&json!([old, entry(&before, "b")]), ["on 2 of 2 replicas: ", "; generation 1 stays in force"]);
    says(&json!([old, new]), ["on 1 of 2 replicas: ", "; the policy is not in force"]);
    says(&json!([old, new, entry(&after, "c")]), ["on 2 of 3 replicas: ", "; the policy is not in force"]);
}
