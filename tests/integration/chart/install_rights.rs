//! The rights that the chart gives: told in the documentation, one by one, and no more than that.

use std::fs;

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
fn every_right_is_in_the_documentation_with_its_reason() {
    let Some(helm) = Offline::find() else { return };
    let page = fs::read_to_string(crate::architecture::root().join("deploy/README.md")).unwrap();
    for (name, flags) in sets() {
        for object in helm.objects(&flags) {
            for rule in
                object["rules"].as_array().into_iter().flatten().filter(|rule| rule["verbs"].is_array())
            {
                let row = row(rule);
                let is_told = |line: &str| line.starts_with(&row) && line.len() > row.len() + 10;
                let role = object["metadata"]["name"].as_str().unwrap();
                assert!(
                    page.lines().any(is_told),
                    "{role} in {name}: deploy/README.md needs «{row} reason |»"
                );
            }
        }
    }
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
    for object in helm.objects(&[] as &[&str]) {
        let name = object["metadata"]["name"].as_str().unwrap();
        if object["kind"] != "ClusterRole" || !name.starts_with(PEOPLE) {
            continue;
        }
        let labels = object["metadata"]["labels"].as_object().unwrap();
        let aggregated: Vec<_> = labels.keys().filter(|label| label.contains("aggregate-to")).collect();
        let is_viewer = name == "hookward:viewer";
        assert_eq!(aggregated.len(), usize::from(is_viewer), "{name}: {aggregated:?}");
    }
}
