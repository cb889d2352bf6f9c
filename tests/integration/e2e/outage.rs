//! What happens while nobody answers.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, ending, hook_job, settings, suspended_job},
    rig::Helm,
    server::Server,
};

use super::{ALL, Place, SOON, assert_refused, revisions, with_both_helms};

with_both_helms! {
    hooks_fail_closed_and_releases_without_hooks_go_on
    hooks_that_take_back_go_on
}

/// A guarded place whose server has gone.
fn abandoned(prefix: &str) -> Place {
    let mut place = Place::guarded(prefix);
    place.server().kill();
    place
}

fn hooks_fail_closed_and_releases_without_hooks_go_on(helm: Helm) {
    let place = abandoned("outage");
    // Neither the gate nor the repair stops anything; the judgement of hooks does.
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let refused = place.upgrade(helm, &Chart::new(&[hook_job("migrate", "pre-upgrade"), settings("2")]));
    assert_refused(&refused, &["UPGRADE FAILED: ", "failed calling webhook \"validate.hookward.dev\""]);
    assert_eq!(place.history(helm), revisions(&[(1, "deployed"), (2, "failed")]));
    let _ = place.upgrade(helm, &Chart::new(&[settings("3")])).expect_ok();
}

fn hooks_that_take_back_go_on(helm: Helm) {
    let place = abandoned("outage-recovery");
    let hooks = [hook_job("before", "pre-rollback"), hook_job("last", "pre-delete"), settings("1")];
    let _ = place.install(helm, &Chart::new(&hooks)).expect_ok();
    let _ = place.upgrade(helm, &Chart::new(&[settings("2")])).expect_ok();
    let _ = place.helm(helm, "rollback", None, &["1"]).expect_ok();
    let job = place.job("before");
    assert_eq!(job["status"]["succeeded"], 1);
    assert_eq!(job["spec"].get("ttlSecondsAfterFinished"), None);
    let _ = place.helm(helm, "uninstall", None, &[]).expect_ok();
    assert_eq!(place.job("last")["status"]["succeeded"], 1);
}

/// With the profile `audit` nothing is refused, so an outage refuses nothing either.
#[test]
fn under_audit_an_outage_stops_nothing() {
    for helm in Helm::ALL {
        let mut place = Place::unguarded("outage-audit").guard_by(Server::start("audit", ""), &ALL);
        let marked = place.create(&suspended_job("seen", "pre-install")).expect_ok();
        assert_eq!(marked.stderr, "");
        place.server().kill();
        let _ = place.install(helm, &Chart::new(&[hook_job("migrate", "pre-install")])).expect_ok();
        let job: Value = place.job("migrate");
        assert_eq!(job["status"]["succeeded"], 1);
        assert_eq!(job["spec"]["backoffLimit"], json!(6));
    }
}

/// The finalizer of a deletion in the foreground was kept, since taking it away is an update like others.
#[test]
fn a_hook_deleted_in_the_foreground_goes_while_nobody_answers() {
    let mut place = Place::guarded("outage-foreground");
    for (name, events) in [("forward", "pre-install"), ("back", "pre-rollback")] {
        let _ = place.create(&hook_job(name, events)).expect_ok();
    }
    place.server().kill();
    for name in ["forward", "back"] {
        let delete = ["delete", "job", name, "--cascade=foreground", "--wait=false"];
        let _ = place.kubectl(&delete, "").expect_ok();
        place.rig.wait_for("the Job to go", SOON, || place.find("job", name).is_none().then_some(()));
    }
}

/// So does the controller that removes what has ended, and it is us who set the time after which.
#[test]
fn a_hook_whose_time_is_over_goes_while_nobody_answers() {
    let place = Place::unguarded("outage-ttl");
    let job = changed(hook_job("migrate", "pre-install"), "/spec", "ttlSecondsAfterFinished", json!(0));
    let _ = place.create(&ending(job, "hang")).expect_ok();
    let mut place = place.guard("", &ALL);
    place.server().kill();
    place.rig.wait_for("the pod to be let go", SOON, || {
        let pods = ["annotate", "pods", "-l=job-name=migrate", "hookward.dev/outcome-"];
        place.kubectl(&pods, "").stdout.contains("annotated").then_some(())
    });
    place.rig.wait_for("the Job to go", SOON, || place.find("job", "migrate").is_none().then_some(()));
}

#[test]
fn finalizers_leave_only_what_is_deleted_while_nobody_answers() {
    let mut place = Place::guarded("outage-finalizers");
    let held = json!(["example.com/hold"]);
    let _ = place
        .create(&changed(hook_job("migrate", "pre-install"), "/metadata", "finalizers", held))
        .expect_ok();
    place.server().kill();
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let release = || place.kubectl(&["patch", "job", "migrate", "--type=merge", "--patch", patch], "");
    assert_refused(&release(), &["failed calling webhook \"validate.hookward.dev\""]);
    let _ = place.kubectl(&["delete", "job", "migrate", "--wait=false"], "").expect_ok();
    let _ = release().expect_ok();
    place.rig.wait_for("the Job to go", SOON, || place.find("job", "migrate").is_none().then_some(()));
}
