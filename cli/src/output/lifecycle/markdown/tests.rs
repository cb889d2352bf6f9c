//! What is pasted into a pull request.

use lifecycle::{
    answer::Action::{Install, Upgrade},
    command::Flags,
    scenario::Expect,
};

use super::*;
use crate::{
    output::lifecycle::story::tests::{SHOP, denied, lost, played, played_chart},
    report::Problem,
};

fn shown(scenarios: Vec<Rehearsed>, kind: Kind) -> String {
    let mut out = Vec::new();
    write(&Rehearsal { scenarios, ..Rehearsal::default() }, kind, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn failed() -> Rehearsed {
    let mut scenario = played("4", &[Install, Upgrade], &[("Job/migrate", "fail")], &Flags::default());
    let expect = Expect { exit: Some(0), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.passed = false;
    scenario
}

/// Every row of a table has as many cells as its head.
fn assert_tables(text: &str) {
    let mut columns = None;
    for line in text.lines() {
        let cells = line.starts_with('|').then(|| line.matches('|').count());
        assert!(cells.is_none() || columns.is_none() || cells == columns, "{line}");
        columns = cells;
    }
}

#[test]
fn a_plan_is_a_table_and_folded_timelines() {
    let text = shown(vec![failed()], Kind::Plan(None));
    assert!(text.starts_with("## Plan of shop (Helm 4.2)\n\n| | action | ends |"), "{text}");
    assert!(text.contains("| ✅ | install shop → 1 | deployed | 2 |"), "{text}");
    assert!(text.contains("| ❌ | upgrade shop 1 → 2 | failed: <code>UPGRADE FAILED"), "{text}");
    assert!(
        text.contains("<details><summary>install shop")
            && text.contains("<details open><summary>upgrade shop")
    );
    assert!(text.contains("- **not run**: Job/warm-cache (w 5), 2 objects of the release"), "{text}");
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert_tables(&text);
}

#[test]
fn a_rollout_that_failed_says_what_is_not_as_expected() {
    let mut passed = failed();
    passed.expectations.clear();
    passed.passed = true;
    let text = shown(vec![passed, failed()], Kind::Rollout);
    assert!(text.starts_with("## 2 rollouts: 1 passed, 1 failed\n"), "{text}");
    assert!(
        text.contains(
            "| ❌ | shop (shop.yaml) | Helm 4.2 | 2 | step 2: exit is <code>1</code>, expected <code>0</code> |"
        ),
        "{text}"
    );
    assert_eq!(text.matches("### ").count(), 1, "only what failed is told in full: {text}");
    assert_tables(&text);
}

fn passed() -> Rehearsed {
    let mut scenario = played("4", &[Install, Upgrade], &[], &Flags::default());
    scenario.passed = true;
    scenario
}

#[test]
fn what_was_played_and_passed_was_not_to_be_seen_by_a_reviewer() {
    let text = shown(vec![passed(), failed()], Kind::Rollout);
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words} in {text}"));
    assert!(
        at("### ❌ shop")
            < at("<details><summary>✅ shop (shop.yaml): 2 steps, nothing expected but exit 0</summary>"),
        "{text}"
    );
    assert!(text[at("<details><summary>✅")..].contains("<details><summary>step 2: upgrade shop"), "{text}");
    assert_eq!(text.matches("<details open").count(), 1, "what passed is folded: {text}");
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert_tables(&text);
}

#[test]
fn what_failed_as_expected_had_the_sign_of_what_did_not() {
    let mut scenario = passed();
    scenario.answer.actions = failed().answer.actions;
    let expect = Expect { exit: Some(1), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario.place = "on the cluster (context dev)".to_owned();
    let text = shown(vec![scenario], Kind::Rollout);
    assert!(text.contains("| ✅ | upgrade shop 1 → 2 | failed, as expected: <code>UPGRADE FAILED"), "{text}");
    assert!(!text.contains('❌') && text.contains("<br>✗ failed after 33s"), "{text}");
    assert!(text.contains("| ✅ | shop | Helm 4.2, on the cluster (context dev) | 2 |"), "{text}");
}

#[test]
fn what_no_comment_has_room_for_is_left_out_and_said_so() {
    let all = std::iter::repeat_with(failed).take(3).chain(std::iter::repeat_with(passed).take(60));
    let text = shown(all.collect(), Kind::Rollout);
    assert!(text.chars().count() <= LIMIT, "{}", text.chars().count());
    assert!(text.contains("rollouts that passed. The format html has all._"), "{text}");
    assert_eq!(text.matches("\n<details open").count(), 3, "what failed comes first: {text}");
    assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
    assert!(!shown(vec![passed()], Kind::Rollout).contains("Left out"));
}

#[test]
fn nothing_from_a_chart_is_markup() {
    let chart =
        SHOP.replace("name: migrate\n", "name: \"</details>|`x`<img src=x>[a](http://b)@all\\n#1\"\n");
    let mut scenario = played_chart(&chart, "4", &[Install], &[], &Flags::default());
    scenario.name = "|<b>*\n".to_owned();
    for kind in [Kind::Plan(None), Kind::Rollout] {
        scenario.passed = false;
        let mut out = Vec::new();
        let problems = vec![Problem::new("<i>|", "`y`")];
        let rehearsal = Rehearsal { scenarios: vec![scenario], problems, ..Rehearsal::default() };
        write(&rehearsal, kind, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        for markup in ["<img", "<b>", "<i>", "`", "](", "@", "://"] {
            assert!(!text.contains(markup), "{markup} in {text}");
        }
        assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
        assert_tables(&text);
        scenario = rehearsal.scenarios.into_iter().next().unwrap();
    }
}

#[test]
fn what_is_being_deleted_was_listed_as_if_it_stayed() {
    let scenario = played_chart(&lost::namespace(), "4", &[Install, Upgrade], &[], &Flags::default());
    let text = shown(vec![scenario], Kind::Plan(None));
    assert!(text.contains("| deployed | 1 | <code>Namespace/team</code> |"), "{text}");
    assert!(text.contains("| deployed | 1 | <code>Namespace/team</code> **✗ being deleted** |"), "{text}");
    assert!(text.contains("<details open><summary>upgrade shop"), "{text}");
    assert!(text.contains("- ✗ **lost**: Namespace/team is being deleted, with all that is in it"), "{text}");
    assert_tables(&text);
}

#[test]
fn what_a_rule_denies_was_green_with_the_denial_folded_away() {
    let text = shown(vec![denied()], Kind::Plan(None));
    let top = "## Plan of shop (Helm 4.2)\n\n**✗ 2 rules deny: <code>job-x</code>, <code>job-y</code>**\n\n|";
    assert!(text.starts_with(top), "{text}");
    assert!(
        text.contains("| ⚠️ | install shop → 1 | deployed<br>✗ 1 rule denies: <code>job-x</code> | 2 |"),
        "{text}"
    );
    assert!(text.contains("| ✅ | uninstall shop 1 | uninstalled | 0 |"), "{text}");
    assert!(text.contains("<details open><summary>install shop"), "{text}");
    assert!(text.contains("<details><summary>uninstall shop"), "{text}");
    assert_tables(&text);
}

/// A rollout of hooks that nobody deletes, with names that are as long as they may be.
fn with_names(hooks: usize, name: &str) -> Rehearsed {
    let hook = |place: usize| {
        let annotations = "annotations: {helm.sh/hook: \"pre-install,pre-upgrade\"}";
        format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}{place}, {annotations}}}\n")
    };
    let chart: String = (0..hooks).map(hook).collect();
    let mut scenario = played_chart(&chart, "4", &[Install, Upgrade], &[], &Flags::default());
    let expect = Expect { exit: Some(1), leftovers: Some(Vec::new()), ..Expect::default() };
    scenario.expectations = expect.judge(1, &scenario.answer.actions[1]);
    scenario
}

#[test]
fn a_comment_was_twice_as_long_as_it_may_be_since_all_that_is_left_was_named() {
    let long = "a.b".repeat(80);
    let all = [
        (1, "a", 1, 0),
        (300, "a", 1, 0),
        (300, "a", 1, 1),
        (40, &*long, 1, 0),
        (40, &*long, 4, 2),
        (40, "x@y#_", 4, 4),
        (1, "a", 300, 3),
        (1, &*long, 50, 50),
    ];
    for (hooks, name, count, failed) in all {
        for kind in [Kind::Plan(None), Kind::Rollout] {
            let scenarios =
                (0..count).map(|place| Rehearsed { passed: place >= failed, ..with_names(hooks, name) });
            let problems = vec![Problem::new(name.repeat(9), "x"); hooks];
            let rehearsal = Rehearsal { scenarios: scenarios.collect(), problems, ..Rehearsal::default() };
            let mut out = Vec::new();
            write(&rehearsal, kind, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.chars().count() <= LIMIT, "{} of {hooks}, {count}", text.chars().count());
            assert_eq!(text.contains("Left out"), hooks * count > 1, "{hooks}, {count}: {text}");
            assert_eq!(text.matches("<details").count(), text.matches("</details>").count());
            assert_tables(&text);
        }
    }
}

#[test]
fn what_failed_had_no_room_beside_all_that_passed() {
    let last = Rehearsed { name: "it failed".to_owned(), ..failed() };
    let all = std::iter::repeat_with(passed).take(900).chain([last]);
    let text = shown(all.collect(), Kind::Rollout);
    assert!(text.contains("| ❌ | it failed |") && text.contains("### ❌ it failed\n"), "{text}");
    assert!(text.contains("rows of the table"), "{text}");
}

#[test]
fn of_what_is_left_behind_as_many_are_named_as_fit() {
    let text = shown(vec![with_names(600, "a")], Kind::Plan(None));
    let row = text.lines().find(|line| line.contains("| upgrade shop")).unwrap();
    let named = row.matches("<code>ConfigMap/a").count();
    assert!(named > 100 && row.ends_with(&format!(" and {} more |", 600 - named)), "{row}");
    assert!(
        text.contains("_Left out, since a comment on GitHub has no more than 65,536 characters: 2 timelines")
    );
}

#[test]
fn data_that_is_lost_was_folded_away() {
    let text = shown(
        vec![played_chart(&lost::namespace(), "3", &[Install, Upgrade], &[], &Flags::default())],
        Kind::Plan(None),
    );
    assert!(text.contains("<details open><summary>upgrade shop"), "{text}");
    assert!(text.contains("- ✗ **lost**: all that was in Namespace/team; the new one is empty"), "{text}");
}
