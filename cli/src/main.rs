//! The `hookward` binary: hands the process over to the library.

use std::{io, process::ExitCode};

/// Rules allocate little and often, the readers of manifests a lot at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the allocator keeps memory that nobody uses, in milliseconds; it reads this when the process begins, and only then.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";

fn main() -> ExitCode {
    give_memory_back();
    let (mut stdin, mut stdout, mut stderr) = (io::stdin(), io::stdout(), io::stderr());
    let mut io = cli::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
    cli::run(std::env::args_os(), &mut io).into()
}

/// A server that has read a large release would keep several times the memory that it needs. So `serve` begins once more, as the
/// same process, with the allocator told to give memory back at once; whoever has set the variable is left alone.
#[cfg(unix)]
fn give_memory_back() {
    use std::os::unix::process::CommandExt;

    let mut arguments = std::env::args_os();
    let Some(name) = arguments.next() else { return };
    let arguments: Vec<_> = arguments.collect();
    if !arguments.iter().any(|argument| argument == "serve") || std::env::var_os(PURGE_DELAY).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // It comes back only when it fails; then the server runs all the same, with more memory.
        let _ = std::process::Command::new(program).arg0(name).args(arguments).env(PURGE_DELAY, "0").exec();
    }
}

#[cfg(not(unix))]
const fn give_memory_back() {}
