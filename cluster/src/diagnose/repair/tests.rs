//! What is to be done, in which order.

use serde_json::{Value, json};

use super::*;
use crate::diagnose::{
    account,
    testing::{ended, evidence, job, pod},
};

fn facts(status: Status, revision: i64) -> ReleaseFacts {
    ReleaseFacts {
        name: "shop".into(),
        namespace: "demo".into(),
        revision,
        status,
        newest: (revision, status),
        ..ReleaseFacts::default()
    }
}

fn command(facts: &ReleaseFacts, event: Option<Event>) -> String {
    of_release(facts, event)[0].command.clone().unwrap()
}

#[test]
fn a_failed_upgrade_does_not_block_the_next() {
    let facts = ReleaseFacts { deployed: Some(1), good: Some(1), ..facts(Status::Failed, 2) };
    assert_eq!(command(&facts, Some(Event::PreUpgrade)), "helm upgrade shop … -n demo");
    assert_eq!(
        state(&facts, Some(Event::PreUpgrade), Some(100), 340),
        "shop revision 2 is failed since 00:01:40 UTC (4m ago); revision 1 is still deployed and serving."
    );
    assert!(state(&facts, Some(Event::PostUpgrade), None, 0).contains("its objects are live"));
}

#[test]
fn a_failed_install_is_taken_away_first() {
    assert_eq!(command(&facts(Status::Failed, 1), Some(Event::PreInstall)), "helm uninstall shop -n demo");
}

#[test]
fn wedged_releases_have_a_way_out() {
    let with_good = |status| ReleaseFacts { good: Some(1), ..facts(status, 2) };
    assert_eq!(command(&with_good(Status::PendingUpgrade), None), "helm rollback shop 1 -n demo");
    assert_eq!(command(&with_good(Status::PendingRollback), None), "helm rollback shop 1 -n demo");
    assert_eq!(command(&facts(Status::Uninstalling, 1), None), "helm uninstall shop --no-hooks -n demo");
    assert_eq!(command(&facts(Status::PendingInstall, 1), None), "helm uninstall shop -n demo");
}

#[test]
fn what_was_rolled_back_serves_again() {
    let facts = ReleaseFacts {
        newest: (3, Status::Deployed),
        deployed: Some(3),
        good: Some(3),
        ..facts(Status::Failed, 2)
    };
    assert!(state(&facts, None, None, 0).ends_with("Helm rolled it back: revision 3 is deployed."));
}

#[test]
fn nothing_is_done_about_a_release_that_is_well() {
    assert_eq!(of_release(&facts(Status::Deployed, 1), None), []);
}

/// What is said to do, and why.
fn repairs(given: &Value) -> Vec<(Option<String>, String)> {
    let evidence = evidence(given);
    let hook = account::hook(&evidence, &hooks::Mask::default(), 10);
    all(&evidence, &hook).into_iter().map(|one| (one.command, one.text)).collect()
}

fn commands(given: &Value) -> Vec<String> {
    repairs(given).into_iter().filter_map(|(command, _)| command).collect()
}

/// The Job of a revision before.
fn old(reason: &str) -> Value {
    let mut job = job(reason);
    job["metadata"]["creationTimestamp"] = json!("1970-01-12T13:46:00Z");
    job
}

const DELETE: &str = "kubectl -n demo delete job migrate";

#[test]
fn the_first_repair_of_a_failed_job_led_to_already_exists() {
    let seen = |policy: Value| json!({"policy": policy, "job": job("BackoffLimitExceeded"), "pods": [pod(&ended("Error", 3))]});
    let logs = "kubectl -n demo logs migrate-x7k2p -c main";
    assert_eq!(
        commands(&seen(json!("hook-succeeded"))),
        [logs, DELETE, "helm upgrade shop … -n demo"],
        "what it said is looked at before it is deleted"
    );
    assert_eq!(commands(&seen(json!(null))), [logs, "helm upgrade shop … -n demo"]);
}

#[test]
fn a_rollback_that_a_stale_job_blocks_was_to_be_tried_again_and_again() {
    for reason in ["BackoffLimitExceeded", ""] {
        let seen = json!({
            "status": "pending-rollback", "phase": "Running", "policy": "hook-succeeded", "job": old(reason),
            "description": "Rollback to 1",
        });
        assert_eq!(commands(&seen), [DELETE, "helm rollback shop 1 -n demo"]);
    }
}

#[test]
fn a_rollback_whose_own_hook_fails_runs_it_again() {
    let seen = |to: i64| {
        json!({
            "status": "pending-rollback", "phase": "Running", "job": job("BackoffLimitExceeded"),
            "pods": [pod(&ended("Error", 3))], "description": format!("Rollback to {to}"),
        })
    };
    let last = |to| commands(&seen(to)).pop().unwrap();
    assert_eq!(last(1), "helm rollback shop 1 --no-hooks -n demo");
    assert_eq!(last(3), "helm rollback shop 1 -n demo");
}

#[test]
fn what_hangs_was_told_to_try_again() {
    let text = |given: &Value| {
        let found = repairs(given).into_iter().find(|(command, _)| command.as_deref() == Some(DELETE));
        found.unwrap().1
    };
    let running = json!({"metadata": {"name": "migrate-a"}, "status": {"phase": "Running"}});
    let hanging = json!({"job": job(""), "pods": [running], "description": "context deadline exceeded"});
    assert_eq!(text(&hanging), "ends what still runs");
    let mut again = hanging;
    again["job"]["status"]["failed"] = json!(1);
    assert_eq!(text(&again), "stops the retries");
    again["status"] = json!("pending-rollback");
    again["phase"] = json!("Running");
    assert!(text(&again).starts_with("only if no Helm is at work on it; "));
}

#[test]
fn a_job_that_nobody_may_look_at_may_be_in_the_way_all_the_same() {
    let hook = json!({"metadata": {"name": "migrate"}});
    let seen = json!({"hook": hook, "policy": "hook-succeeded", "blind": true});
    assert_eq!(commands(&seen)[0], format!("{DELETE} --ignore-not-found"));
}
