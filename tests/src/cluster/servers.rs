//! The servers of one cluster: how they are started, watched and told apart.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use super::{
    pki::{self, PkiError},
    process::{self, Household, Ran},
    programs::Programs,
};

const AUDIT_POLICY: &str = include_str!("audit-policy.yaml");

/// A server that is not up by then never will be, even on a slow machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Certificates or kubeconfig.
    #[error("cannot prepare the control plane")]
    Prepare(#[from] PkiError),
    /// A folder, a file, a port or a process.
    #[error("cannot start the control plane")]
    System(#[from] io::Error),
    /// A server ended by itself.
    #[error("{name} ended with {status}: {log}")]
    Ended {
        /// The server.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// The last lines it printed.
        log: String,
    },
    /// Something was not ready in time.
    #[error("{what} not ready after {} s: {log}", START_LIMIT.as_secs())]
    Late {
        /// What was waited for.
        what: &'static str,
        /// The last thing heard.
        log: String,
    },
    /// A command that prepares the cluster failed.
    #[error("{what} failed: {said}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// What the command said.
        said: String,
    },
    /// This machine cannot carry such a cluster.
    #[error("this machine cannot carry a node: {0}")]
    Impossible(String),
}

/// The servers of one cluster and the folder they live in; they go when the value does.
#[derive(Debug)]
pub(crate) struct Servers {
    household: Mutex<Household>,
    folder: PathBuf,
    programs: Programs,
    address: String,
}

impl Servers {
    /// Nothing runs yet; certificates and a kubeconfig for an API server at `address` and `port` are written.
    pub(crate) fn prepare(
        programs: &Programs,
        folder: PathBuf,
        household: Household,
        address: &str,
        port: u16,
    ) -> Result<Self, StartError> {
        let (household, address) = (Mutex::new(household), address.to_owned());
        let servers = Self { household, folder, programs: programs.clone(), address };
        let pki = servers.folder.join("pki");
        pki::write(&pki, &servers.address)?;
        pki::write_kubeconfig(&servers.kubeconfig(), &pki, &format!("{}:{port}", servers.address))?;
        fs::write(servers.folder.join("audit-policy.yaml"), AUDIT_POLICY)?;
        Ok(servers)
    }

    /// The programs they are made of.
    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The address of the API server.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A folder that goes with the servers.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The API server's record of requests, one JSON object per line.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// `kubectl` as administrator, with caches of its own.
    pub(crate) fn kubectl(&self) -> Command {
        let mut command = Command::new(self.programs.path("kubectl"));
        command
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.kubeconfig())
            .env("NO_PROXY", &self.address);
        command
    }

    /// Starts a server in the folder and says the id of its process.
    pub(crate) fn start(&self, name: &str, mut command: Command) -> Result<u32, StartError> {
        // A proxy of the machine is not for loopback, and what the servers write stays in their folder.
        command.current_dir(&self.folder).env("HOME", &self.folder).env("NO_PROXY", "127.0.0.1");
        Ok(self.household().start(name, &mut command, &self.log(name))?)
    }

    /// Sends a signal such as `STOP` to a server.
    pub(crate) fn signal(&self, name: &str, signal: &str) -> io::Result<()> {
        self.household().signal(name, signal)
    }

    /// Ends a server as a crash would.
    pub(crate) fn end(&self, name: &str) -> io::Result<()> {
        self.household().end(name)
    }

    /// Asks `kubectl` until it answers as expected.
    pub(crate) fn wait(
        &self,
        what: &'static str,
        kubectl: &[&str],
        expected: &str,
    ) -> Result<(), StartError> {
        self.wait_until(what, || self.kubectl_ran(kubectl), |ran| ran.stdout.trim() == expected)
    }

    /// Runs a command until it succeeds and says what is right.
    pub(crate) fn wait_until(
        &self,
        what: &'static str,
        mut command: impl FnMut() -> io::Result<Ran>,
        is_right: impl Fn(&Ran) -> bool,
    ) -> Result<(), StartError> {
        let start = Instant::now();
        loop {
            let ran = command()?;
            if ran.ok() && is_right(&ran) {
                return Ok(());
            }
            if let Some((name, status)) = self.household().ended() {
                let log = last_lines(&self.log(&name));
                return Err(StartError::Ended { name, status, log });
            }
            if start.elapsed() > START_LIMIT {
                return Err(StartError::Late { what, log: format!("{}{}", ran.stdout, ran.stderr) });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn kubectl_ran(&self, args: &[&str]) -> io::Result<Ran> {
        process::run(self.kubectl().args(args), b"", START_LIMIT)
    }

    fn household(&self) -> MutexGuard<'_, Household> {
        self.household.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
