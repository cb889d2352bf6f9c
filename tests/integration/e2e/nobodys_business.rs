//! Of what the system does, and of what we write ourselves, nobody asks us: in a cluster without exempt namespaces.

use serde_json::json;
use tests::{
    chart::{ending, hook_job, suspended_job},
    kinds,
    rig::{AuditEvent, Rig},
    server::{Server, Setup},
};

use super::SOON;

/// A cluster of its own, guarded as a whole.
struct Guarded {
    rig: Rig,
    server: Server,
}

impl Guarded {
    #[track_caller]
    fn start() -> Self {
        let rig = kinds::own_rig();
        kinds::define(&rig);
        let setup = Setup::new("baseline", "").in_cluster(&rig.kubeconfig(), "default", "replica-0");
        let guarded = Self { server: setup.start(), rig };
        guarded.rig.apply(&guarded.server.webhooks());
        let hook = suspended_job("canary", "pre-install").to_string();
        let policy = kinds::policy("canary", &json!({})).to_string();
        guarded.rig.wait_for("the webhooks to be called", SOON, || {
            for object in [&hook, &policy] {
                let _ = guarded.rig.kubectl_with(&["create", "--dry-run=server", "--filename=-"], object);
            }
            let paths = ["mutate", "validate", "policy", "stamp"];
            paths.iter().all(|path| guarded.asked(path) > 0).then_some(())
        });
        guarded
    }

    fn asked(&self, path: &str) -> u64 {
        self.server.count("hookward_admission_requests_total", &[&format!("path=\"{path}\"")])
    }

    fn asked_in_all(&self) -> u64 {
        self.server.count("hookward_admission_requests_total", &[])
    }
}

/// The programs of Kubernetes, and `kubectl`, say so in the names they give.
fn is_ours(event: &AuditEvent) -> bool {
    !event.user_agent.contains("kubernetes/")
}

#[test]
fn what_the_server_writes_does_not_come_back_to_it() {
    let guarded = Guarded::start();
    let rig = &guarded.rig;
    let (marker, before) = (rig.audit_marker(), guarded.asked_in_all());
    rig.apply(&kinds::policy("mine", &json!({"rules": {"job-suspended": {"mode": "deny"}}})).to_string());
    let job = suspended_job("migrate", "pre-install").to_string();
    assert!(!rig.kubectl_with(&["create", "--filename=-"], &job).ok());
    let written = || {
        let events = rig.audit_since(marker);
        let writes =
            events.into_iter().filter(|event| is_ours(event) && event.is_write() && event.code < 300);
        let mut writes: Vec<_> =
            writes.map(|event| format!("{} {}", event.resource, event.subresource)).collect();
        writes.sort();
        writes.dedup();
        writes
    };
    let all = ["events ", "hookpolicies status", "leases "];
    rig.wait_for("all that the server writes", SOON, || (written() == all).then_some(()));
    let asked = guarded.asked_in_all() - before;
    assert_eq!(asked, 4, "the policy and the hook are asked about, each by two webhooks, and nothing else");
}

#[test]
fn leases_reviews_tokens_and_evictions_are_nobodys_business() {
    let guarded = Guarded::start();
    let rig = &guarded.rig;
    let mut pod = hook_job("evicted", "pre-install");
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["spec"] = pod["spec"]["template"]["spec"].clone();
    let pod = tests::chart::changed(pod, "/metadata/annotations", "hookward.dev/outcome", json!("hang"));
    let _ = rig.kubectl_with(&["create", "--filename=-"], &pod.to_string()).expect_ok();
    let before = guarded.asked_in_all();
    rig.wait_for("the pod to run", SOON, || {
        let pod = rig.get_json("pod", "default", "evicted")?;
        (pod["status"]["phase"] == "Running").then_some(())
    });
    let token = rig.kubectl(&["create", "token", "default"]).expect_ok().stdout;
    let attributes = json!({"verb": "get", "resource": "pods", "namespace": "default"});
    let system = [
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "n0"},
            "metadata": {"name": "n0", "namespace": "kube-node-lease"},
        }),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop", "namespace": "kube-system"}}),
    ];
    for object in system {
        rig.apply(&object.to_string());
    }
    let reviews = [
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": token.trim()}}),
        json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": "alice", "resourceAttributes": attributes},
        }),
        json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }),
    ];
    for review in reviews {
        let _ = rig.kubectl_with(&["create", "--filename=-"], &review.to_string()).expect_ok();
    }
    let eviction = json!({
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "evicted", "namespace": "default"},
    });
    let path = "/api/v1/namespaces/default/pods/evicted/eviction";
    let _ = rig.kubectl_with(&["create", "--raw", path, "--filename=-"], &eviction.to_string()).expect_ok();
    rig.wait_for("the pod to go", SOON, || rig.get_json("pod", "default", "evicted").is_none().then_some(()));
    let job = ending(hook_job("migrate", "pre-install"), "hang").to_string();
    assert_eq!(guarded.asked_in_all(), before, "somebody asked");
    let _ = rig.kubectl_with(&["create", "--filename=-"], &job).expect_ok();
    assert_eq!(guarded.asked_in_all(), before + 2, "nobody asks at all");
}
