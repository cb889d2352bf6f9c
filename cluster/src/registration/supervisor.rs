//! The loop that watches the configurations, compares them, and writes what this replica may write.

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
    Configuration, Drift, DriftKind, Live, Options, Registered,
    authorities::Authorities,
    compare,
    condition::Verdict,
    deed::{Deed, Role, Task},
    farewell::Farewell,
    lasting::Lasting,
    ours, write,
};
use crate::{
    bucket::{Bucket, Size},
    changed::changed,
    client,
    events::{Announcement, Recorder},
    metrics::Metrics,
    said::Said,
};

/// How often the configurations are read although no change was seen, and a lasting difference is told of again.
const RESYNC: Duration = Duration::from_secs(300);
/// What is said when that fails.
const READ_AGAIN: &str = "a webhook configuration could not be read again";
/// How long a replica leaves it to the leader to register what it needs.
const PATIENCE: Duration = Duration::from_secs(1);
/// The pause after somebody else was faster.
const CONFLICT: Duration = Duration::from_millis(200);
/// Writes: so many at once, and then one per second.
const PACE: Size = Size { burst: 20, refill: Duration::from_secs(1) };
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
    lasting: Lasting,
    /// Since when a webhook has lacked an authority that this replica needs.
    lacking: Option<Instant>,
    farewell: Farewell,
    trouble: Said,
    told: Vec<Drift>,
    /// What the policies say since this replica has led.
    said: Option<Verdict>,
    client: Client,
    failures: u32,
    retry: Option<Instant>,
    resync: Instant,
    /// Writes that may follow each other: somebody else may want another bundle for ever.
    pace: Bucket,
}

impl Supervisor {
    pub(super) fn new(
        client: &Client,
        options: Options,
        recorder: Option<Recorder>,
        metrics: Metrics,
        sender: watch::Sender<Registered>,
    ) -> Self {
        let (hasty, farewell) = (client::hasty(client), Farewell::new(options.farewell));
        let lasting = Lasting::new(options.settle, options.catch_up);
        Self {
            options,
            recorder,
            metrics,
            sender,
            apis: Configuration::ALL.map(|configuration| write::api(hasty.clone(), configuration)),
            live: Live::new(),
            lasting,
            lacking: None,
            farewell,
            trouble: Said::default(),
            told: Vec::new(),
            said: None,
            client: hasty,
            failures: 0,
            retry: None,
            resync: Instant::now() + RESYNC,
            pace: Bucket::full(PACE, Instant::now()),
        }
    }

    /// Never ends.
    pub(super) async fn run(
        mut self,
        client: Client,
        mut bundle: watch::Receiver<Option<String>>,
        mut leader: watch::Receiver<bool>,
    ) {
        let mut expected = self.options.expected.clone();
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
                () = changed(&mut expected) => {}
                () = sleep_until(self.wake()) => self.read_again().await,
            }
            let needed = bundle.borrow().as_deref().map(Authorities::of_pem);
            self.look(needed.as_ref());
            self.act(needed.as_ref(), &leader).await;
            self.look(needed.as_ref());
            if *leader.borrow() {
                self.say().await;
            } else {
                self.told.clear();
                self.said = None;
            }
        }
    }

    fn take(&mut self, configuration: Configuration, seen: watcher::Result<Option<DynamicObject>>) {
        match seen {
            Ok(object) => {
                self.metrics.watch(configuration.watch()).set(0);
                self.trouble.passed(configuration.kind());
                self.note(configuration, object.map(write::plain));
            }
            Err(error) => {
                self.metrics.watch(configuration.watch()).set(1);
                let (kind, error) = (configuration.kind(), client::one_line(&error));
                if self.trouble.is_news(kind, &error) {
                    tracing::warn!(kind, error, "the watch of a webhook configuration is interrupted");
                }
            }
        }
    }

    fn note(&mut self, configuration: Configuration, object: Option<Value>) {
        self.live.insert(configuration, object);
    }

    /// When to look again although nothing happens.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        let later = [self.lacking.map(|since| since + PATIENCE), self.farewell.next(now)];
        let later = later.into_iter().flatten().chain(self.lasting.ends()).filter(|at| *at > now);
        self.retry.into_iter().chain(later).fold(self.resync, Instant::min)
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
                    self.trouble.passed(READ_AGAIN);
                    self.note(configuration, object.map(write::plain));
                }
                Err(error) => {
                    let (kind, error) = (configuration.kind(), client::one_line(&error));
                    if self.trouble.is_news(READ_AGAIN, &error) {
                        tracing::warn!(kind, error, "{READ_AGAIN}");
                    }
                }
            }
        }
    }

    fn api(&self, configuration: Configuration) -> &Api<DynamicObject> {
        &self.apis[configuration as usize]
    }

    /// Compares, and says what there is.
    fn look(&mut self, needed: Option<&Authorities>) {
        let now = Instant::now();
        let (registered, is_other, lacks) = {
            let expected = self.options.expected.borrow();
            let bundles = ours::bundles(&self.live, expected.as_ref());
            let lacks = needed.is_some_and(|needed| bundles.iter().any(|one| !one.contains_all(needed)));
            let is_other = ours::is_of_another_revision(&self.live, expected.as_ref());
            (compare::registered(&self.live, expected.as_ref(), needed), is_other, lacks)
        };
        // Where nothing was seen, or is any more, nobody can say that nothing differs.
        let is_blind = Configuration::ALL
            .iter()
            .any(|one| !self.live.contains_key(one) || self.metrics.watch(one.watch()).get() != 0);
        for kind in DriftKind::ALL {
            let count = registered.drift.iter().filter(|drift| drift.kind == kind).count();
            self.metrics.drift(kind, (count > 0 || !is_blind).then_some(count));
        }
        self.lasting.look(now, &registered.drift, is_other);
        self.lacking = lacks.then(|| self.lacking.unwrap_or(now));
        if registered.drift.is_empty() {
            self.told.clear();
        }
        self.sender.send_if_modified(|before| {
            let is_news = *before != registered;
            *before = registered;
            is_news
        });
    }

    /// Puts right what may be put right: all of it as long as this replica is the leader, else only what it needs itself.
    async fn act(&mut self, needed: Option<&Authorities>, leader: &watch::Receiver<bool>) {
        let now = Instant::now();
        let is_leader = *leader.borrow();
        match needed {
            Some(needed) if is_leader => {
                let bundles = ours::bundles(&self.live, self.options.expected.borrow().as_ref());
                self.farewell.look(now, &ours::anywhere(&bundles), needed);
            }
            _ => self.farewell.forget(),
        }
        let is_patient = self.lacking.is_none_or(|since| since + PATIENCE > now);
        if self.retry.is_some_and(|retry| retry > now) || (!is_leader && is_patient) {
            return;
        }
        let settled = self.lasting.settled(now);
        if is_leader {
            self.tell(&settled);
        }
        for configuration in Configuration::ALL {
            // Once: what a repair does not cure is tried again when it has lasted as long as before.
            let mut may_repair = self.options.repair && !settled.is_empty();
            let role = |may_repair| if is_leader { Role::Leader { may_repair } } else { Role::Follower };
            while let Some(deed) = self.next_deed(configuration, needed, role(may_repair)) {
                if deed.is_repair() {
                    may_repair = false;
                    self.lasting.restart(Instant::now());
                }
                let may_write = *leader.borrow() == is_leader && self.may_write();
                if !may_write || !self.perform(configuration, deed).await {
                    return;
                }
            }
        }
    }

    /// Has every policy say whether anybody is asked about it; one that is new says it at the next resync.
    async fn say(&mut self) {
        let verdict = Verdict::of(&self.sender.borrow(), &self.lasting.settled(Instant::now()));
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
        needed: Option<&Authorities>,
        role: Role,
    ) -> Option<Deed> {
        let expected = self.options.expected.borrow();
        let task = Task {
            live: &self.live,
            expected: expected.as_ref(),
            needed: needed?,
            role,
            is_over: &|certificate| self.farewell.is_over(Instant::now(), certificate),
        };
        task.next(configuration)
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
                self.trouble.passed(text);
                self.note(configuration, Some(object));
                self.failures = 0;
                if is_repair {
                    self.metrics.repairs.inc();
                }
                true
            }
            Err(error) => {
                self.retry = Some(Instant::now() + self.pause_after(&error));
                let error = Some(error).filter(|error| !client::is_status(error, 409));
                if let Some(error) = error.map(|error| client::one_line(&error))
                    && self.trouble.is_news(text, &error)
                {
                    tracing::warn!(kind, error, "not done: {text}");
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
        self.retry = self.pace.take(Instant::now()).err();
        self.retry.is_none()
    }

    /// Tells of differences that have lasted, once for each set of them.
    fn tell(&mut self, drift: &[Drift]) {
        if drift.is_empty() || drift == self.told {
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
        self.told = drift.to_vec();
    }

    fn identity(&self, configuration: Configuration) -> Identity {
        let live = self.live.get(&configuration).and_then(Option::as_ref);
        let uid = live.and_then(|live| live["metadata"]["uid"].as_str()).map(str::to_owned);
        Identity { uid, ..configuration.identity(&self.options.name) }
    }
}

#[cfg(test)]
mod tests;
