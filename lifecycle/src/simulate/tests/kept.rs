//! `helm.sh/resource-policy`: what stays when a release goes, and who is told.

use super::*;

fn with_policy(name: &str, policy: &str) -> String {
    hook("ConfigMap", name, &[("resource-policy", policy)], "")
}

/// What the step of the ordinary resources says.
#[track_caller]
fn told(played: &Played) -> &str {
    succeeds(played);
    let is_about = |step: &&crate::Step| step.verb == crate::answer::Verb::Manifest;
    let step = played.steps.iter().find(is_about).expect("a step of the ordinary resources");
    step.message.as_deref().unwrap_or_default()
}

fn is_there(release: &Release, name: &str) -> bool {
    release.0.world().lives().any(|live| live.object.id.name == name)
}

#[test]
fn an_uninstall_did_not_tell_what_it_kept() {
    for mut release in both() {
        succeeds(&release.install(&with_policy("a", "keep")));
        assert_eq!(told(&release.uninstall()), "1 kept by resource policy: ConfigMap/a");
        assert!(is_there(&release, "a"));
    }
}

#[test]
fn a_policy_that_an_uninstall_does_not_know_keeps_as_well_and_helm_does_not_say_so() {
    let chart = with_policy("a", " Keep ") + &with_policy("b", "delete") + &resource("ConfigMap", "c", "");
    for mut release in both() {
        succeeds(&release.install(&chart));
        assert_eq!(
            told(&release.uninstall()),
            "1 kept by resource policy: ConfigMap/a, 1 kept although the resource policy is not \"keep\", of which Helm says \
             nothing: ConfigMap/b, 1 deleted"
        );
        assert!(is_there(&release, "a") && is_there(&release, "b") && !is_there(&release, "c"));
    }
}

#[test]
fn an_upgrade_keeps_only_what_says_so_to_the_letter() {
    let chart = with_policy("a", "keep") + &with_policy("b", " Keep ") + &with_policy("c", "delete");
    for mut release in both() {
        succeeds(&release.install(&(chart.clone() + &resource("Secret", "s", ""))));
        assert_eq!(
            told(&release.upgrade(&resource("Secret", "s", ""))),
            "1 updated, 1 kept by resource policy: ConfigMap/a, 2 deleted: ConfigMap/b, ConfigMap/c"
        );
    }
}

#[test]
fn an_uninstall_reads_the_policy_of_a_list_and_not_of_its_items() {
    let keep = "annotations: {helm.sh/resource-policy: keep}";
    let list = |name: &str, of_list: &str, of_item: &str| {
        format!(
            "---\napiVersion: v1\nkind: List\nmetadata: {{{of_list}}}\nitems:\n- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, {of_item}}}}}\n"
        )
    };
    for mut release in both() {
        succeeds(&release.install(&(list("a", "", keep) + &list("b", keep, ""))));
        assert_eq!(told(&release.uninstall()), "1 kept by resource policy: ConfigMap/b, 1 deleted");
        assert!(!is_there(&release, "a"));
    }
}

#[test]
fn what_was_never_made_is_not_kept() {
    let chart = job_that("fail", "x", "pre-install", &[]) + &with_policy("a", "keep");
    for mut release in both() {
        assert_eq!(release.install(&chart).exit, 1);
        assert_eq!(told(&release.uninstall()), "");
    }
}
