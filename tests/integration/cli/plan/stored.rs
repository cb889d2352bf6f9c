//! `plan` of a release that Helm has stored: which number, which status, which names, and how it was sent.

use super::*;

/// A Job that stays and is never deleted first.
const MIGRATE: &str = "apiVersion: batch/v1
kind: Job
metadata: {name: migrate, annotations: {helm.sh/hook: 'pre-install,pre-upgrade', helm.sh/hook-delete-policy: hook-failed}}
spec: {backoffLimit: 0, template: {spec: {restartPolicy: Never}}}
";

/// What becomes of an upgrade from a revision that is stored so.
fn upgraded(status: &str, method: &str) -> Value {
    let stored = stored_release::stored_as(7, status, method, MIGRATE);
    let files = Files::new(&[("stored.json", &stored), ("new.yaml", &format!("{MIGRATE}---\n{PLAIN}"))]);
    let (new, previous) = (files.path("new.yaml"), files.path("stored.json"));
    let ran = hookward(["plan", &new, "--previous", &previous, "--action", "upgrade", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.json()
}

fn history(action: &Value) -> Vec<(u64, &str)> {
    let revisions = action["history"].as_array().unwrap().iter();
    revisions
        .map(|revision| (revision["revision"].as_u64().unwrap(), revision["status"].as_str().unwrap()))
        .collect()
}

#[test]
fn an_upgrade_of_a_stored_release_forgot_its_name_and_its_number() {
    let document = upgraded("deployed", "ssa");
    assert_eq!([&document["release"], &document["namespace"]], [&json!("shop"), &json!("demo")]);
    assert_eq!(history(&document["actions"][0]), [(7, "superseded"), (8, "deployed")]);
}

#[test]
fn what_was_sent_by_post_was_taken_for_applied() {
    for method in ["", "csa"] {
        let document = upgraded("deployed", method);
        let upgrade = &document["actions"][0];
        assert_eq!(steps(upgrade, "migrate"), ["create failed"], "{method}: {document}");
        assert!(upgrade["error"].as_str().unwrap().contains("already exists"), "{document}");
        assert_eq!(history(upgrade), [(7, "deployed"), (8, "failed")]);
    }
}

#[test]
fn a_release_that_was_left_pending_was_upgraded() {
    for (status, error) in [
        ("pending-upgrade", "UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress"),
        ("uninstalling", "UPGRADE FAILED: \"shop\" has no deployed releases"),
        ("uninstalled", "UPGRADE FAILED: \"shop\" has no deployed releases"),
    ] {
        let document = upgraded(status, "ssa");
        let upgrade = &document["actions"][0];
        assert_eq!((&upgrade["error"], history(upgrade)), (&json!(error), vec![(7, status)]));
    }
}

#[test]
fn a_rollback_goes_from_the_stored_number_to_the_one_before() {
    let rolled_back = |revision| {
        let stored = stored_release::stored_as(revision, "deployed", "ssa", MIGRATE);
        plan(&stored, &["--action", "rollback"])["actions"][0].clone()
    };
    let from = rolled_back(4);
    assert_eq!(history(&from), [(3, "superseded"), (4, "superseded"), (5, "deployed")]);
    let from = rolled_back(1);
    assert_eq!(from["exit"], 1, "there is none before the first: {from}");
}

#[test]
fn the_revision_before_was_of_another_release() {
    let stored = stored_release::stored_as(7, "deployed", "ssa", MIGRATE);
    let other = stored_release::stored_named("other");
    let files = Files::new(&[("one.json", &stored), ("two.json", &other)]);
    let (one, two) = (files.path("one.json"), files.path("two.json"));
    let ran = hookward(["plan", &one, "--previous", &two, "--action", "upgrade"]);
    let error = "error: --previous: another release than PATH; give the revision before of the same one\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (2, error));
}

#[test]
fn of_an_install_that_nothing_upgrades_the_revision_before_was_played() {
    let files = Files::new(&[("old.yaml", &SHOP.replace("migrate", "old")), ("new.yaml", SHOP)]);
    let (old, new) = (files.path("old.yaml"), files.path("new.yaml"));
    for actions in [&["install", "uninstall"][..], &["install", "test"], &["uninstall", "install"]] {
        let flags = ["plan", &new, "--previous", &old, "--format", "json"].into_iter();
        let ran = hookward(flags.chain(actions.iter().flat_map(|action| ["--action", action])));
        let install = actions.iter().position(|action| *action == "install").unwrap();
        let installed = &ran.json()["actions"][install];
        assert_eq!(steps(installed, "migrate").len(), 3, "{actions:?}: {installed}");
        assert_eq!(steps(installed, "old"), [""; 0], "{actions:?}: {installed}");
    }
}

#[test]
fn two_releases_of_one_name_in_two_namespaces_were_taken_for_one() {
    let here = stored_release::stored_as(7, "deployed", "ssa", MIGRATE);
    let there = stored_release::stored_named("shop");
    let files = Files::new(&[("here.json", &here), ("there.json", &there)]);
    let (here, there) = (files.path("here.json"), files.path("there.json"));
    let ran = hookward(["plan", &here, "--previous", &there, "--action", "upgrade"]);
    assert!(ran.code == 2 && ran.stderr.contains("another release than PATH"), "{}", ran.stderr);
}

#[test]
fn a_revision_before_that_is_not_stored_is_one_less() {
    let stored = stored_release::stored_as(7, "deployed", "ssa", MIGRATE);
    let files = Files::new(&[("stored.json", &stored), ("old.yaml", MIGRATE)]);
    let (new, old) = (files.path("stored.json"), files.path("old.yaml"));
    let ran = hookward(["plan", &new, "--previous", &old, "--action", "upgrade", "--format", "json"]);
    let document = ran.json();
    assert_eq!([&document["release"], &document["namespace"]], [&json!("shop"), &json!("demo")]);
    assert_eq!(history(&document["actions"][0]), [(6, "superseded"), (7, "deployed")]);
}

#[test]
fn the_tool_came_from_the_policies_of_another_namespace() {
    let policy = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: a}\n\
                  spec: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: demo}}, engine: {gitops: argocd}}\n";
    let job =
        MIGRATE.replace("helm.sh/hook: 'pre-install,pre-upgrade', ", "argocd.argoproj.io/hook: PreSync, ");
    let stored = stored_release::stored_as(7, "deployed", "ssa", &job);
    let files = Files::new(&[("stored.json", &stored), ("policy.yaml", policy)]);
    let (path, policy) = (files.path("stored.json"), files.path("policy.yaml"));
    let flags = ["plan", &path, "--policy", &policy, "--action", "upgrade", "--format", "json"];
    let (alone, told) = (hookward(flags), hookward(flags.into_iter().chain(["-n", "demo"])));
    assert_eq!(alone.json()["helm"], "argocd", "{}", alone.stdout);
    assert_eq!(alone.json(), told.json());
}
