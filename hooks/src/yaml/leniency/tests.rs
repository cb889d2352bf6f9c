//! What Go does not mind, and what it does.

use std::cell::Cell;

use proptest::{prelude::*, sample::select, test_runner::TestRunner};
use serde_json::json;

use super::{Leniency, Reading, at_once, compose, one_by_one};
use crate::{
    interest::Interest,
    yaml::{Limits, document},
};

#[test]
fn quoted_lines_may_begin_at_the_margin() {
    for (text, value) in [
        ("a:\n  b: 'c\nd\n\n e'\n", "c d\ne"),
        ("a:\n  b: \"c\n\td\"\n", "c d"),
        ("a:\n  b: \"c\n it's\n\n[d]\n\"\n", "c it's\n[d] "),
        ("a:\n  b: \"c\\\nd\"\n", "cd"),
        ("a:\n  b: \"\n\nc\n\"\n", "\nc "),
    ] {
        let node = document(text, 0, Interest::Everything, &Limits::default());
        assert_eq!(node.map(|node| node.to_json()), Ok(json!({"a": {"b": value}})), "{text:?}");
    }
}

#[test]
fn tabs_may_indent_what_is_in_brackets() {
    let text = "a:\n  b: [\n\tc,\n\t\"d\"\n  ]\n";
    let node = document(text, 0, Interest::Everything, &Limits::default());
    assert_eq!(node.map(|node| node.to_json()), Ok(json!({"a": {"b": ["c", "d"]}})));
}

#[test]
fn a_dash_alone_in_brackets_is_text() {
    for (text, value) in [
        ("a: [-]\n", json!({"a": ["-"]})),
        ("a: [tar, -xf, -]\n", json!({"a": ["tar", "-xf", "-"]})),
        ("a: {b: -, -}\n", json!({"a": {"b": "-", "-": null}})),
        ("a: {-: b, -}\n", json!({"a": {"-": null}})),
        ("a: [\n-, 'b\nc', -]\n", json!({"a": ["-", "b c", "-"]})),
        ("a: [-, '\u{e000}']\n", json!({"a": ["-", "\u{e000}"]})),
        ("a: [-]\nb: |\n  [-, -]\nc: x [-]\n", json!({"a": ["-"], "b": "[-, -]\n", "c": "x [-]"})),
        ("a: [-]\n... [-]\n", json!({"a": ["-"]})),
    ] {
        let node = document(text, 0, Interest::Everything, &Limits::default());
        assert_eq!(node.map(|node| node.to_json()), Ok(value), "{text:?}");
    }
    for text in ["a: [ - ]\n", "a: [-\n]\n", "a: [-[b]]\n", "a: [-, b\n"] {
        assert!(document(text, 0, Interest::Everything, &Limits::default()).is_err(), "{text:?}");
    }
}

#[test]
fn a_dash_is_refused_where_no_character_is_left_to_stand_for_it() {
    let all: String = ('\u{e000}'..='\u{f8ff}').collect();
    let text = format!("a: [-]\nb: {all}\n");
    let error = document(&text, 0, Interest::Everything, &Limits::default()).unwrap_err();
    assert_eq!((error.line, error.column), (1, 5));
}

#[test]
fn many_dashes_in_brackets_are_read_at_once() {
    let text = "- [-, a, -]\n".repeat(20_000);
    let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
    assert!(node.items().iter().all(|list| list.to_json() == json!(["-", "a", "-"])));
    assert_eq!(node.items().len(), 20_000);
}

#[test]
fn many_quoted_texts_at_the_margin_were_more_than_could_be_read_again() {
    let long = "x".repeat(300);
    let text =
        format!("long: {long}\nlist:\n") + &"- name: a\n  value: \"first\nsecond\n\nthird\"\n".repeat(5_000);
    let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
    let items = node.get("list").unwrap().items();
    assert!(
        items.len() == 5_000 && items.iter().all(|item| item.str_at("value") == Some("first second\nthird"))
    );
    let span = items[4_999].get("value").unwrap().span;
    assert_eq!(&text[span.start as usize..span.end as usize], "\"first\nsecond\n\nthird\"");
}

#[test]
fn a_guess_that_is_wrong_changes_no_text() {
    for (text, value) in [
        ("a: b\n  'c\nd: 'e\nf'\ng: |\n  '\n  h\n", json!({"a": "b 'c", "d": "e f", "g": "'\nh\n"})),
        ("a: >2\n   'b\n   c\nd: 'e\nf'\n", json!({"a": " 'b\n c\n", "d": "e f"})),
        ("\u{feff}a: 'b\nc'\n", json!({"a": "b c"})),
    ] {
        let node = document(text, 0, Interest::Everything, &Limits::default());
        assert_eq!(node.map(|node| node.to_json()), Ok(value), "{text:?}");
    }
}

#[test]
fn many_lines_at_the_margin_are_read_at_once() {
    let text = format!("a: \"{}\"\nb: [\n", "line\n".repeat(20_000));
    let error = document(&text, 0, Interest::Everything, &Limits::default()).unwrap_err();
    assert_eq!(error.line, 20_002);
    let json = "{\n\"a\": [\"''\"],\n}\n".repeat(1000);
    let text = format!("a:\n  - '{json}'\n  - b\n");
    let node = document(&text, 0, Interest::Everything, &Limits::default()).unwrap();
    assert_eq!(node.get("a").map(|list| list.items().len()), Some(2));
}

#[test]
fn a_comment_may_touch_what_is_before_it_and_the_end_is_the_end() {
    for text in ["a: \"b\"# c\n", "a: 'b'#c\n", "a: b\n... c\n", "a: 'b\n\n'\n... c: [\n... d"] {
        assert!(document(text, 0, Interest::Everything, &Limits::default()).is_ok(), "{text:?}");
    }
}

#[test]
fn places_are_those_of_the_text_as_it_is() {
    let text = "a: 'b\nc\nd'\ne: f\ng: 'h\ni'\nj: k\nl: [-, {m: -}]\np: o\n";
    let node = document(text, 100, Interest::Everything, &Limits::default()).unwrap();
    for (name, written) in
        [("a", "'b\nc\nd'"), ("e", "f"), ("g", "'h\ni'"), ("j", "k"), ("l", "[-, {m: -}]"), ("p", "o")]
    {
        let member = node.member(name).unwrap();
        let slice = |span: crate::node::Span| &text[span.start as usize - 100..span.end as usize - 100];
        assert_eq!((slice(member.name_span), slice(member.node.span)), (name, written));
    }
    let dash = node.get("l").unwrap().items()[0].span;
    assert_eq!(&text[dash.start as usize - 100..dash.end as usize - 100], "-");
}

#[test]
fn what_is_broken_below_is_still_found() {
    let error = document("a: 'b\nc'\nd: [\n", 0, Interest::Everything, &Limits::default()).unwrap_err();
    assert!(error.line >= 3, "{error}");
    assert!(document("a: 'b\n...\nc'\n", 0, Interest::Everything, &Limits::default()).is_err());
    let error = document("a: 'b\nc\n", 0, Interest::Everything, &Limits::default()).unwrap_err();
    assert_eq!(error.message, "unclosed quote");
}

/// What stands before a value, around it, and in it; now and then a quote is missing.
const NAMES: [&str; 5] = ["  b: ", "  c:\n  - ", "- ", "  d: {e: ", "\n"];
const QUOTES: [&str; 9] = ["'", "'", "'", "'", "\"", "\"", "\"", "\"", ""];
const PIECES: [&str; 16] =
    ["f", " ", "\n", "\n", "\ng", "\n h", "''", "\\\"", "\\\n", ": ", ", ", " # ", "]", "'", "\"", "\u{e9}"];

fn lines() -> impl Strategy<Value = String> {
    let inner = prop::collection::vec(select(&PIECES[..]), 1..6).prop_map(|pieces| pieces.concat());
    let line = (select(&NAMES[..]), select(&QUOTES[..]), inner, any::<bool>());
    let line = line.prop_map(|(name, quote, inner, is_closed)| {
        let end = if is_closed && name.contains('{') { "}" } else { "" };
        format!("{name}{quote}{inner}{quote}{end}\n")
    });
    prop::collection::vec(line, 1..5).prop_map(|lines| format!("a:\n{}", lines.concat()))
}

#[test]
fn quoted_texts_read_at_once_are_what_they_are_one_by_one() {
    let limits = Limits::default();
    let at_once_too = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig { cases: 20_000, ..ProptestConfig::default() });
    let agreed = runner.run(&lines(), |text| {
        let whole = Interest::Everything;
        let Err(fault) = compose::compose(&text, 0, whole, &limits, Reading::First) else { return Ok(()) };
        let blanks = 1 + text.len();
        let (Leniency::Line, Some(node)) = (fault.leniency, at_once(&text, 0, whole, &limits, blanks)) else {
            return Ok(());
        };
        at_once_too.set(at_once_too.get() + 1);
        let slowly = one_by_one(&text, 0, whole, &limits, blanks, fault);
        prop_assert!(slowly.as_ref().is_ok_and(|slowly| *slowly == node), "{:?}: {:?}", text, slowly.err());
        Ok(())
    });
    agreed.unwrap();
    assert!(at_once_too.get() > 300, "{} texts were read both ways", at_once_too.get());
}
