//! The reviews that are sent: what an API server would send for hooks of several sizes.

use hooks::annotations::{DELETE_POLICY, HOOK, PREFIX, WEIGHT};
use serde_json::{Map, Value, json};

use super::noise::Noise;

/// Stands in every review; each answer has to name it.
pub(super) const UID: &str = "705ab4f5-6393-11e8-b7cc-42010a800002";

const SCRIPT: &str = "set -euo pipefail\nuntil pg_isready -h \"$PGHOST\" -U \"$PGUSER\"; do sleep 2; done\n\
    psql -v ON_ERROR_STOP=1 <<'SQL'\nBEGIN;\nALTER TABLE orders ADD COLUMN IF NOT EXISTS tenant_id bigint;\n\
    CREATE INDEX IF NOT EXISTS orders_tenant ON orders (tenant_id);\nCOMMIT;\nSQL\n";

/// A hook Job as `/mutate` gets it: with the defaults of the API server, and two things to repair.
pub(super) fn small_unrepaired() -> Vec<u8> {
    create(&job(1, 7), ("batch", "v1", "Job", "jobs"))
}

/// The same Job as `/validate` gets it: repaired.
pub(super) fn small_repaired() -> Vec<u8> {
    create(&repaired(job(1, 7)), ("batch", "v1", "Job", "jobs"))
}

/// An UPDATE of a Job with many containers, 100 KB with the old and the new object.
pub(super) fn update_100_kb() -> Vec<u8> {
    let job = repaired(job(8, 96));
    review("UPDATE", &job, Some(&job), ("batch", "v1", "Job", "jobs"))
}

/// A Job of 1 MB that is read to its last field: many containers with many small values.
pub(super) fn dense_job() -> Vec<u8> {
    create(&repaired(job(60, 288)), ("batch", "v1", "Job", "jobs"))
}

/// A CRD of 1 MB: dense as well, but its schemas are nobody's business.
pub(super) fn dense_crd() -> Vec<u8> {
    let mut noise = Noise::new(3);
    let versions: Vec<Value> = (0..6)
        .map(|index| {
            json!({"name": format!("v{index}"), "served": true, "storage": index == 0,
            "schema": {"openAPIV3Schema": schema(&mut noise, 4)}})
        })
        .collect();
    let object = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata("things.example.com"),
        "spec": {"group": "example.com", "scope": "Namespaced", "versions": versions,
            "names": {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}},
    });
    create(&object, ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions"))
}

/// A `ConfigMap` of 1 MB: a few long texts full of escapes.
pub(super) fn long_texts() -> Vec<u8> {
    let mut noise = Noise::new(4);
    let data: Map<String, Value> =
        (0..100).map(|index| (format!("V{index:04}__seed.sql"), sql(&mut noise).into())).collect();
    let object =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("shop-sql"), "data": data});
    create(&object, ("", "v1", "ConfigMap", "configmaps"))
}

/// The CREATE of a Secret, as `/release` gets it.
pub(super) fn secret(object: &Value) -> Vec<u8> {
    create(object, ("", "v1", "Secret", "secrets"))
}

/// A Job for a real API server to create, with one thing to repair.
pub(super) fn job_to_create(name: &str) -> Value {
    let mut job = job(1, 7);
    job["metadata"] = json!({"generateName": name, "annotations": job["metadata"]["annotations"]});
    job["spec"]["template"]["metadata"] = json!({});
    if let Some(spec) = job["spec"].as_object_mut() {
        spec.remove("selector");
    }
    job
}

fn create(object: &Value, of: (&str, &str, &str, &str)) -> Vec<u8> {
    review("CREATE", object, None, of)
}

/// Group, version, kind and plural are those of the object.
fn review(operation: &str, object: &Value, old: Option<&Value>, of: (&str, &str, &str, &str)) -> Vec<u8> {
    let (group, version, kind, plural) = of;
    let kind = json!({"group": group, "version": version, "kind": kind});
    let resource = json!({"group": group, "version": version, "resource": plural});
    let rest = json!({
        "kind": kind, "resource": resource, "requestKind": kind, "requestResource": resource,
        "name": object["metadata"]["name"], "namespace": "shop", "operation": operation,
        "userInfo": {
            "username": "system:serviceaccount:flux-system:helm-controller", "uid": "0e8c2f3e-6a41-4e37-9cd2-5c3b06c4b0ea",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:flux-system", "system:authenticated"],
            "extra": {"authentication.kubernetes.io/pod-name": ["helm-controller-7f4c8c5d6c-9xk2p"]},
        },
        "object": object, "oldObject": old, "dryRun": false,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "helm"},
    });
    // The uid comes first, as an API server writes it.
    let rest = rest.to_string();
    let rest = rest.strip_prefix('{').unwrap_or(&rest);
    format!(
        r#"{{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{{"uid":"{UID}",{rest}}}"#
    )
    .into_bytes()
}

fn metadata(name: &str) -> Value {
    let chart = format!("{PREFIX}chart");
    json!({
        "name": name, "namespace": "shop", "uid": "b7a7b3c1-02a1-4c6d-9a3e-1f4c9a7b2d10",
        "creationTimestamp": "2026-11-20T08:00:00Z",
        "labels": {"app.kubernetes.io/name": "shop", "app.kubernetes.io/managed-by": "Helm", (chart): "shop-4.2.1"},
        "annotations": {(HOOK): "pre-install,pre-upgrade", (WEIGHT): "-5", (DELETE_POLICY): "before-hook-creation"},
    })
}

fn job(containers: u32, settings: u32) -> Value {
    let mut noise = Noise::new(2);
    let containers: Vec<Value> =
        (0..containers).map(|index| container(&mut noise, index, settings)).collect();
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("shop-db-migrate"),
        "spec": {
            "parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "b7a7b3c1-02a1-4c6d-9a3e-1f4c9a7b2d10"}},
            "template": {
                "metadata": {"creationTimestamp": null, "labels": {"job-name": "shop-db-migrate"}},
                "spec": {
                    "containers": containers, "restartPolicy": "Never", "terminationGracePeriodSeconds": 30,
                    "dnsPolicy": "ClusterFirst", "securityContext": {"fsGroup": 1000}, "schedulerName": "default-scheduler",
                },
            },
        },
        "status": {},
    })
}

/// The Job after the repairs: it goes away by itself and tries less often.
pub(super) fn repaired(mut job: Value) -> Value {
    job["spec"]["ttlSecondsAfterFinished"] = 300.into();
    job["spec"]["backoffLimit"] = 3.into();
    job["spec"]["activeDeadlineSeconds"] = 240.into();
    job
}

fn container(noise: &mut Noise, index: u32, settings: u32) -> Value {
    let mut environment = vec![
        json!({"name": "PGHOST", "value": "shop-postgresql.shop.svc"}),
        json!({"name": "PGPASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}}),
    ];
    environment.extend((0..settings).map(|setting| {
        json!({"name": format!("SETTING_{setting}_{}", noise.word()), "value": format!("{}-{}", noise.word(), noise.below(1_000_000))})
    }));
    json!({
        "name": format!("migrate-{index}"), "image": format!("registry.example.com/shop/migrate:4.2.1@{}", noise.digest()),
        "command": ["/bin/sh", "-c"], "args": [SCRIPT], "env": environment,
        "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
    })
}

fn schema(noise: &mut Noise, depth: u32) -> Value {
    if depth == 0 {
        let description = format!(
            "The {} of the {} in this {}, as it is written.",
            noise.word(),
            noise.word(),
            noise.word()
        );
        return json!({"type": "string", "description": description, "minLength": noise.below(9)});
    }
    let properties: Map<String, Value> =
        (0..6).map(|index| (format!("{}{index}", noise.word()), schema(noise, depth - 1))).collect();
    json!({"type": "object", "properties": properties, "x-kubernetes-map-type": "atomic"})
}

fn sql(noise: &mut Noise) -> String {
    let row = |noise: &mut Noise| {
        format!(
            "INSERT INTO \"{}\" (id, name) VALUES ({}, 'it''s \"{}\"');\n",
            noise.word(),
            noise.below(1_000_000),
            noise.word()
        )
    };
    (0..140).map(|_| row(noise)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn has_size(review: &[u8], at_least: usize, at_most: usize) {
        assert!((at_least..=at_most).contains(&review.len()), "{} bytes", review.len());
    }

    #[test]
    fn sizes_are_those_of_their_names() {
        has_size(&small_unrepaired(), 2_900, 3_300);
        has_size(&small_repaired(), 2_900, 3_400);
        has_size(&update_100_kb(), 95_000, 110_000);
        has_size(&dense_job(), 950_000, 1_060_000);
        has_size(&dense_crd(), 950_000, 1_100_000);
        has_size(&long_texts(), 950_000, 1_060_000);
    }
}
