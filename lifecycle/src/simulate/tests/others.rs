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

/// A Deployment whose pods cannot start.
const STUCK: &str = "---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, envFrom: [{configMapRef: {name: late}}]}]}}}
";

#[test]
fn flux_called_a_release_deployed_whose_resources_were_never_ready() {
    let late = config_map("late", "post-install", &[], "a");
    let played = helm("flux").play(Action::Install, &(late + STUCK), |flags| seconds(flags, 60));
    fails(&played, "timeout waiting for: [Deployment/demo/web status: 'InProgress']");
    let [resources] = &played.steps[..] else { panic!("{:#?}", played.steps) };
    assert_eq!(resources.result, StepResult::Timeout);
}

#[test]
fn flux_does_not_wait_for_resources_with_disable_wait() {
    let late = config_map("late", "post-install", &[], "a");
    let played = helm("flux").play(Action::Install, &(late + STUCK), |flags| flags.wait = Wait::HookOnly);
    succeeds(&played);
}

#[test]
fn flux_stops_early_for_a_resource_that_has_failed() {
    let job = hook(
        "Job",
        "own",
        &[],
        "spec: {backoffLimit: 0, template: {metadata: {annotations: {hookward.dev/outcome: fail}}, spec: {restartPolicy: Never}}}",
    );
    let played = helm("flux").install(&(job + STUCK));
    fails(
        &played,
        "failed early due to stalled resources: [Deployment/demo/web status: 'InProgress', Job/demo/own status: 'Failed']",
    );
    let told = played.steps[0].message.as_deref();
    assert_eq!(told, Some("Job/own has failed: BackoffLimitExceeded"));
}

#[test]
fn flux_waits_for_what_it_deletes_by_policy_only_without_disable_wait() {
    let spec = "terminationGracePeriodSeconds: 20, containers: [{name: a}]";
    let chart = pod("a", "pre-install,pre-upgrade", &[], spec);
    for (wait, deleted) in [(Wait::HookOnly, "Helm does not wait until it is gone"), (Wait::Watcher, "")] {
        let mut release = helm("flux");
        let outcomes = || Outcomes::from([("Pod/a".to_owned(), "hang".parse().unwrap())]);
        let how = |flags: &mut Flags| flags.wait = wait;
        release.play_with(Action::Install, &chart, outcomes(), how);
        let again = release.play_with(Action::Upgrade, &chart, outcomes(), how);
        assert_eq!(again.steps[0].message.as_deref().unwrap_or_default(), deleted, "{:#?}", again.steps);
    }
}
