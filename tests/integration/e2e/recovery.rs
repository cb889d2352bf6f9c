//! Taking back is never blocked, whatever the release that is taken back looks like.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, ending, hook_job, settings},
    rig::Helm,
};

use super::{ALL, Place, assert_refused, assert_says, atomic, revisions, with_both_helms};

with_both_helms! {
    rollback_and_uninstall_pass_where_an_upgrade_is_refused
    a_failed_upgrade_rolls_back_by_itself
    a_failed_install_uninstalls_itself
}

/// Refuses every Job below.
const DEADLINES: &str = "
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: deadlines}
spec:
  rules:
    job-deadline-missing: {mode: deny}
";

/// A hook of each event that takes something back, all against the policy.
fn lax(value: &str) -> Vec<Value> {
    let events = ["pre-rollback", "post-rollback", "pre-delete", "post-delete"];
    events.iter().map(|event| hook_job(event, event)).chain([settings(value)]).collect()
}

fn within_the_policy(job: Value) -> Value {
    changed(job, "/spec", "activeDeadlineSeconds", json!(60))
}

#[track_caller]
fn assert_ran(place: &Place, jobs: &[&str]) {
    for name in jobs {
        assert_eq!(place.job(name)["status"]["succeeded"], 1, "{name}");
    }
}

fn rollback_and_uninstall_pass_where_an_upgrade_is_refused(helm: Helm) {
    let place = Place::unguarded("recovery");
    let bad = |value: &str| Chart::new(&[lax(value), vec![hook_job("migrate", "pre-upgrade")]].concat());
    let _ = place.install(helm, &bad("1")).expect_ok();
    let _ = place.upgrade(helm, &bad("2")).expect_ok();
    let place = place.guard(DEADLINES, &ALL);
    assert_refused(&place.upgrade(helm, &bad("3")), &["`job-deadline-missing`: Job \"migrate\""]);

    let rolled_back = place.helm(helm, "rollback", None, &["1"]).expect_ok();
    assert_says(&rolled_back, &["Warning: `job-deadline-missing`"]);
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "1");
    assert_eq!(place.history(helm), revisions(&[(1, "superseded"), (2, "superseded"), (3, "deployed")]));
    assert_ran(&place, &["pre-rollback", "post-rollback"]);

    let _ = place.helm(helm, "uninstall", None, &[]).expect_ok();
    assert!(place.find("configmap", "settings").is_none());
    assert_ran(&place, &["pre-delete", "post-delete"]);
}

fn a_failed_upgrade_rolls_back_by_itself(helm: Helm) {
    let place = Place::unguarded("recovery-atomic");
    let _ = place.install(helm, &Chart::new(&lax("1"))).expect_ok();
    let place = place.guard(DEADLINES, &ALL);
    let failing = within_the_policy(ending(hook_job("migrate", "post-upgrade"), "fail"));
    let failing = changed(failing, "/spec", "backoffLimit", json!(0));
    let chart = Chart::new(&[failing, settings("2")]);
    let failed = place.helm(helm, "upgrade", Some(chart.path()), &[atomic(helm)]);
    assert_refused(&failed, &["post-upgrade hooks failed"]);
    assert_eq!(place.history(helm), revisions(&[(1, "superseded"), (2, "failed"), (3, "deployed")]));
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "1");
    assert_ran(&place, &["pre-rollback", "post-rollback"]);
}

fn a_failed_install_uninstalls_itself(helm: Helm) {
    let place = Place::unguarded("recovery-install").guard(DEADLINES, &ALL);
    let failing = within_the_policy(ending(hook_job("migrate", "post-install"), "fail"));
    let failing = changed(failing, "/spec", "backoffLimit", json!(0));
    let chart = Chart::new(&[lax("1"), vec![failing]].concat());
    let failed = place.helm(helm, "install", Some(chart.path()), &[atomic(helm)]);
    assert_refused(&failed, &["has been uninstalled due to"]);
    assert_ran(&place, &["pre-delete", "post-delete"]);
    assert!(place.find("configmap", "settings").is_none());
    let secrets = place.kubectl(&["get", "secrets", "--output=name"], "").expect_ok();
    assert_eq!(secrets.stdout, "");
}
