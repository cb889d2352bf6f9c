//! The rights that a replica needs are the ones it says it needs.

use std::fs;

use super::*;

/// What [`Watched::start`] asks for, for `user` alone.
fn grant(rig: &Rig, user: &str, namespace: &str) {
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
    let read = ["get", "list", "watch"];
    let everywhere = [
        rule("hookward.dev", &["hookpolicies", "hookexceptions"], &read),
        rule("hookward.dev", &["hookpolicies/status", "hookexceptions/status"], &["patch"]),
        rule("", &["namespaces"], &read),
    ];
    let of = |namespace: &str, kind: &str, rules: &[Value]| {
        let group = "rbac.authorization.k8s.io";
        let (api, metadata) = (format!("{group}/v1"), json!({"name": user, "namespace": namespace}));
        let subjects = json!([{"kind": "User", "name": user, "apiGroup": group}]);
        let reference = json!({"apiGroup": group, "kind": kind, "name": user});
        [
            json!({"apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules}),
            json!({"apiVersion": api, "kind": format!("{kind}Binding"), "metadata": metadata,
                "roleRef": reference, "subjects": subjects}),
        ]
    };
    let events = of("default", "Role", &[rule("events.k8s.io", &["events"], &["create"])]);
    let pods = of(namespace, "Role", &[rule("", &["pods"], &["get"])]);
    let items = [of("", "ClusterRole", &everywhere), events, pods].concat();
    rig.apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_asked_of_the_api_server() {
    let rig = kinds::rig();
    let namespace = rig.namespace("rights");
    let user = format!("replica-{namespace}");
    grant(rig, &user, &namespace);
    let mut kubeconfig: Value = serde_json::from_str(&fs::read_to_string(rig.kubeconfig()).unwrap()).unwrap();
    kubeconfig["users"][0]["user"]["as"] = json!(user);
    let path = rig.folder().join("kubeconfig-rights");
    fs::write(&path, kubeconfig.to_string()).unwrap();

    let marker = rig.audit_marker();
    let gone = Replica::start_as(&path, "pod-rights-gone", Some(&namespace)).await;
    rig.apply(&kinds::policy("rights", &only_for("rights", "audit")).to_string());
    gone.has_mode("rights", Mode::Audit).await;
    let entry = |pod: &str| {
        let object = rig.get_json("hookpolicy", "", "rights")?;
        object["status"]["replicas"].as_array()?.iter().find(|entry| entry["pod"] == pod).cloned()
    };
    until("the entry", || entry("pod-rights-gone")).await;
    gone.watched.stop().await;

    let leader = Replica::start_as(&path, "pod-rights", Some(&namespace)).await;
    until("the first lists", || leader.is_synced().then_some(())).await;
    leader.leader.send_replace(true);
    until("the entry to go", || entry("pod-rights-gone").is_none().then_some(())).await;
    leader.watched.namespaces().learn(&namespace).await;
    let summed_up = || {
        let object = rig.get_json("hookpolicy", "", "rights")?;
        object["status"]["conditions"].as_array().filter(|conditions| !conditions.is_empty()).map(drop)
    };
    until("the condition", summed_up).await;
    let forbidden: Vec<_> = rig
        .audit_since(marker)
        .into_iter()
        .filter(|event| event.code == 403 && event.user == "admin")
        .collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}
