//! `cargo xtask bench`: how fast and how small Hookward is here, next to a server that does nothing.
#![allow(clippy::print_stdout, reason = "progress and tables are what this command is for")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times here are far below what a float holds exactly"
)]

mod bodies;
mod bounds;
mod check;
mod client;
mod cluster;
mod floor;
mod histogram;
mod load;
mod manifests;
mod measure;
mod noise;
mod page;
mod plan;
mod process;
mod record;
mod results;
mod server;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    rig::{self, RigArgs},
    shell::{cargo, step},
};

/// What to measure, and for how long.
#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// Seconds that each series of requests is measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Minutes of mixed load before memory is read again
    #[arg(long, value_name = "MINUTES", default_value_t = 1.0)]
    soak: f64,
    /// Folder of rendered manifests to check besides the generated ones
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Measure through the API server of the test cluster as well
    #[arg(long)]
    rig: bool,
    /// Write the page of results to this file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Measure only this; several with commas
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<measure::Part>,
    /// Only the release build of this program may measure; the other one starts it
    #[arg(long, hide = true)]
    pinned: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    /// The server that does nothing.
    #[command(hide = true)]
    Floor(floor::FloorArgs),
}

/// Builds what is measured, then measures it from a core of its own.
pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    match &args.role {
        Some(Role::Floor(args)) => floor::serve(args),
        None if args.pinned => report(args),
        None => start(args),
    }
}

fn start(args: &BenchArgs) -> Result<()> {
    step("release build", &mut cargo(&["build", "--release", "--package", "cli", "--package", "xtask"]))?;
    let program = release_build()?;
    // The first core is the server's.
    let core = if process::processor().1 > 1 { "1" } else { "0" };
    let mut command = server::pinned(program, core);
    command.args(std::env::args_os().skip(1)).arg("--pinned");
    if args.rig {
        command.env("HOOKWARD_RIG_BIN", rig::programs(&RigArgs::default())?.bin);
    }
    step("measurements", &mut command)?;
    Ok(())
}

/// This program as the release build made it: beside the folder of the one that runs.
fn release_build() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let target = this.parent().and_then(Path::parent).context("this program lies in no target folder")?;
    Ok(target.join("release").join(this.file_name().context("this program has no name")?))
}

fn report(args: &BenchArgs) -> Result<()> {
    let results = measure::measure(args)?;
    for (title, table) in page::tables(&results) {
        println!("\n{title}\n\n{}", table.text());
    }
    if let Some(file) = &args.write {
        let page = page::page(&results, args, &versions()?);
        fs::write(file, page).with_context(|| format!("cannot write {}", file.display()))?;
        println!("written to {}", file.display());
    }
    Ok(())
}

/// What was measured, and what built it.
fn versions() -> Result<String> {
    let of = |command: &mut Command| -> Result<String> {
        let output = command.output()?;
        if !output.status.success() {
            bail!("{} failed", command.get_program().display());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let hookward = of(Command::new(std::env::current_exe()?.with_file_name("hookward")).arg("--version"))?;
    let rustc = of(Command::new("rustc").arg("--version"))?;
    Ok(format!("{hookward}, {rustc}"))
}
