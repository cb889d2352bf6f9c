//! What people see, to the letter.

use policies::{Severity, rules};

use super::*;
use crate::report::{ObjectName, Place};

fn entry() -> Entry {
    let line = "    helm.sh/hook-weight: \"0\"";
    Entry {
        rule: rules::find("job-suspended").unwrap().meta(),
        mode: Mode::Deny,
        severity: Severity::High,
        message: "Job \"migrate\" runs before ConfigMap \"migrate-scripts\", which it mounts".into(),
        help: "give the ConfigMap weight -1".into(),
        label: Some("same weight".into()),
        fixable: false,
        exception: None,
        object: Some(ObjectName {
            api_version: "batch/v1".into(),
            kind: "Job".into(),
            namespace: None,
            name: Some("migrate".into()),
        }),
        field: Some("/metadata/annotations/x".into()),
        release: None,
        place: Place {
            file: "shop/templates/migrate.yaml".into(),
            line: Some(6),
            column: Some(5),
            excerpt: Some(Excerpt { text: line.into(), caret: 25..28 }),
        },
    }
}

fn shown(entry: Entry, colors: bool, show: Mode) -> String {
    let report = Report { findings: vec![entry], objects: 31, hooks: 7, ..Report::default() };
    let mut out = Vec::new();
    write(&report, Look { colors, show }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_finding_points_into_the_file() {
    let expected = r#"error[job-suspended]: Job "migrate" runs before ConfigMap "migrate-scripts", which it mounts
 --> shop/templates/migrate.yaml:6:5
  |
6 |     helm.sh/hook-weight: "0"
  |                          ^^^ same weight
  |
  = fix: give the ConfigMap weight -1
  = docs: hookward rules job-suspended

7 hooks in 31 objects: 1 error, 0 warnings, 0 notes
"#;
    assert_eq!(shown(entry(), false, Mode::Warn), expected);
}

#[test]
fn without_a_line_the_object_and_the_field_say_where() {
    let place = Place { file: "releases.yaml".into(), ..Place::default() };
    let text =
        shown(Entry { place, release: Some("release shop revision 3".into()), ..entry() }, false, Mode::Warn);
    let stands_as_with_a_line = |line: &str| assert!(text.contains(line), "{text}");
    stands_as_with_a_line("\n --> releases.yaml (release shop revision 3)\n");
    stands_as_with_a_line("\n  = at: Job/migrate /metadata/annotations/x\n");
}

#[test]
fn what_is_hidden_is_counted_and_the_way_to_it_named() {
    let text = shown(Entry { mode: Mode::Audit, ..entry() }, false, Mode::Warn);
    assert_eq!(text, "7 hooks in 31 objects: 0 errors, 0 warnings, 1 note (hookward check --show audit)\n");
}

#[test]
fn colour_is_used_only_when_asked_for() {
    assert!(!shown(entry(), false, Mode::Warn).contains('\u{1b}'));
    assert!(shown(entry(), true, Mode::Warn).contains('\u{1b}'));
}

#[test]
fn nothing_from_a_file_controls_the_terminal() {
    let hostile = "a\u{1b}]0;x\u{7}b\r\nc".to_owned();
    let mut bad =
        Entry { message: hostile.clone(), help: hostile.clone(), label: Some(hostile.clone()), ..entry() };
    bad.place.file.clone_from(&hostile);
    bad.release = Some(hostile);
    let text = shown(bad, false, Mode::Warn);
    assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
}

#[test]
fn long_sentences_are_broken_within_the_width() {
    let text = shown(
        Entry { message: "many words ".repeat(40), help: "many words ".repeat(40), ..entry() },
        false,
        Mode::Warn,
    );
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
}

#[test]
fn a_long_name_made_lines_that_did_not_fit() {
    let name = "m".repeat(61);
    let rule = rules::find("hook-policy-no-before-creation").unwrap().meta();
    let entry = || Entry {
        mode: Mode::Warn,
        rule,
        message: format!("Job \"{name}\" of a failed run stays"),
        label: Some(format!("same weight: Helm goes by name, and \"{name}\" < \"{name}\"")),
        ..entry()
    };
    let text = shown(entry(), false, Mode::Warn);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    assert!(text.contains("\n  = here: same weight: Helm goes by name, and\n"), "{text}");
    let colored = shown(entry(), true, Mode::Warn);
    assert!(colored.lines().all(|line| plain::visible(line) <= WIDTH), "{colored}");
}

#[test]
fn a_long_error_was_as_wide_as_it_was_long() {
    let message = "word ".repeat(60);
    let folded = labelled(Label::Error, &message, false, true);
    assert!(folded.lines().count() == 4 && folded.lines().all(|line| line.len() <= WIDTH), "{folded}");
    assert!(folded.lines().skip(1).all(|line| line.starts_with("       word")), "{folded}");
    assert_eq!(labelled(Label::Error, &message, false, false).lines().count(), 1, "machines read lines");
}

#[test]
fn a_summary_that_has_much_to_tell_was_too_wide() {
    let report = Report {
        skipped: 3,
        hooks: 12_345,
        objects: 123_456,
        problems: vec![crate::report::Problem::default(); 3],
        ..Report::default()
    };
    let mut out = Vec::new();
    write(&report, Look { colors: false, show: Mode::Deny }, &mut out).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(out.contains("3 charts skipped") && out.lines().all(|line| line.len() <= WIDTH), "{out}");
}
