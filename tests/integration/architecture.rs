//! The invariants of the house that no compiler keeps.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

mod source;

use source::{code, paths_into_std};

/// Who may import whom.
const EDGES: [(&str, &[&str]); 7] = [
    ("hooks", &[]),
    ("policies", &["hooks"]),
    ("certs", &[]),
    ("webhook", &["hooks", "policies"]),
    ("cluster", &["hooks", "policies"]),
    ("lifecycle", &["hooks"]),
    ("cli", &["certs", "cluster", "hooks", "lifecycle", "policies", "webhook"]),
];

/// Crates that may import all, and that nobody ships.
const TOOLS: [&str; 2] = ["tests", "xtask"];

/// Where answers depend on nothing but what is given.
const PURE: [&str; 3] = ["hooks/src", "policies/src", "lifecycle/src"];
/// But for what plays with real Helm.
const IMPURE: [&str; 2] = ["lifecycle/src/run", "lifecycle/src/run.rs"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn toml_of(path: impl AsRef<Path>) -> toml::Table {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap().parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The crates.
fn members() -> BTreeSet<String> {
    let members = toml_of("Cargo.toml")["workspace"]["members"].as_array().unwrap().clone();
    members.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
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

/// Every source file by its path from the root.
pub(crate) fn all_sources() -> Vec<(PathBuf, String)> {
    let files: Vec<_> = members().iter().flat_map(|name| sources(&root().join(name))).collect();
    let read = |path: &PathBuf| {
        (path.strip_prefix(root()).unwrap().to_path_buf(), fs::read_to_string(path).unwrap())
    };
    files.iter().map(read).collect()
}

#[test]
fn crates_import_only_what_the_drawing_shows() {
    let drawn: BTreeSet<String> =
        EDGES.iter().map(|(name, _)| *name).chain(TOOLS).map(str::to_owned).collect();
    assert_eq!(drawn, members());
    for (name, allowed) in EDGES {
        let manifest = toml_of(format!("{name}/Cargo.toml"));
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let imported: Vec<_> =
            dependencies.keys().map(String::as_str).filter(|key| drawn.contains(*key)).collect();
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
    for name in members() {
        assert_eq!(
            toml_of(format!("{name}/Cargo.toml"))["lints"]["workspace"].as_bool(),
            Some(true),
            "{name}"
        );
        // Clippy takes that of the crate, else that of the workspace.
        let own = format!("{name}/clippy.toml");
        let file = if root().join(&own).exists() { own } else { "clippy.toml".to_owned() };
        let budget = toml_of(&file)["too-many-lines-threshold"].as_integer();
        assert_eq!(budget, Some(60), "{file} changes the budget of functions");
    }
}

#[test]
fn pure_crates_do_no_io_and_have_no_clock() {
    let modules = ["env", "fs", "net", "process", "thread"].into();
    let words = ["SystemTime", "Instant::now", "now_utc", "tokio", "println!"];
    for (path, text) in all_sources() {
        let is_in = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
        if !is_in(&PURE) || is_in(&IMPURE) {
            continue;
        }
        let (code, path) = (code(&text), path.display());
        for (number, names) in paths_into_std(&code) {
            assert!(names.is_disjoint(&modules), "{path}:{number} uses one of {modules:?}");
        }
        for (index, line) in code.lines().enumerate() {
            let found = words.iter().find(|word| line.contains(**word));
            assert!(found.is_none(), "{path}:{} uses {}", index + 1, found.unwrap());
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
        for (index, line) in code(&text).lines().enumerate() {
            assert!(
                !line.contains("helm.sh/"),
                "{}:{} spells an annotation: use hooks::annotations",
                path.display(),
                index + 1
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
