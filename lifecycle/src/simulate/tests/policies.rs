//! When the objects of hooks are deleted.

use super::*;

#[test]
fn without_a_policy_the_old_one_goes_before_the_new_one_comes() {
    let chart = job("x", "pre-install,pre-upgrade", &[]);
    for mut release in both() {
        assert_eq!(steps(&release.install(&chart))[0], "pre-install delete Job/x absent");
        let played = release.upgrade(&chart);
        assert_eq!(steps(&played)[0], "pre-upgrade delete Job/x ok");
        assert_eq!(left(&played), "Job/x");
    }
}

#[test]
fn any_written_policy_takes_the_default_away() {
    for written in ["", "never", "hook-failed", "hook-succeed"] {
        let chart = job("x", "pre-install", &[("hook-delete-policy", written)]);
        for mut release in both() {
            let played = release.install(&chart);
            assert!(!steps(&played).iter().any(|step| step.contains("delete")), "{written:?}");
        }
    }
}

#[test]
fn succeeded_hooks_go_after_the_whole_event_in_reverse() {
    let policy = [("hook-delete-policy", "hook-succeeded")];
    let chart = job("a", "pre-install", &policy) + &job("b", "pre-install", &policy);
    for mut release in both() {
        let played = release.install(&chart);
        let all = steps(&played);
        assert_eq!(&all[4..], ["pre-install delete Job/b ok", "pre-install delete Job/a ok"]);
        assert_eq!(left(&played), "");
    }
}

#[test]
fn when_a_later_hook_fails_the_succeeded_ones_go_in_order_after_the_failed_one() {
    let succeeded = [("hook-delete-policy", "hook-succeeded")];
    let chart = job("a", "pre-install", &succeeded)
        + &job("b", "pre-install", &succeeded)
        + &job_that("fail", "c", "pre-install", &[("hook-delete-policy", "hook-failed")]);
    for mut release in both() {
        let played = release.install(&chart);
        let all = steps(&played);
        assert_eq!(
            &all[6..],
            ["pre-install delete Job/c ok", "pre-install delete Job/a ok", "pre-install delete Job/b ok"]
        );
        assert_eq!(left(&played), "");
    }
}

#[test]
fn a_failed_hook_stays_without_hook_failed() {
    for mut release in both() {
        let policy = [("hook-delete-policy", "before-hook-creation,hook-succeeded")];
        assert_eq!(left(&release.install(&job_that("fail", "x", "pre-install", &policy))), "Job/x");
    }
}

#[test]
fn what_is_refused_cleans_nothing_up_and_prints_nothing() {
    let chart = job("a", "pre-install", &[("hook-delete-policy", "hook-succeeded")])
        + &config_map("b", "pre-install", &[("hook-delete-policy", "hook-failed")], "x")
            .replace("name: b\n", "name: b\n  namespace: nowhere\n");
    for mut release in both() {
        let played = release.install(&chart);
        assert!(played.exit == 1 && !steps(&played).iter().any(|step| step.contains("delete")));
        assert_eq!(left(&played), "Job/a");
    }
}

#[test]
fn a_definition_is_never_deleted_but_one_in_a_list_is() {
    let policy = "before-hook-creation,hook-succeeded,hook-failed";
    let chart = hook(
        "CustomResourceDefinition",
        "widgets.example.com",
        &[("hook", "pre-install"), ("hook-delete-policy", policy)],
        DEFINITION,
    );
    for mut release in both() {
        let played = release.install(&chart);
        assert!(!steps(&played).iter().any(|step| step.contains("delete")));
        assert_eq!(left(&played), "CustomResourceDefinition/widgets.example.com");
    }
    let list = format!(
        "---\nkind: List\napiVersion: v1\nmetadata: {{name: all, annotations: {{helm.sh/hook: pre-install, \
         helm.sh/hook-delete-policy: hook-succeeded}}}}\nitems:\n- apiVersion: apiextensions.k8s.io/v1\n  \
         kind: CustomResourceDefinition\n  metadata: {{name: widgets.example.com}}\n  {}\n",
        DEFINITION.replace('\n', "\n  ")
    );
    for mut release in both() {
        let played = release.install(&list);
        assert!(
            steps(&played)
                .contains(&"pre-install delete CustomResourceDefinition/widgets.example.com ok".to_owned()),
            "{:?}",
            steps(&played)
        );
    }
}

#[test]
fn any_object_of_that_name_dies_hook_or_not() {
    let mine = resource("ConfigMap", "shared", "");
    for mut release in both() {
        release.install(&mine);
        let played = release.upgrade(&(mine.clone() + &config_map("shared", "pre-upgrade", &[], "x")));
        assert_eq!(steps(&played)[0], "pre-upgrade delete ConfigMap/shared ok");
    }
}

#[test]
fn logs_are_printed_before_the_object_goes() {
    let annotations = [
        ("hook-delete-policy", "hook-succeeded,hook-failed"),
        ("hook-output-log-policy", "hook-succeeded,hook-failed"),
    ];
    for mut release in both() {
        let played = release.install(&job("x", "pre-install", &annotations));
        assert_eq!(&steps(&played)[2..], ["pre-install log Job/x ok", "pre-install delete Job/x ok"]);
    }
    for mut release in both() {
        let played = release.install(&job_that("fail", "x", "pre-install", &annotations));
        assert_eq!(&steps(&played)[2..], ["pre-install log Job/x ok", "pre-install delete Job/x ok"]);
    }
}

#[test]
fn logs_of_success_are_printed_only_when_every_hook_succeeded() {
    let chart = job("a", "pre-install", &[("hook-output-log-policy", "hook-succeeded")])
        + &job_that("fail", "b", "pre-install", &[]);
    for mut release in both() {
        assert!(!steps(&release.install(&chart)).iter().any(|step| step.contains("log")));
    }
}

#[test]
fn an_error_of_the_clean_up_replaces_that_of_the_hook() {
    let held = config_map("a", "pre-install", &[("hook-delete-policy", "hook-succeeded")], "x")
        .replace("name: a\n", "name: a\n  finalizers: [example.com/held]\n");
    let chart = held + &job_that("fail", "b", "pre-install", &[]);
    let played = helm("3").play(Action::Install, &chart, |flags| seconds(flags, 8));
    fails(&played, "INSTALLATION FAILED: failed pre-install: context deadline exceeded");
}

#[test]
fn a_hook_that_cannot_be_deleted_after_success_fails_the_release() {
    let chart = config_map("x", "post-install", &[("hook-delete-policy", "hook-succeeded")], "x")
        .replace("name: x\n", "name: x\n  finalizers: [example.com/held]\n");
    let played = helm("3").play(Action::Install, &chart, |flags| seconds(flags, 8));
    fails(&played, "INSTALLATION FAILED: failed post-install: context deadline exceeded");
    assert_eq!(steps(&played).last().unwrap(), "post-install delete ConfigMap/x timeout");
    let message = played.steps.last().unwrap().message.as_deref();
    assert_eq!(message, Some("it is still there: a finalizer holds it"));
    let played = helm("4").play(Action::Install, &chart, |flags| {
        seconds(flags, 8);
        wait_for_resources(flags);
    });
    fails(
        &played,
        "INSTALLATION FAILED: failed post-install: resource ConfigMap/demo/x still exists. status: Terminating, message: \
         Resource scheduled for deletion",
    );
    let played = helm("4").install(&chart);
    succeeds(&played);
    assert_eq!(played.steps.last().unwrap().message.as_deref(), Some("Helm does not wait until it is gone"));
}

pub(super) const DEFINITION: &str = "spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true}]";
