//! `hookward rollout`: rollouts that are written down, played, and compared with what is expected.

use std::path::PathBuf;

use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    Io,
    args::Global,
    commands::plan::words,
    exit, inputs,
    output::{self, RolloutFormat},
    rehearsal::Rehearsal,
    workers,
};

mod cluster;
mod files;
mod simulated;

/// Which rollouts to play, and how.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Files of `RolloutScenario` documents, folders of them, or `-`.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Which tool plays them, whatever they say: 3, 4, argocd or flux. The program that renders charts is --helm-bin.
    #[arg(long, value_name = "TOOL", value_parser = words::tool)]
    pub helm: Option<String>,
    /// What the pods of a hook do, whatever the scenario says: `Job/migrate=ok|fail|hang|90s` (repeatable).
    #[arg(long = "outcome", value_name = "OUTCOME", value_parser = words::outcome)]
    pub outcomes: Vec<words::Outcome>,
    /// The helm that renders charts, and with --cluster plays; of several the first one renders, and the one plays that a scenario asks
    /// for (repeatable) [default: helm].
    #[arg(long, value_name = "FILE", help_heading = "Charts")]
    pub helm_bin: Vec<PathBuf>,
    /// Whether a cluster plays them.
    #[command(flatten)]
    pub cluster: cluster::Args,
    /// What charts are rendered for.
    #[command(flatten)]
    pub target: inputs::Target,
    /// Refuse files larger than this.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    pub max_file_size: u64,
    /// Show the steps of what passed, too.
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args<RolloutFormat>,
}

impl Args {
    /// Reads, plays, prints.
    ///
    /// # Errors
    /// When nothing could be printed; what could not be read is told.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let mut rehearsal = Rehearsal::default();
        let written = files::read(self, io, &mut rehearsal.problems);
        if self.cluster.cluster {
            cluster::play(self, &written, &mut rehearsal, io)?;
        } else {
            self.simulate(&written, &mut rehearsal, io);
        }
        let kind = output::lifecycle::Kind::Rollout;
        output::lifecycle::print(&rehearsal, kind, &targets, global, self.verbose, io)?;
        Ok(match () {
            () if !rehearsal.problems.is_empty() => exit::FAILED,
            () if !rehearsal.passed() => exit::FINDINGS,
            () => exit::CLEAN,
        })
    }

    fn simulate(&self, written: &[files::Written], rehearsal: &mut Rehearsal, io: &Io<'_>) {
        let progress = progress(written.len(), io.stderr_is_terminal);
        let played = workers::map(written, |written| {
            let played = simulated::play(self, written);
            progress.inc(1);
            played
        });
        progress.finish_and_clear();
        for played in played {
            match played {
                Ok((rehearsed, notes)) => {
                    rehearsal.scenarios.push(rehearsed);
                    rehearsal.notes.extend(notes);
                }
                Err(problems) => rehearsal.problems.extend(problems),
            }
        }
    }
}

/// On a terminal is told how far we are, since charts take a while to render.
fn progress(rollouts: usize, is_terminal: bool) -> ProgressBar {
    if !is_terminal || rollouts < 2 {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(u64::try_from(rollouts).ok(), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} rollouts")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}
