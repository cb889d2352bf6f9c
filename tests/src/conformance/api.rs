//! The API server asked without a program between: a `kubectl` for each look would cost more than Helm itself.

use http::Request;
use kube::Client;
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

use crate::cluster::Cluster;

/// What lists of groups look like to Helm.
const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A way to the API server.
pub(super) struct Api {
    runtime: Runtime,
    client: Client,
}

impl Api {
    /// As administrator.
    ///
    /// # Panics
    /// When there is no way.
    pub(super) fn new(cluster: &Cluster) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        let connected = runtime.block_on(::cluster::client::connect_by(&cluster.kubeconfig()));
        Self { client: connected.expect("the cluster has a kubeconfig"), runtime }
    }

    /// What stands at a path; `None` when there is nothing.
    ///
    /// # Panics
    /// When the API server does not answer.
    pub(super) fn get(&self, path: &str) -> Option<Value> {
        self.ask(Request::get(path))
    }

    /// The groups that Helm would find.
    pub(super) fn groups(&self) -> Value {
        self.ask(Request::get("/apis").header("Accept", DISCOVERY)).unwrap_or_default()
    }

    /// Deletes what stands at a path, if there is something.
    pub(super) fn delete(&self, path: &str) {
        let _ = self.ask(Request::delete(path));
    }

    fn ask(&self, request: http::request::Builder) -> Option<Value> {
        let request = request.body(Vec::new()).expect("paths are valid");
        match self.runtime.block_on(self.client.request::<Value>(request)) {
            Ok(value) => Some(value),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("the API server does not answer: {error}"),
        }
    }
}
