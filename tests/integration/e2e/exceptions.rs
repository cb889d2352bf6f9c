//! Exceptions as a replica reads them: which count, until when, and what the leader says of them.

use std::time::{SystemTime, UNIX_EPOCH};

use policies::exception::timestamp;
use serde_json::{Value, json};
use tests::{kinds, rig::Rig};

use super::policies_live::{Replica, until};

const DAY: i64 = 24 * 60 * 60;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// Makes an exception that alice asked for.
fn ask(rig: &Rig, name: &str, expires_at: i64) {
    rig.apply(&kinds::exception(name, &kinds::exception_spec(&timestamp(expires_at))).to_string());
}

/// Approves a generation of it as bob.
fn approve(rig: &Rig, name: &str, generation: i64) {
    let status =
        json!({"approvedGeneration": generation, "approvedBy": "bob", "approvedAt": timestamp(now())});
    let patch = json!({"status": status}).to_string();
    let args = ["patch", "hookexception", name, "--subresource=status", "--type=merge", "-p", &patch];
    let _ = rig.kubectl(&args).expect_ok();
}

/// When an exception ends for those who judge; `None` when it does not count.
fn end(replica: &Replica, name: &str) -> Option<i64> {
    let set = replica.set.load();
    set.exceptions().iter().find(|exception| exception.name == name).map(|exception| exception.expires_at)
}

fn condition(rig: &Rig, name: &str) -> Option<Value> {
    let object = rig.get_json("hookexception", "", name)?;
    object["status"]["conditions"].as_array()?.iter().find(|it| it["type"] == "Active").cloned()
}

/// Waits until the leader says this reason.
async fn stands(rig: &Rig, name: &str, reason: &str) -> Value {
    let what = format!("{name} to be {reason}");
    until(&what, || condition(rig, name).filter(|condition| condition["reason"] == reason)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_counts_from_its_approval_until_its_next_change() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-exceptions", None).await;
    replica.leader.send_replace(true);
    ask(rig, "protocol", now() + 30 * DAY);
    let condition = stands(rig, "protocol", "NotApproved").await;
    assert_eq!((&condition["status"], end(&replica, "protocol")), (&json!("False"), None));

    approve(rig, "protocol", 1);
    until("the exception to count", || end(&replica, "protocol")).await;
    assert_eq!(stands(rig, "protocol", "Approved").await["status"], "True");

    ask(rig, "protocol", now() + 60 * DAY);
    until("the approval to be void", || end(&replica, "protocol").is_none().then_some(())).await;
    let condition = stands(rig, "protocol", "Voided").await;
    assert_eq!(condition["message"], "does not count: generation 1 was approved, and it is at generation 2");

    approve(rig, "protocol", 2);
    until("the exception to count again", || end(&replica, "protocol")).await;
    let _ = rig.kubectl(&["delete", "hookexception", "protocol"]).expect_ok();
    until("the exception to go", || end(&replica, "protocol").is_none().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exception_ends_by_the_clock_alone_and_a_little_early() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-clock", None).await;
    replica.leader.send_replace(true);
    let expires_at = now() + 40;
    ask(rig, "clock", expires_at);
    approve(rig, "clock", 1);
    let ends = until("the exception to count", || end(&replica, "clock")).await;
    assert_eq!(ends, expires_at - 30, "clocks that are half a minute behind do not let it live longer");
    let condition = stands(rig, "clock", "Expired").await;
    assert_eq!(condition["message"], format!("counts no more: it ended at {}", timestamp(expires_at)));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_told_before_an_exception_ends() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-ending", None).await;
    ask(rig, "ending", now() + 3 * DAY);
    ask(rig, "lasting", now() + 30 * DAY);
    approve(rig, "ending", 1);
    approve(rig, "lasting", 1);
    until("both to count", || end(&replica, "ending").and(end(&replica, "lasting"))).await;
    replica.leader.send_replace(true);
    let events = || {
        let args = ["get", "events.v1.events.k8s.io", "--namespace=default", "-o=json"];
        let text = rig.kubectl(&args).expect_ok().stdout;
        let events: Value = serde_json::from_str(&text).unwrap();
        let ours =
            |event: &&Value| event["reason"] == "ExceptionExpiring" && event["regarding"]["name"] != "clock";
        events["items"].as_array().unwrap().iter().filter(ours).cloned().collect::<Vec<_>>()
    };
    let event =
        until("the Event", || events().into_iter().find(|it| it["regarding"]["name"] == "ending")).await;
    assert_eq!((&event["type"], &event["regarding"]["kind"]), (&json!("Warning"), &json!("HookException")));
    let note = event["note"].as_str().unwrap();
    assert!(note.contains("in less than seven days") && note.contains("job-suspended"), "{note}");

    let next = Replica::synced(rig, "pod-ending-next", None).await;
    next.leader.send_replace(true);
    ask(rig, "ending-too", now() + DAY / 2);
    approve(rig, "ending-too", 1);
    until("the next leader's Event", || {
        events().into_iter().find(|it| it["regarding"]["name"] == "ending-too")
    })
    .await;
    let told = events().into_iter().filter(|it| it["regarding"]["name"] == "ending").count();
    assert_eq!(told, 1, "the next leader told it again");
    assert!(!events().iter().any(|it| it["regarding"]["name"] == "lasting"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_leader_writes_and_never_into_the_approval() {
    let rig = kinds::rig();
    let replica = Replica::synced(rig, "pod-follows", None).await;
    ask(rig, "followed", now() + 30 * DAY);
    approve(rig, "followed", 1);
    until("the exception to count", || end(&replica, "followed")).await;
    let leader = Replica::synced(rig, "pod-leads-exceptions", None).await;
    leader.leader.send_replace(true);
    stands(rig, "followed", "Approved").await;
    let text = rig
        .kubectl(&["get", "hookexception", "followed", "-o=json", "--show-managed-fields"])
        .expect_ok()
        .stdout;
    let object: Value = serde_json::from_str(&text).unwrap();
    let managers = object["metadata"]["managedFields"].as_array().unwrap().iter();
    let ours: Vec<_> =
        managers.filter(|it| it["manager"].as_str().unwrap().starts_with("hookward")).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    let fields = ours[0]["fieldsV1"].to_string();
    assert!(
        fields.contains("f:conditions") && !fields.contains("approved") && !fields.contains("f:spec"),
        "{fields}"
    );
    assert_eq!(object["status"]["approvedBy"], "bob");
}
