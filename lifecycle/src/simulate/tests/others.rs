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
fn flux_takes_a_job_for_done_that_its_ttl_took_away_and_that_it_had_failed_nobody_said() {
    let gone = "it failed and was gone before Flux asked again, which Flux takes for success";
    for (outcome, told) in [("fail", gone), ("ok", "")] {
        let outcome = format!("annotations: {{hookward.dev/outcome: {outcome}}}");
        let chart =
            job_with("a", "pre-install", &[], "backoffLimit: 0, ttlSecondsAfterFinished: 1,", &outcome);
        let played = helm("flux").install(&chart);
        succeeds(&played);
        assert_eq!(wait(&played), (StepResult::Ok, told, 5.0));
    }
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
fn a_deployment_that_is_paused_was_awaited() {
    let paused = STUCK.replace("spec: {selector", "spec: {paused: true, selector");
    for word in ["3", "4", "flux"] {
        succeeds(&helm(word).play(Action::Install, &paused, wait_for_resources));
    }
    // It has no pods, and to Argo CD is not healthy as long as that is so.
    let played = helm("argocd").install(&(paused + &job("a", "post-install", &[])));
    fails(&played, "waiting for healthy state of apps/Deployment/web");
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

#[test]
fn argocd_could_not_make_up_a_name() {
    let made_up = |policy: &[(&str, &str)]| {
        job("x", "pre-install", policy).replace("  name: x\n", "  generateName: x-\n")
    };
    let mut release = helm("argocd");
    for made in ["Job/x-*", "Job/x-* Job/x-*"] {
        let played = release.play(Action::Install, &made_up(&[]), |_| {});
        succeeds(&played);
        assert_eq!(steps(&played), ["pre-install apply Job/x-* ok", "pre-install wait Job/x-* ok"]);
        // No sync finds what an earlier one has made.
        assert_eq!(left(&played), made);
    }
    let mut release = helm("argocd");
    let played = release.install(&made_up(&[("hook-delete-policy", "hook-succeeded")]));
    assert_eq!((steps(&played)[2].as_str(), left(&played).as_str()), ("pre-install delete Job/x-* ok", ""));
}

#[test]
fn argocd_could_not_delete_an_application_with_a_hook_whose_name_is_made_up() {
    let made_up = |name: &str| {
        job("x", "post-install", &[]).replace("  name: x\n", &format!("  generateName: {name}-\n"))
    };
    let mut release = helm("argocd");
    for name in ["y", "x", "x"] {
        succeeds(&release.install(&made_up(name)));
    }
    let played = release.uninstall();
    succeeds(&played);
    assert_eq!(
        (steps(&played), left(&played).as_str()),
        (vec!["post-install delete Job/x-* ok".to_owned(); 2], "")
    );
}

#[test]
fn argocd_tries_a_delete_hook_again_for_ever() {
    let mut release = helm("argocd");
    release.install(&(job_that("fail", "a", "pre-delete", &[]) + &resource("ConfigMap", "own", "")));
    let played = release.uninstall();
    fails(&played, "PreDelete hook(s) failed: demo/a");
    let tried = ["pre-delete create Job/a ok", "pre-delete wait Job/a failed"];
    assert_eq!(steps(&played), [&tried[..], &["pre-delete delete Job/a ok"], &tried].concat());
    let told = played.steps[4].message.as_deref().unwrap_or_default();
    assert!(told.ends_with("Argo CD deletes it and makes it again, for ever"), "{told}");
    assert_eq!(history(&played), "1 uninstalling");
}

#[test]
fn argocd_waited_for_the_other_delete_hooks_when_one_had_failed() {
    let mut release = helm("argocd");
    let chart = job("a", "pre-delete", &[])
        + &job_that("fail", "b", "pre-delete", &[])
        + &job_that("hang", "c", "pre-delete", &[]);
    release.install(&chart);
    let played = release.uninstall();
    fails(&played, "PreDelete hook(s) failed: demo/b");
    assert_eq!(
        steps(&played)[3..],
        [
            "pre-delete wait Job/a ok",
            "pre-delete wait Job/b failed",
            "pre-delete delete Job/b ok",
            "pre-delete create Job/b ok",
            "pre-delete wait Job/b failed",
        ]
    );
    let told = played.steps[7].message.as_deref().unwrap_or_default();
    assert!(told.ends_with("Argo CD deletes it and makes it again, for ever"), "{told}");
    assert_eq!(left(&played), "Job/a Job/b Job/c");
}

#[test]
fn argocd_makes_a_delete_hook_only_where_it_is_missing() {
    let mut release = helm("argocd");
    let chart = job("a", "pre-install,pre-delete", &[]) + &job("b", "post-delete", &[("hook-weight", "1")]);
    release.install(&(chart + &job("c", "post-delete", &[])));
    let played = release.uninstall();
    succeeds(&played);
    assert_eq!(
        steps(&played),
        [
            "pre-delete wait Job/a stale",
            "pre-install delete Job/a ok",
            "post-delete create Job/c ok",
            "post-delete create Job/b ok",
            "post-delete wait Job/c ok",
            "post-delete wait Job/b ok",
        ]
    );
}

/// A Job whose annotations are these, with their prefixes.
fn annotated(name: &str, annotations: &str) -> String {
    resource("Job", name, "spec: {template: {spec: {restartPolicy: Never}}}")
        .replace("metadata:\n", &format!("metadata:\n  annotations: {{{annotations}}}\n"))
}

#[test]
fn argocd_reads_events_in_their_own_case_and_passes_over_those_it_does_not_know() {
    let chart = job("a", "Pre-Install", &[])
        + &job("b", " pre-install,foo", &[])
        + &job("c", "crd-install", &[])
        + &job("d", "nonsense", &[]);
    let played = helm("argocd").install(&chart);
    succeeds(&played);
    assert_eq!(
        steps(&played),
        ["pre-install apply Job/b ok", "pre-install wait Job/b ok", "manifest ok"],
        "a and d are not even applied, c is an ordinary resource"
    );
    assert_eq!(played.steps[2].message.as_deref(), Some("1 created"));
}

#[test]
fn argocd_takes_its_own_annotations_for_more_than_those_of_helm() {
    let chart = annotated("a", "helm.sh/hook: pre-install, argocd.argoproj.io/hook: PostSync")
        + &annotated(
            "b",
            "helm.sh/hook: pre-install, helm.sh/hook-weight: '3', argocd.argoproj.io/sync-wave: '-1'",
        )
        + &annotated("c", "helm.sh/hook: pre-install, argocd.argoproj.io/hook-delete-policy: HookSucceeded")
        + &annotated("d", "argocd.argoproj.io/hook: PreSync, argocd.argoproj.io/sync-wave: '9'")
        + &annotated("e", "argocd.argoproj.io/hook: Skip")
        + &annotated("f", "argocd.argoproj.io/hook: nonsense, helm.sh/hook: post-install");
    let played = helm("argocd").install(&chart);
    assert_eq!(ran(&played), ["b", "c", "d", "a", "f"]);
    assert_eq!(left(&played), "Job/a Job/b Job/d Job/f");
    // Helm knows nothing of them.
    assert_eq!(ran(&helm("4").install(&chart)), ["a", "c", "b", "f"]);
}

#[test]
fn argocd_knows_policies_only_in_their_own_case() {
    let chart = job("a", "pre-install", &[("hook-delete-policy", "HOOK-SUCCEEDED")]);
    assert_eq!(left(&helm("argocd").install(&chart)), "Job/a");
}

#[test]
fn argocd_waits_for_the_health_of_a_hook_that_never_ends() {
    let stuck = STUCK.replace("{name: web}", "{name: web, annotations: {helm.sh/hook: pre-install}}");
    fails(&helm("argocd").install(&stuck), "waiting for completion of hook apps/Deployment/web");
}

#[test]
fn argocd_failed_for_want_of_the_definitions_that_the_chart_itself_brings() {
    for folder in ["crds", "templates"] {
        let definition = hook(
            "CustomResourceDefinition",
            "widgets.example.com",
            &[],
            "spec: {group: example.com, names: {kind: Widget, plural: widgets}, versions: [{name: v1, served: true}]}",
        );
        let chart = definition.replace("/templates/", &format!("/{folder}/")) + &resource("Widget", "w", "");
        let played = helm("argocd").install(&chart);
        succeeds(&played);
        assert_eq!(played.steps[0].message.as_deref(), Some("2 created"), "{folder}");
    }
}
