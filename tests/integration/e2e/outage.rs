//! What happens while nobody answers.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, hook_job, settings, suspended_job},
    rig::Helm,
    server::Server,
};

use super::{ALL, Place, assert_refused, revisions, with_both_helms};

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
