//! The `hookward` command line: arguments in, findings out, one exit code.

use std::{ffi::OsString, io};

pub mod args;
mod client;
pub mod commands;
pub mod exit;
pub mod generated;
pub mod inputs;
pub mod judge;
pub mod locate;
pub mod logging;
pub mod output;
pub mod plain;
pub mod policy_file;
pub mod rehearsal;
pub mod report;
mod streams;
pub mod trial;
pub mod workers;

pub use streams::Io;

use args::Command;

/// Runs one command line, the name of the program first, and gives the exit code: 0, 1 for findings, 2 for «could not run».
pub fn run(arguments: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (args, matches) = match args::read(&arguments) {
        Ok(parsed) => parsed,
        Err(refused) => {
            output::refuse(&arguments, &refused, io);
            return explain(&refused, io);
        }
    };
    let of_command = matches.subcommand().map_or(&matches, |(_, of_command)| of_command);
    let result = match args.command {
        Command::Check(command) => command.run(&args.global, of_command, io),
        Command::Try(command) => command.run(&args.global, of_command, io),
        Command::Plan(command) => command.run(&args.global, of_command, io),
        Command::Rollout(command) => command.run(&args.global, of_command, io),
        Command::Diagnose(command) => command.run(&args.global, of_command, io),
        Command::Rules(command) => command.run(&args.global, of_command, io),
        Command::Certs(command) => command.run(&args.global, of_command, io),
        Command::Serve(command) => command.run(&args.global, io),
        Command::Probe(command) => command.run(io),
        Command::Completions(command) => command.run(io),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            // There is nobody left to tell when this fails.
            let _ = io.error(&format!("{failure:#}"), &args.global);
            exit::FAILED
        }
    }
}

/// Prints what clap has to say: help and version on stdout, refusals on stderr.
fn explain(refused: &clap::Error, io: &mut Io<'_>) -> u8 {
    let text = refused.render();
    let (is_terminal, stream): (_, &mut dyn io::Write) = if refused.use_stderr() {
        (io.stderr_is_terminal, io.stderr)
    } else {
        (io.stdout_is_terminal, io.stdout)
    };
    let mut text = if is_terminal && !io.no_color { text.ansi().to_string() } else { text.to_string() };
    if is_terminal && refused.use_stderr() {
        let folded = text.lines().flat_map(|line| plain::wrap(line, output::text::WIDTH));
        text = folded.map(|line| line + "\n").collect();
    }
    // There is nobody left to tell when this fails.
    let _ = write!(stream, "{text}");
    if refused.use_stderr() { exit::FAILED } else { exit::CLEAN }
}
