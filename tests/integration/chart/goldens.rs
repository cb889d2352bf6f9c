//! What the chart renders, as it is committed: the default in full, every other set of values by its difference.
//! `BLESS=1 cargo test -p tests -- chart::goldens` writes them anew.

use std::{env, fs};

use hooks::manifest;
use similar::TextDiff;
use tests::rig::Helm;

use super::render::{Offline, sets};

/// Files that are taken as they are, and held against what they are made of elsewhere.
const VERBATIM: [&str; 3] = ["custom-resources.yaml", "metrics-alerts.yaml", "metrics-dashboard.yaml"];

/// What people read: without files that are copied, and without the empty lines and the order in which the Helms differ.
fn readable(rendered: &str) -> String {
    let is_copy = |text: &str| {
        VERBATIM.iter().any(|file| text.contains(&format!("# Source: hookward/templates/{file}")))
    };
    let documents = manifest::split(rendered).map(|document| document.text.trim());
    let mut documents: Vec<_> = documents.filter(|text| !text.is_empty() && !is_copy(text)).collect();
    documents.sort_unstable();
    documents.iter().flat_map(|text| ["---\n", text, "\n"]).collect()
}

#[test]
fn every_set_of_values_renders_what_is_committed() {
    let Some(helm) = Offline::find() else { return };
    let default = readable(&helm.template(Helm::V4, &[] as &[&str]).unwrap());
    for (name, flags) in sets() {
        let text = readable(&helm.template(Helm::V4, &flags).unwrap());
        let other = readable(&helm.template(Helm::V3, &flags).unwrap());
        assert!(other == text, "the Helms differ on {name}:\n{}", difference(&other, &text));
        let is_default = name == "default";
        let fresh = if is_default { text } else { difference(&default, &text) };
        let file = format!("golden/chart/{name}.{}", if is_default { "yaml" } else { "diff" });
        let path = crate::architecture::root().join("tests").join(&file);
        if env::var_os("BLESS").is_some() {
            fs::write(&path, &fresh).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == fresh,
            "tests/{file} is stale: run `BLESS=1 cargo test -p tests -- chart::goldens` and read the difference\n{}",
            difference(&committed, &fresh)
        );
    }
}

fn difference(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(2).to_string()
}
