//! A hook can need one key of a Secret or `ConfigMap`.

use super::*;

const READS: &str =
    "containers: [{name: a, env: [{name: X, valueFrom: {secretKeyRef: {name: db, key: url}}}]}]";
const LACKS: &str = "its pods cannot start without key \"url\" of Secret \"db\"";

#[test]
fn a_hook_that_needs_a_key_that_nobody_writes_was_said_to_succeed() {
    let hooked = [("hook", "pre-install"), ("hook-weight", "-1")];
    for mut release in both() {
        let secret = hook("Secret", "db", &hooked, "stringData: {user: x}");
        let played = release.install(&(pod("x", "pre-install", &[], READS) + &secret));
        assert_eq!(wait(&played), (StepResult::Timeout, LACKS, 300.0));
    }
    for mut release in both() {
        let secret = hook("Secret", "db", &hooked, "data: {user: eA==}\nstringData: {url: x}");
        succeeds(&release.install(&(pod("x", "pre-install", &[], READS) + &secret)));
    }
}

#[test]
fn a_key_that_comes_with_the_new_version_was_there_before_the_upgrade() {
    let chart = |events: &str, keys: &str| {
        pod("x", events, &[], READS) + &resource("Secret", "db", &format!("data: {{{keys}}}"))
    };
    for mut release in both() {
        succeeds(&release.install(&chart("pre-upgrade", "user: eA==")));
        let played = release.upgrade(&chart("pre-upgrade", "user: eA==, url: eA=="));
        let said = format!("{LACKS}, which this release makes only later");
        assert_eq!(wait(&played), (StepResult::Timeout, said.as_str(), 300.0));
    }
    for mut release in both() {
        succeeds(&release.install(&chart("post-upgrade", "user: eA==")));
        succeeds(&release.upgrade(&chart("post-upgrade", "user: eA==, url: eA==")));
    }
}

/// A release in a cluster of which nothing is known.
fn anywhere(tool: &str) -> Release {
    Release(Simulation::new(Profile::find(tool).unwrap(), "demo", "demo"))
}

#[test]
fn keys_of_what_somebody_else_fills_are_taken_to_be_there() {
    let token = "type: kubernetes.io/service-account-token\ndata: {user: eA==}";
    for secret in [String::new(), resource("Secret", "db", ""), resource("Secret", "db", token)] {
        succeeds(&anywhere("4").install(&(pod("x", "post-install", &[], READS) + &secret)));
    }
    let mut argocd = anywhere("argocd");
    succeeds(&argocd.upgrade(&pod("x", "post-upgrade", &[], READS)));
    let taken_over = resource("Secret", "db", "data: {user: eA==}");
    succeeds(&argocd.upgrade(&(pod("x", "post-upgrade", &[], READS) + &taken_over)));
}

#[test]
fn a_key_that_string_data_has_written_stays_when_it_leaves() {
    let chart = |keys: &str| {
        pod("x", "post-upgrade", &[], READS) + &resource("Secret", "db", &format!("stringData: {{{keys}}}"))
    };
    for mut release in both() {
        succeeds(&release.install(&chart("user: x, url: y")));
        succeeds(&release.upgrade(&chart("user: x")));
    }
}
