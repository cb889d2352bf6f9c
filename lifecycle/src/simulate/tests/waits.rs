//! What Helm waits for, how long, and what it takes for an end.

use super::*;

#[test]
fn a_job_is_awaited_and_a_config_map_is_not() {
    let chart = job("a", "pre-install", &[]) + &config_map("b", "pre-install", &[], "x");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(wait(&played), (StepResult::Ok, "", 1.0));
    }
}

#[test]
fn a_pod_is_awaited_until_it_ends() {
    for mut release in both() {
        assert_eq!(wait(&release.install(&pod("x", "pre-install", &[], ""))), (StepResult::Ok, "", 1.0));
    }
}

#[test]
fn a_hanging_job_is_given_up_after_the_timeout_and_goes_on() {
    for mut release in both() {
        let chart = job_that("hang", "x", "pre-install", &[]);
        let played = release.play(Action::Install, &chart, |flags| seconds(flags, 12));
        assert_eq!(wait(&played), (StepResult::Timeout, "it goes on running when Helm has given up", 12.0));
        assert_eq!(left(&played), "Job/x");
    }
}

#[test]
fn a_job_that_fails_again_and_again_looked_as_if_it_hung() {
    let told = |spec: &str, outcome: &str, timeout: u64| {
        let chart = job_with(
            "x",
            "pre-install",
            &[],
            spec,
            &format!("annotations: {{hookward.dev/outcome: {outcome}}}"),
        );
        let played = helm("4").play(Action::Install, &chart, |flags| seconds(flags, timeout));
        let (result, message, _) = wait(&played);
        assert_eq!(result, StepResult::Timeout, "{message}");
        message.to_owned()
    };
    assert_eq!(told("", "fail", 300), "5 pods have failed, and backoffLimit 6 lets it try for 337s more");
    assert_eq!(told("", "fail", 5), "1 pod has failed, and backoffLimit 6 lets it try for 632s more");
    assert_eq!(told("", "hang", 300), "it goes on running when Helm has given up");
    assert_eq!(told("", "6m", 300), "it goes on running when Helm has given up");
    let deadline = told("activeDeadlineSeconds: 400,", "fail", 300);
    assert_eq!(deadline, "5 pods have failed, and its deadline lets it try for 100s more");
    let chart = job("x", "pre-install", &[]).replace("Never", "OnFailure");
    let fails = Outcomes::from([("Job/x".to_owned(), "fail".parse().unwrap())]);
    let played = helm("3").play_with(Action::Install, &chart, fails, |flags| seconds(flags, 300));
    let words = "its containers have failed 5 times, and backoffLimit 6 lets it try for 316s more";
    assert_eq!(wait(&played), (StepResult::Timeout, words, 300.0));
}

#[test]
fn each_hook_has_the_whole_timeout() {
    let hangs = |name| job_with(name, "pre-install", &[], "", "annotations: {hookward.dev/outcome: 8s}");
    for mut release in both() {
        let chart = hangs("a") + &hangs("b") + &hangs("c");
        let played = release.play(Action::Install, &chart, |flags| seconds(flags, 10));
        succeeds(&played);
        assert!((played.steps.last().unwrap().at - 24.0).abs() < 0.001);
    }
}

#[test]
fn the_default_back_off_limit_outlasts_helms_timeout() {
    let fails_slowly = job_with("x", "pre-install", &[], "", "annotations: {hookward.dev/outcome: fail}");
    for mut release in both() {
        let played = release.install(&fails_slowly);
        let (result, _, at) = wait(&played);
        assert_eq!((result, at), (StepResult::Timeout, 300.0));
    }
}

#[test]
fn a_small_back_off_limit_gives_a_prompt_failure() {
    let chart =
        job_with("x", "pre-install", &[], "backoffLimit: 1,", "annotations: {hookward.dev/outcome: fail}");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(wait(&played), (StepResult::Failed, "BackoffLimitExceeded after 2 failed pods", 12.0));
    }
}

#[test]
fn a_deadline_ends_what_hangs() {
    let chart = job_with(
        "x",
        "pre-install",
        &[],
        "activeDeadlineSeconds: 20,",
        "annotations: {hookward.dev/outcome: hang}",
    );
    for mut release in both() {
        let played = release.install(&chart);
        let (result, message, _) = wait(&played);
        assert_eq!((result, message), (StepResult::Failed, "DeadlineExceeded after 1 failed pod"));
    }
}

#[test]
fn a_suspended_job_is_never_over() {
    let chart = job_with("x", "pre-install", &[], "suspend: true,", "");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(wait(&played), (StepResult::Timeout, "it is suspended", 300.0));
    }
}

#[test]
fn a_pod_that_is_always_restarted_is_never_over() {
    let chart = pod("x", "pre-install", &[], "").replace("restartPolicy: Never", "restartPolicy: Always");
    for mut release in both() {
        assert_eq!(wait(&release.install(&chart)).0, StepResult::Timeout);
    }
}

#[test]
fn a_hook_that_needs_what_comes_later_waits_until_the_timeout() {
    let needs = "volumes: [{name: db, secret: {secretName: db}}]";
    let chart = pod("x", "pre-install", &[], needs) + &resource("Secret", "db", "");
    for mut release in both() {
        let played = release.install(&chart);
        assert_eq!(
            wait(&played),
            (
                StepResult::Timeout,
                "its pods cannot start without Secret \"db\", which this release makes only later",
                300.0
            )
        );
    }
}

#[test]
fn what_an_uninstall_had_deleted_was_said_to_come_only_later() {
    let needs = "volumes: [{name: db, secret: {secretName: db}}]";
    let chart = pod("x", "post-delete", &[], needs) + &resource("Secret", "db", "");
    for mut release in both() {
        succeeds(&release.install(&chart));
        let played = release.uninstall();
        let said = "its pods cannot start without Secret \"db\", which this uninstall has deleted";
        assert_eq!(wait(&played), (StepResult::Timeout, said, 300.0));
    }
}

#[test]
fn what_a_delete_policy_had_deleted_was_missing_without_a_word() {
    let settings = [("hook", "pre-install"), ("hook-delete-policy", "hook-succeeded")];
    let needs = "volumes: [{name: db, secret: {secretName: db}}]";
    let chart = pod("x", "post-install", &[], needs) + &hook("Secret", "db", &settings, "");
    for mut release in both() {
        let said = "its pods cannot start without Secret \"db\", which a delete policy has deleted before";
        assert_eq!(wait(&release.install(&chart)), (StepResult::Timeout, said, 300.0));
    }
}

#[test]
fn a_hook_of_lower_weight_can_bring_what_a_later_one_needs() {
    let needs = "volumes: [{name: db, secret: {secretName: db}}]";
    let secret = hook("Secret", "db", &[("hook", "pre-install"), ("hook-weight", "-1")], "");
    for mut release in both() {
        succeeds(&release.install(&(pod("x", "pre-install", &[], needs) + &secret)));
    }
}

#[test]
fn a_ttl_of_nothing_is_seen_in_time() {
    let chart = job_with("x", "pre-install", &[], "ttlSecondsAfterFinished: 0,", "");
    for mut release in both() {
        let played = release.install(&chart);
        succeeds(&played);
        assert_eq!(wait(&played).0, StepResult::Ok);
    }
}

#[test]
fn a_policy_without_before_hook_creation_fails_helm_3_and_makes_helm_4_believe_in_an_old_success() {
    let chart = job("x", "pre-install,pre-upgrade", &[("hook-delete-policy", "hook-failed")]);
    let mut three = helm("3");
    three.install(&chart);
    let played = three.upgrade(&chart);
    fails(
        &played,
        "UPGRADE FAILED: pre-upgrade hooks failed: warning: Hook pre-upgrade demo/templates/x.yaml failed: 1 error occurred:",
    );
    assert_eq!(steps(&played), ["pre-upgrade create Job/x failed"]);
    assert_eq!(played.steps[0].message.as_deref(), Some("jobs.batch \"x\" already exists"));
    let mut four = helm("4");
    four.install(&chart);
    let played = four.upgrade(&chart);
    succeeds(&played);
    assert_eq!(steps(&played), ["pre-upgrade apply Job/x ok", "pre-upgrade wait Job/x stale"]);
    assert_eq!(wait(&played).1, "an earlier run succeeded 1s ago, and nothing ran now");
}

#[test]
fn helm_4_reads_an_old_failure_too() {
    let chart = job_that("fail", "x", "pre-install,pre-upgrade", &[("hook-delete-policy", "hook-succeeded")]);
    let mut release = helm("4");
    release.install(&chart);
    let played = release.upgrade(&chart);
    fails(
        &played,
        "UPGRADE FAILED: pre-upgrade hooks failed: resource Job/demo/x not ready. status: Failed, message: Job Failed. failed: 1/1",
    );
    assert_eq!(wait(&played).0, StepResult::Stale);
}

#[test]
fn an_old_job_that_its_ttl_took_away_runs_again() {
    let chart = job_with(
        "x",
        "pre-install,pre-upgrade",
        &[("hook-delete-policy", "hook-failed")],
        "ttlSecondsAfterFinished: 60,",
        "",
    );
    for mut release in both() {
        release.install(&chart);
        release.0.rest(120_000);
        let played = release.upgrade(&chart);
        succeeds(&played);
        assert_eq!(wait(&played), (StepResult::Ok, "", 1.0));
    }
}

#[test]
fn helm_4_cannot_change_the_template_of_an_old_job() {
    let policy = [("hook-delete-policy", "hook-failed")];
    let mut release = helm("4");
    release.install(&job("x", "pre-install,pre-upgrade", &policy));
    let changed = job_with("x", "pre-install,pre-upgrade", &policy, "", "labels: {version: two}");
    let played = release.upgrade(&changed);
    assert_eq!(steps(&played), ["pre-upgrade apply Job/x failed"]);
    let message = played.steps[0].message.as_deref().unwrap();
    assert!(message.starts_with("Job.batch \"x\" is invalid: spec.template: Invalid value: "), "{message}");
}

#[test]
fn a_pod_that_hangs_and_is_deleted_for_it_is_told_to_stop_and_not_to_be_held() {
    let policy = [("hook-delete-policy", "hook-failed")];
    let chart = pod("x", "pre-install", &policy, "").replace("Never", "Always");
    let played = helm("3").play(Action::Install, &chart, |flags| seconds(flags, 5));
    assert_eq!(steps(&played).last().unwrap(), "pre-install delete Pod/x timeout");
    let message = played.steps.last().unwrap().message.as_deref();
    assert_eq!(message, Some("it is still there: its containers have 30s to stop"));
}

#[test]
fn a_pod_that_is_going_while_helm_4_waits_for_it_is_told_as_what_it_is() {
    let chart = pod("x", "pre-install,pre-upgrade", &[], "").replace("Never", "Always");
    let mut release = helm("4");
    release.play(Action::Install, &chart, |flags| seconds(flags, 5));
    let played = release.play(Action::Upgrade, &chart, |flags| seconds(flags, 5));
    assert_eq!(wait(&played), (StepResult::Timeout, "it is being deleted, and no other one runs", 5.0));
}

#[test]
fn without_wait_helm_4_applies_onto_a_pod_that_is_going() {
    let chart = pod("x", "pre-install,pre-upgrade", &[], "").replace("Never", "Always");
    let mut release = helm("4");
    release.play(Action::Install, &chart, |flags| seconds(flags, 5));
    let played = release.upgrade(&chart);
    assert_eq!(steps(&played)[..2], ["pre-upgrade delete Pod/x ok", "pre-upgrade apply Pod/x ok"]);
    assert_eq!(played.steps[1].message.as_deref(), Some("onto the one that is being deleted"));
    assert_eq!(played.exit, 1);
    let mut release = helm("3");
    release.play(Action::Install, &chart, |flags| seconds(flags, 5));
    let played = release.play(Action::Upgrade, &chart, |flags| seconds(flags, 60));
    assert_eq!(steps(&played)[1], "pre-upgrade create Pod/x ok");
    assert!((played.steps[1].at - 32.0).abs() < 0.001, "{}", played.steps[1].at);
}

#[test]
fn with_no_timeout_helm_3_waits_for_ever_and_helm_4_half_a_minute() {
    let chart = job_that("hang", "x", "pre-install", &[]);
    let played = helm("4").play(Action::Install, &chart, |flags| seconds(flags, 0));
    assert_eq!(wait(&played), (StepResult::Timeout, "it goes on running when Helm has given up", 30.0));
    let played = helm("3").play(Action::Install, &chart, |flags| seconds(flags, 0));
    assert_eq!(wait(&played).1, "Helm waits for ever, since its timeout is 0");
}

#[test]
fn with_no_timeout_the_old_waiter_of_helm_4_waits_for_ever_too_and_that_was_not_said() {
    let chart = job_that("hang", "x", "pre-install", &[]);
    let played = helm("4").play(Action::Install, &chart, |flags| {
        flags.wait = Wait::Legacy;
        seconds(flags, 0);
    });
    assert_eq!(wait(&played).1, "Helm waits for ever, since its timeout is 0");
}

/// It failed the revision after a day, and took back what it had made.
#[test]
fn nothing_happened_after_a_wait_without_an_end() {
    let hangs = |event: &str| job_that("hang", "x", event, &[("hook-delete-policy", "hook-failed")]);
    let endless = "waiting for ever for Job/x, since the timeout is 0";
    for (word, wait) in [("3", Wait::HookOnly), ("4", Wait::Legacy)] {
        let without_limit = |undoes: bool| {
            move |flags: &mut Flags| {
                (flags.wait, flags.rollback_on_failure) = (wait, undoes);
                seconds(flags, 0);
            }
        };
        for undoes in [false, true] {
            let mut release = helm(word);
            let played = release.play(Action::Install, &hangs("pre-install"), without_limit(undoes));
            fails(&played, endless);
            assert_eq!((history(&played).as_str(), left(&played).as_str()), ("1 pending-install", "Job/x"));
            let in_progress = "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress";
            fails(&release.upgrade(""), in_progress);
        }
        for (event, action, status) in [
            ("post-upgrade", Action::Upgrade, "1 deployed, 2 pending-upgrade"),
            ("pre-rollback", Action::Rollback, "1 deployed, 2 pending-rollback"),
            ("test", Action::Test, "1 deployed"),
            ("pre-delete", Action::Uninstall, "1 uninstalling"),
            ("post-delete", Action::Uninstall, "1 uninstalling"),
        ] {
            let mut release = helm(word);
            succeeds(&release.install(&hangs(event)));
            let played = release.play(action, &hangs(event), |flags| {
                without_limit(action == Action::Upgrade)(flags);
                flags.to = Some(1);
            });
            if word == "4" && action == Action::Test {
                // Which waits in the new way, whatever it is told.
                assert!(played.error.unwrap().contains("not ready"));
                continue;
            }
            fails(&played, endless);
            assert_eq!((history(&played).as_str(), left(&played).as_str()), (status, "Job/x"), "{event}");
        }
    }
}

#[test]
fn items_of_a_list_are_awaited_one_by_one() {
    let item = |kind: &str, name: &str, rest: &str| {
        format!(
            "- {{apiVersion: {}, kind: {kind}, metadata: {{name: {name}}}{rest}}}\n",
            if kind == "Job" { "batch/v1" } else { "v1" }
        )
    };
    let job = ", spec: {template: {spec: {restartPolicy: Never}}}";
    let chart = "---\n# Source: demo/templates/all.yaml\napiVersion: v1\nkind: List\nmetadata: {name: all, annotations: {helm.sh/hook: pre-install}}\nitems:\n"
        .to_owned()
        + &item("ConfigMap", "a", "")
        + &item("Job", "b", job)
        + &item("Job", "c", job);
    for mut release in both() {
        let played = release.install(&chart);
        succeeds(&played);
        let waits: Vec<_> = steps(&played).into_iter().filter(|step| step.contains("wait")).collect();
        assert_eq!(waits, ["pre-install wait Job/b ok", "pre-install wait Job/c ok"]);
        assert_eq!(left(&played), "ConfigMap/a Job/b Job/c");
    }
}

#[test]
fn helm_4_cannot_apply_over_what_it_has_posted() {
    let policy = [("hook-delete-policy", "hook-failed")];
    let events = "pre-install,pre-upgrade,pre-delete";
    let mut release = helm("4");
    let posts = |flags: &mut Flags| flags.server_side = Some(false);
    release.play(Action::Install, &config_map("x", events, &policy, "one"), posts);
    // What does not change is nobody's loss.
    let applies = |flags: &mut Flags| flags.server_side = Some(true);
    succeeds(&release.play(Action::Upgrade, &config_map("x", events, &policy, "one"), applies));
    let played = release.play(Action::Upgrade, &config_map("x", events, &policy, "two"), applies);
    let error = played.error.as_deref().unwrap();
    assert!(
        error.contains(
            "failed: conflict occurred while applying object demo/x /v1, Kind=ConfigMap: Apply failed with "
        ),
        "{error}"
    );
    assert_eq!(steps(&played), ["pre-upgrade apply ConfigMap/x failed"]);
}

#[test]
fn a_job_with_a_ttl_of_nothing_is_not_left_behind() {
    let chart = job_with("x", "pre-install", &[], "ttlSecondsAfterFinished: 0,", "");
    for mut release in both() {
        assert_eq!(left(&release.install(&chart)), "");
    }
}
