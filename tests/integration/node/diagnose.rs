//! Why a hook failed: releases whose pods really fail.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed},
    diagnosed::Diagnosed,
    node::{BUSYBOX, Node},
    rig::Helm,
};

use super::node;

mod limits;

/// What the hook reads and its log must not show.
const SECRET: &str = "hunter2-swordfish";

/// A hook Job of one container that runs `script`, once.
fn migrate(script: &str) -> Value {
    let container = json!({"name": "main", "image": BUSYBOX, "command": ["sh", "-c", script]});
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "annotations": {"helm.sh/hook": "pre-install"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    })
}

/// The Job with another member of its container.
fn with(job: Value, name: &str, value: Value) -> Value {
    changed(job, "/spec/template/spec/containers/0", name, value)
}

/// Installs it in a namespace of its own, where it fails, and looks.
#[track_caller]
fn failed(node: &Node, namespace: &str, helm: Helm, objects: &[Value], timeout: &str) -> Diagnosed {
    let chart = Chart::new(objects);
    let command = node.helm(helm).args(["install", "shop", "--timeout", timeout]).path(chart.path());
    let ran = command.namespace(namespace).run();
    assert!(!ran.ok(), "it did not fail: {ran:?}");
    Diagnosed::of(node, namespace)
}

fn create(node: &Node, namespace: &str, object: &Value) {
    let args = ["create", "--namespace", namespace, "--filename=-"];
    let _ = node.kubectl_with(&args, &object.to_string()).expect_ok();
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let node = node();
    let namespace = node.namespace("diagnose-image");
    let job = with(migrate("true"), "image", json!("registry.invalid/shop/migrate:1.2.3"));
    failed(node, &namespace, Helm::V4, &[job], "15s").assert_first(
        "image-pull",
        &[
            "could not start its pod: the image \"registry.invalid/shop/migrate:1.2.3\" cannot be pulled",
            "Failed to pull image",
            "for a pod that never started",
            "keeps trying",
        ],
    );
}

#[test]
fn a_container_that_takes_too_much_memory() {
    let node = node();
    let namespace = node.namespace("diagnose-memory");
    let job = with(migrate("exec tail /dev/zero"), "resources", json!({"limits": {"memory": "24Mi"}}));
    failed(node, &namespace, Helm::V3, &[job], "60s").assert_first(
        "out-of-memory",
        &[
            "the kernel ended the container \"main\"; its limit is 24Mi",
            "Helm saw it fail after",
            "raise resources.limits.memory",
        ],
    );
}

#[test]
fn a_config_map_that_the_environment_needs() {
    let node = node();
    let namespace = node.namespace("diagnose-config");
    let job = with(migrate("true"), "envFrom", json!([{"configMapRef": {"name": "settings"}}]));
    // An ordinary object of the release: it comes after the hook.
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}});
    failed(node, &namespace, Helm::V4, &[job, map], "8s").assert_first(
        "missing-object",
        &[
            "could not start its pod: there is no ConfigMap \"settings\"",
            "configmap \"settings\" not found",
            "with a lower weight",
            "rule dep-config",
        ],
    );
}

#[test]
fn a_secret_that_a_volume_needs() {
    let node = node();
    let namespace = node.namespace("diagnose-volume");
    let job = with(migrate("true"), "volumeMounts", json!([{"name": "tls", "mountPath": "/tls"}]));
    let job = changed(
        job,
        "/spec/template/spec",
        "volumes",
        json!([{"name": "tls", "secret": {"secretName": "shop-tls"}}]),
    );
    failed(node, &namespace, Helm::V3, &[job], "8s").assert_first(
        "missing-object",
        &["there is no Secret \"shop-tls\"", "MountVolume.SetUp failed", "Helm waited its whole timeout"],
    );
}

#[test]
fn a_key_that_a_secret_has_not() {
    let node = node();
    let namespace = node.namespace("diagnose-key");
    create(
        node,
        &namespace,
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"user": "shop"}}),
    );
    let variable = json!({"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    let job = with(migrate("true"), "env", json!([variable]));
    failed(node, &namespace, Helm::V4, &[job], "8s")
        .assert_first("missing-object", &["Secret \"db\" has no key \"url\""]);
}

#[test]
fn a_command_that_is_not_in_the_image() {
    let node = node();
    let namespace = node.namespace("diagnose-command");
    let job = with(migrate("true"), "command", json!(["/bin/migrate-the-shop"]));
    failed(node, &namespace, Helm::V4, &[job], "60s").assert_first(
        "cannot-start",
        &[
            "the container \"main\" does not come up",
            "/bin/migrate-the-shop",
            "that program is not in the image",
        ],
    );
}

/// By its environment, in base64, in a URL, and what only looks like a secret.
#[test]
fn what_a_program_said_without_its_secrets() {
    let node = node();
    let namespace = node.namespace("diagnose-log");
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"password": SECRET}});
    create(node, &namespace, &secret);
    let script = r#"echo "connecting with $PASSWORD"; printf '\033[31mred\033[0m \007bell\n'
        echo "as base64: $(printf %s "$PASSWORD" | base64)"; echo "postgres://shop:open-sesame@db/shop"
        echo "token=ghp_0123456789abcdefghijABCDEFGHIJ"; echo "relation \"orders\" does not exist" >&2; exit 3"#;
    let variable =
        json!({"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}});
    let job = with(migrate(script), "env", json!([variable]));
    let said = failed(node, &namespace, Helm::V4, &[job], "60s");
    said.assert_first(
        "program",
        &[
            "its container \"main\" ended with exit code 3",
            "connecting with ***",
            "as base64: ***",
            "postgres://shop:***@db/shop",
            "token=***",
            "relation \"orders\" does not exist",
            "red \u{fffd}bell",
        ],
    );
    for hidden in [SECRET, "open-sesame", "ghp_", "aHVudGVy", "\u{1b}", "\u{7}"] {
        assert!(
            !said.text.contains(hidden) && !said.json.to_string().contains(hidden),
            "{hidden:?} in {}",
            said.text
        );
    }
}

#[test]
fn a_request_that_its_account_may_not_make() {
    let node = node();
    let namespace = node.namespace("diagnose-rbac");
    // kubectl needs nothing but itself, and speaks as the account of its pod.
    let kubectl = std::fs::canonicalize(node.programs().path("kubectl")).unwrap();
    let job = with(
        migrate("kubectl get configmaps"),
        "volumeMounts",
        json!([{"name": "kubectl", "mountPath": "/bin/kubectl"}]),
    );
    let volume = json!({"name": "kubectl", "hostPath": {"path": kubectl, "type": "File"}});
    let job = changed(job, "/spec/template/spec", "volumes", json!([volume]));
    failed(node, &namespace, Helm::V4, &[job], "60s").assert_first(
        "rbac",
        &[
            &format!("was not allowed to list configmaps in namespace {namespace:?} as ServiceAccount \"default\""),
            &format!("kubectl auth can-i list configmaps -n {namespace} --as system:serviceaccount:{namespace}:default"),
            "also it failed by itself",
        ],
    );
}

#[test]
fn a_sidecar_that_outlives_the_work() {
    let node = node();
    let namespace = node.namespace("diagnose-sidecar");
    let mut job = migrate("true");
    let sidecar = json!({"name": "istio-proxy", "image": BUSYBOX, "command": ["sleep", "100000"]});
    job["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().push(sidecar);
    failed(node, &namespace, Helm::V4, &[job], "12s").assert_first(
        "mesh-sidecar",
        &[
            "\"main\" ended well, and the sidecar \"istio-proxy\" still runs",
            "sidecar.istio.io/inject",
            "The Job has no deadline and still runs",
        ],
    );
}

/// No plugin of this cluster enforces it: nobody listens there.
#[test]
fn a_network_policy_over_a_pod_that_reaches_nothing() {
    let node = node();
    let namespace = node.namespace("diagnose-network");
    let policy = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "deny-all"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"]},
    });
    create(node, &namespace, &policy);
    failed(node, &namespace, Helm::V3, &[migrate("nc -w 2 127.0.0.1 9 </dev/null")], "60s").assert_first(
        "network-policy",
        &[
            "NetworkPolicy \"deny-all\" governs what its pod may reach",
            "can't connect",
            "describe networkpolicy deny-all",
        ],
    );
}

#[test]
fn a_job_that_gave_up_after_several_tries() {
    let node = node();
    let namespace = node.namespace("diagnose-tries");
    let job = changed(migrate("exit 7"), "/spec", "backoffLimit", json!(1));
    let said = failed(node, &namespace, Helm::V3, &[job], "60s");
    said.assert_first(
        "program",
        &[
            "ended with exit code 7 in each of 2 tries",
            "also it gave up after 2 tries: its backoffLimit is 1",
        ],
    );
    assert_eq!(said.causes(), ["program", "back-off"]);
}
