//! The reader as its callers see it: meaning, places, limits, hostile texts.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Error, Limits, document};
use crate::{
    interest::Interest,
    node::{Node, Span, Value},
};

fn read(text: &str) -> Result<Node<'_>, Error> {
    document(text, 0, Interest::Everything, &Limits::default())
}

#[track_caller]
fn reads(text: &str, expected: Json) {
    assert_eq!(read(text).map(|node| node.to_json()), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, line: usize, column: usize, message: &str) {
    let error = read(text).unwrap_err();
    assert_eq!((error.line, error.column, error.message.as_str()), (line, column, message), "{text}");
}

#[test]
fn plain_scalars_mean_what_go_makes_of_them() {
    for (text, expected) in [
        ("on", json!(true)),
        ("Yes", json!(true)),
        ("y", json!(true)),
        ("Off", json!(false)),
        ("n", json!(false)),
        ("TRUE", json!(true)),
        ("tRUE", json!("tRUE")),
        ("~", json!(null)),
        ("", json!(null)),
        ("Null", json!(null)),
        ("0777", json!(511)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("1_000", json!(1000)),
        ("+5", json!(5)),
        ("-0", json!(0)),
        ("08", json!(8)),
        ("1e3", json!(1000)),
        (".5", json!(0.5)),
        ("1.", json!(1)),
        ("1.0", json!(1)),
        ("12e03", json!(12000)),
        ("190:20:30", json!("190:20:30")),
        ("1.2.3", json!("1.2.3")),
        ("2026-11-20", json!("2026-11-20")),
        ("2026-11-20T10:00:00Z", json!("2026-11-20T10:00:00Z")),
        ("12345678901234567890", json!(12_345_678_901_234_567_890_u64)),
        ("123456789012345678901234567890", json!(123_456_789_012_345_678_901_234_567_890_f64)),
        ("1e999", json!("1e999")),
        ("!!str 5", json!("5")),
        ("!!int \"7\"", json!(7)),
        ("!!binary aGVsbG8=", json!("hello")),
        ("!shop 5", json!("5")),
        ("'5'", json!("5")),
    ] {
        reads(&format!("a: {text}\n"), json!({ "a": expected }));
    }
}

#[test]
fn names_become_text() {
    for (name, expected) in [
        ("1", "1"),
        ("true", "true"),
        ("y", "true"),
        ("off", "false"),
        ("1.50", "1.5"),
        ("1e6", "1e+06"),
        ("0x10", "16"),
        (".inf", ".inf"),
        ("2026-11-20", "2026-11-20"),
        ("'y'", "y"),
        ("&a z", "z"),
    ] {
        reads(&format!("{name}: b\n"), json!({ expected: "b" }));
    }
    refuses("a: b\n~: c\n", 2, 1, "a name cannot be null");
    refuses("? [a]\n: b\n", 1, 3, "a name cannot be a list or a map");
    refuses("12345678901234567890: b", 1, 1, "a name cannot be a number of more than 63 bits");
}

#[test]
fn the_last_of_two_members_wins_in_the_place_of_the_first() {
    let node = read("a: 1\nb: 2\na: 3\n").unwrap();
    let names: Vec<_> = node.members().iter().map(|member| (&*member.name, member.node.as_i64())).collect();
    assert_eq!(names, [("a", Some(3)), ("b", Some(2))]);
    assert_eq!(node.members()[0].name_span.start, 10);
}

#[test]
fn a_merge_sets_its_members_where_it_stands() {
    reads("x: &x {a: 1}\nz: {<<: *x, a: 2}\n", json!({"x": {"a": 1}, "z": {"a": 2}}));
    reads("x: &x {a: 1}\nz: {a: 2, <<: *x}\n", json!({"x": {"a": 1}, "z": {"a": 1}}));
    reads("<<: [{a: 1}, {a: 2, b: 2}]\n", json!({"a": 1, "b": 2}));
    reads("'<<': {a: 1}\n", json!({"<<": {"a": 1}}));
    refuses("a: &a [{b: 1}]\n<<: *a\n", 2, 5, "<< needs a map or a list of maps");
    refuses("<<: 5\n", 1, 5, "<< needs a map or a list of maps");
}

#[test]
fn aliases_stand_for_what_was_written_last() {
    reads("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", json!({"a": 1, "b": 1, "c": 2, "d": 2}));
    reads("a: &x k\n*x : 1\n", json!({"a": "k", "k": 1}));
    refuses("a: &x [*x]\n", 1, 8, "an alias stands inside of what it stands for");
    assert_eq!(read("a: *x\n").unwrap_err().line, 1);
}

#[test]
fn numbers_that_json_cannot_say_are_errors() {
    for text in ["a: .inf\n", "a: -.Inf\n", "a: .nan\n"] {
        refuses(text, 1, 4, "JSON has no word for this number");
    }
}

#[test]
fn a_block_has_no_line_break_that_the_text_has_not() {
    reads("a: |\n  b\n", json!({"a": "b\n"}));
    reads("a: |\n  b", json!({"a": "b"}));
    reads("a: |+\n  b\n  ", json!({"a": "b\n"}));
    reads("a: |+\n  b\n   ", json!({"a": "b\n "}));
    reads("a: >-\r\n  b\r\n  c\r\n", json!({"a": "b c"}));
    refuses("a: |\n  \tb\n", 2, 3, "a block cannot begin with a tab");
}

#[test]
fn only_the_first_document_counts() {
    reads("a: 1\n---\nb: [\n", json!({"a": 1}));
    reads("a: 1\n...\n]]]", json!({"a": 1}));
    reads("# nothing\n", json!(null));
    reads("", json!(null));
    reads("\u{feff}a: 1", json!({"a": 1}));
}

#[test]
fn json_is_yaml() {
    reads(
        "{\n\t\"a\": [1, 2.50, \"x\\ny\", null, true],\n\t\"b\":{}\n}\n",
        json!({"a": [1, 2.5, "x\ny", null, true], "b": {}}),
    );
    refuses("[\"\\ud83d\\ude00\"]", 1, 2, "\\/ and surrogate pairs are escapes in JSON, not here");
}

#[test]
fn errors_say_where_and_not_what() {
    refuses("é: 1\nb: !!int password\n", 2, 10, "what is tagged !!int is no whole number");
    refuses("a: 1\nb: \u{7}\n", 2, 4, "control characters are not allowed");
    let error = document("a: é\n b: [", 100, Interest::Everything, &Limits::default()).unwrap_err();
    assert!(error.offset >= 100);
    assert_eq!(error.line, 2);
}

#[test]
fn places_were_within_a_line_break_that_only_go_knows() {
    for text in ["- \u{2029}\n", "?\u{85}- \u{85}", "x:\n- \u{2028}", "a: [\u{2028}]\nb:\u{85}- c: [\u{2029}"]
    {
        match read(text) {
            Ok(node) => within(&node, text, 0).unwrap(),
            Err(error) => assert!(text.is_char_boundary(error.offset), "{text:?}"),
        }
    }
}

#[test]
fn what_nobody_looks_at_is_checked_and_left_out() {
    let judged = |text| document(text, 0, Interest::Judged, &Limits::default()).map(|node| node.to_json());
    assert_eq!(judged("kind: Secret\ndata: {a: b}\n"), Ok(json!({"kind": "Secret"})));
    assert_eq!(judged("x: &x {data: 1, a: 2}\n<<: *x\n"), Ok(json!({"x": {"data": 1, "a": 2}, "a": 2})));
    assert_eq!(judged("data: &x {a: 1}\nb: *x\n"), Ok(json!({"b": {"a": 1}})));
    assert_eq!(judged("items:\n- data: {a: 1}\n  b: 2\n"), Ok(json!({"items": [{"b": 2}]})));
    assert_eq!(
        judged("m: &m {managedFields: 1}\nmetadata: *m\n"),
        Ok(json!({"m": {"managedFields": 1}, "metadata": {}}))
    );
    assert_eq!(judged("data: {~: 1}\n").unwrap_err().column, 8);
    assert!(judged("data: [a\nb: c\n").is_err());
}

#[test]
fn spans_cover_what_was_written() {
    let text = "a: word\n'b': [1, \"two\"]\nc:\n- d: |\n    e\n  f: {g: h}\ni:\n";
    let node = read(text).unwrap();
    let written = |path: &str| {
        let (node, member, _) = node.nearest(path);
        let slice = |start, end| &text[start as usize..end as usize];
        let name = member.map(|member| slice(member.name_span.start, member.name_span.end));
        (name, slice(node.span.start, node.span.end))
    };
    assert_eq!(written("/a"), (Some("a"), "word"));
    assert_eq!(written("/b"), (Some("'b'"), "[1, \"two\"]"));
    assert_eq!(written("/b/1"), (None, "\"two\""));
    assert_eq!(written("/c/0/f"), (Some("f"), "{g: h}"));
    assert_eq!(written("/c/0/f/g"), (Some("g"), "h"));
    assert_eq!(written("/c").1, "- d: |\n    e\n  f: {g: h}");
}

#[test]
fn limits_hold_before_anything_is_copied() {
    let limits = Limits { bytes: 100, nodes: 10, nesting: 3, ..Limits::default() };
    let limited =
        |text: &str| document(text, 0, Interest::Everything, &limits).err().map(|error| error.message);
    assert_eq!(limited("[[[a]]]"), None);
    assert_eq!(limited("[[[[a]]]]").as_deref(), Some("nested too deeply"));
    assert_eq!(limited("- &a [[x]]\n- [[*a]]").as_deref(), Some("nested too deeply"));
    assert_eq!(limited("[1, 2, 3, 4, 5, 6, 7, 8, 9]"), None);
    assert_eq!(limited("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]").as_deref(), Some("document has too many values"));
    assert_eq!(limited("[&a [1, 2], *a, *a]").as_deref(), Some("document has too many values"));
    assert_eq!(limited(&"#".repeat(101)).as_deref(), Some("document is larger than the limit of 100 bytes"));
}

#[test]
fn hostile_texts_are_refused() {
    let bomb = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [{}]\n", format!("*a{},", level - 1).repeat(9))
    });
    let merges = (1..40).fold("a0: &a0 {x: 1}\n".to_owned(), |text, level| {
        let below = level - 1;
        format!("{text}a{level}: &a{level} {{<<: [*a{below}, *a{below}], b{level}: *a{below}}}\n")
    });
    for text in
        [bomb, merges, "- ".repeat(20_000), "[".repeat(20_000), "{a: ".repeat(20_000), "? ".repeat(20_000)]
    {
        assert!(read(&text).is_err(), "{}", &text[..40]);
    }
    assert!(read(&format!("{}: b\n", "k".repeat(2_000_000))).is_err());
    let long = format!("a: {}\n", "v".repeat(2_000_000));
    assert_eq!(read(&long).unwrap().str_at("a").map(str::len), Some(2_000_000));
}

#[test]
fn many_members_take_no_time_squared() {
    let lines: Vec<_> = (0..100_000).map(|number| format!("k{}: {number}\n", number % 50_000)).collect();
    let text = lines.concat();
    assert_eq!(read(&text).unwrap().members().len(), 50_000);
}

/// Pieces that make texts which are nearly YAML.
const PIECES: &[&str] = &[
    "a",
    "b: ",
    "- ",
    "? ",
    ": ",
    "\n",
    "\n  ",
    "\n ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "&x ",
    "*x",
    "<<: ",
    "|",
    ">-",
    "|2\n",
    "'",
    "\"",
    "\\",
    "#",
    " #",
    "---\n",
    "...\n",
    "!!int ",
    "!!binary ",
    "!t ",
    "%YAML 1.1\n",
    "0x",
    "1_0",
    ".5",
    "~",
    "y",
    "\t",
    "\r\n",
    "\u{feff}",
    "é",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "😀",
    "\u{0}",
    "<<",
    "@",
    "`",
];

proptest! {
    #[test]
    fn no_text_is_too_much(text in any::<String>(), offset in 0_usize..10) {
        let _ = document(&text, offset, Interest::Judged, &Limits::default());
    }

    #[test]
    fn no_yaml_is_too_much(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        match document(&text, 3, Interest::Everything, &Limits::default()) {
            Ok(node) => within(&node, &text, 3)?,
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.offset - 3) && error.line > 0 && error.column > 0);
            }
        }
    }

    #[test]
    fn the_span_of_a_plain_scalar_spells_it(words in prop::collection::vec("[a-zA-Z0-9_.+é-]{1,8}", 1..20), seed in any::<u64>()) {
        let mut text = String::new();
        for (at, word) in words.iter().enumerate() {
            let line = match (seed >> at) % 4 {
                0 => format!("k{at}: {word}\n"),
                1 => format!("k{at}:\n  - {word} # {word}\n"),
                2 => format!("\"k{at}\": {{\"a\": {word} }}\r\n"),
                _ => format!("k{at}: &a{at} {word}\n"),
            };
            text.push_str(&line);
        }
        if let Ok(node) = read(&text) {
            spelled(&node, &text)?;
        }
    }
}

fn within(node: &Node<'_>, text: &str, offset: usize) -> Result<(), TestCaseError> {
    let piece = |span: Span| {
        text.get((span.start as usize).max(offset) - offset..(span.end as usize).max(offset) - offset)
    };
    prop_assert!(piece(node.span).is_some());
    prop_assert!(node.members().iter().all(|member| piece(member.name_span).is_some()));
    node.items().iter().try_for_each(|item| within(item, text, offset))?;
    node.members().iter().try_for_each(|member| within(&member.node, text, offset))
}

fn spelled(node: &Node<'_>, text: &str) -> Result<(), TestCaseError> {
    let written = &text[node.span.start as usize..node.span.end as usize];
    if !matches!(node.value, Value::List(_) | Value::Map(_)) {
        let alone = format!("a: {written}");
        let again = read(&alone).map(|map| map.members().first().map(|member| member.node.value.clone()));
        prop_assert_eq!(again, Ok(Some(node.value.clone())));
    }
    node.items().iter().try_for_each(|item| spelled(item, text))?;
    node.members().iter().try_for_each(|member| spelled(&member.node, text))
}
