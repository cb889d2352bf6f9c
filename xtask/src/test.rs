//! The one test command: everything hermetic, and the end-to-end tests where the test cluster can be had.

use std::{process::Command, time::Instant};

use anyhow::bail;

use crate::{
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
const OPTIONAL: [&str; 2] = ["e2e", "node"];

/// Modules of tests that need programs of the test cluster.
const WITH_CLUSTER: [&str; 2] = ["e2e::", "yaml_go::"];

/// Runs all of it, cheapest first.
pub(crate) fn test(args: &TestArgs) -> anyhow::Result<()> {
    let mut table = Vec::new();
    let mut run = |name: &str, command: &mut Command| -> anyhow::Result<()> {
        table.push((name.to_owned(), step(name, command)?));
        Ok(())
    };
    if args.filter.is_none() {
        run("format", &mut cargo(&["fmt", "--all", "--check"]))?;
        run("clippy", &mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
        run("unit tests", &mut cargo(&["test", "--workspace", "--exclude", "tests"]))?;
        let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
        run("documentation", docs.env("RUSTDOCFLAGS", "-D warnings"))?;
        deny(&mut run)?;
    }
    let start = Instant::now();
    let programs = if needs_cluster(args.filter.as_deref())? { cluster()? } else { None };
    table.push(("programs of the test cluster".to_owned(), start.elapsed().as_secs_f64()));
    let mut tests = cargo(&["test", "--package", "tests"]);
    if let Some(programs) = &programs {
        tests.env("HOOKWARD_RIG_BIN", &programs.bin);
    }
    tests.arg("--").args(args.filter.as_deref());
    if programs.is_none() {
        tests.args(WITH_CLUSTER.iter().flat_map(|module| ["--skip", module]));
    }
    let name = "integration and end-to-end tests";
    table.push((name.to_owned(), step(name, &mut tests)?));
    println!("\nwhat the minutes were spent on:");
    for (name, seconds) in table {
        println!("  {seconds:>6.0} s  {name}");
    }
    Ok(())
}

/// Whether any test that `filter` selects needs the test cluster; without a filter all of them are run.
fn needs_cluster(filter: Option<&str>) -> anyhow::Result<bool> {
    let Some(filter) = filter else { return Ok(true) };
    let listed = cargo(&["test", "--quiet", "--package", "tests", "--", "--list", filter]).output()?;
    let names = String::from_utf8_lossy(&listed.stdout);
    Ok(names.lines().any(|name| WITH_CLUSTER.iter().any(|module| name.starts_with(module))))
}

/// `cargo deny`, where it is installed; advisories need a network that a hermetic test has not.
fn deny(run: &mut impl FnMut(&str, &mut Command) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success()) {
        return run("cargo deny", &mut cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]));
    }
    left_out("deny", "cargo-deny is not installed; `cargo install --locked cargo-deny` adds it")
}

/// The programs of the test cluster; `None` where they cannot be had and nobody insists.
fn cluster() -> anyhow::Result<Option<RigPrograms>> {
    let skip = std::env::var("HOOKWARD_SKIP").unwrap_or_default();
    if let Some(unknown) =
        skip.split(',').find(|part| !part.is_empty() && !OPTIONAL.contains(part) && *part != "deny")
    {
        bail!("HOOKWARD_SKIP names {unknown:?}; it knows {}, deny", OPTIONAL.join(", "));
    }
    if skip.split(',').any(|part| part == "e2e") {
        println!("\n!! left out: end-to-end tests (HOOKWARD_SKIP)");
        return Ok(None);
    }
    match rig::rig(&RigArgs::default()) {
        Ok(programs) => Ok(Some(programs)),
        Err(error) => left_out("e2e", &format!("no test cluster: {error:#}")).map(|()| None),
    }
}

/// Says loudly what is left out; where `CI=true`, that is a failure unless `HOOKWARD_SKIP` names it.
fn left_out(part: &str, why: &str) -> anyhow::Result<()> {
    let skipped = std::env::var("HOOKWARD_SKIP").unwrap_or_default().split(',').any(|one| one == part);
    if std::env::var("CI").is_ok_and(|ci| ci == "true") && !skipped {
        bail!(
            "{part} cannot be left out where CI=true: {why}; HOOKWARD_SKIP={part} says that this machine cannot"
        );
    }
    println!("\n!! left out: {part}: {why}");
    Ok(())
}
