//! The YAML reader against Go's, which Helm uses: generated texts, rendered charts, and every known difference.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hooks::{
    Interest, manifest,
    yaml::{self, Limits},
};
use serde_json::{Value, json};
use tests::rig::Programs;

mod generate;
mod streams;
mod words;

/// What a reader makes of a text: a value, or the sentence that refuses it.
type Answer = Result<Value, String>;

/// The reference reader; `cargo xtask test` builds it, or leaves this module out and says so.
fn go() -> PathBuf {
    Programs::yaml_reader().expect("no reference YAML reader: run cargo xtask test")
}

/// Asks the reference reader about every text.
fn ask(reader: &Path, texts: &[String]) -> Vec<Answer> {
    let replies = replies(reader, texts.iter().enumerate().map(|(id, text)| json!({"id": id, "text": text})));
    replies.iter().map(answer).collect()
}

/// Puts every question, and gives the replies.
fn replies(reader: &Path, questions: impl Iterator<Item = Value>) -> Vec<Value> {
    let questions: Vec<Value> = questions.collect();
    let lines: String = questions.iter().map(|question| question.to_string() + "\n").collect();
    let mut child = Command::new(reader).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let replies: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids = |all: &[Value]| all.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&replies), ids(&questions));
    replies
}

fn answer(reply: &Value) -> Answer {
    match reply["json"].as_str() {
        Some(text) => Ok(serde_json::from_str(text).unwrap()),
        None => Err(reply["error"].as_str().unwrap().to_owned()),
    }
}

fn ours(text: &str) -> Answer {
    let node = yaml::document(text, 0, Interest::Everything, &Limits::default());
    node.map(|node| node.to_json()).map_err(|error| error.message)
}

/// Whether two values are the same in JSON. Parsing a float may cost its last bit, on either side.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let close = |left: f64, right: f64| (left - right).abs() <= left.abs() * 4.0 * f64::EPSILON;
            left == right
                || left.is_f64() && left.as_f64().zip(right.as_f64()).is_some_and(|(l, r)| close(l, r))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

/// Our refusals of what Go reads that [`every_known_difference_is_still_one`] accounts for.
const KNOWN_REFUSALS: [&str; 2] =
    ["JSON has no word for this number", "wrongly indented line in block scalar"];

#[test]
fn generated_documents_mean_the_same() {
    let reader = go();
    let texts: Vec<String> = (0..3000).map(|seed| generate::Generator::new(seed).document()).collect();
    let (mut read, mut refused, mut known) = (0, 0, 0);
    for (text, theirs) in texts.iter().zip(ask(&reader, &texts)) {
        match (ours(text), theirs) {
            (Ok(ours), Ok(theirs)) if same(&ours, &theirs) => read += 1,
            (Err(_), Err(_)) => refused += 1,
            (Err(message), Ok(_)) if KNOWN_REFUSALS.contains(&message.as_str()) => known += 1,
            (ours, theirs) => panic!("{text:?}\nours: {ours:?}\nGo's: {theirs:?}"),
        }
    }
    assert!(read >= 1500, "{read} texts were read");
    assert!(refused >= 100, "{refused} texts were refused");
    assert!(known <= 10, "{known} texts were refused here alone");
}

#[test]
fn rendered_charts_mean_the_same() {
    let (reader, programs) = (go(), Programs::find().expect("no Helm: run cargo xtask test"));
    let folder = tempfile::tempdir().unwrap();
    let helm = |arguments: &[&str]| {
        let output = Command::new(programs.path("helm4"))
            .args(arguments)
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    helm(&["create", "starter"]);
    let odd = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/odd-yaml");
    let all = ["ingress.enabled=true", "autoscaling.enabled=true", "httpRoute.enabled=true"].join(",");
    let rendered = [
        helm(&["template", "demo", "starter"]),
        helm(&["template", "demo", "starter", "--set", &all]),
        helm(&["template", "demo", odd.to_str().unwrap()]),
    ];
    let texts: Vec<String> = rendered
        .iter()
        .flat_map(|file| manifest::split(file))
        .map(|document| document.text.to_owned())
        .collect();
    assert!(texts.len() > 15, "{} documents", texts.len());
    for (text, theirs) in texts.iter().zip(ask(&reader, &texts)) {
        let (ours, theirs) = (ours(text).unwrap(), theirs.unwrap());
        assert!(same(&ours, &theirs), "{text}\nours: {ours}\nGo's: {theirs}");
    }
    assert!(rendered[2].contains("defaultMode: 0400"));
    let sources = manifest::split(&rendered[2]).filter_map(|document| document.source);
    assert!(sources.into_iter().any(|source| source == "odd-yaml/templates/job.yaml"));
}

#[test]
fn every_known_difference_is_still_one() {
    let reader = go();
    let read_by_go = ["a: .inf\na: 1\n", "a: {~: 1}\na: 2\n", "a: |\n    \n  #b\n"];
    let read_here = ["...\na: b\n", "%SHOP 1\n---\na: b\n"];
    let texts: Vec<String> = read_by_go.iter().chain(&read_here).map(|text| (*text).to_owned()).collect();
    for (at, (text, theirs)) in texts.iter().zip(ask(&reader, &texts)).enumerate() {
        let by_go = at < read_by_go.len();
        assert_eq!((theirs.is_ok(), ours(text).is_ok()), (by_go, !by_go), "{text:?}: {theirs:?}");
    }
    let touching = "a: [?\"b\"]\n".to_owned();
    assert_eq!(ours(&touching), Ok(json!({"a": ["?\"b\""]})));
    assert_eq!(ask(&reader, &[touching]), [Ok(json!({"a": [{"b": null}]}))]);
}

/// Where a dash is text and where it begins an item is another question in brackets than outside of them.
#[test]
fn a_dash_in_brackets_means_the_same() {
    let reader = go();
    let around = |dash: &str| {
        let forms = [
            "[D]",
            "{D}",
            "[a, D]",
            "[D, D]",
            "{a: D}",
            "{D: a}",
            "{a: D, D}",
            "[[D], {D}]",
            "[D-a, D]",
            "[a D]",
        ];
        let more = [
            "[!!str D]",
            "[!!int D]",
            "[&a D, *a]",
            "{\"a\":D}",
            "[a,D,b]",
            "[a\nD]",
            "[\nD]",
            "{? D}",
            "[\"b\" D]",
        ];
        let texts =
            forms.into_iter().chain(more).map(|form| format!("x: {}\ny: [-]\n", form.replace('D', dash)));
        texts.collect::<Vec<_>>()
    };
    let dashes = [
        "-", "- ", " -", " - ", "--", "-a", "-\n", "- a", "-[a]", "-{a: b}", "-#", "- #\n", "-\t", "a-",
        "'-'",
    ];
    let mut texts: Vec<String> = dashes.into_iter().flat_map(around).collect();
    texts.extend(
        ["- -[a]\n", "x: [-]\ny: |\n  [-, -]\n", "x: [-] # [-]\ny: 'a [-'\n", "[-]\n", "x: -]\n"]
            .map(str::to_owned),
    );
    let mut read = 0;
    for (text, theirs) in texts.iter().zip(ask(&reader, &texts)) {
        match (ours(text), theirs) {
            (Ok(ours), Ok(theirs)) if same(&ours, &theirs) => read += 1,
            (Err(_), Err(_)) => {}
            (ours, theirs) => panic!("{text:?}\nours: {ours:?}\nGo's: {theirs:?}"),
        }
    }
    assert!((100..texts.len() - 50).contains(&read), "{read} of {} texts were read", texts.len());
}

#[test]
fn aliases_beyond_measure_are_refused_by_both() {
    let reader = go();
    let bomb = (1..10).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [{}]\n", format!("*a{},", level - 1).repeat(9))
    });
    assert!(ours(&bomb).is_err());
    assert!(ask(&reader, &[bomb])[0].is_err());
}
