//! Exceptions that went through several hands, or came back under the same name.

use super::*;

#[test]
fn whoever_changed_it_could_approve_it_once_somebody_else_had_changed_it_too() {
    let office = Office::open("changed-again");
    let _ = office.ask(&json!({})).expect_ok();
    let _ = office.change(&office.carol, &json!({"namespaces": ["*"], "names": ["nothing"]})).expect_ok();
    let refused = ["changed it, so somebody else has to approve it"];
    assert_refused(&office.approve(&office.carol, 2), &refused);
    let _ = office.change(&office.alice, &json!({"reason": "ticket 8"})).expect_ok();
    assert_refused(&office.approve(&office.carol, 3), &refused);
    let people = json!([office.alice.name(), office.carol.name()]);
    for forged in [Value::Null, json!([office.alice.name()])] {
        let _ = office.change(&office.carol, &json!({"authors": forged})).expect_ok();
        assert_eq!(office.stored()["spec"]["authors"], people);
    }
    assert_refused(&office.approve(&office.carol, 3), &refused);
    let _ = office.approve(&office.bob, 3).expect_ok();
    assert_eq!(office.stored()["status"]["approvedBy"], office.bob.name());
}

#[test]
fn an_approval_reached_another_exception_of_the_same_name() {
    let office = Office::open("same-name");
    let name = office.place.namespace.as_str();
    // What the author was told to hand on, as it was told.
    let printed = |asked: &Ran| {
        let said = asked.stderr.split_once(" -p '").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0;
        serde_json::from_str::<Value>(said).unwrap()
    };
    let reviewed = printed(&office.ask(&json!({})).expect_ok());
    assert_eq!(reviewed, json!({"status": office.approval(1)}), "the uid is known when it is printed");
    let _ = office.alice.kubectl(&["delete", "hookexception", name], "").expect_ok();
    let wide = office.ask(&json!({"rules": ["*"], "namespaces": ["*"], "names": ["nothing"]})).expect_ok();
    assert_eq!(office.stored()["metadata"]["generation"], 1, "the generation tells nothing");
    let refused = ["/status/approvedUID", "there is another exception of this name now"];
    assert_refused(&office.patch(&office.bob, &APPROVE, &reviewed), &refused);
    assert!(office.stored()["status"].get("approvedBy").is_none());
    let _ = office.patch(&office.bob, &APPROVE, &printed(&wide)).expect_ok();
    assert_eq!(office.stored()["status"]["approvedBy"], office.bob.name());
}

#[test]
fn an_approval_by_hand_needs_no_uid_and_is_told_what_that_means() {
    let office = Office::open("by-hand");
    let _ = office.ask(&json!({})).expect_ok();
    let by_hand = json!({"status": {"approvedGeneration": 1}});
    let approved = office.patch(&office.bob, &APPROVE, &by_hand).expect_ok();
    assert!(approved.stderr.contains("names no status.approvedUID"), "{}", approved.stderr);
    assert_eq!(office.stored()["status"]["approvedBy"], office.bob.name());
}

#[test]
fn what_is_deleted_counts_no_more_and_what_is_on_its_way_out_gets_no_favours() {
    let office = Office::open("deleted");
    let name = office.place.namespace.as_str();
    let carol_asks = || {
        let exception = office.exception(&json!({})).to_string();
        let _ = office.carol.kubectl(&["create", "--filename=-"], &exception).expect_ok();
    };
    carol_asks();
    let _ = office.approve(&office.bob, 1).expect_ok();
    office.waits_until_it_counts(true);
    let _ = office.carol.kubectl(&["delete", "hookexception", name], "").expect_ok();
    office.waits_until_it_counts(false);
    carol_asks();
    assert!(office.stored()["status"].get("approvedGeneration").is_none(), "it is another one");
    let finalizers = |list: Value| {
        office
            .patch(&office.carol, &["--type=merge", "--patch"], &json!({"metadata": {"finalizers": list}}))
            .expect_ok()
    };
    let _ = finalizers(json!(["test.hookward.dev/stays"]));
    let _ = office.carol.kubectl(&["delete", "hookexception", name, "--wait=false"], "").expect_ok();
    // The mark of deletion is a change by itself, and voids what was approved.
    assert_refused(&office.approve(&office.carol, 2), &["asked for it"]);
    let _ = finalizers(json!([]));
}
