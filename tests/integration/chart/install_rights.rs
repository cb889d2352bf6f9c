//! The rights that the chart gives: told in the documentation, one by one, and no more than that.

use std::{collections::BTreeSet, fs};

use serde_json::Value;

use super::render::{Offline, sets};

/// Roles for people begin with this.
const PEOPLE: &str = "hookward:";

/// A line of the table: resources and verbs.
fn row(rule: &Value) -> String {
    let words = |list: &Value| {
        let words: Vec<_> = list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        words.join(", ")
    };
    let only = if rule["resourceNames"].is_array() { ", ours by name" } else { "" };
    format!("| `{}`{only} | {} |", words(&rule["resources"]), words(&rule["verbs"]))
}

#[test]
fn every_right_is_in_the_documentation_with_its_reason_and_no_other() {
    let Some(helm) = Offline::find() else { return };
    let page = fs::read_to_string(crate::architecture::root().join("deploy/README.md")).unwrap();
    let table = page.split_once("\n### Rights\n").unwrap().1.split_once("\n##").unwrap().0;
    let mut untold = BTreeSet::new();
    let mut told: BTreeSet<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let lines = told.clone();
    for (name, flags) in sets() {
        for object in helm.objects(&flags) {
            let rules = object["rules"].as_array().into_iter().flatten();
            for row in rules.filter(|rule| rule["verbs"].is_array()).map(row) {
                let is_it = |line: &&&str| line.starts_with(&row) && line.len() > row.len() + 10;
                match lines.iter().find(is_it) {
                    Some(line) => told.remove(line),
                    None => {
                        untold.insert(format!("{row} reason |, for {} in {name}", object["metadata"]["name"]))
                    }
                };
            }
        }
    }
    assert!(untold.is_empty(), "deploy/README.md needs {untold:#?}");
    assert!(told.is_empty(), "nobody has {told:#?}");
}

#[test]
fn the_server_may_neither_read_secrets_nor_everything() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        for object in
            helm.objects(&flags).iter().filter(|object| object["kind"].as_str().unwrap().ends_with("Role"))
        {
            for rule in object["rules"].as_array().unwrap() {
                let text = rule.to_string();
                assert!(!text.contains('*'), "{name}: {text}");
                let all_secrets = text.contains("secrets") && !rule["resourceNames"].is_array();
                assert!(!all_secrets || name == "most", "{name}: only releaseLookup may read them: {text}");
            }
        }
    }
}

#[test]
fn nobody_becomes_an_approver_by_being_an_administrator() {
    let Some(helm) = Offline::find() else { return };
    let mut people = 0;
    for object in helm.objects(&[] as &[&str]) {
        let name = object["metadata"]["name"].as_str().unwrap();
        if object["kind"] != "ClusterRole" || !name.starts_with(PEOPLE) {
            continue;
        }
        let labels = object["metadata"]["labels"].as_object().unwrap();
        let aggregated: Vec<_> = labels.keys().filter(|label| label.contains("aggregate-to")).collect();
        let is_viewer = name == "hookward:viewer";
        assert_eq!(aggregated.len(), usize::from(is_viewer), "{name}: {aggregated:?}");
        people += 1;
    }
    assert_eq!(people, 4);
}

#[test]
fn what_is_switched_off_brings_no_right() {
    let Some(helm) = Offline::find() else { return };
    let has = |set: &str, resource: &str, verb: &str| {
        let objects = helm.objects(&["--set", set]);
        let ours = objects.iter().filter(|object| {
            object["kind"].as_str().unwrap().ends_with("Role")
                && !object["metadata"]["name"].as_str().unwrap().starts_with(PEOPLE)
        });
        let mut rules = ours.flat_map(|role| role["rules"].as_array().unwrap());
        let names = |list: &Value, name: &str| list.as_array().unwrap().contains(&Value::from(name));
        rules.any(|rule| names(&rule["resources"], resource) && names(&rule["verbs"], verb))
    };
    for (on, off, resource, verb) in [
        ("events.enabled=true", "events.enabled=false", "events", "create"),
        ("drift.repair=true", "drift.repair=false", "validatingwebhookconfigurations", "create"),
        ("certificates.mode=self", "certificates.mode=certManager", "secrets", "patch"),
        (
            "certificates.mode=certManager,releaseLookup=true",
            "certificates.mode=certManager",
            "secrets",
            "list",
        ),
    ] {
        assert!(has(on, resource, verb), "{on}");
        assert!(!has(off, resource, verb), "{off}");
    }
}
