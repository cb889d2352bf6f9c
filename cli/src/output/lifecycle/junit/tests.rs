//! What CI servers read.

use lifecycle::{
    answer::Action::{Install, Upgrade},
    command::Flags,
    scenario::Expect,
};

use policies::Mode;

use super::*;
use crate::{
    output::lifecycle::story::tests::{SHOP, played, played_chart},
    rehearsal::Mark,
};

fn shown(scenarios: Vec<Rehearsed>, problems: Vec<Problem>, kind: Kind) -> String {
    let mut out = Vec::new();
    write(&Rehearsal { scenarios, problems, ..Rehearsal::default() }, kind, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_well_formed(&text);
    text
}

/// Elements are closed in the order in which they were opened, and nothing else looks like one.
fn assert_well_formed(text: &str) {
    let mut open = Vec::new();
    let body = text.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, after) = part.split_once('>').unwrap();
        assert!(!after.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
        match (tag.strip_prefix('/'), tag.ends_with('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name), "{text}"),
            (None, true) => {}
            (None, false) => open.push(tag.split(' ').next().unwrap()),
        }
        let references = part.split('&').skip(1);
        for reference in references {
            let name = reference.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "{part}");
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
}

fn judged(exit: i32) -> Rehearsed {
    let mut scenario = played("4", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let expect = Expect { exit: Some(exit), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.passed = scenario.expectations.iter().all(|expected| expected.ok);
    scenario
}

#[test]
fn each_step_and_each_expectation_is_a_test_case() {
    let text = shown(vec![judged(1)], Vec::new(), Kind::Rollout);
    assert!(
        text.contains("<testsuites name=\"hookward rollout\" tests=\"3\" failures=\"0\" errors=\"0\">"),
        "{text}"
    );
    assert!(text.contains("<testsuite name=\"shop\" file=\"shop.yaml\" tests=\"3\""), "{text}");
    assert!(text.contains("<testcase classname=\"shop\" name=\"step 1: install shop → 1\""), "{text}");
    assert!(text.contains("name=\"step 2: upgrade exit is 1\" time=\"0.000\"/>"), "{text}");
    assert!(text.contains("── Helm stops: &quot;UPGRADE FAILED"), "{text}");
}

#[test]
fn what_is_not_as_expected_is_a_failure() {
    let text = shown(vec![judged(0)], Vec::new(), Kind::Rollout);
    assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"0\""), "{text}");
    assert!(
        text.contains("<failure message=\"exit is 1, expected 0\">exit is 1, expected 0</failure>"),
        "{text}"
    );
}

#[test]
fn a_rollout_that_differs_otherwise_fails_too() {
    let text = shown(vec![Rehearsed { passed: false, ..judged(1) }], Vec::new(), Kind::Rollout);
    assert!(text.contains("tests=\"4\" failures=\"1\"") && text.contains("name=\"the rollout\""), "{text}");
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let text = shown(Vec::new(), vec![Problem::new("a.yaml", "no such file").at(3, 1)], Kind::Rollout);
    assert!(text.contains("tests=\"1\" failures=\"0\" errors=\"1\""), "{text}");
    assert!(text.contains("<error message=\"a.yaml:3:1: no such file\">"), "{text}");
}

#[test]
fn an_upgrade_that_fails_in_a_plan_was_a_test_case_that_passed() {
    let plan = || {
        let mut scenario = judged(1);
        scenario.expectations.clear();
        vec![scenario]
    };
    let text = shown(plan(), Vec::new(), Kind::Plan(None));
    assert!(text.contains("name=\"hookward plan\" tests=\"2\" failures=\"1\" errors=\"0\""), "{text}");
    assert!(text.contains("<failure message=\"UPGRADE FAILED: pre-upgrade hooks failed"), "{text}");
    let text = shown(plan(), Vec::new(), Kind::Rollout);
    assert!(!text.contains("<failure"), "what a rollout says of it stands beside what was expected: {text}");
}

fn marked(mode: Mode, message: &str) -> Rehearsed {
    let mut scenario = played("4", &[Install, Upgrade], &[], &Flags::default());
    let object = scenario.answer.actions[1].steps[2].object.clone();
    scenario.marks = vec![
        Mark { object, rule: "job-x", mode, message: message.to_owned() },
        Mark { object: None, rule: "job-y", mode: Mode::Audit, message: "it is odd".to_owned() },
    ];
    scenario
}

#[test]
fn a_rule_that_ends_a_plan_with_1_is_a_failure() {
    let marked = || vec![marked(Mode::Warn, "it hangs")];
    let text = shown(marked(), Vec::new(), Kind::Plan(Some(Level::Warn)));
    assert!(text.contains("tests=\"3\" failures=\"1\" errors=\"0\""), "{text}");
    let words = "job-x (warn): it hangs; hookward rules job-x says more";
    assert!(text.contains(&format!("<failure message=\"{words}\">")), "{text}");
    let text = shown(marked(), Vec::new(), Kind::Plan(Some(Level::Audit)));
    assert!(text.contains("failures=\"2\"") && text.contains("name=\"rule job-y: release shop\""), "{text}");
    let text = shown(marked(), Vec::new(), Kind::Plan(Some(Level::Deny)));
    assert!(text.contains("failures=\"0\"") && text.contains("name=\"rules\""), "{text}");
}

#[test]
fn two_findings_of_a_rule_in_an_object_were_one_test_case() {
    let mut scenario = marked(Mode::Deny, "there is no Secret a");
    let other = Mark { message: "there is no Secret b".to_owned(), ..scenario.marks[0].clone() };
    scenario.marks.push(other);
    let text = shown(vec![scenario], Vec::new(), Kind::Plan(Some(Level::Deny)));
    assert!(text.contains("name=\"rule job-x: Job/migrate\"") && text.contains("no Secret a;"), "{text}");
    assert!(text.contains("name=\"rule job-x: Job/migrate (2)\"") && text.contains("no Secret b;"), "{text}");
}

#[test]
fn nothing_from_a_chart_is_markup() {
    let chart = SHOP.replace("name: migrate\n", "name: \"]]></system-out>&<x a='\\\"'>\\e\\0\\uffff\"\n");
    let mut scenario = played_chart(&chart, "4", &[Install], &[], &Flags::default());
    scenario.name = "\"><script>".to_owned();
    scenario.file = "a\"b".to_owned();
    let text = shown(vec![scenario], vec![Problem::new("<", "\u{b}&")], Kind::Rollout);
    assert!(text.contains("]]&gt;&lt;/system-out&gt;&amp;&lt;x"), "{text}");
}

#[test]
fn a_failure_ended_where_helm_3_lists_its_causes() {
    let mut scenario = played("3", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let expect = Expect { error: Some("DeadlineExceeded".to_owned()), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.passed = false;
    let text = shown(vec![scenario], Vec::new(), Kind::Rollout);
    let cause = "1 error occurred: * job migrate failed: BackoffLimitExceeded, expected DeadlineExceeded";
    assert!(text.contains(cause), "{text}");
}
