//! Exceptions that went through several hands, or came back under the same name.

use super::*;

#[tokio::test]
async fn whoever_changed_it_could_approve_it_once_somebody_else_had_changed_it_too() {
    let mut cluster = Cluster::with_exception().await;
    cluster.update("carol", |object| object["spec"]["namespaces"] = json!(["*"])).await.unwrap();
    cluster.update("alice", |object| object["spec"]["reason"] = json!("ticket 8")).await.unwrap();
    assert_eq!(cluster.stored["spec"]["authors"], json!(["alice", "carol"]));
    refused(cluster.approve("carol", 3).await, "changed it, so somebody else has to approve it");
    cluster
        .update("carol", |object| {
            object["spec"].as_object_mut().unwrap().remove("authors");
        })
        .await
        .unwrap();
    let forged = json!(["alice"]);
    cluster.update("carol", |object| object["spec"]["authors"] = forged).await.unwrap();
    assert_eq!(cluster.stored["spec"]["authors"], json!(["alice", "carol"]), "restored");
    cluster.approve("bob", 3).await.unwrap();
    cluster.update("alice", |object| object["spec"]["reason"] = json!("ticket 9")).await.unwrap();
    refused(cluster.approve("carol", 4).await, "changed it");
}

#[tokio::test]
async fn an_exception_from_before_all_were_kept_begins_with_those_it_names() {
    let mut cluster = Cluster::with_exception().await;
    cluster.update("carol", |object| object["spec"]["reason"] = json!("ticket 8")).await.unwrap();
    cluster.stored["spec"].as_object_mut().unwrap().remove("authors");
    cluster.update("dave", |object| object["metadata"]["labels"] = json!({"team": "shop"})).await.unwrap();
    assert_eq!(cluster.stored["spec"].get("authors"), None, "nothing was changed");
    cluster.update("dave", |object| object["spec"]["reason"] = json!("ticket 9")).await.unwrap();
    assert_eq!(cluster.stored["spec"]["authors"], json!(["alice", "carol", "dave"]));
}

#[tokio::test]
async fn who_would_be_forgotten_makes_a_new_one() {
    let mut cluster = Cluster::with_exception().await;
    for person in 1..MOST_AUTHORS {
        let reason = json!(format!("ticket {person}"));
        cluster.update(&format!("p{person}"), |object| object["spec"]["reason"] = reason).await.unwrap();
    }
    let change = |object: &mut Value| object["spec"]["reason"] = json!("once more");
    refused(cluster.update("mallory", change).await, "16 people have changed it");
    cluster.update("p3", change).await.unwrap();
    refused(cluster.approve("p1", 17).await, "changed it");
    cluster.approve("mallory", 17).await.unwrap();
}

#[tokio::test]
async fn an_approval_reached_another_exception_of_the_same_name() {
    let mut cluster = Cluster::with_exception().await;
    let reviewed = cluster.printed();
    assert_eq!(reviewed, json!({"approvedGeneration": 1, "approvedUID": "uid-1"}));
    cluster.stored = Value::Null;
    let mut wide = exception();
    wide["spec"]["namespaces"] = json!(["*"]);
    cluster.create("alice", wide).await.unwrap();
    refused(cluster.status("bob", reviewed).await, "there is another exception of this name now");
    let unread = json!({"approvedGeneration": 1, "approvedUID": ""});
    refused(cluster.status("bob", unread).await, "/status/approvedUID");
    let printed = cluster.printed();
    cluster.status("bob", printed).await.unwrap();
    assert_eq!(
        (cluster.approver(), &cluster.stored["status"]["approvedUID"]),
        (&json!("bob"), &json!("uid-2"))
    );
    // The next generation of the same one needs no other uid.
    cluster.update("alice", |object| object["spec"]["reason"] = json!("ticket 8")).await.unwrap();
    cluster.status("bob", json!({"approvedGeneration": 2})).await.unwrap();
}

#[tokio::test]
async fn an_approval_by_hand_needs_no_uid_and_is_told_what_that_means() {
    let mut cluster = Cluster::with_exception().await;
    cluster.status("bob", json!({"approvedGeneration": 1})).await.unwrap();
    assert!(cluster.warnings.contains("names no status.approvedUID"), "{}", cluster.warnings);
    assert_eq!(cluster.approver(), &json!("bob"));
}
