//! `hookward check` over generated charts, and over a folder somebody has.

use std::{
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::{process, server};

/// Runs of each check; the middle one counts.
const RUNS: usize = 9;

/// How long a run waits for others to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one check needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    /// Wall time, the middle of all runs, in milliseconds.
    pub(super) wall: f64,
    /// The slowest run.
    pub(super) slowest: f64,
    /// The most memory of all runs, in KiB.
    pub(super) memory: u64,
}

/// Checks `path` several times on these cores, and writes the findings nowhere.
pub(super) fn check(program: &Path, path: &Path, cores: &str) -> Result<Check> {
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        process::wait_for_quiet(PATIENCE)?;
        runs.push(once(program, path, cores)?);
    }
    runs.sort_by_key(|(wall, _)| *wall);
    let milliseconds = |wall: Duration| wall.as_secs_f64() * 1e3;
    let memory = runs.iter().map(|(_, memory)| *memory).max().unwrap_or(0);
    Ok(Check { wall: milliseconds(runs[RUNS / 2].0), slowest: milliseconds(runs[RUNS - 1].0), memory })
}

fn once(program: &Path, path: &Path, cores: &str) -> Result<(Duration, u64)> {
    let mut command = server::pinned(program, cores);
    command.arg("check").arg(path).args(["--format", "json"]);
    let start = Instant::now();
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot run hookward check")?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // It only grows, so the last look before the end is near the truth.
        peak = process::memory(child.id()).map_or(peak, |memory| memory.peak.max(peak));
        thread::sleep(Duration::from_millis(1));
    };
    let wall = start.elapsed();
    ensure!(matches!(status.code(), Some(0 | 1)), "hookward check could not read its input ({status})");
    Ok((wall, peak))
}
