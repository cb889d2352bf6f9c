//! The invariants of the house that no compiler keeps.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Who may import whom; `tests` and `xtask` may import all.
const EDGES: [(&str, &[&str]); 7] = [
    ("hooks", &[]),
    ("policies", &["hooks"]),
    ("certs", &[]),
    ("webhook", &["hooks", "policies"]),
    ("cluster", &["hooks", "policies"]),
    ("lifecycle", &["hooks"]),
    ("cli", &["certs", "cluster", "hooks", "lifecycle", "policies", "webhook"]),
];

/// Crates whose answers depend on nothing but what they are given.
const PURE: [&str; 2] = ["hooks", "policies"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn all_sources() -> Vec<(PathBuf, String)> {
    let crates = ["hooks", "policies", "certs", "webhook", "cluster", "lifecycle", "cli", "tests", "xtask"];
    let files = crates.iter().flat_map(|name| sources(&root().join(name)));
    files
        .map(|path| (path.strip_prefix(root()).unwrap().to_path_buf(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The code of a file: no comments, nothing below its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn crates_import_only_what_the_drawing_shows() {
    let ours: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in EDGES {
        let manifest: toml::Table =
            fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap().parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let imported: Vec<_> =
            dependencies.keys().map(String::as_str).filter(|key| ours.contains(key)).collect();
        assert_eq!(imported, allowed, "imports of {name}");
    }
}

#[test]
fn files_and_rules_stay_within_their_budgets() {
    for (path, text) in all_sources() {
        let is_rule = path.starts_with("policies/src/rules");
        let (lines, budget) = (text.lines().count(), if is_rule { 250 } else { 400 });
        assert!(
            lines <= budget,
            "{} has {lines} lines, more than {budget}: split it by concept",
            path.display()
        );
    }
}

#[test]
fn functions_are_kept_short_by_clippy() {
    let files = [
        "clippy.toml",
        "hooks/clippy.toml",
        "policies/clippy.toml",
        "tests/clippy.toml",
        "xtask/clippy.toml",
    ];
    for file in files {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains("too-many-lines-threshold = 60"), "{file} loosens the budget of functions");
    }
}

#[test]
fn pure_crates_do_no_io_and_have_no_clock() {
    let banned = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "SystemTime",
        "Instant::now",
        "now_utc",
        "tokio",
        "println!",
    ];
    for (path, text) in all_sources() {
        if !PURE.iter().any(|name| path.starts_with(format!("{name}/src"))) {
            continue;
        }
        for (number, line) in code(&text) {
            let found = banned.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{}:{number} uses {}", path.display(), found.unwrap());
        }
    }
}

#[test]
fn hook_annotations_are_spelled_in_one_file() {
    for (path, text) in all_sources() {
        let is_test = path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
        let is_tool = is_test || path.starts_with("xtask");
        if is_tool || path == Path::new("hooks/src/annotations.rs") {
            continue;
        }
        for (number, line) in code(&text) {
            assert!(
                !line.contains("helm.sh/"),
                "{}:{number} spells an annotation: use hooks::annotations",
                path.display()
            );
        }
    }
}

#[test]
fn a_module_is_a_file_that_says_what_it_is() {
    for (path, text) in all_sources() {
        assert!(!path.ends_with("mod.rs"), "{}: name the file after the module", path.display());
        assert!(text.starts_with("//! "), "{} does not begin with what it is", path.display());
    }
}

#[test]
fn a_rule_is_a_file_and_a_file_is_a_rule() {
    let files =
        sources(&root().join("policies/src/rules")).into_iter().filter(|path| !path.ends_with("tests.rs"));
    let files: BTreeSet<_> =
        files.map(|path| path.file_stem().unwrap().to_str().unwrap().replace('_', "-")).collect();
    let rules: BTreeSet<_> = policies::RULES.iter().map(|rule| rule.meta().id.to_owned()).collect();
    assert_eq!(files, rules);
}

#[test]
fn nothing_unfinished_and_no_path_of_a_machine_is_committed() {
    let unfinished = [
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["FIX", "ME"].concat(),
        ["#[ign", "ore"].concat(),
    ];
    for (path, text) in all_sources() {
        for word in &unfinished {
            assert!(!text.contains(word.as_str()), "{} has {word}", path.display());
        }
    }
}
