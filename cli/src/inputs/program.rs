//! A program that renders: what it prints, within a time and a size, and its end with all that it started.

use std::{
    io::{self, Read, Write as _},
    os::unix::process::CommandExt as _,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// How much of what a program says on stderr is kept, in bytes.
const STDERR_LIMIT: u64 = 1 << 20;

/// What a program may do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long it may take.
    pub(super) time: Duration,
    /// How much it may print, in bytes.
    pub(super) size: u64,
}

/// What a program has done that ended by itself.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

/// Why there is no output.
#[derive(Debug)]
pub(super) enum Failure {
    NotFound,
    Start(io::Error),
    TooLate,
    /// It has ended, and what it started holds its standard output: nobody knows whether that was all.
    Held,
    TooMuch,
}

/// Runs it, with `stdin` as its standard input.
pub(super) fn run(command: &mut Command, stdin: Option<&str>, bounds: Bounds) -> Result<Output, Failure> {
    let deadline = Instant::now() + bounds.time;
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let guard = Guard::new();
    let group = guard.as_ref().map_or(0, Guard::group);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(group);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Failure::NotFound,
        _ => Failure::Start(error),
    })?;
    if let Some((mut pipe, text)) = child.stdin.take().zip(stdin.map(str::to_owned)) {
        // A program that fails before it reads says why by itself.
        thread::spawn(move || pipe.write_all(text.as_bytes()));
    }
    let stdout = drain(child.stdout.take(), bounds.size + 1);
    let stderr = drain(child.stderr.take(), STDERR_LIMIT);
    let result = wait(&mut child, &stdout, bounds.size, deadline);
    if result.is_ok() {
        guard.into_iter().for_each(Guard::leave);
    } else {
        // It has ended by itself, or it is ended now; either way there is nothing left behind.
        drop(guard);
        let _ = child.kill();
        let _ = child.wait();
    }
    let (status, stdout) = result?;
    let stderr = stderr.recv_timeout(Duration::from_secs(1)).unwrap_or_default();
    Ok(Output { status, stdout, stderr })
}

/// A process group that ends, with all that is in it, when this is dropped, and when this process ends, however it does: the terminal
/// tells only us of a Ctrl-C. Its first member is a shell that reads until nobody holds the other end any more.
struct Guard(Child);

impl Guard {
    /// `None` where there is no shell.
    fn new() -> Option<Self> {
        let mut shell = Command::new("sh");
        shell.args(["-c", "read -r line; kill -s KILL 0"]).stdout(Stdio::null()).stderr(Stdio::null());
        shell.stdin(Stdio::piped()).process_group(0).spawn().ok().map(Self)
    }

    fn group(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap_or(0)
    }

    /// Leaves the others alone.
    fn leave(mut self) {
        let _ = self.0.kill();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Whoever has failed before that has ended as well.
        let _ = self.0.wait();
    }
}

/// Reads a pipe on a thread of its own, so that the program never waits for us.
fn drain(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before a failure still counts; the exit code tells the rest.
            let _ = pipe.take(limit).read_to_end(&mut bytes);
        }
        // Nobody listens any more when the program was too late.
        let _ = sender.send(bytes);
    });
    receiver
}

fn wait(
    child: &mut Child,
    stdout: &mpsc::Receiver<Vec<u8>>,
    limit: u64,
    deadline: Instant,
) -> Result<(ExitStatus, Vec<u8>), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let Ok(bytes) = stdout.recv_timeout(left) else {
        let has_ended = matches!(child.try_wait(), Ok(Some(_)));
        return Err(if has_ended { Failure::Held } else { Failure::TooLate });
    };
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Failure::TooMuch);
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok((status, bytes)),
            Ok(None) if Instant::now() >= deadline => return Err(Failure::TooLate),
            Ok(None) => thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(Failure::Start(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a shell that starts a long sleep and writes its id, and whether that sleep goes on.
    fn shell(text: &str) -> (Result<Output, Failure>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("id");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("sleep 300 & echo $! > \"$1\"; {text}"), "sh"]).arg(&file);
        let ran = run(&mut command, None, Bounds { time: Duration::from_secs(2), size: 1000 });
        let id = std::fs::read_to_string(file).unwrap();
        let has_ended = |_| {
            thread::sleep(Duration::from_millis(10));
            let ps = Command::new("ps").args(["-o", "stat=", "-p", id.trim()]).output().unwrap();
            // What nobody has asked about yet is a zombie.
            ps.stdout.trim_ascii().is_empty() || ps.stdout.starts_with(b"Z")
        };
        // What has been killed takes a moment to end.
        (ran, !(0..1_000).any(has_ended))
    }

    #[test]
    fn what_a_wrapper_had_started_outlived_its_time() {
        let (ran, goes_on) = shell("wait");
        assert!(matches!(ran, Err(Failure::TooLate)) && !goes_on, "{ran:?}");
        let (ran, goes_on) = shell("yes");
        assert!(matches!(ran, Err(Failure::TooMuch)) && !goes_on, "{ran:?}");
    }

    #[test]
    fn a_wrapper_that_had_ended_was_said_not_to_have_finished() {
        let (ran, goes_on) = shell("echo all");
        assert!(matches!(ran, Err(Failure::Held)) && !goes_on, "{ran:?}");
    }

    #[test]
    fn what_ends_by_itself_is_left_alone() {
        let mut command = Command::new("sh");
        command.args(["-c", "cat; echo b >&2; exit 3"]);
        let ran = run(&mut command, Some("a"), Bounds { time: Duration::from_secs(20), size: 1000 }).unwrap();
        assert_eq!((ran.status.code(), &ran.stdout[..], &ran.stderr[..]), (Some(3), &b"a"[..], &b"b\n"[..]));
    }
}
