//! Which write comes first, which waits, and which is never made.

use super::*;
use crate::testing::{self, refusal};

fn entry(policy: &str, value: i64) -> Write {
    Write::Replica { policy: policy.to_owned(), pod: "pod-0".to_owned(), status: json!({"value": value}) }
}

#[test]
fn only_the_newest_write_for_a_place_waits() {
    let desk = Desk::default();
    desk.put(entry("a", 1));
    desk.put(entry("a", 2));
    desk.put(entry("b", 3));
    assert_eq!(desk.take(), Some(entry("a", 2)));
    assert_eq!(desk.take(), Some(entry("b", 3)));
    assert_eq!(desk.take(), None);
}

#[test]
fn a_write_that_failed_does_not_come_after_a_newer_one() {
    let desk = Desk::default();
    desk.put(entry("a", 2));
    desk.put_back(entry("a", 1));
    assert_eq!(desk.take(), Some(entry("a", 2)));
}

#[test]
fn the_name_of_a_field_manager_has_a_bound() {
    assert_eq!(manager("hookward-7d9f-x2k4p"), "hookward/hookward-7d9f-x2k4p");
    let long = format!("{}-x2k4p", "a".repeat(240));
    assert_eq!((manager(&long).len(), manager(&long).ends_with("-x2k4p")), (MANAGER_LENGTH, true));
}

/// Lets the desk write until the API server has been asked `count` times; the paths, in their order.
async fn paths(desk: &Desk, refused: &'static str, leader: bool, count: usize) -> Vec<String> {
    let (client, log) = testing::client(move |asked| {
        if asked.path.contains(refused) { refusal(403, "Forbidden") } else { (200, asked.body.clone()) }
    });
    let writing = tokio::spawn(desk.clone().write(client, watch::channel(leader).1));
    while log.lock().unwrap().len() < count {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    writing.abort();
    let log = log.lock().unwrap();
    log.iter().map(|asked| asked.path.rsplit('/').nth(1).unwrap().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_and_holds_up_nothing_else() {
    let desk = Desk::default();
    for policy in ["forbidden", "good", "other"] {
        desk.put(entry(policy, 1));
    }
    let asked = paths(&desk, "/forbidden/", false, 5).await;
    assert_eq!(asked, ["forbidden", "good", "other", "forbidden", "forbidden"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_for_the_leader_is_written_by_no_other() {
    let desk = Desk::default();
    let (name, status) = ("x".to_owned(), json!({}));
    desk.put(Write::Conditions { kind: Kind::HookException, name, status });
    desk.put(Write::Prune { namespace: "n".to_owned(), pod: "p".to_owned(), policies: Vec::new() });
    desk.put(entry("own", 1));
    assert_eq!(paths(&desk, "/nothing/", false, 1).await, ["own"]);
    assert_eq!(desk.take(), None);
}

#[tokio::test(start_paused = true)]
async fn the_entries_of_a_pod_that_is_there_stay() {
    let prune = |pod: &str| {
        let policies = vec!["a".to_owned(), "b".to_owned()];
        Write::Prune { namespace: "n".to_owned(), pod: pod.to_owned(), policies }
    };
    let (client, log) = testing::client(|asked| match asked.path.as_str() {
        "/api/v1/namespaces/n/pods/gone" => refusal(404, "NotFound"),
        "/api/v1/namespaces/n/pods/here" => (200, json!({"metadata": {"name": "here"}})),
        _ => (200, asked.body.clone()),
    });
    for write in [prune("here"), prune("gone")] {
        write.send(&client).await.unwrap();
    }
    let log = log.lock().unwrap();
    let patched: Vec<_> =
        log.iter().filter(|asked| asked.method == "PATCH").map(|asked| &asked.path).collect();
    let path = |policy: &str| format!("/apis/hookward.dev/v1alpha1/hookpolicies/{policy}/status");
    assert_eq!(patched, [&path("a"), &path("b")]);
}
