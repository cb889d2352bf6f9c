//! The `hookward` binary: hands the process over to the library.

use std::{io, process::ExitCode};

/// Rules allocate little and often, the readers of manifests a lot at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (io::stdin(), io::stdout(), io::stderr());
    let mut io = cli::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
    cli::run(std::env::args_os(), &mut io).into()
}
