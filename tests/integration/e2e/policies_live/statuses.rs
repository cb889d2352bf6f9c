//! What replicas and their leader write into the status of a policy.

use super::*;

fn policy_object(rig: &Rig, name: &str) -> Value {
    rig.get_json("hookpolicy", "", name).unwrap()
}

/// The entries of a status, by pod.
fn entry(object: &Value, pod: &str) -> Option<Value> {
    object["status"]["replicas"].as_array()?.iter().find(|entry| entry["pod"] == pod).cloned()
}

fn accepted(holder: &Value) -> Option<&Value> {
    holder["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Accepted")
}

async fn told<T>(rig: &Rig, name: &str, what: &str, mut look: impl FnMut(&Value) -> Option<T>) -> T {
    until(what, || look(&policy_object(rig, name))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_replica_writes_its_own_entry_and_keeps_out_of_the_others() {
    let rig = kinds::rig();
    let _first = Replica::synced(rig, "pod-own-a", None).await;
    let _second = Replica::synced(rig, "pod-own-b", None).await;
    rig.apply(&kinds::policy("own", &only_for("own", "audit")).to_string());
    let object = told(rig, "own", "both entries", |object| {
        (entry(object, "pod-own-a").is_some() && entry(object, "pod-own-b").is_some()).then(|| object.clone())
    })
    .await;
    let own = entry(&object, "pod-own-a").unwrap();
    assert_eq!((&own["generation"], &own["observedGeneration"]), (&json!(1), &json!(1)));
    let condition = accepted(&own).unwrap();
    assert_eq!((&condition["status"], &condition["message"]), (&json!("True"), &json!("in force")));

    let text =
        rig.kubectl(&["get", "hookpolicy", "own", "-o=json", "--show-managed-fields"]).expect_ok().stdout;
    let object: Value = serde_json::from_str(&text).unwrap();
    let managers = object["metadata"]["managedFields"].as_array().unwrap();
    let fields =
        managers.iter().find(|it| it["manager"] == "hookward/pod-own-a").unwrap()["fieldsV1"].to_string();
    assert!(
        fields.contains("pod-own-a") && !fields.contains("pod-own-b") && !fields.contains("f:spec"),
        "{fields}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_policy_says_why_and_what_is_in_force_instead() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-why", None).await;
    rig.apply(&kinds::policy("why", &only_for("why", "audit")).to_string());
    replica.has_mode("why", Mode::Audit).await;
    let mut bad = only_for("why", "audit");
    bad["rules"]["job-suspend"] = json!({"mode": "deny"});
    rig.apply(&kinds::policy("why", &bad).to_string());
    let own = told(rig, "why", "the entry", |object| {
        entry(object, "pod-why").filter(|entry| entry["observedGeneration"] == 2)
    })
    .await;
    let condition = accepted(&own).unwrap();
    assert_eq!(
        (&own["generation"], &condition["status"], &condition["reason"]),
        (&json!(1), &json!("False"), &json!("Invalid"))
    );
    let message = condition["message"].as_str().unwrap();
    assert!(
        message.contains("\"job-suspended\"") && message.ends_with("generation 1 stays in force"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_says_it_for_all_and_prunes_pods_that_are_gone() {
    let rig = kinds::rig();
    let namespace = rig.namespace("replicas");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod-here", "namespace": namespace},
        "spec": {"containers": [{"name": "main", "image": "none"}]},
    });
    rig.apply(&pod.to_string());
    rig.apply(&kinds::policy("pruned", &only_for("pruned", "audit")).to_string());
    let here = Replica::synced(rig, "pod-here", Some(&namespace)).await;
    let gone = Replica::synced(rig, "pod-gone", Some(&namespace)).await;
    let has = |object: &Value, pod: &str| entry(object, pod).is_some();
    told(rig, "pruned", "both entries", |object| {
        (has(object, "pod-here") && has(object, "pod-gone")).then_some(())
    })
    .await;
    assert!(accepted(&policy_object(rig, "pruned")["status"]).is_none(), "nobody leads");
    gone.watched.stop().await;

    let leader = Replica::synced(rig, "pod-leads", Some(&namespace)).await;
    leader.leader.send_replace(true);
    told(rig, "pruned", "the entry to go", |object| {
        (has(object, "pod-here") && !has(object, "pod-gone")).then_some(())
    })
    .await;
    let summary = told(rig, "pruned", "the summary", |object| {
        accepted(&object["status"]).filter(|it| it["status"] == "True").cloned()
    });
    let message = summary.await["message"].clone();
    assert!(message.as_str().unwrap().starts_with("in force on "), "{message}");
    drop(here);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_condition_claimed_a_version_that_nobody_had_any_more() {
    let rig = kinds::own_rig();
    kinds::define(&rig);
    let namespace = rig.namespace("restart");
    let before = Replica::synced(&rig, "pod-before", Some(&namespace)).await;
    before.leader.send_replace(true);
    rig.apply(&kinds::policy("restart", &only_for(&namespace, "audit")).to_string());
    before.has_mode(&namespace, Mode::Audit).await;
    let mut bad = only_for(&namespace, "audit");
    bad["rules"]["job-suspend"] = json!({"mode": "deny"});
    rig.apply(&kinds::policy("restart", &bad).to_string());
    let says = |words: [&'static str; 2]| {
        let is_it = move |it: &&Value| {
            let message = it["message"].as_str().unwrap();
            message.starts_with(words[0]) && message.ends_with(words[1])
        };
        told(&rig, "restart", words[1], move |object| accepted(&object["status"]).filter(is_it).map(drop))
    };
    says(["there is no rule", "; generation 1 stays in force"]).await;
    // Another process, as after a restart: it has never read the version that was good.
    let after = Replica::synced(&rig, "pod-after", Some(&namespace)).await;
    assert_ne!(after.mode(&namespace), Mode::Audit);
    says(["on 1 of 2 replicas: there is no rule", "; the policy is not in force"]).await;
    before.watched.stop().await;
    after.leader.send_replace(true);
    // The entry of a pod that is gone goes too.
    says(["there is no rule", "; the policy is not in force"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_when_nothing_has_changed() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-quiet", None).await;
    rig.apply(&kinds::policy("quiet", &only_for("quiet", "audit")).to_string());
    told(rig, "quiet", "the entry", |object| entry(object, "pod-quiet")).await;
    let marker = rig.audit_marker();
    // Each of these is heard of after the entry was; by the last one an answer to the first would have been written.
    for value in 0..10 {
        let label = format!("touched={value}");
        let _ = rig.kubectl(&["label", "--overwrite", "hookpolicy", "quiet", &label]).expect_ok();
    }
    rig.apply(&kinds::policy("quiet", &only_for("quiet", "warn")).to_string());
    told(rig, "quiet", "the next entry", |object| {
        entry(object, "pod-quiet").filter(|entry| entry["generation"] == 2)
    })
    .await;
    let events = rig.audit_since(marker);
    let writes = events.iter().filter(|it| it.subresource == "status" && it.uri.contains("pod-quiet"));
    assert_eq!(writes.filter(|it| it.name == "quiet").count(), 1);
    drop(replica);
}
