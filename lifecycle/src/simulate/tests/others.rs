//! Argo CD and Flux: from source, not run.

use super::*;

#[test]
fn argocd_runs_install_and_upgrade_hooks_at_every_sync() {
    let chart =
        job("a", "pre-install", &[]) + &job("b", "post-upgrade", &[]) + &resource("ConfigMap", "own", "");
    let mut release = helm("argocd");
    for action in [Action::Install, Action::Upgrade] {
        let played = release.play(action, &chart, |_| {});
        succeeds(&played);
        assert_eq!(ran(&played), ["a", "b"]);
    }
    assert_eq!(ran(&release.rollback(1)), ["a", "b"]);
}

#[test]
fn argocd_runs_a_hook_for_both_events_once() {
    let played = helm("argocd").install(&job("a", "pre-install,pre-upgrade", &[]));
    assert_eq!(steps(&played), ["pre-install apply Job/a ok", "pre-install wait Job/a ok"]);
}

#[test]
fn argocd_applies_no_rollback_and_no_test_hooks() {
    let chart = job("a", "pre-rollback", &[]) + &job("b", "test", &[]);
    let mut release = helm("argocd");
    assert!(release.install(&chart).steps.is_empty());
    assert!(release.rollback(1).steps.is_empty());
    assert!(release.test().steps.is_empty());
    assert_eq!(left(&release.test()), "");
}

#[test]
fn argocd_runs_the_hooks_of_one_weight_at_the_same_time() {
    let chart = job("a", "pre-install", &[])
        + &job("b", "pre-install", &[])
        + &job("c", "pre-install", &[("hook-weight", "1")]);
    let played = helm("argocd").install(&chart);
    let at: Vec<_> = played.steps.iter().map(|step| (step.at * 10.0).round()).collect();
    assert_eq!(at, [0.0, 0.0, 10.0, 10.0, 10.0, 20.0]);
}

#[test]
fn argocd_gives_the_default_where_helm_takes_it_away() {
    let chart = job("a", "pre-install", &[("hook-delete-policy", "never")]);
    let mut release = helm("argocd");
    release.install(&chart);
    assert_eq!(steps(&release.upgrade(&chart))[0], "pre-install delete Job/a ok");
}

#[test]
fn argocd_deletes_by_the_end_of_the_whole_sync() {
    let succeeded = job("a", "pre-install", &[("hook-delete-policy", "hook-succeeded")]);
    let failed = job("b", "pre-install", &[("hook-delete-policy", "hook-failed")]);
    let chart = succeeded + &failed + &job_that("fail", "c", "post-install", &[]);
    let played = helm("argocd").install(&chart);
    fails(
        &played,
        "one or more synchronization tasks completed unsuccessfully, reason: Job has reached the specified backoff limit",
    );
    assert_eq!((left(&played).as_str(), history(&played).as_str()), ("Job/a Job/c", "1 failed"));
}

#[test]
fn argocd_has_no_timeout() {
    let played = helm("argocd").install(&job_that("hang", "a", "pre-install", &[]));
    fails(&played, "waiting for completion of hook batch/Job/a");
    assert_eq!(wait(&played).1, "it goes on running, and Argo CD waits for ever");
    assert_eq!(history(&played), "1 pending-install");
}

#[test]
fn argocd_runs_delete_hooks_when_the_application_goes() {
    let chart =
        job("a", "pre-delete", &[]) + &job("b", "post-delete", &[]) + &resource("ConfigMap", "own", "");
    let mut release = helm("argocd");
    release.install(&chart);
    let played = release.uninstall();
    assert_eq!((ran(&played), history(&played).as_str()), (vec!["a", "b"], ""));
}

#[test]
fn flux_does_not_stop_at_a_failure() {
    let played = helm("flux").install(&job_that("fail", "a", "pre-install", &[]));
    fails(&played, "failed pre-install: timeout waiting for: [Job/demo/a status: 'Failed']");
    assert_eq!(wait(&played), (StepResult::Failed, "BackoffLimitExceeded after 1 failed pod", 300.0));
}

#[test]
fn flux_takes_a_job_for_done_that_its_ttl_took_away_even_if_it_failed() {
    let chart = job_with(
        "a",
        "pre-install",
        &[],
        "backoffLimit: 0, ttlSecondsAfterFinished: 1,",
        "annotations: {hookward.dev/outcome: fail}",
    );
    let played = helm("flux").install(&chart);
    succeeds(&played);
    assert_eq!(wait(&played), (StepResult::Ok, "", 5.0));
}

#[test]
fn flux_asks_every_five_seconds() {
    let played = helm("flux").install(&job("a", "pre-install", &[]));
    assert_eq!(wait(&played), (StepResult::Ok, "", 5.0));
}
