//! `hookward try`: the whole admission path on this machine: own authority, HTTPS server, and a client that does what an API server does.

use std::{num::NonZero, thread};

use anyhow::Context as _;
use clap::{ArgMatches, ValueEnum};
use policies::PolicySet;

use crate::{
    Io,
    args::{Global, LogLevel},
    commands::check::Level,
    exit,
    inputs::{self, Contents},
    judge::Judge,
    logging,
    output::{self, Format, try_text, try_v1},
    policy_file,
    report::{self, Report},
    trial::{Run, Trial},
    workers,
};

mod defaults;
mod record;
mod review;
mod server;
mod subject;

use subject::Subject;

/// What to try, and against which rules.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where manifests come from.
    #[command(flatten)]
    pub inputs: inputs::Args,
    /// What the rules may do.
    #[command(flatten)]
    pub policy: policy_file::Args,
    /// Exit with 1 when an answer is at or above this.
    #[arg(long, value_enum, value_name = "MODE", default_value_t = FailOn::Never, help_heading = "Policy")]
    pub fail_on: FailOn,
    /// Where results go.
    #[command(flatten)]
    pub output: output::Args,
}

/// What makes the exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// An answer that denies.
    Deny,
    /// And one that warns.
    Warn,
    /// And one that changes an object.
    Audit,
    /// Nothing.
    Never,
}

impl From<FailOn> for Level {
    fn from(asked: FailOn) -> Self {
        match asked {
            FailOn::Deny => Self::Deny,
            FailOn::Warn => Self::Warn,
            FailOn::Audit => Self::Audit,
            FailOn::Never => Self::Never,
        }
    }
}

impl Args {
    /// Starts the server, asks it as an API server would, and prints the answers.
    ///
    /// # Errors
    /// When the server cannot be started, or nothing could be printed.
    pub fn run(&self, global: &Global, matches: &ArgMatches, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let targets = self.output.targets(matches)?;
        // Decisions are printed, so the log has only what goes wrong, unless it is asked for.
        let level = if global.log_level == LogLevel::Info { LogLevel::Warn } else { global.log_level };
        let errors_in_color = global.colors(io.stderr_is_terminal, io.no_color);
        logging::start(&Global { log_level: level, ..global.clone() }, errors_in_color);
        let mut trial = Trial::default();
        match self.policy.load(1) {
            Ok((policies, notes)) => {
                self.try_all(policies, &mut trial, io)?;
                trial.notes.extend(notes);
            }
            Err(problem) => trial.problems.push(problem),
        }
        for note in &trial.notes {
            io.note(note, global)?;
        }
        for problem in &trial.problems {
            io.error(&problem.to_string(), global)?;
        }
        output::write(&targets, global, io, |format, colors, out| match format {
            Format::Text => try_text::write(&trial, colors, out),
            Format::Json => try_v1::write(&trial, out),
        })?;
        Ok(match () {
            () if !trial.problems.is_empty() => exit::FAILED,
            () if Level::from(self.fail_on).is_reached(trial.worst()) => exit::FINDINGS,
            () => exit::CLEAN,
        })
    }

    fn try_all(&self, policies: PolicySet, trial: &mut Trial, io: &mut Io<'_>) -> anyhow::Result<()> {
        let subjects = self.subjects(&policies, trial, io);
        let cores = thread::available_parallelism().map_or(2, NonZero::get).max(2);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build();
        runtime.context("cannot start the runtime")?.block_on(async {
            let active = policies.policy(None).active();
            let profile = policies.policy(None).profile;
            let server = server::Server::start(policies).await.context("cannot start the server")?;
            trial.run = Some(Run { address: server.address(), profile, rules: active });
            let mut client = server.client().await.context("cannot reach the server")?;
            for subject in &subjects {
                trial.releases.push(review::release(&mut client, subject).await?);
            }
            server.stop().await;
            Ok(())
        })
    }

    fn subjects(&self, policies: &PolicySet, trial: &mut Trial, io: &mut Io<'_>) -> Vec<Subject> {
        let plan = self.inputs.plan(io, inputs::Breadth::Any);
        trial.notes.extend(self.inputs.without_effect(&plan));
        trial.problems = plan.problems;
        let judge = Judge {
            policies,
            namespace: Some(self.inputs.namespace.as_deref().unwrap_or(subject::NAMESPACE)),
            release: self.inputs.release.as_deref(),
            now: policy_file::now(),
        };
        let read = workers::map(&plan.units, |unit| {
            let Contents { texts, notes, problems, skipped } = self.inputs.read(unit);
            let mut report = Report { problems, notes, skipped, ..Report::default() };
            (subject::of_texts(&texts, &self.inputs, &judge, &mut report), report)
        });
        let mut subjects = Vec::new();
        for (found, report) in read {
            subjects.extend(found);
            trial.notes.extend(report.notes);
            trial.problems.extend(report.problems);
            trial.skipped += report.skipped;
        }
        // A helm that is not there is one problem, however many charts need it.
        trial.problems.dedup();
        report::once(&mut trial.notes);
        if trial.skipped > 0 && subjects.is_empty() && trial.problems.is_empty() {
            trial.problems.push(self.inputs.nothing_checked(trial.skipped));
            // Nothing but charts that were skipped was noted.
            trial.notes.clear();
        }
        subjects
    }
}
