//! The control plane: which servers run, with which flags, and when they are ready.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    thread,
    time::{Duration, Instant},
};

use super::{
    pki::{self, PkiError},
    process::{self, Household},
    programs::Programs,
};

const STAGES: &str = include_str!("stages.yaml");
const AUDIT_POLICY: &str = include_str!("audit-policy.yaml");
const NODE: &str = include_str!("node.yaml");

/// Prints `True` for a node that is ready.
const READY: &str = r#"-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;

/// A server that is not up by then never will be, even on a slow machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// Why there is no control plane.
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
}

/// The servers of one control plane and the folder they live in.
#[derive(Debug)]
pub(super) struct Plane {
    household: Household,
    folder: PathBuf,
    programs: Programs,
}

impl Plane {
    /// Starts every server on free ports of the loopback address and returns when a pod could be scheduled.
    ///
    /// A port may be taken between its choice and its use; then a server ends at once and all is tried again.
    pub(super) fn start(programs: &Programs) -> Result<Self, StartError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::start_once(programs) {
                Err(StartError::Ended { .. }) if tries < 3 => {}
                other => return other,
            }
        }
    }

    /// The administrator's kubeconfig.
    pub(super) fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// The API server's record of requests, one JSON object per line.
    pub(super) fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    /// A folder that goes with the control plane.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn start_once(programs: &Programs) -> Result<Self, StartError> {
        let folder = tempfile::Builder::new().prefix("hookward-rig-").tempdir()?.keep();
        let mut plane = Self { household: Household::new(&folder)?, folder, programs: programs.clone() };
        let [client, peer, server, kwok] = free_ports()?;
        plane.write_files(server)?;
        plane.run("etcd", &etcd_flags(client, peer))?;
        plane.run("kube-apiserver", &api_server_flags(client, server))?;
        plane.wait("kube-apiserver", &["get", "--raw", "/readyz"], "ok")?;
        plane.run("kube-controller-manager", &CONTROLLER_MANAGER_FLAGS.map(str::to_owned))?;
        plane.run("kube-scheduler", &SCHEDULER_FLAGS.map(str::to_owned))?;
        plane.run("kwok", &kwok_flags(kwok))?;
        let node = process::run(
            plane.kubectl().args(["create", "--validate=false", "-f", "-"]),
            NODE.as_bytes(),
            START_LIMIT,
        )?;
        if !node.ok() {
            return Err(StartError::Late { what: "node", log: node.stderr });
        }
        plane.wait("node", &["get", "node", "n0", READY], "True")?;
        plane.wait(
            "service account",
            &["get", "serviceaccount", "default", "-o=name"],
            "serviceaccount/default",
        )?;
        Ok(plane)
    }

    fn write_files(&self, port: u16) -> Result<(), StartError> {
        pki::write(&self.folder.join("pki"))?;
        pki::write_kubeconfig(&self.kubeconfig(), &self.folder.join("pki"), port)?;
        fs::write(self.folder.join("stages.yaml"), STAGES)?;
        fs::write(self.folder.join("audit-policy.yaml"), AUDIT_POLICY)?;
        Ok(())
    }

    /// `kubectl` as administrator, with caches of its own.
    pub(super) fn kubectl(&self) -> Command {
        let mut command = Command::new(self.programs.path("kubectl"));
        command.current_dir(&self.folder).env("HOME", &self.folder).env("KUBECONFIG", self.kubeconfig());
        command
    }

    fn run(&mut self, name: &str, flags: &[String]) -> Result<(), StartError> {
        let mut command = Command::new(self.programs.path(name));
        // A proxy of the machine is not for loopback, and what the servers write stays in their folder.
        command.args(flags).current_dir(&self.folder).env("HOME", &self.folder).env("NO_PROXY", "127.0.0.1");
        Ok(self.household.start(name, &mut command, &self.log(name))?)
    }

    fn wait(&mut self, what: &'static str, kubectl: &[&str], expected: &str) -> Result<(), StartError> {
        let start = Instant::now();
        loop {
            let ran = process::run(self.kubectl().args(kubectl), b"", START_LIMIT)?;
            if ran.ok() && ran.stdout.trim() == expected {
                return Ok(());
            }
            if let Some((name, status)) = self.household.ended() {
                let log = last_lines(&self.log(&name));
                return Err(StartError::Ended { name, status, log });
            }
            if start.elapsed() > START_LIMIT {
                return Err(StartError::Late { what, log: format!("{}{}", ran.stdout, ran.stderr) });
            }
            thread::sleep(Duration::from_millis(50));
        }
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

/// Ports nobody listens on now; all are held while the others are chosen, so they differ.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    let mut ports = [0; N];
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Nothing has to survive a power cut.
fn etcd_flags(client: u16, peer: u16) -> Vec<String> {
    vec![
        "--data-dir=etcd".to_owned(),
        "--unsafe-no-fsync".to_owned(),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-cluster=default=http://127.0.0.1:{peer}"),
    ]
}

fn api_server_flags(etcd: u16, port: u16) -> Vec<String> {
    let mut flags: Vec<String> = API_SERVER_FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.push(format!("--etcd-servers=http://127.0.0.1:{etcd}"));
    flags.push(format!("--secure-port={port}"));
    flags
}

fn kwok_flags(port: u16) -> Vec<String> {
    let mut flags: Vec<String> = KWOK_FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.push(format!("--server-address=127.0.0.1:{port}"));
    flags
}

/// A node without a kubelet keeps the taint «not ready» unless the plugin that puts it there is off.
/// The audit log is written before a request counts as answered, and never rotated.
const API_SERVER_FLAGS: [&str; 17] = [
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--tls-cert-file=pki/apiserver.crt",
    "--tls-private-key-file=pki/apiserver.key",
    "--client-ca-file=pki/ca.crt",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-account-key-file=pki/sa.pub",
    "--service-account-signing-key-file=pki/sa.key",
    "--authorization-mode=Node,RBAC",
    "--allow-privileged=true",
    "--disable-admission-plugins=TaintNodesByCondition",
    "--audit-policy-file=audit-policy.yaml",
    "--audit-log-path=audit.log",
    "--audit-log-mode=blocking",
    "--audit-log-maxsize=100000",
];

/// Nobody renews the lease of a node that is not there, so nobody may watch for that.
const CONTROLLER_MANAGER_FLAGS: [&str; 9] = [
    "--kubeconfig=kubeconfig",
    "--service-account-private-key-file=pki/sa.key",
    "--root-ca-file=pki/ca.crt",
    "--use-service-account-credentials=false",
    "--leader-elect=false",
    "--secure-port=0",
    "--controllers=*,-nodelifecycle,-cloud-node-lifecycle",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
];

const SCHEDULER_FLAGS: [&str; 5] = [
    "--kubeconfig=kubeconfig",
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=1000",
];

const KWOK_FLAGS: [&str; 5] = [
    "--kubeconfig=kubeconfig",
    "--config=stages.yaml",
    "--manage-all-nodes=true",
    "--cidr=10.244.0.0/16",
    "--node-ip=127.0.0.1",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_chosen_together_differ() {
        let [first, second, third] = free_ports().unwrap();
        assert!(first != second && second != third && first != third);
    }
}
