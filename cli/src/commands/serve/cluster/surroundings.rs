//! What reviews may ask of the cluster, answered from what the watches have told.

use std::pin::Pin;

use cluster::{Namespaces, events::Recorder, releases::Releases};
use policies::{Decision, HookKey, Membership};
use tokio::task::AbortHandle;
use webhook::{
    Surroundings,
    surroundings::{Labels, Learned},
};

/// The cluster, as far as reviews need it.
#[derive(Debug)]
pub(in crate::commands::serve) struct Cluster {
    namespaces: Namespaces,
    recorder: Option<Recorder>,
    releases: Option<Releases>,
}

impl Cluster {
    /// Labels as the watch tells them; Events and the records of releases where they are wanted.
    pub(super) fn new(
        namespaces: Namespaces,
        recorder: Option<Recorder>,
        releases: Option<Releases>,
    ) -> Self {
        let recorder = recorder.map(|recorder| recorder.among(namespaces.clone()));
        Self { namespaces, recorder, releases }
    }

    /// What keeps the releases up.
    pub(super) fn task(&self) -> Option<AbortHandle> {
        self.releases.as_ref().map(Releases::task)
    }
}

impl Surroundings for Cluster {
    fn labels(&self, namespace: &str) -> Option<Labels> {
        self.namespaces.labels(namespace)
    }

    fn learn<'a>(&'a self, namespace: &'a str) -> Pin<Box<dyn Future<Output = Learned> + Send + 'a>> {
        Box::pin(async move {
            match self.namespaces.learn(namespace).await {
                Some(true) => Learned::Labels,
                Some(false) => Learned::Absent,
                None => Learned::Nothing,
            }
        })
    }

    fn membership(&self, hook: &HookKey) -> Option<Membership> {
        self.releases.as_ref()?.membership(hook)
    }

    fn record(&self, decision: Decision) {
        if let Some(recorder) = &self.recorder {
            recorder.record(&decision);
        }
    }
}
