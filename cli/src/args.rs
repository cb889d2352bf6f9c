//! The command line: global flags, and one variant per command.

use std::ffi::OsString;

use clap::{
    Arg, ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum, builder::Styles,
};

use crate::commands::{certs, check, completions, diagnose, plan, probe, rollout, rules, serve, try_release};

mod tips;

/// The guardrail for Helm hooks.
#[derive(Debug, Parser)]
#[command(name = "hookward", version, about, long_about = None, styles = Styles::styled(), max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 nothing to object to, 1 findings, 2 could not run or could not read some input."
)]
pub struct Args {
    /// What applies to every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Global {
    /// When to use colour; the variable `NO_COLOR` is respected.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        help_heading = "Global options"
    )]
    pub color: Color,
    /// How much to log; libraries only warn below trace. The variable `RUST_LOG` says it for each target.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "LEVEL",
        help_heading = "Global options"
    )]
    pub log_level: LogLevel,
    /// How to log.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Global options"
    )]
    pub log_format: LogFormat,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal.
    #[default]
    Auto,
    /// Even into a file.
    Always,
    /// Nowhere.
    Never,
}

/// How much to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And decisions.
    #[default]
    Info,
    /// And how they came about.
    Debug,
    /// Everything.
    Trace,
}

/// How to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines: one object per line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take a release through the whole admission path on this machine.
    #[command(
        after_help = "Exit codes: 0 whatever the answers are, 1 where --fail-on says so, 2 could not run or could not read some input."
    )]
    Try(Box<try_release::Args>),
    /// Find what is wrong with the hooks of a release, offline.
    #[command(
        after_help = "Exit codes: 0 nothing to object to, 1 findings at or above --fail-on, 2 could not run or could not read some input."
    )]
    Check(Box<check::Args>),
    /// Say what Helm will do with a release: order, waits, deletions, what is left behind.
    Plan(Box<plan::Args>),
    /// Play rollouts that are written down, and say whether what happens is what is expected.
    Rollout(Box<rollout::Args>),
    /// Say why a hook of a release failed, and what mends it.
    Diagnose(diagnose::Args),
    /// List the rules, or explain one.
    Rules(rules::Args),
    /// Make and inspect the certificates that the server needs.
    Certs(certs::Args),
    /// Run the server, in a cluster or without one.
    Serve(Box<serve::Args>),
    /// Ask a running server for a review as the API server does, and say whether it answers.
    Probe(probe::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

/// Reads a command line, the name of the program first.
///
/// What is refused is read once more with a better ear: `-1` and `-5s` behind a flag that takes a number or a time are its value, of which
/// it says what is wrong with it, and no flags of their own. To prepare every command for that takes longer than to read one.
///
/// # Errors
/// What clap has to say: help, the version, or what is wrong.
pub fn read(arguments: &[OsString]) -> clap::error::Result<(Args, ArgMatches)> {
    let forgiving = || with_values(Args::command().mut_subcommand("rollout", tips::of_rollout));
    let matches = Args::command()
        .try_get_matches_from(arguments)
        .or_else(|_| forgiving().try_get_matches_from(arguments))?;
    Ok((Args::from_arg_matches(&matches)?, matches))
}

fn with_values(command: clap::Command) -> clap::Command {
    let with_value = |arg: Arg| {
        let is_time = arg.get_value_names().is_some_and(|names| names.iter().any(|name| name == "DURATION"));
        match arg.get_action().takes_values() && !arg.is_positional() {
            true if is_time => arg.allow_hyphen_values(true),
            takes_value => arg.allow_negative_numbers(takes_value),
        }
    };
    command.mut_args(with_value).mut_subcommands(with_values)
}

impl Global {
    /// Whether to use colour on a stream.
    #[must_use]
    pub const fn colors(&self, is_terminal: bool, no_color: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !no_color,
        }
    }
}
