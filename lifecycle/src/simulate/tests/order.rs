//! Which hooks of an event run, and in which order.

use super::*;

#[test]
fn weight_goes_before_name_and_name_before_kind() {
    let chart = [
        job("b", "pre-install", &[("hook-weight", "0")]),
        config_map("c", "pre-install", &[("hook-weight", "0")], "x"),
        job("z", "pre-install", &[("hook-weight", "-1")]),
        job("a", "pre-install", &[("hook-weight", "1")]),
    ];
    for mut release in both() {
        assert_eq!(ran(&release.install(&chart.concat())), ["z", "b", "c", "a"]);
    }
}

#[test]
fn kind_decides_between_equal_weights_and_names() {
    let chart = [job("x", "pre-install", &[]), config_map("x", "pre-install", &[], "y")].concat();
    for mut release in both() {
        let sent = steps(&release.install(&chart));
        assert!(sent[1].contains("ConfigMap/x") && sent[3].contains("Job/x"), "{sent:?}");
    }
}

#[test]
fn what_is_no_number_weighs_nothing() {
    let chart = [
        job("c", "pre-install", &[("hook-weight", " 5")]),
        job("b", "pre-install", &[("hook-weight", "1.5")]),
        job("a", "pre-install", &[("hook-weight", "1")]),
    ];
    assert_eq!(ran(&helm("4").install(&chart.concat())), ["b", "c", "a"]);
}

#[test]
fn a_hook_that_names_the_event_twice_runs_twice() {
    for mut release in both() {
        let played = release.install(&job("x", "pre-install,pre-install", &[]));
        assert_eq!(steps(&played).iter().filter(|step| step.ends_with("wait Job/x ok")).count(), 2);
    }
}

#[test]
fn of_two_hooks_of_one_name_the_second_deletes_the_first() {
    let first = job("x", "pre-install", &[("hook-weight", "1")]);
    let second = job("x", "pre-install", &[("hook-weight", "2")]);
    for mut release in both() {
        let played = release.install(&(first.clone() + &second));
        let deleted: Vec<_> = steps(&played).into_iter().filter(|step| step.contains("delete")).collect();
        assert_eq!(deleted, ["pre-install delete Job/x absent", "pre-install delete Job/x ok"]);
    }
}

#[test]
fn a_hook_with_an_unknown_event_is_neither_run_nor_installed() {
    for mut release in both() {
        let played = release.install(&job("x", "pre-install,post-instal", &[]));
        assert!(played.steps.is_empty());
        assert_eq!(left(&played), "");
    }
}

#[test]
fn each_action_runs_its_own_events() {
    let events = "pre-install,post-install,pre-upgrade,post-upgrade,pre-rollback,post-rollback,pre-delete,post-delete,test";
    let chart = job("x", events, &[]) + &resource("ConfigMap", "own", "");
    for mut release in both() {
        let waits = |played: Played| {
            let waits: Vec<_> = steps(&played).into_iter().filter(|step| step.contains("wait")).collect();
            waits.iter().map(|step| step.replace(" wait Job/x ok", "")).collect::<Vec<_>>()
        };
        assert_eq!(waits(release.install(&chart)), ["pre-install", "post-install"]);
        assert_eq!(waits(release.upgrade(&chart)), ["pre-upgrade", "post-upgrade"]);
        assert_eq!(waits(release.rollback(1)), ["pre-rollback", "post-rollback"]);
        assert_eq!(waits(release.test()), ["test"]);
        assert_eq!(waits(release.uninstall()), ["pre-delete", "post-delete"]);
    }
}

#[test]
fn ordinary_resources_are_one_step_between_the_hooks() {
    let chart = job("a", "pre-install", &[])
        + &job("b", "post-install", &[])
        + &resource("ConfigMap", "one", "")
        + &resource("Secret", "two", "");
    for mut release in both() {
        let played = release.install(&chart);
        let manifest: Vec<_> = steps(&played);
        assert_eq!(manifest[3], "manifest ok");
        assert_eq!(manifest.iter().filter(|step| *step == "manifest ok").count(), 1);
        assert_eq!(played.steps[3].message.as_deref(), Some("2 created"));
        assert!(played.steps[3].object.is_none() && played.steps[3].event.is_none());
    }
}

#[test]
fn a_failing_hook_stops_all_that_come_after_it() {
    let chart = job_that("fail", "a", "pre-install", &[])
        + &job("b", "pre-install", &[])
        + &resource("ConfigMap", "own", "");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(ran(&played), ["a"]);
        assert!(!steps(&played).iter().any(|step| step.contains("manifest")));
    }
}

#[test]
fn an_upgrade_of_many_resources_took_time_squared() {
    let text: String = (0..10_000).map(|number| resource("ConfigMap", &format!("c{number}"), "")).collect();
    let mut release = helm("4");
    release.install(&text);
    assert_eq!(release.upgrade(&text).steps[0].message.as_deref(), Some("10000 updated"));
}
