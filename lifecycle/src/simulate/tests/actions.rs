//! Where a release stands after each action, well done or not.

use super::*;

const OWN: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {version: one}\n";
const OWN_2: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\ndata: {version: two}\n";

#[test]
fn all_goes_well() {
    for mut release in both() {
        assert_eq!(history(&release.install(OWN)), "1 deployed");
        assert_eq!(history(&release.upgrade(OWN_2)), "1 superseded, 2 deployed");
        let played = release.rollback(1);
        assert_eq!(history(&played), "1 superseded, 2 superseded, 3 deployed");
        assert_eq!(played.revision, Some(3));
        assert_eq!(history(&release.test()), "1 superseded, 2 superseded, 3 deployed");
        let played = release.uninstall();
        assert_eq!((history(&played).as_str(), played.revision), ("", Some(3)));
        assert!(release.0.world().lives().all(|live| live.object.id.name != "own"));
    }
}

#[test]
fn a_failed_pre_install_hook_leaves_a_failed_release_and_no_resources() {
    for mut release in both() {
        let played = release.install(&(job_that("fail", "x", "pre-install", &[]) + OWN));
        assert_eq!(history(&played), "1 failed");
        assert!(!steps(&played).contains(&"manifest ok".to_owned()));
    }
}

#[test]
fn the_name_of_a_failed_install_is_taken_and_an_upgrade_takes_over_without_install_hooks() {
    let chart = job_that("fail", "x", "pre-install", &[]) + &job("later", "pre-upgrade", &[]) + OWN;
    let mut three = helm("3");
    three.install(&chart);
    fails(&three.install(&chart), "INSTALLATION FAILED: cannot re-use a name that is still in use");
    let mut four = helm("4");
    four.install(&chart);
    fails(
        &four.install(&chart),
        "INSTALLATION FAILED: release name check failed: cannot reuse a name that is still in use",
    );
    for mut release in [three, four] {
        let played = release.play(Action::Upgrade, &chart, |flags| flags.install = true);
        succeeds(&played);
        assert_eq!(ran(&played), ["later"]);
        assert_eq!(history(&played), "1 superseded, 2 deployed");
    }
}

#[test]
fn upgrade_install_installs_what_is_not_there_and_says_no_more_than_the_cause() {
    for mut release in both() {
        let chart = job("x", "pre-install", &[]);
        let played = release.play(Action::Upgrade, &chart, |flags| flags.install = true);
        assert_eq!((played.action, ran(&played).len(), played.revision), (Action::Upgrade, 1, Some(1)));
    }
    let chart = job_that("fail", "x", "pre-install", &[]);
    let played = helm("3").play(Action::Upgrade, &chart, |flags| flags.install = true);
    fails(&played, "failed pre-install: 1 error occurred:");
}

#[test]
fn a_failed_post_install_hook_leaves_the_resources_running() {
    for mut release in both() {
        let played = release.install(&(job_that("fail", "x", "post-install", &[]) + OWN));
        assert_eq!(history(&played), "1 failed");
        assert!(release.0.world().lives().any(|live| live.object.id.name == "own"));
    }
}

#[test]
fn a_failed_upgrade_hook_rolls_nothing_back() {
    for event in ["pre-upgrade", "post-upgrade"] {
        for mut release in both() {
            release.install(OWN);
            let played = release.upgrade(&(job_that("fail", "x", event, &[]) + OWN_2));
            assert_eq!(history(&played), "1 deployed, 2 failed");
            let updated = steps(&played).contains(&"manifest ok".to_owned());
            assert_eq!(updated, event == "post-upgrade");
            assert_eq!(history(&release.upgrade(OWN_2)), "1 superseded, 2 failed, 3 deployed");
        }
    }
}

#[test]
fn a_failed_rollback_hook_leaves_the_release_pending_and_blocks_upgrades() {
    for event in ["pre-rollback", "post-rollback"] {
        for mut release in both() {
            release.install(&(job_that("fail", "x", event, &[]) + OWN));
            release.upgrade(OWN_2);
            let played = release.rollback(1);
            assert_eq!(history(&played), "1 superseded, 2 deployed, 3 pending-rollback");
            fails(
                &release.upgrade(OWN),
                "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            );
            let played = release.rollback(2);
            succeeds(&played);
            assert_eq!(history(&played), "1 superseded, 2 superseded, 3 pending-rollback, 4 deployed");
        }
    }
}

#[test]
fn rollback_hooks_come_from_the_revision_that_is_returned_to() {
    for mut release in both() {
        release.install(&(job("old", "pre-rollback", &[]) + OWN));
        release.upgrade(&(job("new", "pre-rollback", &[]) + OWN_2));
        assert_eq!(ran(&release.rollback(1)), ["old"]);
    }
}

#[test]
fn a_failed_pre_delete_hook_leaves_the_release_uninstalling() {
    for mut release in both() {
        release.install(&(job_that("fail", "x", "pre-delete", &[]) + OWN));
        assert_eq!(history(&release.uninstall()), "1 uninstalling");
        assert!(release.0.world().lives().any(|live| live.object.id.name == "own"));
        fails(&release.upgrade(OWN), "UPGRADE FAILED: \"demo\" has no deployed releases");
        let played = release.play(Action::Uninstall, "", |flags| flags.no_hooks = true);
        succeeds(&played);
        assert_eq!(left(&played), "Job/x");
    }
}

#[test]
fn a_pre_delete_hook_that_never_ran_leaves_the_release_deployed() {
    let chart = job("x", "pre-delete", &[]).replace("  name: x\n", "  generateName: x-\n");
    for mut release in both() {
        release.install(&chart);
        let played = release.uninstall();
        fails(&played, "resource name may not be empty");
        assert_eq!(history(&played), "1 deployed");
    }
}

#[test]
fn a_failed_post_delete_hook_purges_the_release_all_the_same() {
    for mut release in both() {
        release.install(&(job_that("fail", "x", "post-delete", &[]) + OWN));
        let played = release.uninstall();
        assert_eq!((played.exit, history(&played).as_str(), left(&played).as_str()), (1, "", "Job/x"));
    }
}

#[test]
fn a_failed_test_changes_nothing() {
    for mut release in both() {
        release.install(&job_that("fail", "x", "test", &[]));
        assert_eq!(history(&release.test()), "1 deployed");
    }
}

#[test]
fn hooks_outlive_the_release() {
    for mut release in both() {
        release.install(&(job("a", "pre-install", &[]) + OWN));
        release.upgrade(OWN_2);
        assert_eq!(left(&release.uninstall()), "Job/a");
    }
}

#[test]
fn stored_hooks_run_whatever_the_chart_says_now() {
    for mut release in both() {
        release.install(&(job("old", "pre-delete,test", &[]) + OWN));
        assert_eq!(ran(&release.play(Action::Test, &job("new", "test", &[]), |_| {})), ["old"]);
        assert_eq!(ran(&release.uninstall()), ["old"]);
    }
}

#[test]
fn kept_history_can_be_rolled_back_to_and_installed_over() {
    for word in ["3", "4"] {
        let mut release = helm(word);
        release.install(OWN);
        release.upgrade(OWN_2);
        let played = release.play(Action::Uninstall, "", |flags| flags.keep_history = true);
        assert_eq!(history(&played), "1 superseded, 2 uninstalled");
        fails(&release.upgrade(OWN), "UPGRADE FAILED: \"demo\" has no deployed releases");
        let again = release.play(Action::Uninstall, "", |flags| flags.keep_history = true);
        fails(&again, "the release named \"demo\" is already deleted");
        assert_eq!(history(&release.rollback(1)), "1 superseded, 2 uninstalled, 3 deployed");
        let mut release = helm(word);
        release.install(&(job("x", "pre-install", &[]) + OWN));
        release.play(Action::Uninstall, "", |flags| flags.keep_history = true);
        let chart = job("x", "pre-install", &[]);
        let played = release.play(Action::Upgrade, &chart, |flags| flags.install = true);
        assert_eq!((ran(&played), history(&played).as_str()), (vec!["x"], "1 superseded, 2 deployed"));
    }
}

#[test]
fn an_uninstalled_release_with_history_is_purged_by_another_uninstall() {
    for mut release in both() {
        release.install(&(job("x", "pre-delete", &[]) + OWN));
        release.play(Action::Uninstall, "", |flags| flags.keep_history = true);
        let played = release.uninstall();
        succeeds(&played);
        assert!(played.steps.is_empty() && played.history.is_empty());
    }
}

#[test]
fn what_is_kept_survives_an_uninstall() {
    let kept = resource("ConfigMap", "kept", "")
        .replace("name: kept\n", "name: kept\n  annotations: {helm.sh/resource-policy: keep}\n");
    for mut release in both() {
        release.install(&(kept.clone() + OWN));
        release.uninstall();
        let names: Vec<_> = release.0.world().lives().map(|live| live.object.id.name.clone()).collect();
        assert!(names.contains(&"kept".to_owned()) && !names.contains(&"own".to_owned()));
    }
}

#[test]
fn a_hook_that_becomes_an_ordinary_resource_stops_the_upgrade() {
    let hook = config_map("x", "pre-install", &[], "y");
    let ownership = "ConfigMap \"x\" in namespace \"demo\" exists and cannot be imported into the current release: invalid \
        ownership metadata; label validation error: missing key \"app.kubernetes.io/managed-by\": must be set to \"Helm\"; \
        annotation validation error: missing key \"meta.helm.sh/release-name\": must be set to \"demo\"; annotation validation \
        error: missing key \"meta.helm.sh/release-namespace\": must be set to \"demo\"";
    for (word, unable) in [("3", "Unable"), ("4", "unable")] {
        let mut release = helm(word);
        release.install(&hook);
        let played = release.upgrade(&resource("ConfigMap", "x", ""));
        fails(&played, &format!("UPGRADE FAILED: {unable} to continue with update: {ownership}"));
        assert_eq!((history(&played).as_str(), played.revision), ("1 deployed", None));
    }
}

#[test]
fn an_ordinary_resource_that_becomes_a_hook_is_deleted_as_no_longer_named() {
    for mut release in both() {
        release.install(&resource("ConfigMap", "x", ""));
        let played = release.upgrade(&config_map("x", "pre-upgrade", &[], "y"));
        succeeds(&played);
        assert_eq!(left(&played), "");
    }
}

#[test]
fn an_object_that_is_both_a_hook_and_an_ordinary_resource() {
    let chart = config_map("x", "pre-install,pre-upgrade", &[], "y") + &resource("ConfigMap", "x", "");
    let mut three = helm("3");
    fails(&three.install(&chart), "INSTALLATION FAILED: 1 error occurred:");
    let mut three = helm("3");
    three.install("");
    fails(&three.upgrade(&chart), "UPGRADE FAILED: no ConfigMap with the name \"x\" found");
    let mut four = helm("4");
    succeeds(&four.install(&chart));
    let played = four.upgrade(&chart);
    succeeds(&played);
    assert_eq!(left(&played), "");
}

#[test]
fn a_label_alone_does_not_make_a_hook_the_releases_own() {
    let labelled = config_map("x", "pre-install", &[], "one")
        .replace("name: x\n", "name: x\n  labels: {app.kubernetes.io/managed-by: Helm}\n");
    let mut release = helm("4");
    release.install(&labelled);
    let error = release.upgrade(&resource("ConfigMap", "x", "")).error.unwrap();
    assert!(
        error.contains("invalid ownership metadata; annotation validation error: missing key"),
        "{error}"
    );
}

#[test]
fn helm_4_cannot_patch_a_job_that_its_base_does_not_have() {
    let own = resource("Job", "own", "spec: {template: {spec: {restartPolicy: Never}}}");
    let play = |server_side: bool| {
        let mut release = helm("4");
        release.play(Action::Install, OWN, |flags| flags.server_side = Some(server_side));
        // The failed upgrade leaves a Job behind that no deployed revision has.
        release.upgrade(&(own.clone() + OWN + &job_that("fail", "x", "post-upgrade", &[])));
        release.upgrade(OWN);
        release.rollback(2)
    };
    let played = play(false);
    assert!(
        played.error.as_deref().unwrap().starts_with(
            "cannot patch \"own\" with kind Job: Job.batch \"own\" is invalid: [spec.selector: Required value, "
        ),
        "{:?}",
        played.error
    );
    assert_eq!(history(&played), "1 superseded, 2 failed, 3 superseded, 4 failed");
    succeeds(&play(true));
}

#[test]
fn what_was_a_resource_and_is_a_hook_now_was_gone_and_only_counted() {
    let secret = |more: &str| {
        format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: db, annotations: {{{more}}}}}\n")
    };
    let hook = secret("helm.sh/hook: pre-upgrade");
    for mut release in both() {
        release.install(&(secret("") + OWN));
        let played = release.upgrade(&(hook.clone() + OWN_2));
        let told = played.steps.iter().find_map(|step| step.message.clone());
        assert_eq!(
            told.as_deref(),
            Some(
                "1 updated, 1 deleted: Secret/db; Secret/db is gone: the hook made it, then Helm deleted it, since it was a resource \
                 of revision 1"
            )
        );
        assert!(!release.0.world().lives().any(|live| live.object.id.name == "db"));
        let played = release.upgrade(&(hook.clone() + OWN));
        assert_eq!(played.steps.last().unwrap().message.as_deref(), Some("1 updated"));
        assert!(release.0.world().lives().any(|live| live.object.id.name == "db"));
        let played = release.upgrade(
            &(0..8).fold(hook.clone(), |all, at| all + &secret("").replace("db", &format!("s{at}"))),
        );
        assert!(
            played.steps.last().unwrap().message.as_deref().unwrap().ends_with("1 deleted: ConfigMap/own")
        );
        let played = release.upgrade(&(hook.clone() + OWN));
        assert!(played.steps.last().unwrap().message.as_deref().unwrap().ends_with("Secret/s5, 2 more"));
    }
}
