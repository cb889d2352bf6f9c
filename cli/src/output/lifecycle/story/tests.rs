//! What a story tells of releases that were really played.

use std::sync::Arc;

use lifecycle::{Chart, Command, Outcomes, Profile, answer::Action, command::Flags};

use super::*;
use crate::rehearsal::play::Stage;

mod deleted;
mod forecast;
mod left;
pub(in crate::output::lifecycle) mod lost;
mod told;

/// A chart with a failing migration among its hooks, and two ordinary resources.
pub(in crate::output::lifecycle) const SHOP: &str = r#"---
# Source: shop/templates/account.yaml
apiVersion: v1
kind: ServiceAccount
metadata:
  name: migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-weight: "-5"}
---
# Source: shop/templates/migrate.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
spec:
  backoffLimit: 2
  template: {spec: {restartPolicy: Never, serviceAccountName: migrate, containers: [{name: a, image: a}]}}
---
# Source: shop/templates/warm.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: warm-cache
  annotations: {helm.sh/hook: "pre-upgrade", helm.sh/hook-weight: "5", helm.sh/hook-delete-policy: hook-succeeded}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
---
# Source: shop/templates/notify.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: notify
  annotations: {helm.sh/hook: "post-upgrade"}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
---
# Source: shop/templates/drain.yaml
apiVersion: batch/v1
kind: Job
metadata:
  name: drain
  annotations: {helm.sh/hook: "pre-rollback", helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
---
# Source: shop/templates/config.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
---
# Source: shop/templates/service.yaml
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80}]}
"#;

/// Plays actions on the shop; `fails` names what fails from the second action on.
pub(in crate::output::lifecycle) fn played(
    helm: &str,
    actions: &[Action],
    fails: &[(&str, &str)],
    flags: &Flags,
) -> Rehearsed {
    played_chart(SHOP, helm, actions, fails, flags)
}

pub(in crate::output::lifecycle) fn played_chart(
    chart: &str,
    helm: &str,
    actions: &[Action],
    fails: &[(&str, &str)],
    flags: &Flags,
) -> Rehearsed {
    let profile = Profile::find(helm).unwrap();
    let chart = Arc::new(Chart::read_by(profile.engine, chart, "default").unwrap());
    let mut stage = Stage::new(profile, "shop", "default");
    for (index, action) in actions.iter().enumerate() {
        let is_last = index + 1 == actions.len();
        let outcomes: Outcomes = fails
            .iter()
            .filter(|_| is_last)
            .map(|(name, outcome)| ((*name).to_owned(), outcome.parse().unwrap()))
            .collect();
        let takes = matches!(action, Action::Install | Action::Upgrade);
        let flags = if is_last { flags.clone() } else { Flags::default() };
        stage.play(&Command { action: *action, chart: takes.then(|| chart.clone()), flags, outcomes });
    }
    let (answer, asked) = stage.finish(0);
    Rehearsed {
        name: "shop".to_owned(),
        file: "shop.yaml".to_owned(),
        profile,
        player: profile.shown.to_owned(),
        place: String::new(),
        answer,
        asked,
        expectations: Vec::new(),
        passed: true,
        marks: Vec::new(),
    }
}

/// An install of which a rule denies a hook; another rule denies what never runs.
pub(in crate::output::lifecycle) fn denied() -> Rehearsed {
    let mut scenario = played("4", &[Action::Install, Action::Uninstall], &[], &Flags::default());
    let object = scenario.answer.actions[0].steps[0].object.clone();
    let mark = |object, rule, mode| Mark { object, rule, mode, message: String::new() };
    scenario.marks = vec![
        mark(object.clone(), "job-x", Mode::Deny),
        mark(None, "job-y", Mode::Deny),
        mark(object, "job-z", Mode::Warn),
    ];
    scenario
}

const UPGRADED: [Action; 2] = [Action::Install, Action::Upgrade];

fn notes(story: &Story<'_>, label: &str) -> String {
    let notes = story.notes();
    notes.iter().filter(|note| note.label == label).map(|note| note.text.as_str()).collect()
}

fn last(scenario: &Rehearsed) -> Story<'_> {
    Story::all(scenario).last().unwrap()
}

#[test]
fn what_was_done_to_one_object_is_one_row() {
    let scenario = played("4", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
    let story = last(&scenario);
    let rows: Vec<_> = story.rows.iter().map(|row| (row.weight.unwrap(), row.words.as_str())).collect();
    let expected = [(-5, "delete the old one, apply, not awaited"), (0, "delete the old one, apply, wait")];
    assert_eq!(rows, expected);
    let outcome = story.rows[1].outcome.as_ref().unwrap();
    assert!(
        outcome.words.starts_with("failed after ") && outcome.words.contains("BackoffLimitExceeded"),
        "{outcome:?}"
    );
    assert_eq!((story.failed, outcome.tone), (Some(1), Tone::Bad));
}

#[test]
fn a_failure_says_what_did_not_run_and_what_was_not_touched() {
    let scenario = played("4", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
    let story = last(&scenario);
    assert_eq!(story.unrun.words(), "Job/warm-cache (w 5), 2 objects of the release, 1 post-upgrade hook");
    assert_eq!(
        notes(&story, "afterwards"),
        "revision 2 failed, revision 1 deployed, the application was not touched"
    );
    assert_eq!(
        notes(&story, "left behind"),
        "Job/migrate (failed, its pods keep their logs), ServiceAccount/migrate"
    );
}

#[test]
fn the_next_upgrade_meets_what_is_left() {
    let scenario = played("4", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
    let next = notes(&last(&scenario), "next upgrade");
    assert_eq!(
        next,
        "deletes Job/migrate first and runs it again; deletes ServiceAccount/migrate first and makes it again"
    );
}

#[test]
fn what_helm_deletes_by_policy_names_the_policy() {
    let scenario = played("4", &UPGRADED, &[], &Flags::default());
    let story = last(&scenario);
    let row = story.rows.iter().find(|row| row.doing == Doing::Delete).unwrap();
    assert_eq!(
        (row.words.as_str(), row.object.unwrap().name.as_str()),
        ("delete (hook-succeeded)", "warm-cache")
    );
    assert!(story.unrun.is_empty() && story.failed.is_none() && story.undo.is_none());
}

#[test]
fn where_helm_rolls_back_a_new_part_begins() {
    let flags = Flags { rollback_on_failure: true, ..Flags::default() };
    let scenario = played("4", &UPGRADED, &[("Job/migrate", "fail")], &flags);
    let story = last(&scenario);
    let undo = &story.rows[story.undo.unwrap()];
    assert_eq!((undo.event, undo.object.unwrap().name.as_str()), (Some(Event::PreRollback), "drain"));
    assert_eq!(
        (story.undo_words().as_str(), story.stop_words()),
        ("Helm rolls back to revision 1", "Helm ends")
    );
    assert!(story.unrun.words().contains("2 objects of the release"), "{}", story.unrun.words());
    assert!(notes(&story, "afterwards").ends_with("the application is what it was before"));
}

#[test]
fn a_hook_that_goes_on_running_is_said_to() {
    let scenario = played("3", &UPGRADED, &[("Job/migrate", "hang")], &Flags::default());
    let story = last(&scenario);
    let outcome = story.rows[1].outcome.as_ref().unwrap();
    assert_eq!(outcome.words, "timed out after 5m: it goes on running when Helm has given up");
    assert!(notes(&story, "left behind").starts_with("Job/migrate (not ended: it goes on without Helm)"));
}

#[test]
fn a_rollback_that_fails_refuses_the_next_upgrade() {
    let actions = [Action::Install, Action::Upgrade, Action::Rollback];
    let scenario = played("4", &actions, &[("Job/drain", "fail")], &Flags::default());
    let next = notes(&last(&scenario), "next upgrade");
    assert_eq!(next, "is refused as long as revision 3 is pending-rollback; helm rollback ends that");
}

#[test]
fn after_an_uninstall_nobody_deletes_hooks() {
    let scenario = played("4", &[Action::Install, Action::Uninstall], &[], &Flags::default());
    let story = last(&scenario);
    assert_eq!(notes(&story, "afterwards"), "nothing is stored of the release");
    assert_eq!(notes(&story, "left behind"), "Job/migrate, ServiceAccount/migrate; nobody deletes them now");
    assert!(notes(&story, "next install").starts_with("deletes Job/migrate first"));
}

#[test]
fn what_helm_refuses_has_no_rows() {
    let scenario = played("4", &[Action::Upgrade], &[], &Flags::default());
    let story = last(&scenario);
    assert!(story.rows.is_empty());
    assert_eq!((story.stop_words(), story.title().as_str()), ("Helm refuses", "upgrade shop"));
}

#[test]
fn argo_runs_install_hooks_on_every_sync() {
    let scenario = played("4", &[Action::Install], &[], &Flags::default());
    let words = last(&scenario).under_argo().unwrap().text;
    assert_eq!(words, "the same hooks belong to every sync, also the first; see --helm argocd");
    let once = SHOP.replace("pre-install,pre-upgrade", "pre-install");
    let scenario = played_chart(&once, "4", &[Action::Install], &[], &Flags::default());
    let words = last(&scenario).under_argo().unwrap().text;
    assert!(words.contains("also ServiceAccount/migrate and Job/migrate, meant for the install"), "{words}");
    let scenario = played("argocd", &[Action::Install], &[], &Flags::default());
    assert_eq!(last(&scenario).under_argo(), None);
}

#[test]
fn hooks_that_are_in_no_sync_were_said_to_belong_to_every_one() {
    for action in [Action::Uninstall, Action::Rollback, Action::Test] {
        let scenario = played("4", &[Action::Install, Action::Upgrade, action], &[], &Flags::default());
        assert_eq!(last(&scenario).under_argo(), None, "{action:?}");
    }
}

#[test]
fn argo_takes_the_hooks_of_an_install_for_those_of_a_sync() {
    let scenario = played("argocd", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
    let story = last(&scenario);
    let unrun: Vec<_> = story.unrun.hooks.iter().map(|one| one.object.name.as_str()).collect();
    assert_eq!((unrun, story.stop_words()), (vec!["warm-cache", "notify"], "Argo CD stops"));
    assert_eq!(story.unrun.resources, 2);
}

#[test]
fn helm_was_said_to_give_up_where_argo_cd_waits_for_ever() {
    let chart = SHOP.replace("pre-rollback", "pre-delete");
    let left = |actions: &[Action], hangs: &str| {
        let scenario = played_chart(&chart, "argocd", actions, &[(hangs, "hang")], &Flags::default());
        let story = last(&scenario);
        (story.stop_words(), notes(&story, "left behind"))
    };
    let (says, synced) = left(&UPGRADED, "Job/migrate");
    assert_eq!(
        (says, &*synced),
        ("Argo CD says", "Job/migrate (not ended), Job/notify, ServiceAccount/migrate")
    );
    let (says, deleted) = left(&[Action::Install, Action::Uninstall], "Job/drain");
    assert!(says == "Argo CD says" && deleted.starts_with("Job/drain (not ended), "), "{says} {deleted}");
}

#[test]
fn a_test_that_fails_leaves_no_resource_undone() {
    let chart = SHOP.replace("helm.sh/hook: \"post-upgrade\"", "helm.sh/hook: \"test\"");
    let flags = Flags { filters: vec!["name=notify".to_owned()], ..Flags::default() };
    for flags in [flags, Flags::default()] {
        let actions = [Action::Install, Action::Test];
        let scenario = played_chart(&chart, "4", &actions, &[("Job/notify", "fail")], &flags);
        let story = last(&scenario);
        assert!(!story.is_fine() && story.unrun.is_empty(), "{:?}", story.unrun);
    }
}

#[test]
fn the_next_upgrade_with_helm_3_fails_on_what_it_does_not_delete_first() {
    let chart = SHOP.replace(
        "helm.sh/hook: \"post-upgrade\"",
        "helm.sh/hook: \"post-upgrade\", helm.sh/hook-delete-policy: hook-failed",
    );
    let next = |helm: &str| {
        let scenario = played_chart(&chart, helm, &UPGRADED, &[], &Flags::default());
        notes(&last(&scenario), "next upgrade")
    };
    assert!(next("3").ends_with("fails, since Job/notify already exists"), "{}", next("3"));
    assert!(next("4").contains("may not run Job/notify: unchanged, it counts as run"), "{}", next("4"));
}
