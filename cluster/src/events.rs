//! Events about denials, warnings and the server's own state: few, short, and never in anybody's way.

use std::time::Duration;

use hooks::name;
use k8s_openapi::{
    api::events::v1::{Event, EventSeries},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use policies::{Decision, decision::Identity};
use serde_json::json;
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval_at},
};

use self::{
    rate::Rate,
    series::{Due, Series},
};
use crate::{client, metrics::Metrics, namespaces::Namespaces, said::Said};

pub(crate) mod event;
mod rate;
mod series;
mod text;

/// Decisions that wait to be written; more are dropped.
const QUEUE: usize = 512;
/// The same of what the server says of itself.
const OWN_QUEUE: usize = 32;
/// What all namespaces share that nobody has told of: no namespace has this name.
const UNHEARD: &str = "";
/// What may be refused: making an Event, and counting its repetitions.
const CREATE: &str = "create";
const PATCH: &str = "patch";
/// How often repetitions are written down.
const TICK: Duration = Duration::from_secs(5);

/// Why an Event was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// Too many at once.
    QueueFull,
    /// Too many in one namespace, or in all together.
    RateLimited,
    /// There is no such namespace; the API server would never have asked about it.
    NamespaceUnknown,
    /// The API server refused it, or did not answer.
    Refused,
}

impl Dropped {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::QueueFull, Self::RateLimited, Self::NamespaceUnknown, Self::Refused];

    /// The word for the metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::RateLimited => "rate_limited",
            Self::NamespaceUnknown => "namespace_unknown",
            Self::Refused => "refused",
        }
    }
}

/// Something to tell people of, always as a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The object it is about; the Event goes to its namespace, or to `default`.
    pub about: Identity,
    /// One word in camel case for filters: `HookDenied`.
    pub reason: &'static str,
    /// One word for what was done: `Deny`.
    pub action: &'static str,
    /// What makes it another matter than an earlier one about the same object and for the same reason, such as the rules.
    pub topic: String,
    /// One line, clean of anything secret; cut off after 1024 bytes.
    pub text: String,
}

/// Takes what is to be told and never waits; may be cloned.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<(Announcement, Source)>,
    own: mpsc::Sender<Announcement>,
    namespaces: Option<Namespaces>,
    metrics: Metrics,
    task: AbortHandle,
}

/// On whose word something is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Our own.
    Server,
    /// That of a review, which anybody may send where no client certificate is asked for; about a namespace that there is.
    Review,
    /// The same, about a namespace that the watch has not told of: it is a moment old, or made up.
    Unheard,
}

impl Recorder {
    /// Writes Events in the name of this replica from now on, until the last clone is dropped; must be called within a runtime.
    #[must_use]
    pub fn start(client: &Client, instance: &str, metrics: &Metrics) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (own, waiting_too) = mpsc::channel(OWN_QUEUE);
        let writer = Writer::new(client::hasty(client), instance, metrics.clone());
        let task = tokio::spawn(writer.run(waiting, waiting_too)).abort_handle();
        Self { queue, own, namespaces: None, metrics: metrics.clone(), task }
    }

    /// What does all this: it ends with the last clone only, or by a bug.
    #[must_use]
    pub fn task(&self) -> AbortHandle {
        self.task.clone()
    }

    /// The same, which trusts only decisions about these namespaces; all others share what one may have.
    #[must_use]
    pub fn among(self, namespaces: Namespaces) -> Self {
        Self { namespaces: Some(namespaces), ..self }
    }

    /// Takes note of a denial or a warning; the caller leaves out dry runs.
    pub fn record(&self, decision: &Decision) {
        let Some(announcement) = text::announcement(decision) else { return };
        let source = match (&announcement.about.namespace, &self.namespaces) {
            (Some(name), Some(namespaces)) if namespaces.labels(name).is_none() => Source::Unheard,
            _ => Source::Review,
        };
        if self.queue.try_send((announcement, source)).is_err() {
            self.metrics.dropped(Dropped::QueueFull);
        }
    }

    /// Takes note of what the server itself has to say: no review can use up the room for that.
    pub fn announce(&self, announcement: Announcement) {
        if self.own.try_send(announcement).is_err() {
            self.metrics.dropped(Dropped::QueueFull);
        }
    }
}

/// What tells one matter from another: the same matter within ten minutes is one Event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Matter {
    about: Identity,
    reason: &'static str,
    topic: String,
}

impl Matter {
    fn namespace(&self) -> &str {
        event::namespace(&self.about)
    }
}

/// Writes one Event after the other.
struct Writer {
    client: Client,
    instance: String,
    metrics: Metrics,
    series: Series,
    /// For decisions, and for what the server says of itself.
    rates: [Rate; 2],
    /// That no Events may be written.
    said: Said,
}

impl Writer {
    fn new(client: Client, instance: &str, metrics: Metrics) -> Self {
        Self {
            client,
            instance: instance.to_owned(),
            metrics,
            series: Series::default(),
            rates: Default::default(),
            said: Said::default(),
        }
    }

    async fn run(
        mut self,
        mut waiting: mpsc::Receiver<(Announcement, Source)>,
        mut own: mpsc::Receiver<Announcement>,
    ) {
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(announcement) = own.recv() => self.take(announcement, Source::Server).await,
                _ = tick.tick() => self.write_repetitions().await,
                announcement = waiting.recv() => match announcement {
                    Some((announcement, source)) => self.take(announcement, source).await,
                    None => break,
                },
            }
        }
        self.write_repetitions().await;
    }

    async fn take(&mut self, announcement: Announcement, source: Source) {
        let Announcement { about, reason, action, topic, text } = announcement;
        let (matter, now) = (Matter { about, reason, topic }, Instant::now());
        if self.series.repeats(&matter, now) {
            return;
        }
        // Its text would lead the request elsewhere.
        if !name::is_label(matter.namespace()) {
            return self.metrics.dropped(Dropped::NamespaceUnknown);
        }
        let payer = if source == Source::Unheard { UNHEARD } else { matter.namespace() };
        if !self.rates[usize::from(source == Source::Server)].allows(payer, now) {
            return self.metrics.dropped(Dropped::RateLimited);
        }
        let event = event::warning(&matter.about, reason, action, &text, &self.instance);
        match self.api(matter.namespace()).create(&PostParams::default(), &event).await {
            Ok(written) => {
                self.said.passed(CREATE);
                self.series.begin(matter, written.metadata.name.unwrap_or_default(), now);
            }
            Err(error) if client::is_status(&error, 404) => self.metrics.dropped(Dropped::NamespaceUnknown),
            Err(error) => self.refused(CREATE, &error),
        }
    }

    async fn write_repetitions(&mut self) {
        for Due { matter, name, count } in self.series.due(Instant::now()) {
            let series = EventSeries { count, last_observed_time: MicroTime(Timestamp::now()) };
            let patch = Patch::Merge(json!({"series": series}));
            let api = self.api(matter.namespace());
            match api.patch(&name, &PatchParams::default(), &patch).await {
                Ok(_) => self.said.passed(PATCH),
                Err(error) => {
                    // Its namespace or the Event itself has gone: the next one begins anew.
                    self.series.forget(&matter);
                    self.refused(PATCH, &error);
                }
            }
        }
    }

    fn api(&self, namespace: &str) -> Api<Event> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn refused(&mut self, verb: &'static str, error: &kube::Error) {
        self.metrics.dropped(Dropped::Refused);
        if self.is_to_say(verb, error) {
            tracing::warn!(error = %client::one_line(error), "an event was not written");
        }
    }

    /// A right that is missing is said once, until it is there again; whatever else is refused, each time.
    fn is_to_say(&mut self, verb: &'static str, error: &kube::Error) -> bool {
        let is_missing_right = client::is_status(error, 403) && !is_terminating(error);
        !is_missing_right || self.said.is_news(verb, "forbidden")
    }
}

/// Whether nothing is made any more in the namespace, which is refused as if a right were missing.
///
/// Source: Kubernetes `k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle`, `NamespaceTerminatingCause`.
fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
}

#[cfg(test)]
mod tests;
