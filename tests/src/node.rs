//! The test cluster with a node: real pods, their logs and Services, in namespaces of their own on this machine.

mod groups;
mod images;
mod possible;
mod settings;
mod space;

use std::{
    env, io,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    thread,
    time::Duration,
};

pub use self::images::BUSYBOX;
use self::{
    groups::Groups,
    settings::SOCKET,
    space::{Pair, Space},
};
use crate::cluster::{self, Cluster, Household, OUTER_LIMIT, Ran, Servers, StartError, flags};

/// The port of the API server; the network is the node's own.
const PORT: u16 = 6443;

/// Prints `True` for a node that is ready.
const READY: &str = r#"-o=jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;

/// A running cluster of one node; it ends, with every pod and all it wrote, when the value is dropped or the process
/// ends, however it ends.
#[derive(Debug)]
pub struct Node {
    cluster: Cluster,
    space: Space,
    pair: Pair,
}

impl Node {
    /// Whether this machine can carry a node.
    ///
    /// # Errors
    /// Why it cannot: a sentence for people.
    pub fn possible() -> Result<(), String> {
        possible::possible(None).map(drop)
    }

    /// The same, with the built programs in `bin`.
    ///
    /// # Errors
    /// The same.
    pub fn possible_with(bin: &Path) -> Result<(), String> {
        possible::possible(Some(bin)).map(drop)
    }

    /// Starts a cluster of its own; most tests share one, see [`Node::shared`]. Several may run at the same time.
    ///
    /// # Errors
    /// When this machine cannot carry it, or a server does not start, with the last lines it printed.
    pub fn start() -> Result<Self, StartError> {
        let programs = possible::possible(None).map_err(StartError::Impossible)?;
        let plugins = possible::plugins().map_err(StartError::Impossible)?;
        let (process, count) = space::number();
        let groups = Groups::plan(&format!("hookward-{process}-{count}")).map_err(StartError::Impossible)?;
        let pair = Pair::free(process.wrapping_add(count))?;
        let folder = tempfile::Builder::new().prefix("hookward-node-").tempdir()?.keep();
        let link = format!("hw{process}-{count}");
        let household = Household::new(&folder, &groups.folders(), Some(&link))?;
        let servers = Servers::prepare(&programs, folder, household, &pair.node, PORT)?;
        settings::write(servers.folder(), &plugins)?;
        let space = Space::open(&servers, groups, &link, &pair)?;
        let node = Self { cluster: Cluster::new(servers), space, pair };
        node.start_servers()?;
        Ok(node)
    }

    /// The cluster of this process, started by whoever asks first; `None` where this machine cannot carry one.
    ///
    /// # Panics
    /// When the machine can and the cluster does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Node>> = OnceLock::new();
        let start = || Self::start().unwrap_or_else(|error| panic!("no node: {error}: {error:?}"));
        SHARED.get_or_init(|| Self::possible().ok().map(|()| start())).as_ref()
    }

    /// The address under which pods and the API server reach this machine.
    #[must_use]
    pub fn machine_address(&self) -> &str {
        &self.pair.machine
    }

    /// The folders of its control groups on this machine.
    #[must_use]
    pub fn control_groups(&self) -> Vec<PathBuf> {
        self.space.groups().folders()
    }

    /// Puts an image, from an archive as `docker save` or `cargo xtask image` writes it, where pods find it.
    ///
    /// # Panics
    /// When it is no such archive.
    #[track_caller]
    pub fn import_image(&self, archive: &Path) {
        match self.import(archive) {
            Ok(()) => {}
            Err(error) => panic!("cannot import {}: {error}", archive.display()),
        }
    }

    /// Runs a command in the first container of a pod; `pod` as kubectl takes it, such as `deploy/shop`.
    #[track_caller]
    pub fn exec(&self, namespace: &str, pod: &str, command: &[&str]) -> Ran {
        self.kubectl(&[&["exec", "--namespace", namespace, pod, "--"], command].concat())
    }

    /// What the containers of a pod printed.
    ///
    /// # Panics
    /// When there is no such pod, or no log of it.
    #[track_caller]
    pub fn logs(&self, namespace: &str, pod: &str) -> String {
        self.kubectl(&["logs", "--all-containers", "--namespace", namespace, pod]).expect_ok().stdout
    }

    /// Ends the first process of a pod's first container with a signal that it cannot catch, as the kernel does to one
    /// that takes too much memory.
    ///
    /// # Panics
    /// When the pod has no running container.
    #[track_caller]
    pub fn kill_process_of(&self, namespace: &str, pod: &str) {
        let object = self.get_json("pod", namespace, pod).unwrap_or_else(|| panic!("there is no pod {pod}"));
        let id = object["status"]["containerStatuses"][0]["containerID"].as_str().unwrap_or_default();
        let id = id.rsplit('/').next().unwrap_or_default();
        let processes = self.space.groups().processes(id).unwrap_or_default();
        let Some(first) = processes.first() else { panic!("the pod {pod} has no process: {object}") };
        if let Err(error) = cluster::kill("KILL", &first.to_string()) {
            panic!("cannot end the process of {pod}: {error}");
        }
    }

    /// Holds the API server still for that long: connections stay, nothing is answered, then all goes on.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn hold_api_server(&self, pause: Duration) {
        let signal = |signal: &str| {
            if let Err(error) = self.cluster.servers().signal("kube-apiserver", signal) {
                panic!("cannot hold the API server: {error}");
            }
        };
        signal("STOP");
        thread::sleep(pause);
        signal("CONT");
    }

    /// Ends the API server as a crash would, starts it again and returns when it is ready.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn restart_api_server(&self) {
        let servers = self.cluster.servers();
        let ended = servers.end("kube-apiserver").map_err(StartError::from);
        if let Err(error) = ended.and_then(|()| self.start_api_server()) {
            panic!("cannot restart the API server: {error}: {error:?}");
        }
    }

    fn start_servers(&self) -> Result<(), StartError> {
        let servers = self.cluster.servers();
        self.run("containerd", "containerd".as_ref(), &["--config=containerd.toml".to_owned()])?;
        self.run_built("etcd", &flags::etcd(2379, 2380))?;
        let images = images::write(&servers.folder().join("images"))?;
        let runs = || cluster::run(self.containerd().arg("version"), b"", OUTER_LIMIT);
        servers.wait_until("containerd", runs, |_| true)?;
        for image in images {
            self.import(&image)?;
        }
        self.start_api_server()?;
        self.run_built("kube-controller-manager", &flags::all(flags::CONTROLLER_MANAGER, []))?;
        self.run_built("kube-scheduler", &flags::all(flags::SCHEDULER, []))?;
        self.run_built("kubelet", &kubelet_flags(servers.folder(), &self.pair.node))?;
        self.run_built(
            "kube-proxy",
            &["--config=kube-proxy.yaml", "--hostname-override=n0"].map(str::to_owned),
        )?;
        servers.wait("node", &["get", "node", "n0", READY], "True")?;
        let account = ["get", "serviceaccount", "default", "-o=name"];
        servers.wait("service account", &account, "serviceaccount/default")
    }

    fn start_api_server(&self) -> Result<(), StartError> {
        self.run_built("kube-apiserver", &api_server_flags(&self.pair.node))?;
        self.cluster.servers().wait("kube-apiserver", &["get", "--raw", "/readyz"], "ok")
    }

    fn run_built(&self, name: &str, flags: &[String]) -> Result<(), StartError> {
        self.run(name, &self.cluster.programs().path(name), flags)
    }

    fn run(&self, name: &str, program: &Path, flags: &[String]) -> Result<(), StartError> {
        let servers = self.cluster.servers();
        let mut command = self.space.command(servers.folder(), program);
        command.args(flags).env("PATH", search_path()?);
        servers.start(name, command).map(drop)
    }

    /// containerd's own client, inside.
    fn containerd(&self) -> Command {
        let folder = self.cluster.folder();
        let mut command = self.space.command(folder, "ctr");
        command.arg("--address").arg(folder.join(SOCKET)).args(["--namespace", "k8s.io"]);
        command
    }

    /// The same as [`Node::import_image`], for those who are no test.
    ///
    /// # Errors
    /// When it is no such archive, with what containerd said.
    pub fn import(&self, archive: &Path) -> Result<(), StartError> {
        let mut command = self.containerd();
        command.args(["images", "import"]).arg(std::path::absolute(archive)?);
        let ran = cluster::run(&mut command, b"", OUTER_LIMIT)?;
        if ran.ok() {
            return Ok(());
        }
        Err(StartError::Refused { what: "importing an image", said: ran.stderr })
    }
}

impl Deref for Node {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

fn search_path() -> io::Result<std::ffi::OsString> {
    env::join_paths(possible::search_path()).map_err(io::Error::other)
}

/// Besides [`flags::API_SERVER`]: it listens for pods too, and reaches the kubelet for logs.
fn api_server_flags(node: &str) -> Vec<String> {
    let own = [
        "--bind-address=0.0.0.0".to_owned(),
        format!("--advertise-address={node}"),
        format!("--secure-port={PORT}"),
        "--etcd-servers=http://127.0.0.1:2379".to_owned(),
        "--kubelet-client-certificate=pki/admin.crt".to_owned(),
        "--kubelet-client-key=pki/admin.key".to_owned(),
        "--kubelet-preferred-address-types=InternalIP".to_owned(),
    ];
    flags::all(flags::API_SERVER, own)
}

fn kubelet_flags(folder: &Path, node: &str) -> Vec<String> {
    let root = folder.join("kubelet");
    vec![
        "--config=kubelet.yaml".to_owned(),
        "--kubeconfig=kubeconfig".to_owned(),
        format!("--root-dir={}", root.display()),
        format!("--cert-dir={}", root.join("pki").display()),
        format!("--node-ip={node}"),
        "--hostname-override=n0".to_owned(),
    ]
}
