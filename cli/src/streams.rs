//! What a command may read from and write to, so that tests can stand in for a terminal.

use std::{
    env,
    io::{self, IsTerminal, Read, Write},
};

use anyhow::Context as _;

use crate::{
    args::Global,
    output::text::{Label, labelled},
};

/// The streams of the process, and what is known about them.
pub struct Io<'a> {
    /// What `-` means.
    pub stdin: &'a mut (dyn Read + Send),
    /// Results.
    pub stdout: &'a mut (dyn Write + Send),
    /// Everything else.
    pub stderr: &'a mut (dyn Write + Send),
    /// Whether results are read by a person.
    pub stdout_is_terminal: bool,
    /// Whether a person looks at the rest.
    pub stderr_is_terminal: bool,
    /// Whether the environment asks for no colour; see <https://no-color.org>.
    pub no_color: bool,
}

impl<'a> Io<'a> {
    /// The streams of this process.
    pub fn of_process(
        stdin: &'a mut io::Stdin,
        stdout: &'a mut io::Stdout,
        stderr: &'a mut io::Stderr,
    ) -> Self {
        Self {
            stdout_is_terminal: stdout.is_terminal(),
            stderr_is_terminal: stderr.is_terminal(),
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            stdin,
            stdout,
            stderr,
        }
    }

    /// Streams in memory, as a program that is no terminal sees them.
    pub fn of_memory(
        stdin: &'a mut (dyn Read + Send),
        stdout: &'a mut Vec<u8>,
        stderr: &'a mut Vec<u8>,
    ) -> Self {
        Self { stdin, stdout, stderr, stdout_is_terminal: false, stderr_is_terminal: false, no_color: false }
    }
}

impl Io<'_> {
    /// Writes to the standard output, all of it at once.
    ///
    /// # Errors
    /// When it cannot be written, though somebody is there to read.
    pub fn print(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        let written =
            write(&mut bytes).and_then(|()| self.stdout.write_all(&bytes)).and_then(|()| self.stdout.flush());
        unless_left(written).context("cannot write to the standard output")
    }

    /// Tells of something that could not be done.
    ///
    /// # Errors
    /// When nobody can be told.
    pub fn error(&mut self, message: &str, global: &Global) -> io::Result<()> {
        self.tell(Label::Error, message, global)
    }

    /// Tells of something worth knowing.
    ///
    /// # Errors
    /// When nobody can be told.
    pub fn note(&mut self, message: &str, global: &Global) -> io::Result<()> {
        self.tell(Label::Note, message, global)
    }

    fn tell(&mut self, label: Label, message: &str, global: &Global) -> io::Result<()> {
        let colors = global.colors(self.stderr_is_terminal, self.no_color);
        unless_left(writeln!(self.stderr, "{}", labelled(label, message, colors, self.stderr_is_terminal)))
    }
}

/// A reader who has left wanted no more, which is no failure: the rest is written all the same, and the exit code is what it would have been.
pub(crate) fn unless_left(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

impl std::fmt::Debug for Io<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Io")
            .field("stdout_is_terminal", &self.stdout_is_terminal)
            .finish_non_exhaustive()
    }
}
