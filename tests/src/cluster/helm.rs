//! Real Helm, pointed at the test cluster.

use std::{ffi::OsStr, path::Path, process::Command, time::Duration};

use super::{
    process::{self, Ran},
    servers::Servers,
};

/// Helm waits five minutes for each thing unless told otherwise; whatever it does, it is over after this.
pub(crate) const OUTER_LIMIT: Duration = Duration::from_secs(120);

/// Which Helm: both are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Helm {
    /// 3.21.4
    V3,
    /// 4.2.4
    V4,
}

impl Helm {
    /// Both, for tests that hold for either.
    pub const ALL: [Self; 2] = [Self::V3, Self::V4];

    fn program(self) -> &'static str {
        match self {
            Self::V3 => "helm3",
            Self::V4 => "helm4",
        }
    }
}

/// A Helm command in the making.
#[derive(Debug)]
pub struct HelmCommand {
    command: Command,
}

impl HelmCommand {
    /// Nothing of the developer's own Helm shows: its folders and its environment are left behind.
    pub(super) fn new(servers: &Servers, helm: Helm) -> Self {
        let home = servers.folder().join(helm.program());
        let mut command = Command::new(servers.programs().path(helm.program()));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .env("KUBECONFIG", servers.kubeconfig())
            .env("NO_PROXY", servers.address())
            .current_dir(servers.folder());
        Self { command }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds a chart or another path, which may be relative to the folder of the tests.
    #[must_use]
    pub fn path(mut self, path: &Path) -> Self {
        self.command.arg(std::path::absolute(path).as_deref().unwrap_or(path));
        self
    }

    /// Sets the namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.command.args(["--namespace", namespace]);
        self
    }

    /// `--timeout 20s`, for commands that wait.
    #[must_use]
    pub fn briefly(mut self) -> Self {
        self.command.args(["--timeout", "20s"]);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it, for 120 s at most.
    ///
    /// # Panics
    /// When Helm cannot be started.
    #[must_use]
    #[track_caller]
    pub fn run(mut self) -> Ran {
        match process::run(&mut self.command, b"", OUTER_LIMIT) {
            Ok(ran) => ran,
            Err(error) => panic!("cannot run helm: {error}"),
        }
    }
}
