//! Ordinary resources: what nobody can change of them, and Jobs that fail and Deployments that are paused while Helm waits.

use std::time::{Duration, Instant};

use tests::chart::{ending, hook_job};

use super::{
    Chart, Helm, Place, Value, assert_refused, changed, json, object, revisions, with_both_helms, within,
};

/// A change that the API server refuses: the object before and after, and what is said.
type Refused = (Value, Value, &'static str);

fn of(version: &str, kind: &str, name: &str, members: &Value) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
    object.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    object
}

/// Changes of what is sealed, or refers to something else.
fn sealed() -> Vec<Refused> {
    let (sealed, open) = (json!({"immutable": true, "data": {"a": "YQ=="}}), json!({"data": {"a": "YQ=="}}));
    let other = json!({"immutable": true, "data": {"a": "Yg=="}});
    let map = |name, members| of("v1", "ConfigMap", name, members);
    let secret = |name, members| of("v1", "Secret", name, members);
    let slice = |kind| {
        of("discovery.k8s.io/v1", "EndpointSlice", "x", &json!({"addressType": kind, "endpoints": []}))
    };
    let role = |name| {
        let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name});
        of("rbac.authorization.k8s.io/v1", "RoleBinding", "x", &json!({"roleRef": role}))
    };
    vec![
        (
            map("a", &sealed),
            map("a", &other),
            r#"ConfigMap "a" is invalid: data: Forbidden: field is immutable when `immutable` is set"#,
        ),
        (
            map("b", &sealed),
            map("b", &open),
            r#"ConfigMap "b" is invalid: immutable: Forbidden: field is immutable when `immutable` is set"#,
        ),
        (
            secret("a", &sealed),
            secret("a", &other),
            r#"Secret "a" is invalid: data: Forbidden: field is immutable when `immutable` is set"#,
        ),
        (
            slice("IPv4"),
            slice("IPv6"),
            r#""x" is invalid: addressType: Invalid value: "IPv6": field is immutable"#,
        ),
        (role("a"), role("b"), ": cannot change roleRef"),
    ]
}

/// Changes of specs.
fn specs() -> Vec<Refused> {
    let claim = |size| {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}});
        of("v1", "PersistentVolumeClaim", "x", &json!({"spec": spec}))
    };
    let job = |completions: u32, image: &str| {
        let pods =
            json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}});
        of("batch/v1", "Job", "x", &json!({"spec": {"completions": completions, "template": pods}}))
    };
    let set = |service: &str| {
        let pods = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "main", "image": "shop:1"}]}});
        let selector = json!({"matchLabels": {"a": "b"}});
        let spec = json!({"serviceName": service, "selector": selector, "template": pods});
        of("apps/v1", "StatefulSet", "x", &json!({"spec": spec}))
    };
    vec![
        (
            claim("1Gi"),
            claim("2Gi"),
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ),
        (
            job(1, "shop:1"),
            job(2, "shop:2"),
            r#""x" is invalid: [spec.completions: Invalid value: 2: field is immutable, spec.template: Invalid value: "#,
        ),
        (
            set("a"),
            set("b"),
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
    ]
}

fn what_nobody_can_change_is_refused_object_by_object(helm: Helm) {
    let place = Place::unguarded("fact-frozen");
    let (mut before, mut after, mut words) = (Vec::new(), Vec::new(), Vec::new());
    for (one, other, said) in sealed().into_iter().chain(specs()) {
        before.push(one);
        after.push(other);
        words.push(said);
    }
    let _ = place.install(helm, &Chart::new(&before)).expect_ok();
    let ran = place.upgrade(helm, &Chart::new(&after));
    assert_refused(&ran, &words);
    assert_eq!(place.history(helm), revisions(&[(1, "deployed"), (2, "failed")]));
}

/// Helm 4 stops with the Job, Helm 3 asks thirty times more, every other second, or until its time is over.
fn a_job_that_fails_while_helm_waits(helm: Helm) {
    let place = Place::unguarded("fact-failing");
    let mut job = changed(ending(hook_job("own", ""), "fail"), "/spec", "backoffLimit", json!(0));
    job["metadata"] = object("Job", "own", "")["metadata"].clone();
    let flags = ["--wait", "--wait-for-jobs", "--timeout=10s"];
    let began = Instant::now();
    let ran = within(&place, helm, "install", &Chart::new(&[job]), &flags);
    let took = began.elapsed();
    match helm {
        Helm::V3 => {
            assert_refused(&ran, &["context deadline exceeded"]);
            assert!(took >= Duration::from_secs(10), "{took:?}");
        }
        Helm::V4 => {
            assert_refused(&ran, &["own not ready. status: Failed, message: Job Failed. failed: 1/1"]);
            assert!(!ran.stderr.contains("deadline exceeded"), "{}", ran.stderr);
        }
    }
}

/// It has no pods, and nobody waits for them.
fn a_deployment_that_is_paused_is_not_awaited(helm: Helm) {
    let place = Place::unguarded("fact-paused");
    let pods =
        json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}});
    let spec = json!({"paused": true, "selector": {"matchLabels": {"a": "b"}}, "template": pods});
    let chart = Chart::new(&[of("apps/v1", "Deployment", "own", &json!({ "spec": spec }))]);
    let _ = within(&place, helm, "install", &chart, &["--wait", "--timeout=10s"]).expect_ok();
}

with_both_helms! {
    what_nobody_can_change_is_refused_object_by_object
    a_job_that_fails_while_helm_waits
    a_deployment_that_is_paused_is_not_awaited
}
