//! Processes that cannot outlive this one, and commands that cannot run forever.

use std::{
    fs::File,
    io::{self, Read, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Reads ids of processes, one per line. When the writing end closes, however its owner ended, it ends those processes
/// with their groups, and removes the folder; until they are really gone, one may still write into it.
/// Before the folder go the control groups that are named after it, and whatever still runs in them, and first of all the
/// interface: the kernel takes minutes to see that the other end of it has no network any more.
const JANITOR: &str = r#"
folder=$1; link=$2; shift 2
while read -r id; do ids="$ids $id"; done
for id in $ids; do kill -s KILL -- "-$id" 2>/dev/null; done
if [ -n "$link" ]; then ip link delete "$link" 2>/dev/null; fi
for group; do
  tries=0
  while [ -d "$group" ] && [ "$tries" -lt 100 ]; do
    find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | while read -r id; do kill -s KILL "$id" 2>/dev/null; done
    find "$group" -depth -type d -exec rmdir {} ';' 2>/dev/null
    [ -d "$group" ] && sleep 0.1
    tries=$((tries + 1))
  done
done
tries=0
until rm -rf -- "$folder" 2>/dev/null || [ "$tries" -ge 50 ]; do sleep 0.1; tries=$((tries + 1)); done
"#;

/// A group of servers and their folder, which end together with this value or with the whole process.
#[derive(Debug)]
pub(crate) struct Household {
    janitor: Child,
    // None only while dropping: closing it is what calls the janitor to work.
    line: Option<ChildStdin>,
    servers: Vec<(String, Child)>,
}

impl Household {
    /// Starts with the folder alone, and perhaps with control groups and an interface of the machine that go before it does.
    pub(crate) fn new(folder: &Path, groups: &[PathBuf], interface: Option<&str>) -> io::Result<Self> {
        let mut janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(folder)
            .arg(interface.unwrap_or_default())
            .args(groups)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C on the terminal is for the tests; the janitor hears of it when they are gone.
            .process_group(0)
            .spawn()?;
        let line = janitor.stdin.take();
        Ok(Self { janitor, line, servers: Vec::new() })
    }

    /// Starts a server in a group of its own and says its id; what it prints is added to `log`.
    pub(crate) fn start(&mut self, name: &str, command: &mut Command, log: &Path) -> io::Result<u32> {
        let log = File::options().create(true).append(true).open(log)?;
        let server =
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0).spawn()?;
        if let Some(line) = &mut self.line {
            writeln!(line, "{}", server.id())?;
        }
        let id = server.id();
        self.servers.push((name.to_owned(), server));
        Ok(id)
    }

    /// Sends a signal such as `STOP` to a server and its group.
    pub(crate) fn signal(&self, name: &str, signal: &str) -> io::Result<()> {
        let Some((_, server)) = self.servers.iter().find(|(one, _)| one == name) else {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no server {name}")));
        };
        kill(signal, &format!("-{}", server.id()))
    }

    /// Ends a server at once, as a crash would, and returns when it and its group are gone.
    pub(crate) fn end(&mut self, name: &str) -> io::Result<()> {
        self.signal(name, "KILL")?;
        let Some(place) = self.servers.iter().position(|(one, _)| one == name) else { return Ok(()) };
        let mut server = self.servers.swap_remove(place).1;
        let _ = server.wait()?;
        let group = format!("-{}", server.id());
        while kill("0", &group).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The first server that ended by itself, and how.
    pub(crate) fn ended(&mut self) -> Option<(String, ExitStatus)> {
        self.servers.iter_mut().find_map(|(name, server)| Some((name.clone(), server.try_wait().ok()??)))
    }
}

impl Drop for Household {
    fn drop(&mut self) {
        drop(self.line.take());
        for (_, server) in &mut self.servers {
            // The janitor does it too; should it be gone, nobody waits here for ever.
            let _ = server.kill();
            let _ = server.wait();
        }
        let _ = self.janitor.wait();
    }
}

/// Sends a signal to a process, or to a group if its id has a minus before it.
pub(crate) fn kill(signal: &str, id: &str) -> io::Result<()> {
    let status = Command::new("sh")
        .args(["-c", r#"kill -s "$1" -- "$2" 2>/dev/null"#, "kill", signal, id])
        .status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("cannot send {signal} to {id}"))) }
}

/// How a command ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it, or the time limit did.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// From start to end.
    pub took: Duration,
}

impl Ran {
    /// Whether the command ended with 0.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.code == Some(0)
    }

    /// Itself, if the command ended with 0.
    ///
    /// # Panics
    /// Otherwise, with all the command said.
    #[must_use]
    #[track_caller]
    pub fn expect_ok(self) -> Self {
        assert!(self.ok(), "exit {:?} after {:?}\n{}{}", self.code, self.took, self.stdout, self.stderr);
        self
    }
}

/// Runs a command with this input, and ends it when it takes longer than `limit`.
pub(crate) fn run(command: &mut Command, input: &[u8], limit: Duration) -> io::Result<Ran> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()?;
    let stdin = child.stdin.take();
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let input = input.to_vec();
    // A command that ends without reading its input is no error of ours.
    let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            child.kill()?;
            break child.wait()?;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let _ = writer.join();
    let text = |thread: thread::JoinHandle<Vec<u8>>| {
        String::from_utf8_lossy(&thread.join().unwrap_or_default()).into_owned()
    };
    Ok(Ran { code: status.code(), stdout: text(stdout), stderr: text(stderr), took: start.elapsed() })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_says_and_its_code_are_told_apart() {
        let ran = run(
            Command::new("sh").args(["-c", "cat; echo problem >&2; exit 3"]),
            b"given",
            Duration::from_secs(10),
        )
        .unwrap();
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(3), "given", "problem\n"));
    }

    #[test]
    fn a_command_without_end_is_ended() {
        let ran = run(Command::new("sleep").arg("1000"), b"", Duration::from_millis(50)).unwrap();
        assert_eq!(ran.code, None);
    }

    #[test]
    fn servers_and_folder_go_with_the_household() {
        let folder = std::env::temp_dir().join(format!("hookward-household-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut household = Household::new(&folder, &[], None).unwrap();
        household.start("sleep", Command::new("sleep").arg("1000"), &folder.join("log")).unwrap();
        let id = household.servers[0].1.id().to_string();
        assert_eq!(household.ended(), None);
        drop(household);
        assert!(!folder.exists());
        let alive =
            Command::new("sh").args(["-c", r#"kill -0 "$1" 2>/dev/null"#, "alive", &id]).status().unwrap();
        assert!(!alive.success());
    }

    #[test]
    fn a_server_that_ended_by_itself_is_named() {
        let folder = std::env::temp_dir().join(format!("hookward-ended-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut household = Household::new(&folder, &[], None).unwrap();
        household.start("broken", &mut Command::new("false"), &folder.join("log")).unwrap();
        let (name, status) = loop {
            if let Some(ended) = household.ended() {
                break ended;
            }
            thread::yield_now();
        };
        assert_eq!((name.as_str(), status.code()), ("broken", Some(1)));
    }
}
