//! `hookward check`: what is wrong with the hooks of a release, offline.

use clap::{ArgMatches, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use policies::{Mode, PolicySet};

use crate::{
    Io,
    args::Global,
    exit,
    inputs::{self, Contents, Plan, Source, Unit},
    judge::Judge,
    output::{self, Format, json_v1, text},
    policy_file,
    report::Report,
    workers,
};

/// From this many files on a terminal is told how far we are; fewer are done before anybody could read it.
const SHOW_PROGRESS: usize = 64;

/// What to check, and what counts.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where manifests come from.
    #[command(flatten)]
    pub inputs: inputs::Args,
    /// What the rules may do.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// Exit with 1 when a finding is at or above this.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = Level::Deny, help_heading = "Policy")]
    pub fail_on: Level,
    /// Show findings from this mode on; the others are counted [default: warn, or what --fail-on says if that is milder].
    #[arg(long, value_enum, value_name = "MODE", help_heading = "Output")]
    pub show: Option<Shown>,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// A finding that denies.
    Deny,
    /// A finding that warns.
    Warn,
    /// Any finding.
    Audit,
    /// Nothing.
    Never,
}

impl Level {
    /// Whether the worst finding reaches this level.
    #[must_use]
    pub fn is_reached(self, worst: Option<Mode>) -> bool {
        let least = match self {
            Self::Deny => Mode::Deny,
            Self::Warn => Mode::Warn,
            Self::Audit => Mode::Audit,
            Self::Never => return false,
        };
        worst.is_some_and(|worst| worst >= least)
    }
}

/// What is shown in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shown {
    /// What denies.
    Deny,
    /// And what warns.
    Warn,
    /// Everything.
    Audit,
}

impl From<Shown> for Mode {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Deny => Self::Deny,
            Shown::Warn => Self::Warn,
            Shown::Audit => Self::Audit,
        }
    }
}

impl Args {
    /// Reads, judges, prints.
    ///
    /// # Errors
    /// When nothing could be printed; what could not be read is in the report.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        let policies = self.policy.load(0);
        let is_judged = policies.is_ok();
        let report = match policies {
            Ok((policies, notes)) => {
                let mut report = self.report(&policies, io);
                report.notes.extend(notes);
                report
            }
            Err(problem) => Report { problems: vec![problem], ..Report::default() },
        };
        for note in &report.notes {
            io.note(note, global)?;
        }
        for problem in &report.problems {
            io.error(&problem.to_string(), global)?;
        }
        output::write(&targets, global, io, |format, colors, out| match format {
            Format::Text if !is_judged => Ok(()),
            Format::Text => text::write(&report, text::Look { colors, show: self.shown().into() }, out),
            Format::Json => json_v1::write(&report, out),
        })?;
        Ok(match () {
            () if !report.problems.is_empty() => exit::FAILED,
            () if self.fail_on.is_reached(report.worst()) => exit::FINDINGS,
            () => exit::CLEAN,
        })
    }

    /// What is shown: all that makes the exit code 1, where nobody says otherwise.
    fn shown(&self) -> Shown {
        let milder = if self.fail_on == Level::Audit { Shown::Audit } else { Shown::Warn };
        self.show.unwrap_or(milder)
    }

    fn report(&self, policies: &PolicySet, io: &mut Io<'_>) -> Report {
        let plan = self.inputs.plan(io, inputs::Breadth::Any);
        let notes = self.inputs.without_effect(&plan).into_iter().collect();
        let Plan { units, problems } = plan;
        let judge = Judge {
            policies,
            namespace: self.inputs.namespace.as_deref(),
            release: self.inputs.release.as_deref(),
            now: policy_file::now(),
        };
        let progress = progress(&units, io.stderr_is_terminal);
        let reports = workers::map(&units, |unit| {
            let report = self.unit(unit, &judge);
            progress.inc(1);
            report
        });
        progress.finish_and_clear();
        let mut whole = Report { problems, notes, ..Report::default() };
        for report in reports {
            whole.absorb(report);
        }
        if whole.skipped > 0 && whole.objects == 0 && whole.findings.is_empty() && whole.problems.is_empty() {
            whole.problems.push(self.inputs.nothing_checked(whole.skipped));
            // Nothing but charts that were skipped was noted.
            whole.notes.clear();
        }
        whole.sort();
        whole
    }

    fn unit(&self, unit: &Unit, judge: &Judge<'_>) -> Report {
        let Contents { texts, notes, problems, skipped } = self.inputs.read(unit);
        let mut report = Report { problems, notes, skipped, ..Report::default() };
        report.absorb(judge.texts(&texts));
        report
    }
}

fn progress(units: &[Unit], is_terminal: bool) -> ProgressBar {
    let charts = units.iter().flat_map(|unit| &unit.sources).any(|source| matches!(source, Source::Chart(_)));
    if !is_terminal || (units.len() < SHOW_PROGRESS && !charts) {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(u64::try_from(units.len()).ok(), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} files")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}
