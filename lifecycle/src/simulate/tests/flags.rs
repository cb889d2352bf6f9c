//! What the flags change.

use super::*;

const OWN: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n";

#[test]
fn no_hooks_skips_them_all() {
    let chart =
        job_that("fail", "x", "pre-install,post-install,pre-upgrade,pre-rollback,pre-delete", &[]) + OWN;
    for mut release in both() {
        for action in [Action::Install, Action::Upgrade, Action::Rollback, Action::Uninstall] {
            let played = release.play(action, &chart, |flags| flags.no_hooks = true);
            succeeds(&played);
            assert_eq!(steps(&played), ["manifest ok"]);
        }
    }
}

#[test]
fn a_failed_atomic_install_is_uninstalled_with_its_delete_hooks() {
    let chart = job_that("fail", "a", "post-install", &[]) + &job("b", "pre-delete,post-delete", &[]) + OWN;
    let played = helm("3").play(Action::Install, &chart, |flags| flags.rollback_on_failure = true);
    fails(
        &played,
        "INSTALLATION FAILED: release demo failed, and has been uninstalled due to atomic being set: failed post-install: 1 \
         error occurred:",
    );
    assert_eq!((history(&played).as_str(), ran(&played)), ("", vec!["a", "b", "b"]));
    assert_eq!(left(&played), "Job/a Job/b");
    assert_eq!(played.revision, Some(1));
    let played = helm("4").play(Action::Install, &chart, |flags| flags.rollback_on_failure = true);
    fails(
        &played,
        "INSTALLATION FAILED: release demo failed, and has been uninstalled due to rollback-on-failure being set: failed \
         post-install: resource Job/demo/a not ready. status: Failed, message: Job Failed. failed: 1/1",
    );
    assert_eq!((history(&played).as_str(), ran(&played)), ("", vec!["a", "b", "b"]));
}

#[test]
fn an_atomic_install_whose_delete_hook_fails_is_left_uninstalling() {
    let chart = job_that("fail", "a", "pre-install", &[]) + &job_that("fail", "b", "pre-delete", &[]);
    let played = helm("3").play(Action::Install, &chart, |flags| flags.rollback_on_failure = true);
    fails(
        &played,
        "INSTALLATION FAILED: an error occurred while uninstalling the release. original install error: failed pre-install: 1 \
         error occurred:",
    );
    assert_eq!(history(&played), "1 uninstalling");
}

#[test]
fn a_failed_atomic_upgrade_becomes_a_new_revision_of_the_old_one() {
    let old = job("old", "pre-rollback,post-rollback", &[]) + OWN;
    let new = job_that("fail", "new", "pre-upgrade", &[]) + &job("not", "pre-rollback", &[]) + OWN;
    for (word, flag, cause) in [
        ("3", "atomic", "1 error occurred:"),
        (
            "4",
            "rollback-on-failure",
            "resource Job/demo/new not ready. status: Failed, message: Job Failed. failed: 1/1",
        ),
    ] {
        let mut release = helm(word);
        release.install(&old);
        let played = release.play(Action::Upgrade, &new, |flags| flags.rollback_on_failure = true);
        fails(
            &played,
            &format!(
                "UPGRADE FAILED: release demo failed, and has been rolled back due to {flag} being set: pre-upgrade hooks failed: {cause}"
            ),
        );
        assert_eq!(ran(&played), ["new", "old", "old"]);
        assert_eq!(history(&played), "1 superseded, 2 failed, 3 deployed");
        assert_eq!((left(&played).as_str(), played.revision), ("Job/new Job/old", Some(2)));
    }
}

#[test]
fn an_atomic_upgrade_whose_rollback_hook_fails_is_left_pending() {
    let old = job_that("fail", "old", "pre-rollback", &[]);
    let new = job_that("fail", "new", "pre-upgrade", &[]);
    for (word, cause) in [
        ("3", "1 error occurred:"),
        ("4", "resource Job/demo/new not ready. status: Failed, message: Job Failed. failed: 1/1"),
    ] {
        let mut release = helm(word);
        release.install(&old);
        let played = release.play(Action::Upgrade, &new, |flags| flags.rollback_on_failure = true);
        let error = played.error.as_deref().unwrap();
        let expected = format!(
            "UPGRADE FAILED: an error occurred while rolling back the release. original upgrade error: pre-upgrade hooks failed: \
             {cause}"
        );
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(history(&played), "1 deployed, 2 failed, 3 pending-rollback");
    }
}

#[test]
fn an_atomic_upgrade_of_what_never_worked_finds_nothing_to_return_to() {
    for mut release in both() {
        release.install(&job_that("fail", "x", "pre-install", &[]));
        let chart = job_that("fail", "x", "pre-upgrade", &[]);
        let played = release.play(Action::Upgrade, &chart, |flags| flags.rollback_on_failure = true);
        let error = played.error.unwrap();
        assert!(
            error.starts_with(
                "UPGRADE FAILED: unable to find a previously successful release when attempting to rollback. original upgrade \
                 error: pre-upgrade hooks failed: "
            ),
            "{error}"
        );
        assert_eq!(history(&release.test()), "1 failed, 2 failed");
    }
}

#[test]
fn rolling_back_on_failure_waits_for_deletions_in_helm_4_too() {
    let chart = config_map("x", "pre-install", &[("hook-delete-policy", "hook-succeeded")], "y")
        .replace("name: x\n", "name: x\n  finalizers: [example.com/held]\n");
    succeeds(&helm("4").install(&chart));
    let played = helm("4").play(Action::Install, &chart, |flags| flags.rollback_on_failure = true);
    assert_eq!(played.exit, 1);
}

#[test]
fn a_secret_that_its_hook_deletes_at_once_let_pods_start_in_the_upgrade() {
    let policies = "before-hook-creation,hook-succeeded";
    let settings = [("hook", "pre-install,pre-upgrade"), ("hook-delete-policy", policies)];
    let needs = "spec: {template: {spec: {volumes: [{name: db, secret: {secretName: db}}]}}}";
    let web = format!("---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{needs}\n");
    let chart = hook("Secret", "db", &settings, "") + &web;
    for mut release in both() {
        for action in [Action::Install, Action::Upgrade] {
            let played = release.play(action, &chart, wait_for_resources);
            assert_eq!(played.exit, 1, "{action:?}");
            let said = "Deployment/web is not ready: its pods cannot start without Secret \"db\"";
            assert!(
                played.steps.iter().any(|step| step.message.as_deref() == Some(said)),
                "{:?}",
                played.steps
            );
        }
    }
}

#[test]
fn post_hooks_wait_for_resources_only_when_asked() {
    let needs = "spec: {template: {spec: {volumes: [{name: db, secret: {secretName: db}}]}}}";
    let web = format!("---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n{needs}\n");
    let chart = web + &job("x", "post-install", &[]);
    for mut release in both() {
        succeeds(&release.install(&chart));
    }
    let three = helm("3").play(Action::Install, &chart, wait_for_resources);
    fails(&three, "INSTALLATION FAILED: context deadline exceeded");
    assert_eq!(steps(&three), ["manifest timeout"]);
    assert_eq!(
        three.steps[0].message.as_deref(),
        Some("Deployment/web is not ready: its pods cannot start without Secret \"db\"")
    );
    let four = helm("4").play(Action::Install, &chart, wait_for_resources);
    fails(
        &four,
        "INSTALLATION FAILED: resource Deployment/demo/web not ready. status: InProgress, message: Available: 0/1",
    );
}

#[test]
fn ordinary_jobs_are_awaited_only_when_asked() {
    let chart = resource(
        "Job",
        "own",
        "spec: {template: {metadata: {annotations: {hookward.dev/outcome: hang}}, spec: {restartPolicy: Never}}}",
    );
    for mut release in both() {
        succeeds(&release.play(Action::Install, &chart, wait_for_resources));
    }
    for mut release in both() {
        // Without --wait the other flag does nothing.
        succeeds(&release.play(Action::Install, &chart, |flags| flags.wait_for_jobs = true));
    }
    for mut release in both() {
        let played = release.play(Action::Install, &chart, |flags| {
            wait_for_resources(flags);
            flags.wait_for_jobs = true;
        });
        assert_eq!((played.exit, steps(&played).join("")), (1, "manifest timeout".to_owned()));
    }
}

#[test]
fn an_ordinary_job_that_failed_was_told_as_one_that_took_too_long() {
    let chart = resource(
        "Job",
        "own",
        "spec: {backoffLimit: 0, template: {metadata: {annotations: {hookward.dev/outcome: fail}}, spec: {restartPolicy: Never}}}",
    );
    let played = |version: &str, timeout: u64| {
        let mut release = helm(version);
        let played = release.play(Action::Install, &chart, |flags| {
            wait_for_resources(flags);
            flags.wait_for_jobs = true;
            flags.timeout = Duration::from_secs(timeout);
        });
        (steps(&played).join(""), played.error.unwrap(), release.0.world.now() / 1_000)
    };
    let four = "INSTALLATION FAILED: resource Job/demo/own not ready. status: Failed, message: Job Failed. failed: 1/1";
    assert_eq!(played("4", 300), ("manifest failed".to_owned(), four.to_owned(), 1));
    // Helm 3 asks some thirty times more, if it has the time.
    let three = "INSTALLATION FAILED: job is failed: demo/own";
    assert_eq!(played("3", 300), ("manifest failed".to_owned(), three.to_owned(), 62));
    let late = "INSTALLATION FAILED: context deadline exceeded";
    assert_eq!(played("3", 10), ("manifest timeout".to_owned(), late.to_owned(), 10));
}

#[test]
fn cleanup_on_fail_takes_only_new_ordinary_resources() {
    let new = resource("ConfigMap", "new", "") + OWN + &job_that("fail", "x", "post-upgrade", &[]);
    for mut release in both() {
        release.install(OWN);
        let played = release.play(Action::Upgrade, &new, |flags| flags.cleanup_on_fail = true);
        assert_eq!(left(&played), "Job/x");
        let names: Vec<_> = release.0.world().lives().map(|live| live.object.id.name.clone()).collect();
        assert!(names.contains(&"own".to_owned()) && !names.contains(&"new".to_owned()));
    }
}

#[test]
fn a_rollback_that_made_nothing_fails_to_clean_up() {
    let claim = |mode: &str| {
        let spec = format!("{{accessModes: [{mode}], resources: {{requests: {{storage: 1Gi}}}}}}");
        format!("---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec: {spec}\n")
    };
    let [old, new] = [claim("ReadWriteOnce"), claim("ReadWriteMany")];
    for (word, original) in
        [("3", "cannot patch \"data\""), ("4", "unable to cleanup resources: object not found")]
    {
        let mut release = helm(word);
        release.install(&old);
        release.upgrade(&new);
        let played = release.play(Action::Rollback, "", |flags| {
            flags.to = Some(2);
            flags.cleanup_on_fail = true;
        });
        let error = played.error.unwrap();
        let words = "an error occurred while cleaning up resources. original rollback error: ";
        assert!(error.starts_with(&format!("{words}{original}")), "{error}");
    }
}

#[test]
fn helm_4_stays_with_the_way_objects_were_sent() {
    let chart = job("x", "pre-install,pre-upgrade,pre-rollback,test,pre-delete", &[]);
    let mut release = helm("4");
    let verbs = |played: &Played| {
        let sent = steps(played).into_iter().filter(|step| step.contains("create") || step.contains("apply"));
        sent.map(|step| step.split(' ').nth(1).unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let posted = release.play(Action::Install, &chart, |flags| flags.server_side = Some(false));
    assert_eq!(verbs(&posted), "create");
    assert_eq!(verbs(&release.upgrade(&chart)), "create");
    assert_eq!(verbs(&release.test()), "create");
    let applied = release.play(Action::Upgrade, &chart, |flags| flags.server_side = Some(true));
    assert_eq!(verbs(&applied), "apply");
    assert_eq!(verbs(&release.rollback(1)), "create");
    // The hooks of an uninstall are always applied.
    assert_eq!(verbs(&release.uninstall()), "apply");
}

#[test]
fn an_uninstall_that_waits_runs_its_post_delete_hooks_when_all_is_gone() {
    let held = resource("ConfigMap", "own", "")
        .replace("name: own\n", "name: own\n  finalizers: [example.com/held]\n");
    for (word, error) in [
        ("3", "uninstallation completed with 1 error(s): context deadline exceeded"),
        (
            "4",
            "uninstallation completed with 1 error(s): resource ConfigMap/demo/own still exists. status: Terminating, message: \
             Resource scheduled for deletion",
        ),
    ] {
        let mut release = helm(word);
        release.install(&(held.clone() + &job("x", "post-delete", &[])));
        let played = release.play(Action::Uninstall, "", wait_for_resources);
        fails(&played, error);
        assert_eq!(ran(&played), ["x"]);
        assert!(played.steps.last().unwrap().at >= 300.0);
    }
}

#[test]
fn a_patch_leaves_what_neither_manifest_writes() {
    let plain = resource("Job", "own", "spec: {template: {spec: {restartPolicy: Never}}}");
    let twice = job_with("own", "pre-install", &[], "completions: 2,", "")
        .replace("metadata: {}, spec: {restartPolicy: Never}", "spec: {restartPolicy: Never}");
    let both = twice + &plain;
    let mut three = helm("3");
    assert_eq!(three.install(&both).exit, 1);
    succeeds(&three.upgrade(&plain));
    let mut four = helm("4");
    let posts = |flags: &mut Flags| flags.server_side = Some(false);
    assert_eq!(four.play(Action::Install, &both, posts).exit, 1);
    succeeds(&four.upgrade(&plain));
}

#[test]
fn a_deployment_that_is_rolled_keeps_its_old_pod_until_the_new_one_is_ready() {
    let web = |outcome: &str| {
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{template: {{metadata: {{annotations: \
             {{hookward.dev/outcome: {outcome}}}}}, spec: {{}}}}}}\n"
        )
    };
    let mut release = helm("4");
    succeeds(&release.play(Action::Install, &web("ok"), wait_for_resources));
    fails(
        &release.play(Action::Upgrade, &web("fail"), wait_for_resources),
        "UPGRADE FAILED: resource Deployment/demo/web not ready. status: InProgress, message: Pending termination: 1",
    );
    fails(
        &helm("4").play(Action::Install, &web("fail"), wait_for_resources),
        "INSTALLATION FAILED: resource Deployment/demo/web not ready. status: InProgress, message: Available: 0/1",
    );
}
