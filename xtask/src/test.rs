//! The one test command: everything hermetic, and the end-to-end tests where the test clusters can be had.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use ::tests::node::Node;
use anyhow::bail;

use crate::{
    image::{self, ImageArgs},
    rig::{self, RigArgs, RigPrograms},
    shell::{cargo, step},
};

/// What to test.
#[derive(clap::Args)]
pub(crate) struct TestArgs {
    /// Only integration tests whose name contains this.
    filter: Option<String>,
}

/// Parts that a machine may be unable to run; `HOOKWARD_SKIP` names them, with commas.
const OPTIONAL: [&str; 4] = ["deny", "e2e", "image", "node"];

/// Modules of tests that need programs of the test cluster.
const WITH_CLUSTER: [&str; 5] = ["chart::", "conformance::", "e2e::", "yaml_go::", NODE];

/// The module of tests that need a real node; they are run by themselves, so that nothing else takes their processors.
const NODE: &str = "node::";

/// The module of tests that look into the container image; those on the node run it.
const IMAGE: &str = "image::";

/// Modules of tests that need the image as it ships.
const WITH_IMAGE: [&str; 2] = [IMAGE, NODE];

/// Steps that were done, and their seconds.
#[derive(Default)]
struct Steps(Vec<(String, f64)>);

impl Steps {
    fn run(&mut self, name: &str, command: &mut Command) -> anyhow::Result<()> {
        self.0.push((name.to_owned(), step(name, command)?));
        Ok(())
    }

    fn timed<T>(&mut self, name: &str, work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
        let start = Instant::now();
        let result = work();
        self.0.push((name.to_owned(), start.elapsed().as_secs_f64()));
        result
    }
}

/// Runs all of it, cheapest first.
pub(crate) fn test(args: &TestArgs) -> anyhow::Result<()> {
    check_skip()?;
    let filter = args.filter.as_deref();
    let mut steps = Steps::default();
    if filter.is_none() {
        hermetic(&mut steps)?;
    }
    let names = matched(selected(filter)?, filter)?;
    let any_of =
        |modules: &[&str]| names.iter().any(|name| modules.iter().any(|module| name.starts_with(module)));
    let programs =
        if any_of(&WITH_CLUSTER) { steps.timed("programs of the test cluster", cluster)? } else { None };
    let with_image = if node_is_skipped() { &[IMAGE][..] } else { &WITH_IMAGE };
    let image = if any_of(with_image) { steps.timed("image", shipped)? } else { None };
    let on_node: Vec<&str> = names.iter().map(String::as_str).filter(|name| name.starts_with(NODE)).collect();
    if on_node.len() < names.len() {
        let mut tests = integration(programs.as_ref(), image.as_deref());
        tests.args(filter).args(["--skip", NODE]);
        if programs.is_none() {
            tests.args(WITH_CLUSTER.iter().flat_map(|module| ["--skip", module]));
        }
        if image.is_none() {
            tests.args(["--skip", IMAGE]);
        }
        steps.run("integration and end-to-end tests", &mut tests)?;
    }
    if !on_node.is_empty() && node(programs.as_ref(), image.as_deref())? {
        let mut tests = integration(programs.as_ref(), image.as_deref());
        tests.arg("--exact").args(on_node);
        steps.run("tests on a real node", &mut tests)?;
    }
    println!("\nwhat the minutes were spent on:");
    for (name, seconds) in steps.0 {
        println!("  {seconds:>6.0} s  {name}");
    }
    Ok(())
}

/// What needs nothing but the tree.
fn hermetic(steps: &mut Steps) -> anyhow::Result<()> {
    steps.run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
    steps.run("clippy", &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    steps.run("unit tests", &mut cargo(&["test", "--workspace", "--exclude", "tests"]))?;
    steps.run("unit tests of the fixtures", &mut cargo(&["test", "--package", "tests", "--lib"]))?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    steps.run("documentation", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    deny(steps)
}

/// The integration tests, told where the programs of the test cluster and the image are.
fn integration(programs: Option<&RigPrograms>, image: Option<&Path>) -> Command {
    let mut tests = cargo(&["test", "--package", "tests", "--test", "integration", "--"]);
    if let Some(programs) = programs {
        tests.env("HOOKWARD_RIG_BIN", &programs.bin);
    }
    if let Some(image) = image {
        tests.env("HOOKWARD_IMAGE", image);
    }
    tests
}

/// The integration tests whose name contains `filter`.
fn selected(filter: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut list = cargo(&["test", "--quiet", "--package", "tests", "--test", "integration", "--", "--list"]);
    let listed = list.args(filter).output()?;
    if !listed.status.success() {
        bail!("cannot list the integration tests: {}", String::from_utf8_lossy(&listed.stderr));
    }
    let text = String::from_utf8_lossy(&listed.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// The names, if there are any: a misspelt filter would pass for a test that did.
fn matched(names: Vec<String>, filter: Option<&str>) -> anyhow::Result<Vec<String>> {
    if names.is_empty() {
        let filter = filter.unwrap_or_default();
        bail!(
            "the name of no integration test contains {filter:?}; unit tests are run by `cargo test --package CRATE {filter}`"
        );
    }
    Ok(names)
}

/// `cargo deny`, where it is installed; advisories need a network that a hermetic test has not.
fn deny(steps: &mut Steps) -> anyhow::Result<()> {
    if cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        let command = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        return steps.run("cargo deny", &mut cargo(&command));
    }
    left_out("deny", "cargo-deny is not installed; `cargo install --locked cargo-deny` adds it")
}

/// The programs of the test cluster; `None` where they cannot be had and nobody insists.
fn cluster() -> anyhow::Result<Option<RigPrograms>> {
    if is_skipped("e2e") {
        println!("\n!! left out: end-to-end tests, with and without a node (HOOKWARD_SKIP)");
        return Ok(None);
    }
    match rig::programs(&RigArgs::default()) {
        Ok(programs) => Ok(Some(programs)),
        Err(error) => left_out("e2e", &format!("no test cluster: {error:#}")).map(|()| None),
    }
}

/// Whether there will be tests on a real node; `false` where it cannot be had and nobody insists.
fn node(programs: Option<&RigPrograms>, image: Option<&Path>) -> anyhow::Result<bool> {
    if node_is_skipped() {
        println!("\n!! left out: tests on a real node (HOOKWARD_SKIP)");
        return Ok(false);
    }
    let why = match programs {
        None => "there are no programs of the test cluster".to_owned(),
        Some(_) if image.is_none() => "there is no image".to_owned(),
        Some(programs) => match Node::possible_with(&programs.bin) {
            Ok(()) => return Ok(true),
            Err(why) => why,
        },
    };
    left_out("node", &why).map(|()| false)
}

/// The image as it ships; `None` where it cannot be made and nobody insists.
fn shipped() -> anyhow::Result<Option<PathBuf>> {
    if is_skipped("image") {
        println!("\n!! left out: tests of the image, and those on a real node (HOOKWARD_SKIP)");
        return Ok(None);
    }
    match image::image(&ImageArgs::default()) {
        Ok(path) => Ok(Some(path)),
        Err(error) => left_out("image", &format!("{error:#}")).map(|()| None),
    }
}

/// Whether `HOOKWARD_SKIP` names the node, or what it is made of.
fn node_is_skipped() -> bool {
    ["node", "e2e", "image"].into_iter().any(is_skipped)
}

/// Whether `HOOKWARD_SKIP` names the part.
fn is_skipped(part: &str) -> bool {
    std::env::var("HOOKWARD_SKIP").unwrap_or_default().split(',').any(|one| one == part)
}

/// A misspelt part would be run after all, or worse, thought to be.
fn check_skip() -> anyhow::Result<()> {
    let skip = std::env::var("HOOKWARD_SKIP").unwrap_or_default();
    match skip.split(',').find(|part| !part.is_empty() && !OPTIONAL.contains(part)) {
        Some(unknown) => bail!("HOOKWARD_SKIP names {unknown:?}; it knows {}", OPTIONAL.join(", ")),
        None => Ok(()),
    }
}

/// Says loudly what is left out; where `CI=true`, that is a failure unless `HOOKWARD_SKIP` names it.
fn left_out(part: &str, why: &str) -> anyhow::Result<()> {
    if std::env::var("CI").is_ok_and(|ci| ci == "true") && !is_skipped(part) {
        bail!(
            "{part} cannot be left out where CI=true: {why}; HOOKWARD_SKIP={part} says that this machine cannot"
        );
    }
    println!("\n!! left out: {part}: {why}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_nothing_matches_is_a_mistake() {
        let error = matched(Vec::new(), Some("outaeg")).unwrap_err();
        assert!(error.to_string().contains("no integration test contains \"outaeg\""), "{error}");
        assert_eq!(matched(vec!["e2e::outage".to_owned()], Some("outage")).unwrap(), ["e2e::outage"]);
    }
}
