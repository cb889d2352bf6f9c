//! What a story says where it once said something wrong.

use lifecycle::command::Wait;

use super::*;

/// A Job that is a hook.
fn job(name: &str, annotations: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\n\
         spec: {{backoffLimit: 0, {spec} template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: a}}]}}}}}}\n"
    )
}

#[test]
fn what_comes_after_a_hook_that_is_sure_to_fail_is_not_met() {
    let chart = [
        job("first", "helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: hook-failed", ""),
        job("second", "helm.sh/hook: pre-upgrade, helm.sh/hook-weight: \"1\"", ""),
    ]
    .concat();
    let next = |helm: &str| {
        let scenario = played_chart(&chart, helm, &UPGRADED, &[], &Flags::default());
        notes(&last(&scenario), "next upgrade")
    };
    assert_eq!(next("3"), "fails, since Job/first already exists");
    let all = "deletes Job/second first and runs it again; \
               may not run Job/first: unchanged, it counts as run while its end is there";
    assert_eq!(next("4"), all);
}

#[test]
fn what_comes_after_a_hook_that_has_failed_is_met_only_if_that_one_succeeds() {
    let chart = [
        job("late", "helm.sh/hook: \"pre-install,post-upgrade\"", ""),
        job("early", "helm.sh/hook: pre-upgrade", ""),
    ]
    .concat();
    let scenario = played_chart(&chart, "4", &UPGRADED, &[("Job/early", "fail")], &Flags::default());
    assert_eq!(
        notes(&last(&scenario), "next upgrade"),
        "deletes Job/early first and runs it again; if Job/early succeeds then, deletes Job/late first and runs it again"
    );
}

#[test]
fn a_failed_end_that_nobody_deletes_fails_the_next_upgrade_with_helm_4() {
    let chart = job("once", "helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: never", "");
    let scenario = played_chart(&chart, "4", &UPGRADED, &[("Job/once", "fail")], &Flags::default());
    let next = notes(&last(&scenario), "next upgrade");
    assert_eq!(next, "fails, since Job/once is still there and has failed");
}

#[test]
fn what_helm_drops_is_told_once() {
    let chart = format!("{SHOP}{}", job("lost", "helm.sh/hook: \"pre-upgrade,foo\"", ""));
    let scenario = played_chart(&chart, "4", &UPGRADED, &[], &Flags::default());
    let told: Vec<_> = Story::all(&scenario).map(|story| notes(&story, "dropped")).collect();
    assert!(
        told[0]
            .starts_with("Job/lost (helm.sh/hook: \"pre-upgrade,foo\"): for one event that it does not know")
            && told[1].is_empty(),
        "{told:?}"
    );
}

#[test]
fn a_hook_that_cannot_be_built_at_the_end_is_not_run() {
    let chart = format!("{SHOP}{}", job("number", "helm.sh/hook: post-upgrade, helm.sh/hook-weight: 9", ""));
    let scenario = played_chart(&chart, "4", &UPGRADED, &[], &Flags::default());
    let story = last(&scenario);
    assert!(!story.is_fine());
    assert_eq!(story.unrun.words(), "Job/number (w 9)");
}

#[test]
fn the_items_of_a_list_are_one_hook() {
    let items = ["c1", "c2", "c3"]
        .map(|name| format!("\n- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}"))
        .concat();
    let list = format!(
        "---\napiVersion: v1\nkind: List\nmetadata: {{name: l, annotations: {{helm.sh/hook: post-upgrade}}}}\nitems:{items}\n"
    );
    let chart = format!("{SHOP}{list}");
    let scenario = played_chart(&chart, "4", &UPGRADED, &[("Job/migrate", "fail")], &Flags::default());
    assert!(
        last(&scenario).unrun.words().ends_with("2 post-upgrade hooks"),
        "{}",
        last(&scenario).unrun.words()
    );
    let scenario = played_chart(&list, "4", &UPGRADED, &[], &Flags::default());
    assert_eq!(last(&scenario).ran(), 1);
}

#[test]
fn a_second_run_of_the_same_object_that_is_kept_from_running_is_told() {
    let chart = job("twice", "helm.sh/hook: \"pre-upgrade,pre-upgrade\"", "");
    let scenario = played_chart(&chart, "4", &UPGRADED, &[("Job/twice", "fail")], &Flags::default());
    assert_eq!(last(&scenario).unrun.words(), "Job/twice (w 0)");
}

#[test]
fn a_timeout_of_nothing_is_said_in_words() {
    let shown = |helm: &str, wait| {
        let flags = Flags { timeout: std::time::Duration::ZERO, wait, ..Flags::default() };
        let scenario = played(helm, &UPGRADED, &[("Job/migrate", "hang")], &flags);
        let story = last(&scenario);
        let outcome = story.rows[story.failed.unwrap()].outcome.clone().unwrap();
        (story.flags().remove(0), outcome.words)
    };
    let endless = "timeout 0: no limit to the wait for a hook";
    let (flag, words) = shown("3", Wait::HookOnly);
    assert_eq!(flag, endless);
    assert!(words.starts_with("no end after 1d: Helm waits for ever"), "{words}");
    assert_eq!(shown("4", Wait::Legacy).0, endless);
    let (flag, words) = shown("4", Wait::HookOnly);
    assert_eq!(flag, "timeout 0, which is 30s per wait");
    assert!(words.starts_with("timed out after 30s"), "{words}");
}

#[test]
fn a_pod_that_is_being_deleted_is_told_in_one_sentence() {
    let pod = "apiVersion: v1\nkind: Pod\n\
               metadata: {name: p, annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}}\n\
               spec: {restartPolicy: Never, containers: [{name: a, image: a}]}\n";
    let told = |wait| {
        let profile = Profile::find("4").unwrap();
        let chart = Arc::new(Chart::read(pod, "default").unwrap());
        let mut stage = Stage::new(profile, "shop", "default");
        for action in UPGRADED {
            let flags = Flags { wait, timeout: std::time::Duration::from_secs(10), ..Flags::default() };
            let outcomes: Outcomes = [("Pod/p".to_owned(), "hang".parse().unwrap())].into();
            stage.play(&Command { action, chart: Some(chart.clone()), flags, outcomes });
        }
        let (answer, asked) = stage.finish(0);
        let scenario = Rehearsed { answer, asked, ..played("4", &[], &[], &Flags::default()) };
        let story = last(&scenario);
        story.rows[0].outcome.clone().unwrap()
    };
    let sent = told(Wait::HookOnly).words;
    assert!(
        sent.ends_with(
            "; before: sent onto the old one, which is being deleted: Helm does not wait until it is gone"
        ),
        "{sent}"
    );
    let held = told(Wait::Watcher);
    assert!(
        held.words.starts_with("still there after 10s: ") && !held.words.contains("it is still there"),
        "{held:?}"
    );
    assert!(held.at >= 10.0, "{held:?}");
}

#[test]
fn helm_3_tells_its_cause_below_the_first_line() {
    for (outcome, cause) in [
        ("fail", "1 error occurred: * job migrate failed: BackoffLimitExceeded"),
        ("hang", "1 error occurred: * timed out waiting for the condition"),
    ] {
        let scenario = played("3", &UPGRADED, &[("Job/migrate", outcome)], &Flags::default());
        let error = last(&scenario).error().unwrap();
        assert!(error.ends_with(cause), "{error}");
        assert!(last(&scenario).played.error.as_ref().unwrap().ends_with("occurred:"));
    }
}

#[test]
fn a_deletion_that_takes_too_long_is_no_cause_that_helm_3_tells() {
    let pod = "apiVersion: v1\nkind: Pod\n\
               metadata: {name: p, annotations: {helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-failed}}\n\
               spec: {restartPolicy: Never, containers: [{name: a, image: a}]}\n";
    let chart = Arc::new(Chart::read(pod, "default").unwrap());
    let mut stage = Stage::new(Profile::find("3").unwrap(), "shop", "default");
    let flags = Flags { timeout: std::time::Duration::from_secs(10), ..Flags::default() };
    let outcomes: Outcomes = [("Pod/p".to_owned(), "hang".parse().unwrap())].into();
    stage.play(&Command { action: Action::Install, chart: Some(chart), flags, outcomes });
    let (answer, asked) = stage.finish(0);
    let scenario = Rehearsed { answer, asked, ..played("3", &[], &[], &Flags::default()) };
    let error = last(&scenario).error().unwrap();
    assert!(error.ends_with("1 error occurred: * timed out waiting for the condition"), "{error}");
}

#[test]
fn a_rollback_says_what_it_returns_to() {
    let actions = [Action::Install, Action::Upgrade, Action::Rollback];
    let scenario = played("4", &actions, &[], &Flags::default());
    assert_eq!(last(&scenario).flags()[0], "back to revision 1");
    let flags = Flags { to: Some(2), ..Flags::default() };
    let scenario = played("4", &actions, &[], &flags);
    assert_eq!(last(&scenario).flags()[0], "back to revision 2");
}

#[test]
fn what_goes_by_itself_is_not_said_to_stay() {
    let left = |first: &str, second: &str| {
        let chart =
            [job("a", "helm.sh/hook: pre-install", first), job("b", "helm.sh/hook: pre-install", second)];
        let actions = [Action::Install, Action::Uninstall];
        let scenario = played_chart(&chart.concat(), "4", &actions, &[], &Flags::default());
        notes(&last(&scenario), "left behind")
    };
    let ttl = "ttlSecondsAfterFinished: 86400,";
    let goes = "goes by itself 1d after its end";
    assert_eq!(left(ttl, ttl), format!("Job/a ({goes}), Job/b ({goes})"));
    assert_eq!(left(ttl, ""), format!("Job/a ({goes}), Job/b; nobody deletes the other now"));
    assert_eq!(left("", ""), "Job/a, Job/b; nobody deletes them now");
}

#[test]
fn a_filter_that_no_test_fits_names_the_tests() {
    let chart = SHOP.replace("helm.sh/hook: \"post-upgrade\"", "helm.sh/hook: \"test\"");
    let flags = Flags { filters: vec!["name=zz".to_owned()], ..Flags::default() };
    let scenario = played_chart(&chart, "4", &[Action::Install, Action::Test], &[], &flags);
    let told = last(&scenario).idle_words();
    assert_eq!(told, "no test runs: none fits --filter name=zz; tests of the release: notify");
}

#[test]
fn what_cannot_be_built_is_rolled_back_without_a_row() {
    let chart = format!("{SHOP}{}", job("number", "helm.sh/hook: pre-upgrade, helm.sh/hook-weight: -9", ""));
    let flags = Flags { rollback_on_failure: true, ..Flags::default() };
    let scenario = played_chart(&chart, "4", &UPGRADED, &[], &flags);
    let story = last(&scenario);
    assert_eq!((story.failed, story.undo), (None, Some(0)));
    assert!(story.unrun.words().contains("2 objects of the release"), "{}", story.unrun.words());
}

#[test]
fn the_cause_was_missing_where_helm_3_cannot_await_a_job_of_another_group() {
    let foreign = "---\napiVersion: example.com/v1\nkind: Job\nmetadata: {name: x, annotations: {helm.sh/hook: pre-install}}\n";
    let scenario = played_chart(foreign, "3", &[Action::Install], &[], &Flags::default());
    let story = last(&scenario);
    assert_eq!((story.failed, story.rows[0].words.as_str()), (Some(0), "create, wait"));
    let cause = " occurred: * expected x to be a *batch.Job, got *unstructured.Unstructured";
    assert!(story.error().unwrap().ends_with(cause), "{:?}", story.error());
}

#[test]
fn a_timeout_was_told_a_half_second_longer_than_it_was_given() {
    for (milliseconds, shown) in
        [(60_500, "1m00.5s"), (119_960, "2m"), (70_000, "1m10s"), (12_500, "12.5s"), (3_600_000, "1h")]
    {
        let timeout = std::time::Duration::from_millis(milliseconds);
        let scenario = played("4", &UPGRADED, &[], &Flags { timeout, ..Flags::default() });
        assert_eq!(last(&scenario).flags(), [format!("timeout {shown} per wait")]);
    }
}

#[test]
fn what_did_not_run_in_another_namespace_looked_like_its_namesake() {
    let there = job("number", "helm.sh/hook: pre-install, helm.sh/hook-weight: \"9\"", "");
    let there = there.replace("name: number,", "name: number, namespace: other,");
    let chart = job("number", "helm.sh/hook: pre-install", "") + &there;
    let scenario =
        played_chart(&chart, "4", &[Action::Install], &[("Job/number", "fail")], &Flags::default());
    assert_eq!(last(&scenario).unrun.words(), "Job/number in other (w 9)");
}

#[test]
fn a_test_under_argo_cd_passed_that_nobody_ran() {
    let chart = SHOP.replace("helm.sh/hook: \"post-upgrade\"", "helm.sh/hook: \"test\"");
    let actions = [Action::Install, Action::Test];
    let told = |helm: &str| {
        let scenario = played_chart(&chart, helm, &actions, &[], &Flags::default());
        let story = last(&scenario);
        (story.ended(), story.idle_words(), story.untested())
    };
    let words = "Argo CD runs no test hooks";
    assert_eq!(told("argocd"), ("not run".to_owned(), words.to_owned(), Some(words)));
    assert_eq!((told("4").0, told("4").2), ("passed".to_owned(), None));
}
