//! Running programs: said before, timed after, an error if they fail.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, bail};

/// What every mistake begins with where people see it.
pub(crate) const ERROR: &str = "error: ";

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// `cargo` with these arguments, in the root of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Says what is done, does it, and says how long it took; gives the seconds.
pub(crate) fn step(name: &str, command: &mut Command) -> anyhow::Result<f64> {
    println!("\n== {name}");
    let start = Instant::now();
    let status =
        command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    println!("== {name}: {seconds:.0} s");
    Ok(seconds)
}
