//! What tests ask of a cluster, whatever runs below it: `kubectl`, Helm, objects, the audit log.

mod audit;
pub(crate) mod flags;
mod helm;
mod pki;
mod process;
mod programs;
mod servers;

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

pub use self::{
    audit::{AuditEvent, AuditMarker},
    helm::{Helm, HelmCommand},
    pki::PkiError,
    process::Ran,
    programs::Programs,
    servers::StartError,
};
pub(crate) use self::{
    helm::OUTER_LIMIT,
    process::{Household, kill, run},
    servers::Servers,
};

/// A running cluster, as its administrator sees it.
#[derive(Debug)]
pub struct Cluster {
    servers: Servers,
    counter: AtomicU32,
}

impl Cluster {
    /// The cluster that these servers make.
    pub(crate) fn new(servers: Servers) -> Self {
        Self { servers, counter: AtomicU32::new(0) }
    }

    /// The servers below.
    pub(crate) fn servers(&self) -> &Servers {
        &self.servers
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.servers.kubeconfig()
    }

    /// The programs it is made of, and those that talk to it.
    #[must_use]
    pub fn programs(&self) -> &Programs {
        self.servers.programs()
    }

    /// A folder that goes with the cluster, for charts and other files of tests.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.servers.folder()
    }

    /// Runs `kubectl` as administrator, for 120 s at most.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> Ran {
        self.kubectl_with(args, "")
    }

    /// The same, with standard input; `-f -` reads it.
    ///
    /// # Panics
    /// When `kubectl` cannot be started.
    #[track_caller]
    pub fn kubectl_with(&self, args: &[&str], input: &str) -> Ran {
        match run(self.servers.kubectl().args(args), input.as_bytes(), OUTER_LIMIT) {
            Ok(ran) => ran,
            Err(error) => panic!("cannot run kubectl: {error}"),
        }
    }

    /// Applies manifests.
    ///
    /// # Panics
    /// When the API server refuses one.
    #[track_caller]
    pub fn apply(&self, yaml: &str) {
        let _ = self.kubectl_with(&["apply", "-f", "-"], yaml).expect_ok();
    }

    /// An object as the API server has it; `None` when there is none. `kind` as kubectl takes it, `namespace` may be empty.
    ///
    /// # Panics
    /// When the API server answers neither with it nor with «not found».
    #[track_caller]
    pub fn get_json(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let mut args = vec!["get", kind, name, "-o=json", "--ignore-not-found"];
        if !namespace.is_empty() {
            args.extend(["--namespace", namespace]);
        }
        let text = self.kubectl(&args).expect_ok().stdout;
        if text.trim().is_empty() {
            return None;
        }
        match serde_json::from_str(&text) {
            Ok(object) => Some(object),
            Err(error) => panic!("kubectl wrote no JSON for {kind} {name}: {error}"),
        }
    }

    /// A fresh namespace whose name begins with `prefix`, ready for pods.
    ///
    /// # Panics
    /// When it is not ready within 30 s.
    #[track_caller]
    pub fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", self.counter.fetch_add(1, Ordering::Relaxed));
        let _ = self.kubectl(&["create", "namespace", &name]).expect_ok();
        self.wait_for("the default service account", Duration::from_secs(30), || {
            self.get_json("serviceaccount", &name, "default")
        });
        name
    }

    /// Helm, pointed at this cluster, with folders of its own.
    #[must_use]
    pub fn helm(&self, helm: Helm) -> HelmCommand {
        HelmCommand::new(&self.servers, helm)
    }

    /// The present end of the audit log.
    ///
    /// # Panics
    /// When the log cannot be read.
    #[must_use]
    #[track_caller]
    pub fn audit_marker(&self) -> AuditMarker {
        audit::end(&self.servers.audit_log())
            .unwrap_or_else(|error| panic!("cannot read the audit log: {error}"))
    }

    /// Every request that ended after the marker, in the order of their ends; those of the servers themselves too.
    ///
    /// # Panics
    /// When the log cannot be read, or a request made now does not appear in it.
    #[must_use]
    #[track_caller]
    pub fn audit_since(&self, marker: AuditMarker) -> Vec<AuditEvent> {
        // Once our own request is in the log, everything that was answered before it is.
        let end = format!("/version?audited={}", self.counter.fetch_add(1, Ordering::Relaxed));
        let _ = self.kubectl(&["get", "--raw", &end]).expect_ok();
        self.wait_for("the audit log", Duration::from_secs(30), || {
            let mut events = audit::since(&self.servers.audit_log(), marker).ok()?;
            let place = events.iter().position(|event| event.uri == end)?;
            events.truncate(place);
            Some(events)
        })
    }

    /// Asks again until there is an answer.
    ///
    /// # Panics
    /// When there is none within `limit`.
    #[track_caller]
    pub fn wait_for<T>(&self, what: &str, limit: Duration, mut condition: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(value) = condition() {
                return value;
            }
            assert!(start.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
            thread::sleep(Duration::from_millis(50));
        }
    }
}
