//! `hookward plan` of a release with many hooks, and random scenarios simulated one after the other.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use ::tests::{conformance, rig::Helm};
use anyhow::{Context as _, Result, ensure};
use hooks::annotations::{DELETE_POLICY, HOOK, WEIGHT};

use super::{manifests, noise::Noise, process};

/// Hooks of the release that is planned.
pub(super) const HOOKS: usize = 45;

/// Scenarios that are simulated: half of them with each Helm.
pub(super) const SCENARIOS: u64 = 10_000;

/// Runs of the plan; the middle one counts.
const RUNS: usize = 101;

/// How long a series waits for others to be done.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the plan needs, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// The middle of all runs, from the start of the program to its end.
    pub(super) wall: f64,
    /// The slowest run.
    pub(super) slowest: f64,
}

/// What the scenarios need.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenarios {
    /// How long all took, in seconds; what they are made of is made meanwhile.
    pub(super) seconds: f64,
    /// Commands that were played.
    pub(super) commands: usize,
    /// Steps that they took.
    pub(super) steps: usize,
}

/// Plans the install and the upgrade of a release with many hooks, several times on the core that this program has.
pub(super) fn plan(program: &Path) -> Result<Plan> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.yaml");
    release(&mut fs::File::create(&file)?)?;
    process::wait_for_quiet(PATIENCE)?;
    let mut runs = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut command = Command::new(program);
        command.arg("plan").arg(&file).args(["--format", "json"]).stdout(Stdio::null());
        let start = Instant::now();
        let status = command.status().context("cannot run hookward plan")?;
        runs.push(start.elapsed().as_secs_f64() * 1e3);
        ensure!(status.success(), "hookward plan could not read its input ({status})");
    }
    runs.sort_by(f64::total_cmp);
    Ok(Plan { wall: runs[RUNS / 2], slowest: runs[RUNS - 1] })
}

/// A release with so many hooks: Jobs, some `ConfigMap`s before them, and a few pods after all else.
fn release(out: &mut impl Write) -> Result<()> {
    let mut noise = Noise::new(7);
    for index in 0..HOOKS {
        let name = format!("{}-{index}", noise.word());
        match index % 5 {
            0 | 1 | 3 => out.write_all(manifests::hook(&mut noise, &name).as_bytes())?,
            2 => write!(
                out,
                "---\n# Source: shop/templates/{name}.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    \
                 {HOOK}: pre-install,pre-upgrade\n    {WEIGHT}: \"-5\"\ndata:\n  key: value\n"
            )?,
            _ => write!(
                out,
                "---\n# Source: shop/templates/tests/{name}.yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n  annotations:\n    \
                 {HOOK}: post-install,post-upgrade\n    {DELETE_POLICY}: before-hook-creation,hook-succeeded\nspec:\n  \
                 restartPolicy: Never\n  containers: [{{name: main, image: \"shop:1\"}}]\n"
            )?,
        }
    }
    Ok(())
}

/// Makes and simulates random scenarios on the core that this program has.
pub(super) fn scenarios() -> Result<Scenarios> {
    process::wait_for_quiet(PATIENCE)?;
    let start = Instant::now();
    let (mut commands, mut steps) = (0, 0);
    for seed in 0..SCENARIOS / 2 {
        for helm in Helm::ALL {
            let rehearsed = conformance::rehearse(helm, seed);
            commands += rehearsed.commands;
            steps += rehearsed.steps;
        }
    }
    Ok(Scenarios { seconds: start.elapsed().as_secs_f64(), commands, steps })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_has_as_many_hooks_as_it_says() {
        let mut text = Vec::new();
        release(&mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap().matches(&format!("{HOOK}: ")).count(), HOOKS);
    }
}
