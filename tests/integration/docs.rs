//! The pages name only what exists: tests, files, values of the chart, metrics, alerts.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use tests::{
    server,
    walkthrough::{Step, steps},
};

use crate::architecture::{all_sources, root};

/// The pages in a folder.
fn pages_of(folder: &str) -> impl Iterator<Item = (PathBuf, String)> {
    let paths = fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let pages = paths.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
}

/// The pages about running it.
fn pages() -> Vec<(PathBuf, String)> {
    pages_of("docs").collect()
}

/// What stands between single backticks, outside of blocks.
fn spans(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|prose| prose.split('`').skip(1).step_by(2)).collect()
}

/// Every source file by its module path: `e2e::outage`, `webhook::routes::tests`.
fn modules() -> Vec<(String, String)> {
    let shipped = all_sources().into_iter().filter(|(path, _)| !path.starts_with("xtask"));
    let module = |(path, text): (PathBuf, String)| {
        let shown = path.with_extension("");
        let shown = shown.to_str().unwrap().replace("tests/integration/", "").replace("src/", "");
        (shown.replace('/', "::"), text)
    };
    shipped.map(module).collect()
}

/// Whether one of the modules has this function.
fn is_function(modules: &[(String, String)], name: &str) -> bool {
    let Some((module, function)) = name.rsplit_once("::") else { return false };
    let declared = format!("fn {function}(");
    modules.iter().any(|(known, source)| known == module && source.contains(&declared))
}

#[test]
fn invariants_that_nothing_kept_were_said_to_be_kept_by_tests() {
    let modules = modules();
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, invariants) = page.split_once("\n## Invariants\n").unwrap();
    let invariants: Vec<&str> = invariants.split("\n- ").skip(1).collect();
    assert!(invariants.len() > 10, "{invariants:?}");
    for invariant in invariants {
        let (_, keeper) =
            invariant.rsplit_once("— ").unwrap_or_else(|| panic!("what keeps this? {invariant}"));
        let tests = spans(keeper);
        let is_kept = !tests.is_empty() || keeper.contains("the compiler");
        assert!(is_kept && tests.iter().all(|name| is_function(&modules, name)), "{keeper}");
    }
}

#[test]
fn every_test_that_a_page_names_exists() {
    let modules = modules();
    let mut count = 0;
    for (page, text) in pages() {
        for name in spans(&text).into_iter().filter(|span| span.contains("::") && !span.contains(' ')) {
            // `e2e::outage` alone is a module.
            if modules.iter().any(|(known, _)| known == name) {
                continue;
            }
            assert!(is_function(&modules, name), "{} names {name}, which is no test", page.display());
            count += 1;
        }
    }
    assert!(count > 60, "only {count} tests are named");
}

#[test]
fn every_row_about_helm_names_its_test() {
    let pages = pages()
        .into_iter()
        .filter(|(page, _)| page.ends_with("helm-facts.md") || page.ends_with("common-lessons.md"));
    let mut count = 0;
    for (page, text) in pages {
        let is_claim = |line: &&str| {
            line.starts_with("| ") && !line.starts_with("| claim |") && !line.starts_with("| what is said |")
        };
        for row in text.lines().filter(is_claim) {
            let proof = row.trim_end_matches('|').rsplit(" | ").next().unwrap_or_default();
            assert!(proof.contains("::"), "{} has no test for {row}", page.display());
            count += 1;
        }
    }
    assert!(count > 50, "only {count} rows");
}

#[test]
fn no_link_of_a_page_is_dead() {
    let mut count = 0;
    for (page, text) in ["", "docs", "deploy"].into_iter().flat_map(pages_of) {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            if file.contains("://") {
                continue;
            }
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
            count += 1;
            if anchor.is_empty() {
                continue;
            }
            let anchors = anchors_of(&target);
            assert!(
                anchors.iter().any(|one| one == anchor),
                "{} links to {link}: {anchors:?}",
                page.display()
            );
        }
    }
    assert!(count > 50, "only {count} links were followed");
}

#[test]
fn no_page_that_a_value_of_the_chart_names_is_missing() {
    let values = fs::read_to_string(root().join("deploy/chart/values.yaml")).unwrap();
    let is_page = |word: &&str| word.starts_with("docs/");
    let named: Vec<&str> = values.split_whitespace().filter(is_page).collect();
    assert!(!named.is_empty(), "values.yaml names no page");
    for link in named {
        let (page, anchor) = link.trim_end_matches('.').split_once('#').unwrap();
        let anchors = anchors_of(&root().join(page));
        assert!(anchors.iter().any(|one| one == anchor), "values.yaml names {link}: {anchors:?}");
    }
}

fn anchors_of(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    text.lines().filter(|line| line.starts_with('#')).map(anchor_of).collect()
}

/// As GitHub makes it of a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_value_that_a_page_names_is_one_of_the_chart() {
    let values = fs::read_to_string(root().join("deploy/chart/values.yaml")).unwrap();
    let values: serde_json::Value = serde_saphyr::from_str(&values).unwrap();
    // The page of rules speaks of policies, whose fields have names of the same form.
    for (page, text) in pages().into_iter().filter(|(page, _)| !page.ends_with("rules.md")) {
        for span in spans(&text) {
            let name = span.split('=').next().unwrap_or(span);
            let is_plain =
                name.contains('.') && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '.');
            let top = name.split('.').next().unwrap_or_default();
            if !is_plain || values.get(top).is_none() {
                continue;
            }
            let found = name.split('.').try_fold(&values, |value, key| value.get(key));
            assert!(found.is_some(), "{} names {name}, which is no value of the chart", page.display());
        }
    }
}

#[test]
fn the_operations_page_says_where_to_look_first_for_every_alert() {
    let alerts = fs::read_to_string(root().join("deploy/chart/files/alerts.yaml")).unwrap();
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, chapter) = page.split_once("\n## Alerts\n").unwrap();
    let rows = chapter.split("\n## ").next().unwrap().lines().filter(|line| line.starts_with("| `"));
    let listed: Vec<&str> = rows.flat_map(|row| spans(row.split(" | ").next().unwrap())).collect();
    let alerts: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 20, "{alerts:?}");
    for alert in alerts {
        let count = listed.iter().filter(|&&one| one == alert).count();
        assert_eq!(count, 1, "docs/operations.md lists {alert} {count} times");
    }
}

#[test]
fn every_metric_and_alert_that_a_page_names_exists() {
    let mut sources: String = modules().into_iter().map(|(_, source)| source).collect();
    sources.push_str(&fs::read_to_string(root().join("deploy/chart/files/alerts.yaml")).unwrap());
    for (page, text) in pages() {
        for span in spans(&text) {
            let known = match span {
                _ if span.starts_with("hookward_") => format!("\"{span}\""),
                _ if span.starts_with("Hookward") && !span.contains(' ') => format!("alert: {span}\n"),
                _ => continue,
            };
            assert!(sources.contains(&known), "{} names {span}, which is not there", page.display());
        }
    }
}

#[test]
fn what_the_readme_makes_here_lies_in_no_crate_and_is_never_committed() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let ignored = fs::read_to_string(root().join(".gitignore")).unwrap();
    let made: Vec<&str> =
        readme.split("certs make --dir ").skip(1).filter_map(|rest| rest.split_whitespace().next()).collect();
    assert!(!made.is_empty(), "the README makes no certificates");
    for folder in made {
        assert!(ignored.lines().any(|line| line == format!("/{folder}")), "{folder} is not in .gitignore");
        assert!(!root().join(folder).join("Cargo.toml").exists(), "{folder} is the folder of a crate");
    }
}

#[test]
fn whoever_runs_the_unit_is_made_before_anything_belongs_to_him() {
    let unit = fs::read_to_string(root().join("deploy/hookward.service")).unwrap();
    let user = unit.lines().find_map(|line| line.strip_prefix("User=")).unwrap();
    let page = fs::read_to_string(root().join("deploy/README.md")).unwrap();
    let place = |of: &dyn Fn(&str) -> bool| page.lines().position(of);
    let made = place(&|line| line.starts_with("useradd --system ") && line.ends_with(&format!(" {user}")));
    let given = place(&|line| line.starts_with(&format!("chown -R {user}: ")));
    assert!(made.is_some() && made < given, "{user} is made in line {made:?} and used in line {given:?}");
}

/// Without the line that starts the server, and with a kubectl that shows what it is given.
#[test]
fn the_readme_registers_the_address_that_it_makes_a_certificate_for() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let steps = steps(&readme, "Run the server beside a cluster");
    let Some(Step::Commands(script)) = steps.first() else { panic!("{steps:?}") };
    let (started, script): (Vec<_>, Vec<_>) = script.lines().partition(|line| line.ends_with('&'));
    let folder = tempfile::tempdir().unwrap();
    symlink(server::program(), folder.path().join("hookward")).unwrap();
    let kubectl = "kubectl() { cat; }";
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let mut shell = Command::new("bash");
    shell.args(["-e", "-u", "-o", "pipefail", "-c", &format!("{kubectl}\n{}", script.join("\n"))]);
    let ran = shell.current_dir(folder.path()).env("PATH", path).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{printed}{}", String::from_utf8_lossy(&ran.stderr));
    let address = script[0].split(['=', ' ']).nth(1).unwrap();
    assert_eq!(printed.matches(&format!("https://{address}:8443/")).count(), 6, "{printed}");
    assert!(script[1].ends_with("--name \"$ADDRESS\""), "{}", script[1]);
    let made = script[1].split("--dir ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!(folder.path().join(made).join("tls.crt").exists());
    let [serve] = started[..] else { panic!("{started:?}") };
    assert!(serve.contains(":8443 ") && serve.contains(&format!("--cert-dir {made} ")), "{serve}");
}

/// What stands in the blocks of one language.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let blocks = text.split("```").skip(1).step_by(2);
    blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

#[test]
fn every_scenario_on_a_page_can_be_read() {
    let mut found = 0;
    for (page, text) in pages() {
        for block in blocks(&text, "yaml").into_iter().filter(|block| block.contains("kind: RolloutScenario"))
        {
            let read = lifecycle::scenario::read(block);
            assert!(!read.is_empty() && read.iter().all(Result::is_ok), "{}: {read:?}", page.display());
            found += 1;
        }
    }
    assert!(found > 1);
}

/// Whoever pastes the files of the guide gets what it shows.
#[test]
fn the_guide_to_rollouts_works_as_it_stands() {
    let text = fs::read_to_string(root().join("docs/testing-a-rollout.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut scenarios = Vec::new();
    for block in blocks(&text, "yaml") {
        let name = block.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap();
        fs::write(folder.path().join(name), block).unwrap();
        if block.contains("kind: RolloutScenario") {
            scenarios.push(name);
        }
    }
    assert!(text.contains(&format!("```sh\nhookward rollout {}\n```", scenarios[0])));
    for (index, name) in scenarios.iter().enumerate() {
        let played = Command::new(server::program())
            .args(["rollout", name])
            .current_dir(folder.path())
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let told = String::from_utf8(played.stdout).unwrap();
        assert!(played.status.success(), "{name}: {told}");
        assert!(index > 0 || blocks(&text, "text").contains(&told.as_str()), "{name}: {told}");
    }
}
