//! `helm test`.

use super::*;

#[test]
fn tests_stop_at_the_first_failure() {
    let chart = job_that("fail", "a", "test", &[]) + &job("b", "test", &[]);
    for mut release in both() {
        release.install(&chart);
        assert_eq!(ran(&release.test()), ["a"]);
    }
}

#[test]
fn filters_take_names_of_every_kind() {
    let chart = job("a", "test", &[]) + &config_map("b", "test", &[], "x") + &job("c", "test", &[]);
    for mut release in both() {
        release.install(&chart);
        let only = |filter: &str| {
            let filter = filter.to_owned();
            move |flags: &mut Flags| flags.filters = vec![filter]
        };
        assert_eq!(ran(&release.play(Action::Test, "", only("name=a"))), ["a"]);
        assert_eq!(ran(&release.play(Action::Test, "", only("name=a,name=c"))), ["a", "c"]);
        assert_eq!(ran(&release.play(Action::Test, "", only("!name=b"))), ["a", "c"]);
        assert_eq!(ran(&release.play(Action::Test, "", only("name=nobody"))), Vec::<&str>::new());
    }
}

#[test]
fn helm_4_always_waits_for_deletions_in_tests() {
    let chart = config_map("x", "test", &[("hook-delete-policy", "hook-succeeded")], "y")
        .replace("name: x\n", "name: x\n  finalizers: [example.com/held]\n");
    let mut release = helm("4");
    release.install(&chart);
    fails(
        &release.test(),
        "resource ConfigMap/demo/x still exists. status: Terminating, message: Resource scheduled for deletion",
    );
}

#[test]
fn in_helm_4_the_clean_up_of_a_failed_test_does_not_replace_its_error() {
    let held = config_map("a", "test", &[("hook-delete-policy", "hook-succeeded")], "y")
        .replace("name: a\n", "name: a\n  finalizers: [example.com/held]\n");
    let chart = held + &job_that("fail", "b", "test", &[]);
    let mut four = helm("4");
    four.install(&chart);
    fails(&four.test(), "resource Job/demo/b not ready. status: Failed, message: Job Failed. failed: 1/1");
    let mut three = helm("3");
    three.install(&chart);
    fails(&three.test(), "context deadline exceeded");
}

#[test]
fn logs_are_looked_for_in_pods_named_like_the_hooks() {
    let logs = |flags: &mut Flags| flags.logs = true;
    for (word, error) in [
        ("3", "unable to get pod logs for x: pods \"x\" not found"),
        ("4", "unable to get pod x: pods \"x\" not found"),
    ] {
        let mut release = helm(word);
        release.install(&job("x", "test", &[]));
        let played = release.play(Action::Test, "", logs);
        fails(&played, error);
        assert_eq!(steps(&played).last().unwrap(), "test log Pod/x absent");
        let mut release = helm(word);
        release.install(&pod("x", "test", &[], ""));
        succeeds(&release.play(Action::Test, "", logs));
    }
}

#[test]
fn helm_3_deletes_test_pods_before_it_looks_for_their_logs() {
    let chart = pod("x", "test", &[("hook-delete-policy", "hook-succeeded")], "");
    let logs = |flags: &mut Flags| flags.logs = true;
    let mut three = helm("3");
    three.install(&chart);
    fails(&three.play(Action::Test, "", logs), "unable to get pod logs for x: pods \"x\" not found");
    let mut four = helm("4");
    four.install(&chart);
    let played = four.play(Action::Test, "", logs);
    succeeds(&played);
    assert_eq!(&steps(&played)[2..], ["test log Pod/x ok", "test delete Pod/x ok"]);
}

#[test]
fn in_helm_4_a_failed_test_comes_before_logs_that_are_not_there() {
    let chart = job_that("fail", "x", "test", &[]);
    let logs = |flags: &mut Flags| flags.logs = true;
    let mut three = helm("3");
    three.install(&chart);
    fails(&three.play(Action::Test, "", logs), "unable to get pod logs for x: pods \"x\" not found");
    let mut four = helm("4");
    four.install(&chart);
    fails(
        &four.play(Action::Test, "", logs),
        "resource Job/demo/x not ready. status: Failed, message: Job Failed. failed: 1/1",
    );
}

#[test]
fn a_release_of_any_status_can_be_tested() {
    for mut release in both() {
        release.install(&(job_that("fail", "x", "pre-install", &[]) + &job("later", "test", &[])));
        succeeds(&release.test());
    }
}
