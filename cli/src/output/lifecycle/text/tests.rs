//! What people see, to the letter.

use lifecycle::{
    answer::Action::{self, Install, Upgrade},
    command::Flags,
    scenario::Expect,
};

use policies::Mode;

use super::*;
use crate::{
    output::lifecycle::story::tests::{SHOP, lost, played, played_chart},
    rehearsal::Mark,
};

fn shown(scenario: Rehearsed, kind: Kind, look: Look) -> String {
    let rehearsal = Rehearsal { scenarios: vec![scenario], ..Rehearsal::default() };
    let mut out = Vec::new();
    write(&rehearsal, kind, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn failed_upgrade(helm: &str) -> Rehearsed {
    let mut scenario = played(helm, &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    scenario.answer.actions.remove(0);
    scenario.asked.remove(0);
    scenario
}

#[test]
fn a_failed_upgrade_reads_like_a_story() {
    let expected = "\
upgrade shop 1 → 2 · Helm 4.2 · timeout 5m per wait

  time    event          hook                          what happens
  0.0s    pre-upgrade    ServiceAccount/migrate  w -5  delete the old one, apply, not awaited
  0.0s                   Job/migrate             w  0  delete the old one, apply, wait
  33s                                                  ✗ failed after 33s: BackoffLimitExceeded
                                                         after 3 failed pods
                         ── Helm stops: \"UPGRADE FAILED: pre-upgrade hooks failed: resource
                            Job/default/migrate not ready. status: Failed, message: Job Failed.
                            failed: 3/1\"
          not run        Job/warm-cache (w 5), 2 objects of the release, 1 post-upgrade hook

  afterwards     revision 2 failed, revision 1 deployed, the application was not touched
  left behind    Job/migrate (failed, its pods keep their logs), ServiceAccount/migrate
  next upgrade   deletes Job/migrate first and runs it again; deletes ServiceAccount/migrate first
                 and makes it again
  under Argo CD  the same hooks belong to every sync, also the first; see --helm argocd
";
    assert_eq!(shown(failed_upgrade("4"), Kind::Plan(None), Look::default()), expected);
}

#[test]
fn a_rollback_on_failure_has_a_line_of_its_own() {
    let flags = Flags { rollback_on_failure: true, ..Flags::default() };
    let scenario = played("4", &[Install, Upgrade], &[("Job/migrate", "fail")], &flags);
    let text = shown(scenario, Kind::Plan(None), Look::default());
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    let turn = lines.iter().position(|line| *line == "── Helm rolls back to revision 1").unwrap();
    assert!(lines[turn + 1].contains("pre-rollback   Job/drain"), "{text}");
    assert!(lines[turn..].iter().any(|line| line.starts_with("── Helm ends: \"UPGRADE FAILED")), "{text}");
}

#[test]
fn rules_stand_beside_what_they_object_to() {
    let mut scenario = failed_upgrade("4");
    let object = scenario.answer.actions[0].steps[2].object.clone();
    scenario.marks = vec![
        Mark { object: object.clone(), rule: "job-x", mode: Mode::Deny, message: String::new() },
        Mark { object, rule: "job-y", mode: Mode::Audit, message: String::new() },
    ];
    let text = shown(scenario, Kind::Plan(None), Look::default());
    assert!(text.contains("  ✗ job-x (deny)\n") && !text.contains("job-y"), "{text}");
    assert!(
        text.contains(
            "rules          1 deny (job-x), 1 only take note; `hookward check PATH --show audit` says where and\n"
        ),
        "{text}"
    );
}

fn judged(exit: i32) -> Rehearsed {
    let mut scenario = failed_upgrade("4");
    let expect = Expect { exit: Some(exit), ..Expect::default() };
    scenario.expectations = expect.judge(0, &scenario.answer.actions[0]);
    scenario.passed = scenario.expectations.iter().all(|expected| expected.ok);
    scenario
}

#[test]
fn a_rollout_that_passed_is_one_line() {
    let text = shown(judged(1), Kind::Rollout, Look::default());
    let expected = "✓ passed  shop · Helm 4.2 · 1 step, 1 expectation\n1 rollout: 1 passed, 0 failed\n";
    assert_eq!(text, expected);
    let verbose = shown(judged(1), Kind::Rollout, Look { verbose: true, ..Look::default() });
    assert!(verbose.contains("\nstep 1: upgrade shop 1 → 2 · Helm 4.2"), "{verbose}");
}

#[test]
fn a_rollout_that_failed_shows_what_is_not_as_expected_and_the_step() {
    let text = shown(judged(0), Kind::Rollout, Look::default());
    let begin = "✗ failed  shop · Helm 4.2 · 1 step, 1 expectation\n     step 1, exit expected 0\n                  is       1\n";
    assert!(text.starts_with(begin), "{text}");
    assert!(text.contains("\nstep 1: upgrade shop") && text.contains("── Helm stops"), "{text}");
    assert!(text.ends_with("1 rollout: 0 passed, 1 failed\n"), "{text}");
}

#[test]
fn an_exit_of_0_was_expected_only_where_it_was_not_met() {
    let text = shown(Rehearsed { expectations: Vec::new(), ..judged(1) }, Kind::Rollout, Look::default());
    assert!(text.starts_with("✓ passed  shop · Helm 4.2 · 1 step, nothing expected but exit 0\n"), "{text}");
}

#[test]
fn a_rollout_that_differs_without_an_unmet_expectation_is_told_whole() {
    let text = shown(Rehearsed { passed: false, ..judged(1) }, Kind::Rollout, Look::default());
    assert!(text.contains("\nstep 1: upgrade shop"), "{text}");
}

#[test]
fn what_takes_no_hook_says_so() {
    let scenario = played("4", &[Install, Action::Test], &[], &Flags::default());
    assert!(shown(scenario, Kind::Plan(None), Look::default()).contains("  no hook runs\n"));
}

#[test]
fn colour_is_used_only_when_asked_for_and_changes_no_letter() {
    let plain = shown(failed_upgrade("4"), Kind::Plan(None), Look::default());
    let colored = shown(failed_upgrade("4"), Kind::Plan(None), Look { colors: true, ..Look::default() });
    assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
    let mut stripped = String::new();
    for (index, part) in colored.split('\u{1b}').enumerate() {
        stripped.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
    }
    assert_eq!(stripped, plain);
}

#[test]
fn no_line_is_wider_than_the_page() {
    for helm in ["3", "4", "argocd", "flux"] {
        let text = shown(failed_upgrade(helm), Kind::Plan(None), Look::default());
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}

#[test]
fn a_long_name_and_a_long_weight_keep_the_columns() {
    let name = "n".repeat(63);
    let chart =
        SHOP.replace("name: warm-cache", &format!("name: {name}")).replace("\"5\"", "\"-2147483648\"");
    let scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
    let text = shown(scenario, Kind::Plan(None), Look::default());
    let lines: Vec<_> = text.lines().collect();
    let long = lines.iter().position(|line| line.ends_with(&format!("Job/{name}"))).unwrap();
    assert!(lines[long + 1].trim_start().starts_with("w -2147483648  apply, wait 1.0s"), "{text}");
}

#[test]
fn names_without_end_stay_on_the_page_and_whole() {
    let (kind, name, release) = ("K".repeat(120), "n".repeat(250), "r".repeat(53));
    let chart = SHOP
        .replace("name: warm-cache", &format!("name: {name}"))
        .replace("kind: ServiceAccount", &format!("kind: {kind}"));
    let mut scenario =
        played_chart(&chart, "4", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    (scenario.name, scenario.answer.release) = ("s".repeat(150), release);
    scenario.passed = false;
    for kind in [Kind::Plan(None), Kind::Rollout] {
        let text = shown_again(&scenario, kind);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        let together: String = text.split_whitespace().collect();
        assert!(
            together.contains(&name) && together.contains(&format!("{}/migrate", "K".repeat(120))),
            "{text}"
        );
    }
}

#[test]
fn nothing_from_a_chart_controls_the_terminal() {
    let chart = SHOP.replace("name: migrate\n", "name: \"mig\\e[2J\\u202erate\\n\\r\"\n");
    let mut scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
    scenario.name = "a\u{1b}]0;x\u{7}\r\nb".to_owned();
    scenario.passed = false;
    for kind in [Kind::Plan(None), Kind::Rollout] {
        let text = shown_again(&scenario, kind);
        let is_safe = |character: char| character == '\n' || plain::shown(character) == character;
        assert!(text.chars().all(is_safe), "{text:?}");
        assert!(text.contains("mig\u{fffd}[2J\u{fffd}rate"), "{text}");
    }
}

fn shown_again(scenario: &Rehearsed, kind: Kind) -> String {
    let again = Rehearsed {
        name: scenario.name.clone(),
        file: scenario.file.clone(),
        profile: scenario.profile,
        player: scenario.player.clone(),
        place: String::new(),
        answer: scenario.answer.clone(),
        asked: scenario.asked.clone(),
        expectations: Vec::new(),
        passed: scenario.passed,
        marks: Vec::new(),
    };
    shown(again, kind, Look::default())
}

#[test]
fn what_is_being_deleted_is_said_with_a_sign() {
    let scenario = played_chart(&lost::namespace(), "4", &[Install, Upgrade], &[], &Flags::default());
    let text = shown(scenario, Kind::Plan(None), Look::default());
    let said = "  left behind    Namespace/team (being deleted)\n  lost           ✗ Namespace/team is being deleted, with";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_rollout_under_argo_cd_passed_a_test_that_nobody_ran() {
    let told = |helm: &str| {
        let scenario = played(helm, &[Install, Action::Test], &[], &Flags::default());
        shown(scenario, Kind::Rollout, Look::default())
    };
    assert!(told("argocd").contains(" · Argo CD runs no test hooks\n"), "{}", told("argocd"));
    assert!(!told("4").contains("test hooks"), "{}", told("4"));
}

#[test]
fn a_job_that_tries_again_looked_as_if_it_hung() {
    let chart = SHOP.replace("backoffLimit: 2", "backoffLimit: 6");
    let scenario =
        played_chart(&chart, "3", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let text = shown(scenario, Kind::Plan(None), Look::default());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = "✗ timed out after 5m: 5 pods have failed, and backoffLimit 6 lets it try for 5m37s more";
    assert!(text.contains(words), "{text}");
}
