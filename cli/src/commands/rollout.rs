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
    rehearsal::{Rehearsal, idle, play},
    report::Problem,
    workers,
};

mod cluster;
mod files;
mod notes;
mod simulated;

const EXIT_CODES: &str = "\
Exit codes: 0 all went as expected, 1 something did not, 2 could not run or could not read some input.";

const EXAMPLES: &str = "\
Examples:
  hookward rollout examples/rollouts                       every rollout in a folder, simulated
  hookward rollout shop.yaml --outcome Job/migrate=hang    what if the migration never ends?
  hookward rollout shop.yaml --format junit -o junit.xml   for a CI server
  hookward rollout shop.yaml --cluster --context test      with real Helm, beside the simulation

A rollout is written like this; without expect a step must exit with 0:
  apiVersion: hookward.dev/v1alpha1
  kind: RolloutScenario
  metadata: {name: failed-migration-rolls-back}
  spec:
    release: shop
    namespace: shop
    helm: \"4\"
    steps:
    - install: {chart: ./shop}
    - upgrade: {chart: ./shop, set: [image.tag=2.0], rollbackOnFailure: true}
      outcomes: {Job/migrate: fail}
      expect: {exit: 1, status: deployed, leftovers: [Job/migrate]}
    - uninstall: {}
";

/// Which rollouts to play, and how.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(after_help = EXIT_CODES, after_long_help = format!("{EXAMPLES}\n{EXIT_CODES}"))]
pub struct Args {
    /// Files with rollouts to play (`kind: RolloutScenario`), folders of them, or `-` for the standard input. The files say which release,
    /// which namespace, which charts and with which values.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Which tool plays them, whatever the files say: 3, 4, argocd or flux.
    ///
    /// 3 and 4 are versions of Helm, held to the real ones; argocd and flux are from source, not run. This is about behaviour; which program
    /// renders charts is for --helm-bin to say.
    #[arg(long, value_name = "TOOL", value_parser = words::tool)]
    pub helm: Option<String>,
    /// What becomes of the pods of a hook, whatever the files say: Job/migrate=fail, or ok, hang, 90s (repeatable).
    ///
    /// ok succeeds after a second, fail fails, hang never ends, and 90s is how long the pods take to succeed. It counts in every rollout
    /// that has such a hook, and at every step. Job/shop/migrate is the one in the namespace shop alone.
    #[arg(long = "outcome", value_name = "KIND/NAME=WORD", value_parser = words::outcome)]
    pub outcomes: Vec<words::Outcome>,
    /// Refuse files larger than this.
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = inputs::number(1..=1024))]
    pub max_file_size: u64,
    /// The helm program that renders charts, and plays with --cluster (repeatable) [default: helm].
    ///
    /// Give one of version 3 and one of version 4 where the files ask for both: the first renders, and with --cluster each plays what asks
    /// for its version.
    #[arg(long, value_name = "FILE", help_heading = "Charts")]
    pub helm_bin: Vec<PathBuf>,
    /// Whether a cluster plays them.
    #[command(flatten)]
    pub cluster: cluster::Args,
    /// What charts are rendered for.
    #[command(flatten)]
    pub target: inputs::Target,
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
        self.check_outcomes(&mut rehearsal);
        let kind = output::lifecycle::Kind::Rollout;
        output::lifecycle::print(&rehearsal, kind, &targets, global, self.verbose, io)?;
        Ok(match () {
            () if !rehearsal.problems.is_empty() => exit::FAILED,
            () if !rehearsal.passed() => exit::FINDINGS,
            () => exit::CLEAN,
        })
    }

    /// Tells outcomes on the command line of what is in none of the rollouts that were played, of which there must be some, else the reason
    /// is another one; and of what none of them runs.
    fn check_outcomes(&self, rehearsal: &mut Rehearsal) {
        let asked = rehearsal.scenarios.iter().flat_map(|played| &played.asked);
        let charts = asked.filter_map(|asked| asked.chart.as_deref());
        if charts.clone().next().is_none() {
            return;
        }
        let (mut problems, mut notes) = (Vec::new(), Vec::new());
        for name in words::outcomes(&self.outcomes).keys() {
            match play::unheard(name, charts.clone()) {
                Some(message) => problems.push(Problem::new("--outcome", message)),
                // What could not be played may run it.
                None if !rehearsal.problems.is_empty() => {}
                None => notes.extend(idle::anywhere(name, &rehearsal.scenarios)),
            }
        }
        rehearsal.problems.extend(problems);
        rehearsal.notes.extend(notes.into_iter().map(|note| format!("--outcome: {note}")));
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
