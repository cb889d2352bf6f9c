//! What is written while our webhooks are not registered, and what the operations page does about it.

use tests::{
    registration::Registration,
    walkthrough::{Reader, Step, steps},
};

use super::*;

/// What the operations page says to do once we are registered again, for the exceptions of one test.
fn clean_up(office: &Office) -> String {
    let page = std::fs::read_to_string(crate::architecture::root().join("docs/operations.md")).unwrap();
    let steps = steps(&page, "Break-glass");
    let Some(Step::Commands(afterwards)) = steps.last() else { panic!("the chapter is not what it was") };
    let (_, commands) = afterwards.split_once("--timeout=60s\n").unwrap();
    let mine = format!(" hookexceptions --selector={LABEL}={} ", office.place.namespace);
    commands.replace(" --all ", " ").replace(" hookexceptions ", &mine)
}

#[test]
fn what_was_written_while_nobody_guarded_it_is_believed_until_it_is_deleted() {
    let mut office = Office::open("unguarded");
    let name = office.place.namespace.clone();
    let others = json!({"requestedBy": office.alice.name(), "changedBy": office.alice.name(), "authors": [office.alice.name()]});
    let asked = |office: &Office, name: &str, flags: &[&str]| {
        let mut exception = office.exception(&others);
        exception["metadata"]["name"] = json!(name);
        office
            .carol
            .kubectl(&[&["create", "--filename=-"], flags].concat(), &exception.to_string())
            .expect_ok()
    };
    // Whoever is asked says what is next.
    let waits_until_guarded = |office: &Office, is_guarded: bool| {
        office.place.rig.wait_for("the guard to be there, or not", SOON, || {
            let asked = asked(office, &format!("{name}-dry"), &["--dry-run=server"]);
            (asked.stderr.contains("not in force") == is_guarded).then_some(())
        });
    };
    office.place.registration = None;
    waits_until_guarded(&office, false);
    let _ = asked(&office, &name, &[]);
    let kept = json!({"metadata": {"finalizers": ["test.hookward.dev/stays"]}});
    let _ = office.patch(&office.carol, &["--type=merge", "--patch"], &kept).expect_ok();
    let mut forged = office.approval(1);
    forged["approvedBy"] = json!(office.bob.name());
    forged["approvedAt"] = json!("2026-01-01T00:00:00Z");
    let _ = office.patch(&office.carol, &APPROVE, &json!({"status": forged})).expect_ok();
    office.place.registration =
        Some(Registration::new(office.place.rig, office.place.server.as_ref().unwrap(), &name, &WEBHOOKS));
    waits_until_guarded(&office, true);
    office.waits_until_it_counts(true);

    // Taking the approval back is not enough.
    let _ = office.patch(&office.bob, &APPROVE, &json!({"status": {"approvedGeneration": null}})).expect_ok();
    office.waits_until_it_counts(false);
    let _ = office.approve(&office.carol, 1).expect_ok();
    office.waits_until_it_counts(true);

    let reader = Reader::new(office.place.rig, Helm::V4, &crate::architecture::root());
    let _ = reader.run(&clean_up(&office)).expect_ok();
    office.waits_until_it_counts(false);
    let _ = asked(&office, &name, &[]);
    assert_refused(&office.approve(&office.carol, 1), &["asked for it, so somebody else has to approve it"]);
}
