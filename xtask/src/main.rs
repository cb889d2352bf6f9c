//! The helper of those who work on Hookward: `cargo xtask test` and its friends.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a helper talks to the person who called it")]

mod bench;
mod codegen;
mod conformance;
mod image;
mod new_rule;
mod node;
mod rig;
mod shell;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of `hookward`, so that the server it is compared with has no other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Everything that is done to the tree by a command.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Formatting, lints, unit and integration tests, documentation, end-to-end tests.
    Test(test::TestArgs),
    /// Builds the programs of the test cluster, or finds those that are built.
    Rig(rig::RigArgs),
    /// Writes the container image as one file, without a container engine.
    Image(image::ImageArgs),
    /// Starts a test cluster with a real node, and ends it.
    Node(node::NodeArgs),
    /// Plays random scenarios with real Helm and in the simulation, and compares.
    Conformance(conformance::ConformanceArgs),
    /// Measures the server and `check`, next to a server that does nothing.
    Bench(bench::BenchArgs),
    /// Writes the file of a new rule and its line in the registry.
    NewRule(new_rule::NewRuleArgs),
    /// Writes the generated files: docs/rules.md, docs/schemas, the CRDs and the schema of values in deploy, and what pages show of the output.
    Codegen,
}

/// Says a mistake in one sentence: where in this program it was noticed helps nobody.
fn main() -> ExitCode {
    match run(Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}{error:#}", shell::ERROR);
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Test(args) => test::test(&args),
        Task::Rig(args) => rig::rig(&args),
        Task::Image(args) => image::image(&args).map(drop),
        Task::Node(args) => node::node(&args),
        Task::Conformance(args) => conformance::conformance(&args),
        Task::Bench(args) => bench::bench(&args),
        Task::NewRule(args) => new_rule::new_rule(&args),
        Task::Codegen => codegen::codegen(),
    }
}
