//! What is left, what goes, and what became of the application, where a story once said something else.

use lifecycle::command::Wait;

use super::*;

/// A namespace that is a hook.
pub(in crate::output::lifecycle) fn namespace() -> String {
    object("Namespace", "team", TEAM, "") + &own()
}

pub(super) fn object(kind: &str, name: &str, annotations: &str, rest: &str) -> String {
    let version = match kind {
        "Job" => "batch/v1",
        "Deployment" => "apps/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    };
    format!(
        "---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, annotations: {{{annotations}}}}}\n{rest}\n"
    )
}

fn job(name: &str, annotations: &str, spec: &str, restart: &str) -> String {
    let pods =
        format!("template: {{spec: {{restartPolicy: {restart}, containers: [{{name: a, image: a}}]}}}}");
    object("Job", name, annotations, &format!("spec: {{{spec} {pods}}}"))
}

fn own() -> String {
    object("ConfigMap", "own", "", "")
}

#[test]
fn the_end_of_a_job_that_succeeded_was_called_a_failure_since_another_hook_failed() {
    let chart = [
        job(
            "a",
            "helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-delete-policy: hook-failed",
            "",
            "Never",
        ),
        job("b", "helm.sh/hook: pre-upgrade, helm.sh/hook-weight: \"2\"", "", "Never"),
    ];
    for (helm, label) in [("4", "next upgrade"), ("flux", "next upgrade"), ("argocd", "next sync")] {
        let scenario =
            played_chart(&chart.concat(), helm, &UPGRADED, &[("Job/b", "hang")], &Flags::default());
        let next = notes(&last(&scenario), label);
        assert!(next.contains("may not run Job/a: unchanged, it counts as run"), "{helm}: {next}");
    }
    let scenario = played_chart(&chart.concat(), "3", &UPGRADED, &[("Job/a", "fail")], &Flags::default());
    let next = notes(&last(&scenario), "next upgrade");
    assert_eq!(next, "fails, since Job/a already exists");
}

#[test]
fn argo_cd_was_said_to_keep_what_has_a_policy_that_says_nothing() {
    let policies = ["\"\"", "never", "before-hook-creation", "hook-failed"].into_iter().enumerate();
    let jobs = policies.map(|(place, policy)| {
        let annotations =
            format!("helm.sh/hook: \"pre-install,pre-upgrade\", helm.sh/hook-delete-policy: {policy}");
        job(&format!("p{place}"), &annotations, "", "Never")
    });
    let scenario = played_chart(&jobs.collect::<String>(), "argocd", &UPGRADED, &[], &Flags::default());
    let next = notes(&last(&scenario), "next sync");
    let words = "deletes Job/p0, Job/p1 and Job/p2 first and runs them again; \
                 may not run Job/p3: unchanged, it counts as run while its end is there";
    assert_eq!(next, words);
}

#[test]
fn pods_that_are_gone_were_said_to_keep_their_logs() {
    let left = |spec: &str, restart: &str, outcome: &str| {
        let chart = job("a", "helm.sh/hook: pre-install", spec, restart) + &own();
        let scenario =
            played_chart(&chart, "4", &[Action::Install], &[("Job/a", outcome)], &Flags::default());
        notes(&last(&scenario), "left behind")
    };
    let deadline = left("activeDeadlineSeconds: 30,", "Never", "hang");
    assert_eq!(deadline, "Job/a (failed, pods that still ran are gone with their logs)");
    assert_eq!(
        left("backoffLimit: 1,", "OnFailure", "fail"),
        "Job/a (failed, its pods and their logs are gone)"
    );
    assert_eq!(left("backoffLimit: 1,", "Never", "fail"), "Job/a (failed, its pods keep their logs)");
}

#[test]
fn a_suspended_job_was_said_to_go_on() {
    let chart = job("a", "helm.sh/hook: pre-install", "suspend: true,", "Never") + &own();
    let scenario = played_chart(&chart, "4", &[Action::Install], &[], &Flags::default());
    assert_eq!(notes(&last(&scenario), "left behind"), "Job/a (suspended: nothing runs)");
}

#[test]
fn an_application_that_is_gone_was_said_to_run() {
    use Action::{Install, Rollback, Uninstall, Upgrade};
    let chart = job("a", "helm.sh/hook: pre-delete", "backoffLimit: 0,", "Never") + &own();
    let after = |helm: &str, actions: &[Action], fails: &[(&str, &str)]| {
        let scenario = played_chart(&chart, helm, actions, fails, &Flags::default());
        notes(&last(&scenario), "afterwards")
    };
    for helm in ["3", "4", "flux", "argocd"] {
        let nothing = "nothing is stored of the release";
        assert_eq!(after(helm, &[Install, Uninstall, Uninstall], &[]), nothing, "{helm}");
    }
    for helm in ["3", "4"] {
        assert_eq!(after(helm, &[Upgrade], &[]), "nothing is stored of the release");
        assert_eq!(after(helm, &[Rollback], &[]), "nothing is stored of the release");
        let again = after(helm, &[Install, Install], &[]);
        assert_eq!(again, "revision 1 deployed, the application was not touched");
        let fails = [("Job/a", "fail")];
        let held = after(helm, &[Install, Uninstall], &fails);
        assert_eq!(held, "revision 1 uninstalling, the application still runs");
    }
}

const TEAM: &str = "helm.sh/hook: \"pre-install,pre-upgrade\"";

/// A claim that is a hook, and what uses it.
pub(super) fn claim() -> String {
    let pods = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a}], \
                volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]}}";
    object("PersistentVolumeClaim", "data", TEAM, "")
        + &object("Deployment", "app", "", &format!("spec: {{selector: {{matchLabels: {{a: b}}}}, {pods}}}"))
}

#[test]
fn what_was_on_its_way_out_was_plainly_left_behind() {
    let charts = [
        ("Namespace/team", ", with all that is in it", namespace()),
        ("PersistentVolumeClaim/data", ", with its data, once no pod uses it", claim()),
    ];
    for (name, with, chart) in charts {
        let scenario = played_chart(&chart, "4", &[Action::Install], &[], &Flags::default());
        let story = last(&scenario);
        assert_eq!((notes(&story, "left behind"), notes(&story, "lost")), (name.to_owned(), String::new()));
        let next = format!("deletes {name} first, sends it before it is gone, and so loses it");
        assert_eq!(notes(&story, "next upgrade"), next);
        let scenario = played_chart(&chart, "4", &UPGRADED, &[], &Flags::default());
        let story = last(&scenario);
        assert_eq!(notes(&story, "left behind"), format!("{name} (being deleted)"));
        let why = "the hook was sent before it was gone, and nothing makes it again";
        assert_eq!(notes(&story, "lost"), format!("{name} is being deleted{with}: {why}"));
        assert_eq!(notes(&story, "next upgrade"), "");
        let row = &story.rows[0];
        assert_eq!((row.outcome.as_ref().unwrap().tone, row.stays, row.loses), (Tone::Bad, true, true));
        assert!(story.is_fine() && story.failed.is_none(), "Helm takes it for a success");
    }
}

#[test]
fn what_does_not_go_fails_the_next_upgrade_of_who_waits_for_it() {
    for (helm, wait) in [("3", Wait::HookOnly), ("4", Wait::Watcher), ("flux", Wait::Watcher)] {
        let flags = Flags { wait, ..Flags::default() };
        let scenario = played_chart(&claim(), helm, &[Action::Install], &[], &flags);
        let next = notes(&last(&scenario), "next upgrade");
        let words = "fails, since PersistentVolumeClaim/data is to be deleted first and something holds it";
        assert_eq!(next, words, "{helm}");
    }
}

#[test]
fn a_sync_that_waits_for_ever_was_over_after_a_day() {
    let chart = claim() + &object("ConfigMap", "other", TEAM, "");
    let scenario = played_chart(&chart, "argocd", &[Action::Install], &[], &Flags::default());
    let next = "deletes ConfigMap/other; \
                waits for ever, since PersistentVolumeClaim/data is to be deleted first and something holds it";
    assert_eq!(notes(&last(&scenario), "next sync"), next);
    let scenario = played_chart(&chart, "argocd", &UPGRADED, &[], &Flags::default());
    let story = last(&scenario);
    assert!(!story.is_fine() && !story.rows.iter().any(|row| row.loses), "{:#?}", story.rows);
    assert_eq!((story.status(), story.stop_words()), ("pending-upgrade", "Argo CD says"));
    let rows = story.rows.iter().map(|row| {
        let outcome = row.outcome.as_ref().map_or("", |outcome| &outcome.words);
        (row.object.unwrap().name.as_str(), row.words.as_str(), outcome)
    });
    let why = "still there after 1d: a pod still uses it, and Argo CD waits for ever";
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [("other", "delete the old one", ""), ("data", "delete the old one", why)]
    );
    assert_eq!(story.unrun.words(), "ConfigMap/other (w 0), 1 object of the release");
    let next =
        "waits for ever, since PersistentVolumeClaim/data is to be deleted first and something holds it";
    assert_eq!(notes(&story, "next sync"), next);
}

#[test]
fn more_than_six_that_are_left_were_named_nowhere() {
    let chart: String = (0..9).map(|place| object("ConfigMap", &format!("c{place}"), TEAM, "")).collect();
    let scenario = played_chart(&chart, "4", &[Action::Install], &[], &Flags::default());
    let few = notes(&last(&scenario), "left behind");
    assert!(few.ends_with("ConfigMap/c5, 3 more, which --format json names"), "{few}");
    let all = notes(&last(&scenario).in_full(), "left behind");
    assert!(all.ends_with("ConfigMap/c7, ConfigMap/c8"), "{all}");
}

#[test]
fn all_that_is_lost_was_named_below_a_list_that_ends_at_six() {
    let chart: String = (0..9).map(|place| object("Namespace", &format!("n{place}"), TEAM, "")).collect();
    let scenario = played_chart(&chart, "4", &UPGRADED, &[], &Flags::default());
    let few = notes(&last(&scenario), "lost");
    assert!(few.contains("Namespace/n5 and 3 more are being deleted"), "{few}");
    let all = notes(&last(&scenario).in_full(), "lost");
    assert!(all.contains("Namespace/n7 and Namespace/n8 are being deleted"), "{all}");
}
