//! The test cluster without a node: a real control plane and real Helm, with nothing real below them.
#![allow(clippy::panic, reason = "where the fixture fails, the test has failed")]

mod plane;

use std::{ops::Deref, sync::OnceLock};

use crate::cluster::Cluster;
pub use crate::cluster::{AuditEvent, AuditMarker, Helm, HelmCommand, PkiError, Programs, Ran, StartError};

/// A running control plane; it ends, with all it wrote, when the value is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Rig {
    cluster: Cluster,
}

impl Rig {
    /// Starts a control plane of its own; most tests share one, see [`Rig::shared`].
    ///
    /// # Errors
    /// When a server does not start, with the last lines it printed.
    pub fn start(programs: &Programs) -> Result<Self, StartError> {
        Ok(Self { cluster: Cluster::new(plane::start(programs)?) })
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
