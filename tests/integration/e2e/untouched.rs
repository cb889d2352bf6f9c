//! Repairs change what they say and nothing else, and make nothing wrong that was right.

use serde_json::{Value, json};
use tests::chart::{changed, hook_job};

use super::{ALL, Place};

/// Every repair there is.
const EVERY_REPAIR: &str = "
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: every-repair}
spec:
  rules:
    job-deadline-missing: {fix: true}
";

/// The object as it would be stored.
#[track_caller]
fn tried(place: &Place, object: &Value) -> Value {
    let create = ["create", "--dry-run=server", "--output=json", "--filename=-"];
    let text = place.kubectl(&create, &object.to_string()).expect_ok().stdout;
    let mut stored: Value = serde_json::from_str(&text).unwrap();
    for own in ["uid", "creationTimestamp", "namespace"] {
        stored["metadata"].as_object_mut().unwrap().remove(own);
    }
    stored
}

/// Where two trees differ.
fn differences(one: &Value, other: &Value) -> Vec<String> {
    fn walk(one: &Value, other: &Value, place: &str, found: &mut Vec<String>) {
        match (one, other) {
            (Value::Object(left), Value::Object(right)) => {
                let keys = left.keys().chain(right.keys().filter(|key| !left.contains_key(*key)));
                for key in keys {
                    walk(&one[key], &other[key], &format!("{place}/{}", key.replace('/', "~1")), found);
                }
            }
            _ if one == other => {}
            _ => found.push(place.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(one, other, "", &mut found);
    found.sort();
    found
}

/// A pod with something in every place that a privilege could come from.
fn pod(restart_policy: &str) -> Value {
    let mount = json!([{"name": "data", "mountPath": "/data", "readOnly": true}]);
    let careful = json!({"runAsNonRoot": true, "runAsUser": 7, "capabilities": {"drop": ["ALL"]}});
    json!({
        "restartPolicy": restart_policy, "serviceAccountName": "default", "automountServiceAccountToken": false,
        "securityContext": {"runAsUser": 7, "seccompProfile": {"type": "RuntimeDefault"}},
        "nodeSelector": {"disk": "fast"}, "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["shop"]}],
        "tolerations": [{"key": "a", "operator": "Exists"}],
        "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Mi"}}],
        "initContainers": [{"name": "first", "image": "shop:1", "volumeMounts": mount, "securityContext": careful}],
        "containers": [{
            "name": "main", "image": "shop:1", "command": ["/bin/migrate", "--all"], "env": [{"name": "A", "value": "b"}],
            "volumeMounts": mount, "securityContext": careful, "resources": {"limits": {"memory": "64Mi"}},
        }],
    })
}

/// Both as they would be stored without us and with us.
#[track_caller]
fn changes(object: &Value) -> Vec<String> {
    let bare = tried(&Place::unguarded("untouched-bare"), object);
    let place = Place::unguarded("untouched").guard(EVERY_REPAIR, &ALL);
    differences(&bare, &tried(&place, object))
}

#[test]
fn of_a_job_nothing_changes_but_when_it_ends() {
    // With a selector of its own, since the API server makes others up anew each time.
    let labels = json!({"app": "shop"});
    let template = json!({"metadata": {"labels": labels}, "spec": pod("OnFailure")});
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "labels": labels, "annotations": {"helm.sh/hook": "pre-install", "team": "shop"}},
        "spec": {
            "manualSelector": true, "selector": {"matchLabels": labels}, "completions": 2, "parallelism": 2,
            "completionMode": "Indexed", "podReplacementPolicy": "Failed", "template": template,
        },
    });
    assert_eq!(
        changes(&job),
        [
            "/metadata/annotations/helm.sh~1hook-delete-policy",
            "/metadata/annotations/hookward.dev~1fixed",
            "/spec/activeDeadlineSeconds",
            "/spec/backoffLimit",
            "/spec/ttlSecondsAfterFinished",
        ]
    );
}

#[test]
fn of_a_pod_nothing_changes_but_whether_it_starts_again() {
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "spec": pod("Always"),
        "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-install", "team": "shop"}},
    });
    assert_eq!(
        changes(&pod),
        [
            "/metadata/annotations/helm.sh~1hook-delete-policy",
            "/metadata/annotations/hookward.dev~1fixed",
            "/spec/restartPolicy",
        ]
    );
}

/// Each is taken without us, so each must be taken with us.
#[test]
fn what_the_api_server_takes_it_takes_repaired_too() {
    let ignore = json!({"rules": [{"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]}]});
    let success = json!({"rules": [{"succeededIndexes": "0"}]});
    let specs = [
        json!({}),
        json!({"backoffLimit": 0, "activeDeadlineSeconds": 1}),
        json!({"ttlSecondsAfterFinished": 0}),
        json!({"ttlSecondsAfterFinished": i32::MAX, "backoffLimit": i32::MAX}),
        json!({"podFailurePolicy": ignore}),
        json!({"completionMode": "Indexed", "completions": 3, "backoffLimitPerIndex": 1, "maxFailedIndexes": 2}),
        json!({"completionMode": "Indexed", "completions": 3, "successPolicy": success}),
        json!({"podReplacementPolicy": "Failed", "parallelism": 4, "completions": 4}),
        json!({"managedBy": "example.com/other"}),
    ];
    let bare = Place::unguarded("taken-bare");
    let place = Place::unguarded("taken").guard(EVERY_REPAIR, &["mutate"]);
    for (index, spec) in specs.into_iter().enumerate() {
        let mut job = hook_job(&format!("migrate-{index}"), "pre-install");
        job["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        let _ = bare.create(&job).expect_ok();
        let _ = place.create(&job).expect_ok();
        let fixed = &place.job(&format!("migrate-{index}"))["metadata"]["annotations"]["hookward.dev/fixed"];
        assert!(fixed.is_string(), "nothing was repaired in {spec}");
    }
    let on_failure =
        changed(hook_job("again", "pre-install"), "/spec/template/spec", "restartPolicy", json!("OnFailure"));
    let _ = place.create(&on_failure).expect_ok();
    // The API server refuses this one as it is.
    let always =
        changed(hook_job("always", "pre-install"), "/spec/template/spec", "restartPolicy", json!("Always"));
    assert!(!bare.create(&always).ok());
    let _ = place.create(&always).expect_ok();
}

/// A hook of which we know nothing but its annotations.
#[test]
fn fields_that_nobody_knows_are_never_lost() {
    let place = Place::unguarded("unknown-fields");
    let group = format!("{}.example.com", place.namespace);
    super::kinds::define(&place, &group);
    let place = place.guard(EVERY_REPAIR, &ALL);
    let job = hook_job("migrate", "pre-install");
    let spec = json!({
        "ttlSecondsAfterFinished": 0, "later": {"deep": [1, {"é/~": null}, 0.5, "1e3"], "empty": {}},
        "template": job["spec"]["template"],
    });
    let metadata = json!({"name": "wheel", "annotations": {"helm.sh/hook": "pre-install"}});
    let widget = json!({"apiVersion": format!("{group}/v1"), "kind": "Widget", "metadata": metadata, "spec": spec, "later": [true]});
    let _ = place.create(&widget).expect_ok();
    let stored = place.find(&format!("widgets.{group}"), "wheel").unwrap();
    assert_eq!((&stored["spec"], &stored["later"]), (&widget["spec"], &widget["later"]));
}
