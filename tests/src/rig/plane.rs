//! The control plane: which servers run, with which flags, and when they are ready.

use std::{fs, io, net::TcpListener, process::Command};

use crate::cluster::{self, Household, OUTER_LIMIT, Programs, Servers, StartError, flags};

const STAGES: &str = include_str!("stages.yaml");
const NODE: &str = include_str!("node.yaml");

/// Prints `True` for a node that is ready.
const READY: &str = r#"-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;

/// Starts every server on free ports of the loopback address and returns when a pod could be scheduled.
///
/// A port may be taken between its choice and its use; then a server ends at once and all is tried again.
///
/// With the servers comes what the API server was started with.
pub(super) fn start(programs: &Programs) -> Result<(Servers, Vec<String>), StartError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match start_once(programs) {
            Err(StartError::Ended { .. }) if tries < 3 => {}
            other => return other,
        }
    }
}

fn start_once(programs: &Programs) -> Result<(Servers, Vec<String>), StartError> {
    let folder = tempfile::Builder::new().prefix("hookward-rig-").tempdir()?.keep();
    let household = Household::new(&folder, &[], None)?;
    let [client, peer, server, kwok] = free_ports()?;
    let servers = Servers::prepare(programs, folder, household, "127.0.0.1", server)?;
    fs::write(servers.folder().join("stages.yaml"), STAGES)?;
    let run = |name: &str, flags: &[String]| {
        let mut command = Command::new(programs.path(name));
        command.args(flags);
        servers.start(name, command)
    };
    run("etcd", &flags::etcd(client, peer))?;
    let flags = api_server_flags(client, server);
    start_api_server(&servers, &flags)?;
    run("kube-controller-manager", &controller_manager_flags())?;
    run("kube-scheduler", &flags::all(flags::SCHEDULER, []))?;
    run("kwok", &kwok_flags(kwok))?;
    let mut create = servers.kubectl();
    let node =
        cluster::run(create.args(["create", "--validate=false", "-f", "-"]), NODE.as_bytes(), OUTER_LIMIT)?;
    if !node.ok() {
        return Err(StartError::Refused { what: "making the node", said: node.stderr });
    }
    servers.wait("node", &["get", "node", "n0", READY], "True")?;
    let account = ["get", "serviceaccount", "default", "-o=name"];
    servers.wait("service account", &account, "serviceaccount/default")?;
    Ok((servers, flags))
}

/// Starts the API server and waits until it is ready.
pub(super) fn start_api_server(servers: &Servers, flags: &[String]) -> Result<(), StartError> {
    let mut command = Command::new(servers.programs().path("kube-apiserver"));
    command.args(flags);
    servers.start("kube-apiserver", command)?;
    servers.wait("kube-apiserver", &["get", "--raw", "/readyz"], "ok")
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

fn kwok_flags(port: u16) -> Vec<String> {
    let mut flags: Vec<String> = KWOK_FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    flags.push(format!("--server-address=127.0.0.1:{port}"));
    flags
}

/// What a control plane without a node needs besides [`flags::API_SERVER`]: a node without a kubelet keeps the taint
/// «not ready» unless the plugin that puts it there is off.
fn api_server_flags(etcd: u16, port: u16) -> Vec<String> {
    let own = [
        "--bind-address=127.0.0.1".to_owned(),
        "--advertise-address=127.0.0.1".to_owned(),
        "--endpoint-reconciler-type=none".to_owned(),
        "--disable-admission-plugins=TaintNodesByCondition".to_owned(),
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        format!("--secure-port={port}"),
    ];
    flags::all(flags::API_SERVER, own)
}

/// Nobody renews the lease of a node that is not there, so nobody may watch for that.
fn controller_manager_flags() -> Vec<String> {
    let own = "--controllers=*,-nodelifecycle,-cloud-node-lifecycle".to_owned();
    flags::all(flags::CONTROLLER_MANAGER, [own])
}

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
