//! `check --format json`, version 1: other people's programs read it.

use serde_json::{Value, json};

use super::{SUSPENDED, hookward_with};

fn document() -> Value {
    hookward_with(&format!("{SUSPENDED}---\na: b: c\n"), ["check", "-", "--format", "json"]).json()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn the_document_is_one_line_with_fields_in_their_order() {
    let ran = hookward_with(SUSPENDED, ["check", "-", "--format", "json"]);
    assert_eq!(ran.stdout.lines().count(), 1);
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        r#"{{"version":1,"tool":{{"name":"hookward","version":"{version}"}},"summary":{{"objects":1,"hooks":1,"deny":1,"#
    );
    assert!(ran.stdout.starts_with(&head), "{}", ran.stdout);
    let order = [
        "rule", "mode", "severity", "message", "help", "docs", "fixable", "object", "field", "file", "line",
        "column",
    ];
    let finding = &ran.stdout[ran.stdout.find("\"findings\":[{").unwrap()..];
    let places: Vec<_> = order.iter().map(|key| finding.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{finding}");
    assert!(ran.stdout.trim_end().ends_with(r#""errors":[]}"#));
}

#[test]
fn nothing_is_missing_and_nothing_is_new() {
    let document = document();
    assert_eq!(keys(&document), ["errors", "findings", "summary", "tool", "version"]);
    assert_eq!(keys(&document["summary"]), ["audit", "deny", "fixable", "hooks", "objects", "warn"]);
    let finding =
        document["findings"].as_array().unwrap().iter().find(|one| one["rule"] == "job-suspended").unwrap();
    let expected = json!({
        "rule": "job-suspended", "mode": "deny", "severity": "high", "fixable": false,
        "message": finding["message"], "help": "remove suspend", "docs": "docs/rules.md#job-suspended",
        "object": {"apiVersion": "batch/v1", "kind": "Job", "namespace": null, "name": "migrate"},
        "field": "/spec/suspend", "file": "-", "line": 8, "column": 3,
    });
    assert_eq!(finding, &expected);
    let error = &document["errors"][0];
    assert_eq!(
        (keys(error), &error["file"], &error["line"]),
        (vec!["file", "line", "message"], &json!("-"), &json!(10))
    );
}

#[test]
fn the_summary_counts_the_findings() {
    let document = document();
    let findings = document["findings"].as_array().unwrap();
    for mode in ["deny", "warn", "audit"] {
        let count = findings.iter().filter(|one| one["mode"] == mode).count();
        assert_eq!(document["summary"][mode], count, "{mode}");
    }
    assert_eq!(document["summary"]["fixable"], findings.iter().filter(|one| one["fixable"] == true).count());
}

#[test]
fn the_published_schema_describes_it() {
    let schema = cli::output::json_v1::schema().to_value();
    let at = |pointer: &str| schema.pointer(pointer).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(at("/properties")), keys(&document()));
    let finding = &document()["findings"][0];
    assert_eq!(names(at("/$defs/Finding/properties")), keys(finding));
    assert_eq!(names(at("/$defs/ObjectName/properties")), keys(&finding["object"]));
    assert_eq!(
        at("/$defs/Finding/required").as_array().unwrap().len(),
        12,
        "nothing is ever left out: what is unknown is null"
    );
}

#[test]
fn a_bad_flag_left_nothing_for_programs_to_read() {
    for command in ["check", "try"] {
        let ran = hookward_with("", [command, "-", "--format", "json", "--bogus"]);
        assert_eq!(ran.code, 2);
        assert!(ran.json()["errors"][0]["message"].as_str().unwrap().contains("--bogus"), "{}", ran.stdout);
    }
}

#[test]
fn an_object_with_a_generated_name_has_no_name_yet() {
    let job = SUSPENDED.replacen("name: ", "generateName: ", 1);
    let document = hookward_with(&job, ["check", "-", "--format", "json"]).json();
    assert_eq!(document["findings"][0]["object"]["name"], Value::Null);
}

#[test]
fn errors_come_by_file() {
    let document = hookward_with("", ["check", "z.yaml", "a.yaml", "--format", "json"]).json();
    let files: Vec<_> = document["errors"].as_array().unwrap().iter().map(|error| &error["file"]).collect();
    assert_eq!(files, ["a.yaml", "z.yaml"]);
}
