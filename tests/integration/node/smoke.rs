//! The node itself: pods run, hooks end as their programs do, and the API server reaches what stands behind a Service.

use std::{thread, time::Duration};

use serde_json::{Value, json};
use tests::{
    chart::Chart,
    node::{BUSYBOX, Node},
    rig::Helm,
};

use super::{SOON, node};

/// A Job whose only container runs `script`.
fn job(name: &str, script: &str) -> Value {
    let container = json!({"name": "main", "image": BUSYBOX, "command": ["sh", "-c", script]});
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    })
}

/// A chart with that as its hook, and something besides.
fn chart(script: &str) -> Chart {
    let mut hook = job("migrate", script);
    hook["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-install"});
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}});
    Chart::new(&[hook, settings])
}

fn create(node: &Node, namespace: &str, object: &Value) {
    let args = ["create", "--namespace", namespace, "--filename=-"];
    let _ = node.kubectl_with(&args, &object.to_string()).expect_ok();
}

/// Waits until kubectl finds the condition, such as `condition=Ready`, on the object.
fn wait(node: &Node, namespace: &str, object: &str, condition: &str) {
    let (condition, limit) = (format!("--for={condition}"), format!("--timeout={}s", SOON.as_secs()));
    let _ = node.kubectl(&["wait", "--namespace", namespace, object, &condition, &limit]).expect_ok();
}

#[test]
fn a_job_runs_to_its_end_and_its_log_can_be_read() {
    let node = node();
    let namespace = node.namespace("smoke-job");
    create(node, &namespace, &job("good", "echo done"));
    create(node, &namespace, &job("bad", "echo problem; exit 3"));
    wait(node, &namespace, "job/good", "condition=Complete");
    wait(node, &namespace, "job/bad", "condition=Failed");
    assert_eq!(node.logs(&namespace, "job/good"), "done\n");
    assert_eq!(node.logs(&namespace, "job/bad"), "problem\n");
}

#[test]
fn a_hook_is_a_real_container_for_either_helm() {
    let node = node();
    let (good, bad) = (chart("echo migrated"), chart("exit 1"));
    for helm in Helm::ALL {
        let namespace = node.namespace("smoke-hook");
        let install = |name: &str, chart: &Chart| {
            node.helm(helm).args(["install", name]).path(chart.path()).namespace(&namespace).briefly().run()
        };
        let refused = install("bad", &bad);
        assert!(refused.stderr.contains("failed pre-install"), "{helm:?}: {refused:?}");
        assert_eq!(node.get_json("configmap", &namespace, "settings"), None, "{helm:?}");
        let _ = install("good", &good).expect_ok();
        assert_eq!(node.logs(&namespace, "job/migrate"), "migrated\n", "{helm:?}");
        assert!(node.get_json("configmap", &namespace, "settings").is_some(), "{helm:?}");
    }
}

#[test]
fn the_api_server_and_pods_reach_a_service() {
    let node = node();
    let namespace = node.namespace("smoke-service");
    let serve = "mkdir /tmp/www; echo hello >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www";
    let container = json!({
        "name": "main", "image": BUSYBOX, "command": ["sh", "-c", serve],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
    });
    create(
        node,
        &namespace,
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"containers": [container]},
        }),
    );
    create(
        node,
        &namespace,
        &json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]},
        }),
    );
    wait(node, &namespace, "pod/web", "condition=Ready");
    let through = format!("/api/v1/namespaces/{namespace}/services/web:80/proxy/");
    let said = node.wait_for("the Service", SOON, || {
        let ran = node.kubectl(&["get", "--raw", &through]);
        ran.ok().then_some(ran.stdout)
    });
    assert_eq!(said, "hello\n");
    let service = node.get_json("service", &namespace, "web").unwrap();
    let url = format!("http://{}/", service["spec"]["clusterIP"].as_str().unwrap());
    let said = node.wait_for("the address of the Service", SOON, || {
        let ran = node.exec(&namespace, "web", &["wget", "-q", "-O", "-", &url]);
        ran.ok().then_some(ran.stdout)
    });
    assert_eq!(said, "hello\n");
}

#[test]
fn a_killed_process_is_started_again_by_the_kubelet() {
    let node = node();
    let namespace = node.namespace("smoke-kill");
    let container = json!({"name": "main", "image": BUSYBOX, "command": ["sleep", "100000"]});
    create(
        node,
        &namespace,
        &json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sleeper"}, "spec": {"containers": [container]},
        }),
    );
    wait(node, &namespace, "pod/sleeper", "condition=Ready");
    node.kill_process_of(&namespace, "sleeper");
    let status = node.wait_for("the restart", SOON, || {
        let pod = node.get_json("pod", &namespace, "sleeper")?;
        let status = pod["status"]["containerStatuses"][0].clone();
        (status["restartCount"] == 1).then_some(status)
    });
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 137);
}

#[test]
fn a_held_or_restarted_api_server_comes_back() {
    let node = Node::start().unwrap();
    let hasty = || node.kubectl(&["get", "--raw", "/readyz", "--request-timeout=300ms"]).ok();
    thread::scope(|scope| {
        scope.spawn(|| node.hold_api_server(Duration::from_secs(3)));
        node.wait_for("a request without an answer", SOON, || (!hasty()).then_some(()));
    });
    node.wait_for("an answer", SOON, || hasty().then_some(()));
    node.restart_api_server();
    create(&node, "default", &job("after", "echo alive"));
    wait(&node, "default", "job/after", "condition=Complete");
}

#[test]
fn two_clusters_live_beside_each_other_and_leave_nothing_behind() {
    let shared = node();
    let other = Node::start().unwrap();
    let folder = other.folder().to_owned();
    assert_ne!(shared.folder(), folder);
    create(&other, "default", &job("only-here", "sleep 100000"));
    other.wait_for("the pod of the job", SOON, || {
        let pods = other.kubectl(&["get", "pods", "-o=jsonpath={.items[*].status.phase}"]).expect_ok();
        (pods.stdout == "Running").then_some(())
    });
    assert_eq!(shared.get_json("job", "default", "only-here"), None);
    let groups = other.control_groups();
    let address = format!(" {}/", other.machine_address());
    assert!(interfaces().contains(&address));
    assert!(groups.iter().all(|group| group.is_dir()));
    drop(other);
    assert!(!folder.exists());
    for group in groups {
        assert!(!group.exists(), "{} is still there", group.display());
    }
    assert!(!interfaces().contains(&address), "the interface of the node outlives it");
}

/// The addresses of this machine's interfaces.
fn interfaces() -> String {
    let output = std::process::Command::new("ip").args(["-oneline", "address"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
