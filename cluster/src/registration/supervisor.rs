//! The loop that watches the configurations, compares them, and writes while this replica is the leader.

use std::{pin::pin, time::Duration};

use futures::{StreamExt as _, stream};
use kube::{Api, Client, api::DynamicObject, runtime::watcher};
use policies::decision::Identity;
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use super::{
    Configuration, Drift, DriftKind, Live, Options, Registered, compare, condition::Verdict, pace::Pace,
    write,
};
use crate::{
    client,
    events::{Announcement, Recorder},
    metrics::Metrics,
};

/// How often the configurations are read although no change was seen, and a lasting difference is told of again.
const RESYNC: Duration = Duration::from_secs(300);
/// The pause after somebody else was faster.
const CONFLICT: Duration = Duration::from_millis(200);
/// The longest pause after writes that failed.
const LONGEST: Duration = Duration::from_secs(30);

/// What is known and what was done.
pub(super) struct Supervisor {
    options: Options,
    recorder: Option<Recorder>,
    metrics: Metrics,
    sender: watch::Sender<Registered>,
    apis: [Api<DynamicObject>; Configuration::ALL.len()],
    live: Live,
    /// Since when there has been a difference.
    since: Option<Instant>,
    told: Vec<Drift>,
    /// What the policies say since this replica has led.
    said: Option<Verdict>,
    client: Client,
    failures: u32,
    retry: Option<Instant>,
    resync: Instant,
    pace: Pace,
}

impl Supervisor {
    pub(super) fn new(
        client: &Client,
        options: Options,
        recorder: Option<Recorder>,
        metrics: Metrics,
        sender: watch::Sender<Registered>,
    ) -> Self {
        let hasty = client::hasty(client);
        Self {
            options,
            recorder,
            metrics,
            sender,
            apis: Configuration::ALL.map(|configuration| write::api(hasty.clone(), configuration)),
            live: Live::new(),
            since: None,
            told: Vec::new(),
            said: None,
            client: hasty,
            failures: 0,
            retry: None,
            resync: Instant::now() + RESYNC,
            pace: Pace::new(Instant::now()),
        }
    }

    /// Never ends.
    pub(super) async fn run(
        mut self,
        client: Client,
        mut bundle: watch::Receiver<Option<String>>,
        mut leader: watch::Receiver<bool>,
    ) {
        let seen = |configuration| {
            let api = write::api(client.clone(), configuration);
            client::watch_one(api, &self.options.name).map(move |seen| (configuration, seen))
        };
        let mut seen = pin!(stream::select(seen(Configuration::Mutating), seen(Configuration::Validating)));
        loop {
            tokio::select! {
                Some((configuration, seen)) = seen.next() => self.take(configuration, seen),
                () = changed(&mut bundle) => {}
                () = changed(&mut leader) => {}
                () = sleep_until(self.wake()) => self.read_again().await,
            }
            let (bundle, is_leader) = (bundle.borrow().clone(), *leader.borrow());
            self.look(bundle.as_deref());
            if is_leader {
                self.act(bundle.as_deref(), &leader).await;
                self.look(bundle.as_deref());
                self.say().await;
            } else {
                self.told.clear();
                self.said = None;
            }
        }
    }

    fn take(&mut self, configuration: Configuration, seen: watcher::Result<Option<DynamicObject>>) {
        match seen {
            Ok(object) => self.note(configuration, object.map(serde_json::to_value).and_then(Result::ok)),
            Err(error) => {
                let kind = configuration.kind();
                tracing::warn!(kind, error = %client::one_line(&error), "the watch of a webhook configuration is interrupted");
            }
        }
    }

    fn note(&mut self, configuration: Configuration, object: Option<Value>) {
        self.live.insert(configuration, object);
    }

    /// When to look again although nothing happens.
    fn wake(&self) -> Instant {
        let settled = self.since.map(|since| since + self.options.settle).filter(|at| *at > Instant::now());
        [self.retry, settled].into_iter().flatten().fold(self.resync, Instant::min)
    }

    async fn read_again(&mut self) {
        let now = Instant::now();
        self.retry = None;
        if now < self.resync {
            return;
        }
        self.resync = now + RESYNC;
        self.told.clear();
        self.said = None;
        for configuration in Configuration::ALL {
            match self.api(configuration).get_opt(&self.options.name).await {
                Ok(object) => {
                    self.note(configuration, object.map(serde_json::to_value).and_then(Result::ok));
                }
                Err(error) => {
                    tracing::debug!(error = %client::one_line(&error), "a webhook configuration was not read again");
                }
            }
        }
    }

    fn api(&self, configuration: Configuration) -> &Api<DynamicObject> {
        &self.apis[configuration as usize]
    }

    fn expected(&self, configuration: Configuration) -> Option<&Value> {
        self.options.expected.as_ref()?.configuration(configuration)
    }

    /// Compares, and says what there is.
    fn look(&mut self, bundle: Option<&str>) {
        let registered = compare::registered(&self.live, self.options.expected.as_ref(), bundle);
        for kind in DriftKind::ALL {
            let count = registered.drift.iter().filter(|drift| drift.kind == kind).count();
            self.metrics.drift(kind, count);
        }
        if registered.drift.is_empty() {
            self.since = None;
            self.told.clear();
        } else {
            self.since.get_or_insert_with(Instant::now);
        }
        self.sender.send_if_modified(|before| {
            let is_news = *before != registered;
            *before = registered;
            is_news
        });
    }

    /// Puts right what may be put right, as long as this replica is the leader.
    async fn act(&mut self, bundle: Option<&str>, leader: &watch::Receiver<bool>) {
        if self.retry.is_some_and(|retry| retry > Instant::now()) {
            return;
        }
        let is_settled = self.is_settled();
        if is_settled {
            self.tell();
        }
        for configuration in Configuration::ALL {
            // Once: what a repair does not cure is tried again when it has lasted as long as before.
            let mut may_repair = self.options.repair && is_settled;
            while let Some(deed) = self.next_deed(configuration, bundle, may_repair) {
                if deed.is_repair() {
                    may_repair = false;
                    self.since = Some(Instant::now());
                }
                if !*leader.borrow() || !self.may_write() || !self.perform(configuration, deed).await {
                    return;
                }
            }
        }
    }

    /// Whether there has been a difference for long enough.
    fn is_settled(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= self.options.settle)
    }

    /// Has every policy say whether anybody is asked about it; one that is new says it at the next resync.
    async fn say(&mut self) {
        let verdict = Verdict::of(&self.sender.borrow(), self.is_settled());
        let Some(verdict) = verdict.filter(|verdict| self.said.as_ref() != Some(verdict)) else { return };
        if let Err(error) = verdict.write(&self.client).await {
            tracing::debug!(error = %client::one_line(&error), "the policies do not say how the webhooks are registered");
        }
        // Whatever went wrong, it is tried again at the next resync.
        self.said = Some(verdict);
    }

    /// What is to be done next about a configuration; nothing without a bundle, which makes it worth something.
    fn next_deed(
        &self,
        configuration: Configuration,
        bundle: Option<&str>,
        may_repair: bool,
    ) -> Option<Deed> {
        let (expected, bundle) = (self.expected(configuration), bundle?);
        let live = self.live.get(&configuration)?.as_ref();
        let differs =
            |drift: &Drift| drift.configuration == configuration && drift.kind != DriftKind::CaBundle;
        let is_wrong = || {
            compare::registered(&self.live, self.options.expected.as_ref(), None).drift.iter().any(differs)
        };
        if let Some(expected) = expected.filter(|_| may_repair && is_wrong()) {
            return Some(match live {
                Some(live) => Deed::Repair(write::repair_patch(live, expected, bundle)),
                None => Deed::Create(write::with_bundle(expected, bundle)),
            });
        }
        let bundles = || write::bundle_patch(live?, expected, bundle).map(Deed::Bundle);
        let disown = || write::disown_patch(live?).map(Deed::Disown);
        bundles().or_else(disown)
    }

    /// Whether it went well.
    async fn perform(&mut self, configuration: Configuration, deed: Deed) -> bool {
        let (api, name, kind) = (self.api(configuration), self.options.name.as_str(), configuration.kind());
        let text = deed.text();
        let is_repair = deed.is_repair();
        let written = match deed {
            Deed::Create(object) => write::create(api, object).await,
            Deed::Bundle(patch) | Deed::Disown(patch) | Deed::Repair(patch) => {
                write::patch(api, name, patch).await
            }
        };
        match written {
            Ok(object) => {
                tracing::info!(kind, name, "{text}");
                self.note(configuration, Some(object));
                self.failures = 0;
                if is_repair {
                    self.metrics.repairs.inc();
                }
                true
            }
            Err(error) => {
                self.retry = Some(Instant::now() + self.pause_after(&error));
                if !client::is_status(&error, 409) {
                    tracing::warn!(kind, error = %client::one_line(&error), "not done: {text}");
                }
                false
            }
        }
    }

    /// Whoever was faster shows up in the watch soon; anything else may last.
    fn pause_after(&mut self, error: &kube::Error) -> Duration {
        if client::is_status(error, 409) {
            return CONFLICT;
        }
        let pause = Duration::from_secs(1 << self.failures.min(5)).min(LONGEST);
        self.failures += 1;
        pause
    }

    /// Whether enough time has passed since the last writes; if not, there will be another try.
    fn may_write(&mut self) -> bool {
        let next = self.pace.next(Instant::now());
        self.retry = next;
        next.is_none()
    }

    /// Tells of differences, once for each set of them.
    fn tell(&mut self) {
        let drift = self.sender.borrow().drift.clone();
        if drift == self.told {
            return;
        }
        for configuration in Configuration::ALL {
            let of_this = drift.iter().filter(|drift| drift.configuration == configuration);
            let sentences: Vec<_> = of_this.map(ToString::to_string).collect();
            if sentences.is_empty() {
                continue;
            }
            let (kind, text) = (configuration.kind(), sentences.join("; "));
            tracing::warn!(kind, name = self.options.name, "the webhook configuration has changed: {text}");
            if let Some(recorder) = &self.recorder {
                let about = self.identity(configuration);
                let announcement = Announcement {
                    about,
                    reason: "RegistrationDrift",
                    action: "Compare",
                    topic: text.clone(),
                    text,
                };
                recorder.announce(announcement);
            }
        }
        self.told = drift;
    }

    fn identity(&self, configuration: Configuration) -> Identity {
        let live = self.live.get(&configuration).and_then(Option::as_ref);
        let uid = live.and_then(|live| live["metadata"]["uid"].as_str()).map(str::to_owned);
        Identity {
            api_version: "admissionregistration.k8s.io/v1".into(),
            kind: configuration.kind().into(),
            namespace: None,
            name: self.options.name.clone(),
            uid,
        }
    }
}

/// One write.
#[derive(Debug)]
enum Deed {
    Bundle(Value),
    Create(Value),
    Disown(Value),
    Repair(Value),
}

impl Deed {
    const fn is_repair(&self) -> bool {
        matches!(self, Self::Create(_) | Self::Repair(_))
    }

    const fn text(&self) -> &'static str {
        match self {
            Self::Bundle(_) => "the CA bundle of the webhooks is registered",
            Self::Create(_) => "the webhook configuration was gone and is made again",
            Self::Disown(_) => "the fields of the webhooks belong to whoever installed them",
            Self::Repair(_) => "the webhooks are put right",
        }
    }
}

/// Waits for a change; for ever where none can come any more.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
