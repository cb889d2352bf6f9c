//! What one command leaves for the next, over several versions of a chart.

use lifecycle::scenario::Expect;

use super::*;

const OWN: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: own}\n";

/// A Job that is a hook of `events`, with `more` annotations.
fn job(events: &str, more: &str) -> String {
    format!(
        "---\n# Source: shop/templates/migrate.yaml\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate, annotations: \
         {{helm.sh/hook: \"{events}\"{more}}}}}\nspec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: Never, containers: \
         [{{name: a, image: a}}]}}}}}}\n"
    )
}

/// Plays each action with its chart, and an outcome of the Job.
fn history(steps: &[(Action, &str, &str)]) -> Rehearsed {
    let mut stage = Stage::new(Profile::find("4").unwrap(), "shop", "default");
    for (action, chart, outcome) in steps {
        let takes = matches!(action, Action::Install | Action::Upgrade);
        let chart = takes.then(|| Arc::new(Chart::read(chart, "default").unwrap()));
        let outcomes = [("Job/migrate".to_owned(), outcome.parse().unwrap())].into_iter().collect();
        stage.play(&Command { action: *action, chart, flags: Flags::default(), outcomes });
    }
    let (answer, asked) = stage.finish(0);
    Rehearsed { answer, asked, ..played("4", &[], &[], &Flags::default()) }
}

#[test]
fn a_secret_that_became_a_hook_was_deleted_and_nobody_said_so() {
    let secret = |more: &str| {
        format!("---\napiVersion: v1\nkind: Secret\nmetadata: {{name: db, annotations: {{{more}}}}}\n")
    };
    let (first, second) = (secret("") + OWN, secret("helm.sh/hook: pre-upgrade") + OWN);
    let scenario = history(&[(Action::Install, &first, "ok"), (Action::Upgrade, &second, "ok")]);
    let story = last(&scenario);
    let row = story.rows.iter().find(|row| row.doing == Doing::Resources).unwrap();
    assert_eq!(row.words, "1 updated, 1 deleted: Secret/db");
    let outcome = row.outcome.as_ref().unwrap();
    assert_eq!(outcome.tone, Tone::Bad);
    assert_eq!(
        outcome.words,
        "Secret/db is gone: the hook made it, then Helm deleted it, since it was a resource of revision 1"
    );
    assert!(story.is_fine() && story.failed.is_none(), "Helm takes it for a success");
}

#[test]
fn a_rollback_was_advised_that_its_hook_does_not_let_through() {
    let chart = job("pre-upgrade,pre-rollback", ", helm.sh/hook-delete-policy: hook-succeeded") + OWN;
    let steps = [Action::Install, Action::Upgrade, Action::Rollback].map(|action| (action, &*chart, "fail"));
    let next = notes(&last(&history(&steps)), "next upgrade");
    assert_eq!(
        next,
        "is refused as long as revision 3 is pending-rollback; helm rollback ends that, once Job/migrate is deleted, on which its \
         hook fails again"
    );
}

#[test]
fn a_job_without_an_end_was_said_to_have_one() {
    let chart = job("pre-upgrade", ", helm.sh/hook-delete-policy: hook-succeeded") + OWN;
    let steps = [(Action::Install, &*chart, "hang"), (Action::Upgrade, &*chart, "hang")];
    let next = notes(&last(&history(&steps)), "next upgrade");
    assert_eq!(next, "waits for Job/migrate again, which is still there and has not ended");
}

#[test]
fn what_may_not_be_changed_fails_again() {
    let chart = job("pre-upgrade", ", helm.sh/hook-delete-policy: hook-succeeded") + OWN;
    let changed = chart.replace("image: a", "image: b");
    let steps = [
        (Action::Install, &*chart, "ok"),
        (Action::Upgrade, &*chart, "fail"),
        (Action::Upgrade, &*changed, "ok"),
    ];
    let next = notes(&last(&history(&steps)), "next upgrade");
    assert_eq!(next, "fails, since Job/migrate is still there and may not be changed");
}

#[test]
fn a_rollback_to_what_failed_says_so() {
    let chart = job("pre-upgrade", "") + OWN;
    let steps = [
        (Action::Install, &*chart, "ok"),
        (Action::Upgrade, &*chart, "fail"),
        (Action::Upgrade, &*chart, "fail"),
        (Action::Rollback, &*chart, "ok"),
    ];
    let scenario = history(&steps);
    let flags = last(&scenario).flags();
    let to = "back to revision 2, which failed: without --to Helm takes the one before the newest";
    assert_eq!(flags[0], to);
}

#[test]
fn a_refused_upgrade_is_headed_by_the_newest_revision() {
    let chart = job("pre-rollback", "") + OWN;
    let steps = [
        (Action::Install, &*chart, "ok"),
        (Action::Upgrade, &*chart, "ok"),
        (Action::Rollback, &*chart, "fail"),
        (Action::Upgrade, &*chart, "ok"),
    ];
    let scenario = history(&steps);
    assert_eq!(last(&scenario).title(), "upgrade shop 3");
}

#[test]
fn what_failed_as_expected_and_what_passed_over_a_failed_revision_are_well() {
    let chart = job("pre-upgrade,test", "") + OWN;
    let steps =
        [(Action::Install, &*chart, "ok"), (Action::Upgrade, &*chart, "fail"), (Action::Test, &*chart, "ok")];
    let mut scenario = history(&steps);
    let ended = |scenario: &Rehearsed| {
        Story::all(scenario).map(|story| (story.is_well(), story.ended())).collect::<Vec<_>>()
    };
    let said = |words: &str| words.to_owned();
    let all = [(true, said("deployed")), (false, said("failed")), (true, said("passed"))];
    assert_eq!(ended(&scenario), all);
    let expect = Expect { exit: Some(1), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.expectations.extend(expect.judge(2, &scenario.answer.actions[2]));
    let all = [
        (true, said("deployed")),
        (true, said("failed, as expected")),
        (false, said("passed, not as expected")),
    ];
    assert_eq!(ended(&scenario), all);
}

#[test]
fn two_rollouts_of_one_name_are_told_apart_by_their_files() {
    let named = |name: &str, file: &str| Rehearsed {
        name: name.to_owned(),
        file: file.to_owned(),
        ..played("4", &[], &[], &Flags::default())
    };
    let shown = names(&[named("a", "one.yaml"), named("b", "two.yaml"), named("a", "three.yaml")]);
    assert_eq!(shown, ["a (one.yaml)", "b", "a (three.yaml)"]);
}

#[test]
fn what_had_not_ended_looked_as_if_it_had_in_the_next_action() {
    let chart = job("pre-install,pre-upgrade", "") + OWN;
    let refused = job("post-delete", "") + OWN;
    let scenario = history(&[(Action::Install, &chart, "hang"), (Action::Upgrade, &refused, "ok")]);
    let left: Vec<_> = Story::all(&scenario).map(|story| notes(&story, "left behind")).collect();
    assert_eq!(left[0], "Job/migrate (not ended: it goes on without Helm)");
    assert_eq!(left[1], "Job/migrate (had not ended when Helm gave up on it)");
}

#[test]
fn what_argo_cd_deleted_after_a_failure_was_said_to_go_by_success() {
    let policy = ", helm.sh/hook-delete-policy: hook-failed, helm.sh/hook-weight: '-1'";
    let chart = job("pre-upgrade", policy).replace("migrate", "before") + &job("pre-upgrade", "") + OWN;
    let deleted = |helm: &str| {
        let scenario = played_chart(&chart, helm, &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
        let story = last(&scenario);
        let words: Vec<_> = story.rows.iter().map(|row| row.words.clone()).collect();
        words.into_iter().filter(|words| words.starts_with("delete (")).collect::<Vec<_>>()
    };
    assert_eq!(deleted("argocd"), ["delete (hook-failed)"]);
    assert!(deleted("4").is_empty(), "for Helm it did not fail");
}

#[test]
fn what_argo_cd_deletes_with_an_application_was_said_to_be_an_old_one_and_to_be_left() {
    let chart = job("pre-install", "") + &job("pre-delete", "").replace("migrate", "before") + OWN;
    let asked = [Action::Install, Action::Uninstall];
    let scenario = played_chart(&chart, "argocd", &asked, &[], &Flags::default());
    let story = last(&scenario);
    let words: Vec<_> = story.rows.iter().map(|row| row.words.as_str()).collect();
    let deleted = "delete, with all of the Application";
    assert_eq!(words, ["create, wait 1.0s", deleted, deleted, "1 deleted"]);
    assert_eq!(notes(&story, "left behind"), "nothing");
}

#[test]
fn a_job_of_another_group_was_said_to_keep_the_logs_of_its_pods() {
    let left = |group: &str| {
        let chart = job("pre-upgrade", "").replace("batch/v1", group) + OWN;
        let scenario = played_chart(&chart, "3", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
        notes(&last(&scenario), "left behind")
    };
    assert_eq!(left("batch/v1"), "Job/migrate (failed, its pods keep their logs)");
    assert_eq!(left("batch.volcano.sh/v1alpha1"), "Job/migrate");
}

/// What is done to the hooks of the last action.
fn words_of(scenario: &Rehearsed) -> Vec<String> {
    let story = last(scenario);
    let hooks = story.rows.iter().filter(|row| row.doing != Doing::Resources);
    hooks.map(|row| row.words.clone()).collect()
}

#[test]
fn what_was_deleted_to_make_room_for_the_next_run_was_said_to_go_by_another_policy() {
    let held = |events: &str, more: &str| {
        job(events, more).replace("metadata: {name", "metadata: {finalizers: [a/b], name")
    };
    let both = ", helm.sh/hook-delete-policy: \"before-hook-creation,hook-succeeded\"";
    let waits = Flags { wait: lifecycle::command::Wait::Watcher, ..Flags::default() };
    let charts = [held("pre-install,post-install", ""), held("pre-install,pre-install", both)];
    for (chart, helm) in
        charts.iter().flat_map(|chart| ["3", "4", "flux", "argocd"].map(|helm| (chart, helm)))
    {
        // Argo CD runs a hook once for both.
        if helm == "argocd" && chart.contains("pre-install,pre-install") {
            continue;
        }
        let words = words_of(&played_chart(chart, helm, &[Action::Install], &[], &waits));
        assert_eq!(words.last().map(String::as_str), Some("delete the old one"), "{helm}: {words:?}");
    }
    let words = words_of(&played_chart(&job("pre-install", both), "3", &[Action::Install], &[], &waits));
    assert_eq!(words, ["create, wait 1.0s", "delete (hook-succeeded)"]);
}

#[test]
fn a_failed_hook_that_did_not_go_was_said_to_go_with_all_of_the_application() {
    let held = job("pre-delete", "").replace("metadata: {name", "metadata: {finalizers: [a/b], name");
    let asked = [Action::Install, Action::Uninstall];
    let fails = [("Job/migrate", "fail")];
    let scenario = played_chart(&(held + OWN), "argocd", &asked, &fails, &Flags::default());
    assert_eq!(words_of(&scenario), ["create, wait", "delete"]);
    assert_eq!(notes(&last(&scenario), "next sync"), "is refused: the Application is being deleted");
}

#[test]
fn thousands_of_hooks_that_are_left_were_looked_for_among_each_other() {
    let one = job("pre-install,pre-upgrade", "");
    let chart: String =
        (0..4_000).map(|number| one.replace("name: migrate,", &format!("name: migrate-{number},"))).collect();
    let scenario = history(&[(Action::Install, &chart, "ok")]);
    let story = Story::all(&scenario).next().unwrap();
    assert_eq!(story.rows.iter().filter(|row| row.stays).count(), 4_000);
    let notes = story.notes();
    let told = |label| notes.iter().any(|note| note.label == label && note.text.contains("3994 more"));
    assert!(told("left behind") && told("next upgrade"), "{notes:?}");
}
