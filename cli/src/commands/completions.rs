//! `hookward completions`: a script that makes a shell complete our commands.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{Io, exit};

/// For which shell.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// The shell.
    pub shell: Shell,
}

impl Args {
    /// Prints the script.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn run(&self, io: &mut Io<'_>) -> anyhow::Result<u8> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut crate::args::Args::command(), "hookward", &mut script);
        io.print(|out| out.write_all(&script))?;
        Ok(exit::CLEAN)
    }
}
