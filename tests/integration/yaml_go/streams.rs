//! The text of a hook that begins with `{`: which objects Go's decoder makes of it, and what Helm's sorter sees of the first.

use hooks::{
    Interest, Object,
    manifest::{Document, Manifest},
    yaml::Limits,
};
use serde_json::{Value, json};

use super::{generate::Generator, go, replies, same};

/// What such texts are made of.
const PIECES: &[&str] = &[
    r#"{"a":1}"#,
    r#"{"kind":"B","b":[1,{"c":null}]}"#,
    r#"{"kind":"B","kind":"C"}"#,
    r#"{"a":"\/"}"#,
    r#"{"a":"\ud83d\ude00"}"#,
    r#"{"<<":{"a":1},"y":"no"}"#,
    "{\n\t\"a\": \"b\"\n}",
    "{}",
    "null",
    "5",
    "\"x\"",
    "[1]",
    "{kind: B}",
    "{'a': 1,}",
    "{\"a\":1,}",
    "{\"a\"",
    "kind: B\n",
    "a: {b: c}\nd: e\n",
    "a: |\n  b\n",
    "- a\n",
    "x",
    "---",
    "--- \n",
    "--- # c\n",
    "--- x\n",
    "...",
    "...\n",
    "# c",
    " # c\n",
    "\n",
    "\n",
    "\n",
    " ",
    "  ",
    "\t",
    "\r\n",
    "\u{a0}",
    "\u{85}",
    "\u{fffd}",
    ",",
    "&a ",
    "@",
    "é",
];

fn text(seed: u64) -> String {
    let mut generator = Generator::new(seed);
    let first = ["{\"kind\":\"A\"}", "{\"kind\":\"A\"}", "{\"kind\":\"A\"}", "{kind: A}", "{\"a\":1,}"];
    let mut text = generator.pick(&first).to_owned();
    for _ in 0..generator.below(7) {
        text.push_str(generator.pick(PIECES));
    }
    // Go's decoder ends every line, and Helm takes a hook from between such lines.
    text.push_str(if text.contains('|') { "\n" } else { "" });
    text.replace("\n---", "\n --")
}

/// The objects, and whether reading ended with them.
fn ours(text: &str) -> Result<(Vec<Value>, bool), String> {
    let read = Document::of_hook(text).read(Interest::Everything, &Limits::default());
    let Manifest { root, is_stream, fault, .. } = read.map_err(|error| error.to_string())?;
    let items = if is_stream { root.get("items").unwrap().items() } else { std::slice::from_ref(&root) };
    Ok((items.iter().map(hooks::Node::to_json).collect(), fault.is_none()))
}

/// The same of Go's decoder; of what is no object Helm's client can make nothing.
fn theirs(reply: &Value) -> (Vec<Value>, bool) {
    let all: Vec<Value> = serde_json::from_str(reply["json"].as_str().unwrap()).unwrap();
    let objects: Vec<Value> = all.iter().take_while(|value| value.is_object()).cloned().collect();
    let is_whole = objects.len() == all.len() && reply["error"].is_null();
    (objects, is_whole)
}

fn ask(texts: &[String]) -> Vec<Value> {
    let question = |(id, text): (usize, &String)| json!({"id": id, "text": text, "stream": true});
    replies(&go(), texts.iter().enumerate().map(question))
}

#[test]
fn a_text_that_begins_with_a_brace_holds_the_same_objects() {
    let texts: Vec<String> = (0..6000).map(text).collect();
    let (mut streams, mut faults, mut refused, mut more) = (0, 0, 0, 0);
    for (text, reply) in texts.iter().zip(ask(&texts)) {
        if reply["head"].is_null() {
            // Helm ends before it builds anything.
            refused += 1;
            continue;
        }
        let (ours, theirs) = (ours(text).map_err(|error| format!("{text:?}: {error}")), theirs(&reply));
        let (objects, is_whole) = ours.unwrap_or_else(|error| panic!("{error}\nGo's: {reply}"));
        let is_same = |known: &[Value]| theirs.0.iter().zip(known).all(|(theirs, ours)| same(theirs, ours));
        let is_more = is_whole && !theirs.1 && objects.len() <= theirs.0.len() + 1;
        assert!(
            is_same(&objects) && (is_more || (objects.len(), is_whole) == (theirs.0.len(), theirs.1)),
            "{text:?}\nours: {objects:?}, {is_whole}\nGo's: {reply}"
        );
        streams += usize::from(theirs.0.len() > 1);
        faults += usize::from(!theirs.1);
        more += usize::from(is_more);
    }
    assert!(streams >= 500, "{streams} streams");
    assert!(faults >= 500, "{faults} faults");
    assert!((500..4000).contains(&refused), "{refused} texts were refused by the sorter");
    assert!(more <= 60, "{more} ends were read here alone");
}

#[test]
fn a_sorter_that_minds_no_case_sees_the_same_annotations() {
    let map = |name: &str, text: &str| format!(r#"{{"{name}":{{"x":"{text}","{text}":"1"}}}}"#);
    let bodies = [
        map("annotations", "a"),
        map("Annotations", "b"),
        map("annotation\u{17f}", "c"),
        "null".into(),
        "{}".into(),
    ];
    let both = r#"{"Annotations":{"x":"d"},"annotations":{"y":"e"},"ANNOTATIONS":null}"#.to_owned();
    let bodies: Vec<String> = bodies.into_iter().chain([both]).collect();
    let names = ["metadata", "Metadata", "METADATA", "metaData"];
    let mut texts = Vec::new();
    for (one, first) in names.iter().zip(&bodies).chain(names.iter().rev().zip(bodies.iter().rev())) {
        for (other, second) in names.iter().flat_map(|name| bodies.iter().map(move |body| (name, body))) {
            if one != other {
                texts.push(format!(r#"{{"kind":"A","{one}":{first},"{other}":{second}}}"#));
            }
        }
    }
    for (text, reply) in texts.iter().zip(ask(&texts)) {
        let read = Document::of_hook(text).read(Interest::Judged, &Limits::default()).unwrap();
        let ours = Object::new(&read.root).annotations().map_or_else(|| json!({}), hooks::Node::to_json);
        let theirs = reply["head"]["metadata"]["annotations"].clone();
        let theirs = if theirs.is_null() { json!({}) } else { theirs };
        assert_eq!(ours, theirs, "{text}");
    }
}
