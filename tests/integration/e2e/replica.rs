//! The cluster side of one replica within the test process: a client, its metrics and a runtime.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cluster::{Client, Metrics, client};
use prometheus::{Registry, TextEncoder};
use tests::rig::Rig;
use tokio::runtime::Runtime;

/// Ends with all it has started when it is dropped.
pub(super) struct Replica {
    pub(super) client: Client,
    pub(super) metrics: Metrics,
    registry: Registry,
    runtime: Option<Runtime>,
}

impl Replica {
    /// As the administrator.
    pub(super) fn new(rig: &Rig) -> Self {
        Self::by(&rig.kubeconfig())
    }

    /// As somebody who may do what their name may do, which is nothing unless it was granted.
    pub(super) fn acting_as(rig: &Rig, user: &str) -> Self {
        Self::by(&kubeconfig_as(rig, user))
    }

    pub(super) fn by(kubeconfig: &Path) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let client = runtime.block_on(client::connect_by(kubeconfig)).unwrap();
        let registry = Registry::new();
        Self { client, metrics: Metrics::new(&registry), registry, runtime: Some(runtime) }
    }

    pub(super) fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().unwrap()
    }

    /// Runs what must be started within a runtime.
    pub(super) fn within<T>(&self, start: impl FnOnce() -> T) -> T {
        let _within = self.runtime().enter();
        start()
    }

    /// Whether `/metrics` would have this line.
    pub(super) fn shows(&self, line: &str) -> bool {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().any(|found| found == line)
    }

    /// The value of a series without labels that `/metrics` would have; 0 when it has none.
    pub(super) fn value(&self, series: &str) -> f64 {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }
}

/// The kubeconfig of somebody who may do what their name may do, which is nothing unless it was granted.
pub(super) fn kubeconfig_as(rig: &Rig, user: &str) -> PathBuf {
    let text = fs::read_to_string(rig.kubeconfig()).unwrap();
    let mut kubeconfig: serde_json::Value = serde_json::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"]["as"] = user.into();
    let path = rig.folder().join(format!("kubeconfig-{user}"));
    fs::write(&path, kubeconfig.to_string()).unwrap();
    path
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
