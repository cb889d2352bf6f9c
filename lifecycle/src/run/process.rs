//! A program in a process group of its own: what it says, and its end with all that it started.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Command, ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::Child,
    time::timeout,
};

/// How much of what a program says is kept, in bytes.
pub(super) const KEPT: u64 = 1 << 20;

/// How long a program has that was asked to end.
const GRACE: Duration = Duration::from_secs(1);

/// A program that was started; with the value all of it ends, without being asked.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// `None` once it has ended.
    group: Option<u32>,
}

/// What a program that ended by itself has said, and how it ended.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) status: ExitStatus,
}

impl Process {
    /// Starts it, and hears its standard output, and its standard error where that is a pipe.
    pub(super) fn start(mut command: Command) -> io::Result<Self> {
        // A Ctrl-C on the terminal is for us; the program is told when we are done.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let child = tokio::process::Command::from(command).spawn()?;
        Ok(Self { group: child.id(), child })
    }

    /// Waits until it ends by itself; `None` when it did not within `limit`, and was ended.
    pub(super) async fn said(&mut self, limit: Duration) -> Option<io::Result<Said>> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let all = async { tokio::join!(kept(stdout), kept(stderr), self.child.wait()) };
        let Ok((stdout, stderr, status)) = timeout(limit, all).await else {
            self.end().await;
            return None;
        };
        self.group = None;
        Some(status.map(|status| Said { stdout, stderr, status }))
    }

    /// Asks it to end, and a moment later ends all that is left of it.
    pub(super) async fn end(&mut self) {
        let Some(group) = self.group else { return };
        let _ = tokio::process::Command::from(kill("TERM", group)).status().await;
        let _ = timeout(GRACE, self.child.wait()).await;
        let _ = tokio::process::Command::from(kill("KILL", group)).status().await;
        self.group = None;
        // Killed is not yet gone, and whoever cleans up after it must not meet it.
        let _ = timeout(GRACE, self.child.wait()).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            let _ = kill("KILL", group).status();
        }
    }
}

fn kill(signal: &str, group: u32) -> Command {
    let mut command = Command::new("sh");
    let text = r#"kill -s "$1" -- "-$2" 2>/dev/null"#;
    command.args(["-c", text, "kill", signal, &group.to_string()]);
    command
}

async fn kept(pipe: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        let _ = (&mut pipe).take(KEPT).read_to_end(&mut bytes).await;
        // Whoever writes more must not be held up.
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell that is told `text` and the path of a file, and has said that it listens.
    async fn shell(text: &str, file: &std::path::Path) -> Process {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{text}; echo; while :; do sleep 0.05; done"), "sh"])
            .arg(file)
            .stderr(Stdio::null());
        let mut process = Process::start(command).unwrap();
        let mut byte = [0];
        let _ = process.child.stdout.as_mut().unwrap().read_exact(&mut byte).await.unwrap();
        process
    }

    #[tokio::test]
    async fn everything_stood_still_while_a_program_was_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("trap '' TERM", folder.path()).await;
        tokio::select! {
            biased;
            () = process.end() => panic!("nothing else was done meanwhile"),
            () = tokio::time::sleep(GRACE / 10) => {}
        }
    }

    #[tokio::test]
    async fn a_program_is_asked_before_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("asked");
        let mut process = shell("trap 'touch \"$1\"; exit' TERM", &file).await;
        process.end().await;
        assert!(file.exists());
        assert!(process.child.try_wait().unwrap().is_some());
    }

    #[tokio::test]
    async fn a_program_that_does_not_listen_ends_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let mut process = shell("trap '' TERM", folder.path()).await;
        process.end().await;
        assert!(process.child.try_wait().unwrap().is_some());
    }

    #[tokio::test]
    async fn a_program_that_nobody_holds_any_more_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let process = shell("trap '' TERM", folder.path()).await;
        let id = process.group.unwrap().to_string();
        drop(process);
        loop {
            let state = Command::new("ps").args(["-o", "stat=", "-p", &id]).output().unwrap();
            // What nobody has asked about yet is a zombie.
            if state.stdout.trim_ascii().is_empty() || state.stdout.starts_with(b"Z") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
