//! Argo CD waits for ever for what does not go: from source, not run.

use super::*;

/// A hook that a finalizer holds.
fn held(name: &str, policies: &[(&str, &str)]) -> String {
    config_map(name, "pre-install", policies, "a").replace("metadata:\n", "metadata:\n  finalizers: [x/y]\n")
}

#[test]
fn argocd_went_on_after_a_day_when_what_it_deletes_first_did_not_go() {
    let chart = held("a", &[])
        + &job("b", "pre-install", &[])
        + &job("c", "pre-install", &[("hook-weight", "1")])
        + &resource("ConfigMap", "own", "");
    let mut release = helm("argocd");
    succeeds(&release.install(&chart));
    let played = release.upgrade(&chart);
    fails(&played, "one or more tasks are running");
    assert_eq!(
        steps(&played),
        ["pre-install delete ConfigMap/a timeout", "pre-install delete Job/b ok"],
        "nothing of the wave is applied before all of it is gone, which is asked for at the same time"
    );
    let told = played.steps[0].message.as_deref();
    assert_eq!(told, Some("it is still there: a finalizer holds it, and Argo CD waits for ever"));
    assert!(played.steps.iter().all(|step| step.at == 0.0), "{:#?}", played.steps);
    assert_eq!(history(&played), "1 deployed, 2 pending-upgrade");
}

#[test]
fn argocd_names_what_it_waits_for_only_where_a_policy_deletes_it_at_the_end() {
    let policy = [("hook-delete-policy", "before-hook-creation,hook-failed")];
    let chart = held("a", &policy) + &held("b", &policy);
    let mut release = helm("argocd");
    succeeds(&release.install(&chart));
    fails(&release.upgrade(&chart), "waiting for deletion of /ConfigMap/a and 1 more hooks");
}

#[test]
fn argocd_waited_for_what_it_deletes_when_all_is_over() {
    let policy = [("hook-delete-policy", "hook-succeeded")];
    let played = helm("argocd").install(&(held("a", &policy) + &held("b", &policy)));
    succeeds(&played);
    assert!(played.steps.iter().all(|step| step.at == 0.0), "{:#?}", played.steps);
    assert_eq!(left(&played), "ConfigMap/a ConfigMap/b");
}

#[test]
fn argocd_was_done_with_an_application_although_something_of_it_stayed_for_ever() {
    let held = "metadata:\n  finalizers: [example.com/held]\n";
    let mut release = helm("argocd");
    let chart = resource("ConfigMap", "own", "").replacen("metadata:\n", held, 1);
    release.install(&(chart + &job("after", "post-delete", &[])));
    let played = release.uninstall();
    fails(&played, "1 objects remaining for deletion: ConfigMap/own (a finalizer holds it)");
    assert_eq!((steps(&played).len(), history(&played).as_str()), (1, "1 uninstalling"));

    let mut release = helm("argocd");
    let hook = job("after", "post-delete", &[("hook-delete-policy", "hook-succeeded")]);
    release.install(&hook.replacen("metadata:\n", held, 1));
    let played = release.uninstall();
    fails(&played, "waiting for deletion of batch/Job/after");
    assert_eq!((left(&played).as_str(), history(&played).as_str()), ("Job/after", "1 uninstalling"));
}

#[test]
fn argocd_left_behind_what_its_syncs_had_made_when_the_application_went() {
    let keep = [("resource-policy", "keep")];
    let chart = config_map("hook", "pre-install", &[], "a")
        + &config_map("kept", "pre-install", &keep, "a")
        + &resource("ConfigMap", "own", "")
        + &job("after", "post-delete", &[]);
    let mut release = helm("argocd");
    release.install(
        &(config_map("earlier", "pre-install", &[], "a") + &resource("ConfigMap", "old", "") + &chart),
    );
    release.upgrade(&chart);
    let played = release.uninstall();
    succeeds(&played);
    assert_eq!(steps(&played)[..2], ["pre-install delete ConfigMap/hook ok", "manifest ok"]);
    assert_eq!(played.steps[1].message.as_deref(), Some("3 deleted"));
    // Nothing deletes a hook for the end of the Application unless it says so.
    assert_eq!(left(&played), "ConfigMap/kept Job/after");
}

#[test]
fn argocd_waited_for_ever_for_an_ordinary_job_that_had_failed() {
    let ordinary = resource(
        "Job",
        "ordinary",
        "spec: {backoffLimit: 0, template: {metadata: {annotations: {hookward.dev/outcome: fail}}, spec: {restartPolicy: Never}}}",
    );
    let chart = ordinary.clone()
        + &job("before", "pre-install", &[("hook-delete-policy", "hook-failed")])
        + &job("after", "post-install", &[]);
    let played = helm("argocd").install(&chart);
    fails(
        &played,
        "one or more synchronization tasks completed unsuccessfully, reason: Job has reached the specified backoff limit",
    );
    assert_eq!(
        steps(&played)[2..],
        ["manifest failed", "pre-install delete Job/before ok"],
        "nothing comes after, and hooks go by the policy for failures"
    );
    let told = played.steps[2].message.as_deref();
    assert_eq!(told, Some("batch/Job/ordinary has failed: Job has reached the specified backoff limit"));
    assert_eq!(history(&played), "1 failed");

    let held = resource("Job", "sleeps", "spec: {suspend: true, template: {spec: {restartPolicy: Never}}}");
    let played = helm("argocd").install(&(chart + &held));
    fails(&played, "waiting for healthy state of batch/Job/sleeps");
    assert_eq!(history(&played), "1 pending-install", "a failure ends nothing as long as something runs");
}

#[test]
fn argocd_made_a_failed_hook_again_although_the_old_one_had_not_gone() {
    let hook = job_that("fail", "held", "pre-delete", &[]);
    let mut release = helm("argocd");
    release.install(&hook.replacen("metadata:\n", "metadata:\n  finalizers: [x/y]\n", 1));
    let played = release.uninstall();
    fails(&played, "waiting for deletion of batch/Job/held");
    assert_eq!(
        steps(&played),
        [
            "pre-delete create Job/held ok",
            "pre-delete wait Job/held failed",
            "pre-delete delete Job/held timeout"
        ]
    );
    let told = |step: usize| played.steps[step].message.as_deref().unwrap_or_default();
    assert!(!told(1).contains("makes it again"), "{}", told(1));
    assert_eq!(told(2), "it is still there: a finalizer holds it, and Argo CD waits for ever");
    assert_eq!(history(&played), "1 uninstalling");
}

#[test]
fn argocd_deleted_what_one_of_several_words_says_to_keep() {
    let policies = [("a", " keep "), ("b", "keep,other"), ("c", "Keep"), ("d", "keeper")];
    let all =
        policies.map(|(name, policy)| config_map(name, "pre-install", &[("resource-policy", policy)], "a"));
    let mut release = helm("argocd");
    release.install(&all.concat());
    let played = release.uninstall();
    succeeds(&played);
    assert_eq!(left(&played), "ConfigMap/a ConfigMap/b");
}

#[test]
fn argocd_synced_an_application_that_was_being_deleted() {
    let chart =
        resource("ConfigMap", "own", "").replacen("metadata:\n", "metadata:\n  finalizers: [x/y]\n", 1);
    let mut release = helm("argocd");
    release.install(&chart);
    release.uninstall();
    for played in [release.install(&chart), release.upgrade(&chart), release.rollback(1)] {
        fails(&played, "application is deleting");
        assert!(played.steps.is_empty(), "{:#?}", played.steps);
        assert_eq!(history(&played), "1 uninstalling");
    }
}
