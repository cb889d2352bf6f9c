//! Servers as processes of their own, pinned to a core; they end with their value.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

/// A server that has not said where it listens by then never will.
const START: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Where reviews go.
    pub(super) address: SocketAddr,
    /// Where health and metrics are; the floor has none.
    pub(super) admin: SocketAddr,
    /// From the start of the process until it was ready.
    pub(super) ready_after: Duration,
}

impl Server {
    /// Hookward with the profile `baseline` and every rule.
    pub(super) fn hookward(program: &Path, certificates: &Path, cores: &str) -> Result<Self> {
        let admin = free_port()?;
        let mut command = pinned(program, cores);
        command.args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--profile",
            "baseline",
            "--connection-age",
            "24h",
        ]);
        command.arg("--admin-listen").arg(admin.to_string()).arg("--cert-dir").arg(certificates);
        let mut server = Self::start(command, admin)?;
        let start = Instant::now();
        while !server.admin("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            if start.elapsed() > START {
                bail!("hookward listens and is not ready after {} s", START.as_secs());
            }
            thread::yield_now();
        }
        server.ready_after += start.elapsed();
        Ok(server)
    }

    /// The server that does nothing.
    pub(super) fn floor(certificates: &Path, cores: &str) -> Result<Self> {
        let mut command = pinned(std::env::current_exe()?, cores);
        command.args(["bench", "floor", "--cert-dir"]).arg(certificates);
        Self::start(command, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
    }

    fn start(mut command: Command, admin: SocketAddr) -> Result<Self> {
        let start = Instant::now();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("its output is not read")?;
        let mut lines = BufReader::new(stdout);
        let mut server = Self { child, address: admin, admin, ready_after: Duration::ZERO };
        let mut line = String::new();
        lines.read_line(&mut line)?;
        server.ready_after = start.elapsed();
        let address = line.trim().strip_prefix("listening https://").and_then(|address| address.parse().ok());
        server.address = address
            .with_context(|| format!("the server said {:?} instead of where it listens", line.trim()))?;
        // Whatever else it says must not fill the pipe.
        thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok(server)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The whole answer of the admin port, head and all.
    pub(super) fn admin(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(self.admin)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which the load has noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command on these cores alone.
pub(super) fn pinned(program: impl AsRef<OsStr>, cores: &str) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(cores).arg(program);
    command
}

/// An address that was free a moment ago.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
