//! The server's life in a cluster: what it watches there, what it writes there, and in which order it lets go.

use std::sync::Arc;

use anyhow::ensure;
use certs::{Knobs, Name};
use cluster::{
    Client, Synced, Watched, client,
    events::{Announcement, Recorder},
    leader::{self, Leader},
    metrics::Metrics,
    registration::{self, Configuration, Registration},
    releases::{Memory, Releases},
    secret::SecretFile,
};
use policies::{Profile, decision::Identity, documents::Documents};
use tokio::sync::watch;
use webhook::{App, Drain, Part, Stage};

use super::{
    certificates::{Certificates, Concern},
    tasks::Tasks,
};

mod expected;
pub mod flags;
mod surroundings;

pub use flags::Args;
use surroundings::Cluster;

/// What runs beside the server as long as it serves.
pub(super) struct Life {
    client: Client,
    namespace: String,
    metrics: Metrics,
    leader: Leader,
    recorder: Option<Recorder>,
    watched: Watched,
    surroundings: Arc<Cluster>,
    registration: Option<Registration>,
}

/// What to begin with.
pub(super) struct Beginning {
    /// The policies of the file.
    pub(super) base: watch::Receiver<Arc<Documents>>,
    /// The profile where no policy names one.
    pub(super) profile: Profile,
}

impl Life {
    /// Begins to watch; `app` is not ready before policies and exceptions have been read.
    ///
    /// # Errors
    /// When nothing leads to a cluster; one that does not answer yet is waited for.
    pub(super) async fn begin(args: &Args, beginning: Beginning, app: &App) -> anyhow::Result<Self> {
        let client = client::connect().await?;
        let namespace = args.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        let (pod, metrics) = (args.pod(), Metrics::new(app.metrics.registry()));
        let options = leader::Options::new(&namespace, &args.lease, &pod);
        let leader = Leader::start(&client, options, &metrics);
        let recorder = (!args.no_events).then(|| Recorder::start(&client, &pod, &metrics));
        let options = cluster::Options {
            profile: beginning.profile,
            pod,
            namespace: flags::is_in_a_pod().then(|| namespace.clone()),
            base: beginning.base,
            leader: leader.is_leader(),
            events: !args.no_events,
            metrics: metrics.clone(),
        };
        let synced = Synced {
            policies: Box::new(app.ready.wait_for(Part::Policies)),
            exceptions: Box::new(app.ready.wait_for(Part::Exceptions)),
        };
        let watched = Watched::start(client.clone(), options, Arc::clone(&app.policies), synced);
        let releases =
            args.release_lookup.then(|| Releases::start(&client, &metrics, memory_for_records(app)));
        let surroundings = Arc::new(Cluster::new(watched.namespaces(), recorder.clone(), releases));
        Ok(Self { client, namespace, metrics, leader, recorder, watched, surroundings, registration: None })
    }

    /// What reviews may ask.
    pub(super) fn surroundings(&self) -> Arc<Cluster> {
        Arc::clone(&self.surroundings)
    }

    /// Resigns as soon as `drain` begins: a replica that is asked to leave should begin nothing, least of all while a chart is being
    /// uninstalled.
    pub(super) fn resign_with(&self, drain: Drain) {
        self.leader.resign_at(async move { drain.reached(Stage::Leaving).await });
    }

    /// The certificate that replicas share, if there is one.
    ///
    /// # Errors
    /// When the names make no certificate, or the lives do not fit each other.
    pub(super) fn certificates(&self, args: &Args) -> anyhow::Result<Option<Certificates>> {
        let Some(secret) = &args.cert_secret else { return Ok(None) };
        let names = args.names(&self.namespace);
        ensure!(
            !names.is_empty(),
            "--cert-secret needs --service or --cert-name: the certificate must be for somebody"
        );
        let names = names.iter().map(|name| name.parse::<Name>()).collect::<Result<Vec<_>, _>>()?;
        let knobs = Knobs {
            authority_name: "hookward".to_owned(),
            authority_life: args.ca_life,
            leaf_life: args.leaf_life,
            overlap: args.rotation_overlap,
            names,
        };
        let file = SecretFile::new(&self.client, &self.namespace, secret);
        Ok(Some(Certificates::from_secret(file, knobs)?))
    }

    /// Looks after the webhook configurations, if they are named, and keeps the certificate from now on. With them, `app` is not ready
    /// before they trust it.
    ///
    /// # Errors
    /// When the file of the expected configurations cannot be used.
    pub(super) fn register(
        &mut self,
        args: &Args,
        certificates: Certificates,
        app: &App,
        tasks: &mut Tasks,
    ) -> anyhow::Result<()> {
        self.watch_over(tasks);
        let recorder = self.recorder.clone();
        let about = args.webhook_configuration.clone().unwrap_or_default();
        let tell = move |concern| {
            if let Some(recorder) = &recorder {
                recorder.announce(told(concern, &about));
            }
        };
        let Some(name) = &args.webhook_configuration else {
            return certificates.keep(app, None, tasks, tell);
        };
        let options = registration::Options {
            expected: expected::watch(args.expected_registration.as_deref(), tasks)?,
            repair: args.repair_webhooks,
            ..registration::Options::new(name, None)
        };
        let registration = Registration::start(
            &self.client,
            options,
            certificates.bundle(),
            self.leader.is_leader(),
            self.recorder.clone(),
            &self.metrics,
        );
        let registered = registration.registered();
        tasks.add("looks after what is registered", [registration.task()]);
        self.registration = Some(registration);
        certificates.keep(app, Some(registered), tasks, tell)
    }

    /// Adds what runs since the beginning.
    fn watch_over(&self, tasks: &mut Tasks) {
        tasks.add("watches policies and exceptions", self.watched.tasks());
        tasks.add("stands for election", self.leader.tasks());
        tasks.add("writes events", self.recorder.as_ref().map(Recorder::task));
        tasks.add("watches releases", self.surroundings.task());
    }

    /// Lets go of everything, when nobody is served any more.
    pub(super) async fn end(self) {
        drop(self.registration);
        self.watched.stop().await;
        self.leader.resign().await;
    }
}

/// The memory in which the gate reads records: one at a time, whoever reads it.
fn memory_for_records(app: &App) -> Memory {
    let work = app.limits.work();
    Memory { kib: work.kib(), record: work.all() }
}

/// What is told of the certificate; `name` is that of both webhook configurations.
fn told(concern: Concern, name: &str) -> Announcement {
    let (about, reason, text) = match concern {
        Concern::NotTrusted(why) => (
            Configuration::Validating.identity(name),
            "CertificateNotTrusted",
            format!("calls of the API server will fail: {why}"),
        ),
        Concern::SecretGone { namespace, name } => {
            let text = format!(
                "there is no Secret {namespace}/{name} for the certificate that replicas share: those that have it serve on until it \
                 ends, and none that starts becomes ready; an upgrade by Helm makes the Secret again"
            );
            let about = Identity {
                api_version: "v1".to_owned(),
                kind: "Secret".to_owned(),
                namespace: Some(namespace),
                name,
                ..Identity::default()
            };
            (about, "CertificateSecretGone", text)
        }
    };
    Announcement { about, reason, action: "Serve", topic: text.clone(), text }
}
