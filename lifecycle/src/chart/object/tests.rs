//! What matters of an object is read as it is written.

use std::sync::Arc;

use super::*;
use crate::{Chart, chart::Holds};

fn object(text: &str) -> Arc<Object> {
    Arc::clone(&Chart::read(text, "demo").unwrap().resources[0])
}

fn job(spec: &str) -> Arc<Object> {
    object(&format!("{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{{spec}}}}}"))
}

fn needs(pods: &str) -> Vec<String> {
    let job = job(&format!("template: {{spec: {{{pods}}}}}"));
    job.needs.iter().map(ToString::to_string).collect()
}

#[test]
fn the_defaults_of_a_job_are_those_of_kubernetes() {
    let run = job("template: {spec: {}}").run.clone().unwrap();
    assert_eq!((run.backoff_limit, run.completions, run.parallelism, run.grace), (6, 1, 1, 30));
    assert_eq!((run.deadline, run.ttl, run.suspended), (None, None, false));
}

#[test]
fn what_a_job_says_counts() {
    let run = job("backoffLimit: 2, completions: 3, parallelism: 4, activeDeadlineSeconds: 5, ttlSecondsAfterFinished: 6, suspend: true, template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 7}}").run.clone().unwrap();
    assert_eq!((run.backoff_limit, run.completions, run.parallelism, run.grace), (2, 3, 4, 7));
    assert_eq!((run.deadline, run.ttl, run.suspended), (Some(5), Some(6), true));
    assert_eq!(run.restart, Restart::Never);
}

#[test]
fn a_job_of_a_foreign_group_runs_nothing() {
    assert_eq!(object("{apiVersion: example.com/v1, kind: Job, metadata: {name: x}}").run, None);
}

#[test]
fn pods_need_what_they_mount() {
    assert_eq!(
        needs(
            "volumes: [{secret: {secretName: a}}, {configMap: {name: b}}, {persistentVolumeClaim: {claimName: c}}, {projected: {sources: [{secret: {name: d}}, {configMap: {name: e}}]}}]"
        ),
        [
            r#"Secret "a""#,
            r#"ConfigMap "b""#,
            r#"PersistentVolumeClaim "c""#,
            r#"Secret "d""#,
            r#"ConfigMap "e""#
        ]
    );
}

#[test]
fn pods_need_what_they_read() {
    assert_eq!(
        needs(
            "initContainers: [{envFrom: [{secretRef: {name: a}}, {configMapRef: {name: b}}]}], containers: [{env: [{valueFrom: {secretKeyRef: {name: c, key: k}}}, {valueFrom: {configMapKeyRef: {name: d, key: k}}}]}]"
        ),
        [r#"Secret "a""#, r#"ConfigMap "b""#, r#"key "k" of Secret "c""#, r#"key "k" of ConfigMap "d""#]
    );
}

#[test]
fn keys_that_pods_need_were_not_held() {
    let keys = |pods: &str| {
        let job = job(&format!("template: {{spec: {{{pods}}}}}"));
        job.needs.iter().map(|need| (need.name.clone(), need.keys.join(" "))).collect::<Vec<_>>()
    };
    let shown = "volumes: [{secret: {secretName: a, items: [{key: k, path: p}]}}, {projected: {sources: [{configMap: {name: b, items: [{key: l}, {key: m}]}}, {secret: {name: c, optional: true, items: [{key: n}]}}]}}]";
    let read = "containers: [{env: [{valueFrom: {secretKeyRef: {name: a, key: o}}}, {valueFrom: {secretKeyRef: {name: a, key: p, optional: true}}}]}]";
    let expected = [("a", "k o"), ("b", "l m")].map(|(name, keys)| (name.to_owned(), keys.to_owned()));
    assert_eq!(keys(&format!("{shown}, {read}")), expected);
}

#[test]
fn keys_are_those_of_the_data_whoever_writes_them() {
    let has = |text: &str| ["a", "b", "c"].map(|key| object(text).has_key(key));
    let secret =
        |rest: &str| has(&format!("{{apiVersion: v1, kind: Secret, metadata: {{name: x}}, {rest}}}"));
    assert_eq!(secret("data: {a: Yg==}, stringData: {b: x}, binaryData: {c: x}"), [true, true, false]);
    assert_eq!(secret("data: {}"), [true; 3], "somebody else fills it");
    assert_eq!(secret("data: {a: Yg==}, type: kubernetes.io/service-account-token"), [true; 3]);
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: b}, binaryData: {c: Yg==}}";
    assert_eq!(has(map), [true, false, true]);
}

#[test]
fn pods_do_not_need_what_is_optional() {
    assert_eq!(
        needs(
            "volumes: [{secret: {secretName: a, optional: true}}], containers: [{envFrom: [{secretRef: {name: b, optional: true}}]}]"
        ),
        [""; 0]
    );
}

#[test]
fn pods_need_their_account_unless_every_namespace_has_it() {
    assert_eq!(needs("serviceAccountName: robot"), [r#"ServiceAccount "robot""#]);
    assert_eq!(needs("serviceAccountName: default"), [""; 0]);
}

#[test]
fn the_order_of_members_and_null_change_no_digest() {
    let one = object("{apiVersion: v1, kind: Secret, metadata: {name: x}, data: {a: Yg==, b: null}}");
    let other = object("{kind: Secret, apiVersion: v1, data: {a: Yg==}, metadata: {name: x}}");
    let third = object("{kind: Secret, apiVersion: v1, data: {a: Yw==}, metadata: {name: x}}");
    assert_eq!(one.digest, other.digest);
    assert_ne!(one.digest, third.digest);
}

#[test]
fn what_nobody_can_change_is_known_by_kind() {
    let changes = |before: &str, after: &str| {
        let (before, after) = (object(before), object(after));
        let changed: Vec<_> = before
            .frozen
            .iter()
            .filter(|part| part.holds == Holds::Always && !after.frozen.contains(part))
            .map(|part| part.field)
            .collect();
        changed
    };
    let bind = |role: &str| {
        format!(
            "{{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {{name: x}}, roleRef: {{name: {role}}}}}"
        )
    };
    assert_eq!(changes(&bind("a"), &bind("b")), ["roleRef"]);
    let claim = |class: &str, size: &str| {
        format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: x}}, spec: {{storageClassName: {class}, resources: {{requests: {{storage: {size}}}}}}}}}"
        )
    };
    assert_eq!(changes(&claim("a", "1Gi"), &claim("b", "1Gi")), ["spec"]);
    assert_eq!(changes(&claim("a", "1Gi"), &claim("a", "2Gi")), [""; 0]);
    let secret =
        |kind: &str| format!("{{apiVersion: v1, kind: Secret, metadata: {{name: x}}, type: {kind}}}");
    assert_eq!(changes(&secret("Opaque"), "{apiVersion: v1, kind: Secret, metadata: {name: x}}"), [""; 0]);
    assert_eq!(changes(&secret("a"), &secret("b")), ["type"]);
    let counted =
        |spec: &str| format!("{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{{spec}}}}}");
    assert_eq!(changes(&counted(""), &counted("completions: 1, completionMode: NonIndexed")), [""; 0]);
    assert_eq!(changes(&counted("completions: 2"), &counted("completions: 3")), ["spec.completions"]);
    assert_eq!(changes(&counted(""), &counted("podFailurePolicy: {rules: []}")), ["spec.podFailurePolicy"]);
}
