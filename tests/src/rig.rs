//! The test cluster without a node: a real control plane and real Helm, with nothing real below them.

mod plane;

use std::{ops::Deref, sync::OnceLock};

use crate::cluster::Cluster;
pub use crate::cluster::{AuditEvent, AuditMarker, Helm, HelmCommand, PkiError, Programs, Ran, StartError};

/// A running control plane; it ends, with all it wrote, when the value is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Rig {
    cluster: Cluster,
    api_server_flags: Vec<String>,
}

impl Rig {
    /// Starts a control plane of its own; most tests share one, see [`Rig::shared`].
    ///
    /// # Errors
    /// When a server does not start, with the last lines it printed.
    pub fn start(programs: &Programs) -> Result<Self, StartError> {
        let (servers, api_server_flags) = plane::start(programs)?;
        Ok(Self { cluster: Cluster::new(servers), api_server_flags })
    }

    /// Ends the API server as a crash would; what it has stored stays.
    ///
    /// # Panics
    /// When it cannot be ended.
    #[track_caller]
    pub fn end_api_server(&self) {
        if let Err(error) = self.cluster.servers().end("kube-apiserver") {
            panic!("cannot end the API server: {error}");
        }
    }

    /// Starts the API server again and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start.
    #[track_caller]
    pub fn start_api_server(&self) {
        if let Err(error) = plane::start_api_server(self.cluster.servers(), &self.api_server_flags) {
            panic!("cannot start the API server again: {error}: {error:?}");
        }
    }

    /// The control plane of this process, started by whoever asks first; `None` where its programs are not built.
    ///
    /// # Panics
    /// When the programs are there and the control plane does not start.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<Rig>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| {
            Programs::find().map(|programs| {
                Self::start(&programs).unwrap_or_else(|error| panic!("no test cluster: {error}: {error:?}"))
            })
        });
        shared.as_ref()
    }
}

impl Deref for Rig {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}
