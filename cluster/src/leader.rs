//! Who of the replicas writes what only one should write: the holder of a Lease, for as long as everybody must agree that it is.
//!
//! The lease manager stands for election and renews; what counts is only what the API server shows of the Lease. So a leader that is cut
//! off stops before another one begins, and one whose Lease was taken stops as soon as it hears of it. Writers that were under way then
//! are harmless all the same: whatever the leader writes is guarded by a version or means the same twice.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::{Api, Client, runtime::watcher};
use kube_lease_manager::{LeaseCreateMode, LeaseManager, LeaseParams};
use serde_json::json;
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{client, metrics::Metrics, said::Said};

/// How long a candidate waits after an error before it stands again.
const PAUSE: Duration = Duration::from_secs(1);

/// Which Lease, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub lease: String,
    /// What tells this replica from the others: the name of its pod.
    pub identity: String,
    /// How long a Lease holds that is not renewed, in whole seconds, at least 2.
    pub duration: Duration,
    /// How long before its end it is renewed, in whole seconds, at least 1 and less than `duration`. Half of it is the difference
    /// between the clocks of two replicas that does no harm.
    pub grace: Duration,
}

impl Options {
    /// 15 seconds, renewed 5 seconds before their end.
    #[must_use]
    pub fn new(namespace: &str, lease: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.into(),
            lease: lease.into(),
            identity: identity.into(),
            duration: Duration::from_secs(15),
            grace: Duration::from_secs(5),
        }
    }

    /// A holder stops so long before the Lease ends.
    fn margin(&self) -> Duration {
        self.grace / 2
    }

    fn params(&self) -> LeaseParams {
        let duration = self.duration.as_secs().max(2);
        LeaseParams::new(&self.identity, duration, self.grace.as_secs().clamp(1, duration - 1))
    }
}

/// A replica that stands for election until it is dropped, which leaves the Lease to expire, or [resigns](Leader::resign).
#[derive(Debug)]
pub struct Leader {
    seat: Arc<Seat>,
}

#[derive(Debug)]
struct Seat {
    options: Options,
    api: Api<Lease>,
    voice: Voice,
    tasks: [AbortHandle; 2],
}

impl Leader {
    /// Begins to stand for election; must be called within a runtime.
    #[must_use]
    pub fn start(client: &Client, options: Options, metrics: &Metrics) -> Self {
        let hasty = client::hasty(client);
        let vacant = Arc::new(Notify::new());
        let seen = client::watch_one(Api::namespaced(client.clone(), &options.namespace), &options.lease);
        let voice =
            Voice { state: watch::Sender::new(false), has_left: Arc::default(), metrics: metrics.clone() };
        let observer = observe(seen, options.clone(), voice.clone(), Arc::clone(&vacant));
        let candidate = stand(hasty.clone(), options.clone(), vacant);
        let tasks = [tokio::spawn(observer).abort_handle(), tokio::spawn(candidate).abort_handle()];
        let api = Api::namespaced(hasty, &options.namespace);
        Self { seat: Arc::new(Seat { options, api, voice, tasks }) }
    }

    /// What does all this: it ends when this resigns, or by a bug.
    #[must_use]
    pub fn tasks(&self) -> Vec<AbortHandle> {
        self.seat.tasks.to_vec()
    }

    /// Whether this replica is the leader; `false` at the start. Who writes must look again before each write.
    #[must_use]
    pub fn is_leader(&self) -> watch::Receiver<bool> {
        self.seat.voice.state.subscribe()
    }

    /// Resigns as soon as `time` has come: a replica that is asked to leave should not begin anything, and another one should.
    pub fn resign_at(&self, time: impl Future<Output = ()> + Send + 'static) {
        let seat = Arc::clone(&self.seat);
        tokio::spawn(async move {
            time.await;
            seat.leave().await;
        });
    }

    /// Stops, and gives the Lease back at once, so that nobody need wait for its end. Takes a few seconds at most.
    pub async fn resign(self) {
        self.seat.leave().await;
    }
}

impl Seat {
    async fn leave(&self) {
        let was_leader = self.stop();
        if was_leader {
            let released = timeout(client::REQUEST, self.release()).await;
            if let Ok(Err(error)) = released {
                tracing::info!(error = %client::one_line(&error), "the lease was not given back and will expire");
            }
        }
    }

    /// Whether this was the leader until now.
    fn stop(&self) -> bool {
        for task in &self.tasks {
            task.abort();
        }
        self.voice.leave()
    }

    /// Clears the Lease if it is still ours.
    async fn release(&self) -> Result<(), kube::Error> {
        let operations = json!([
            {"op": "test", "path": "/spec/holderIdentity", "value": self.options.identity},
            {"op": "remove", "path": "/spec/holderIdentity"},
            {"op": "remove", "path": "/spec/acquireTime"},
            {"op": "remove", "path": "/spec/renewTime"},
        ]);
        client::patch(&self.api, &self.options.lease, operations).await.map(drop)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.seat.stop();
    }
}

/// Takes the Lease when it is free and renews it, for ever.
async fn stand(client: Client, options: Options, vacant: Arc<Notify>) {
    let mut said = Said::default();
    loop {
        let made = LeaseManager::new(
            client.clone(),
            &options.lease,
            &options.namespace,
            options.params(),
            LeaseCreateMode::AutoCreate,
        );
        match made.await {
            Ok(manager) => {
                // One that has lost the thread reads the Lease anew, and so does one whose predecessor has resigned.
                tokio::select! {
                    () = renew(&manager, &mut said) => sleep(PAUSE).await,
                    () = vacant.notified() => {}
                }
            }
            Err(error) => {
                let (lease, error) = (&options.lease, client::one_line(&error));
                if said.is_news("stand", &error) {
                    tracing::warn!(lease, error, "cannot stand for leader");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Returns at the first error.
async fn renew(manager: &LeaseManager, said: &mut Said) {
    loop {
        match manager.changed().await {
            Ok(_) => ["stand", "renew"].into_iter().for_each(|kind| said.passed(kind)),
            Err(error) => {
                let error = client::one_line(&error);
                if said.is_news("renew", &error) {
                    tracing::warn!(error, "cannot renew or take the lease");
                }
                return;
            }
        }
    }
}

/// Says what the Lease says, and `false` when it has not been renewed in time.
async fn observe(
    seen: impl Stream<Item = watcher::Result<Option<Lease>>>,
    options: Options,
    voice: Voice,
    vacant: Arc<Notify>,
) {
    let mut seen = pin!(seen);
    let mut until: Option<Instant> = None;
    loop {
        let expiry = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            lease = seen.next() => match lease {
                Some(Ok(lease)) => {
                    let spec = lease.and_then(|lease| lease.spec).unwrap_or_default();
                    until = remaining(&spec, &options, SystemTime::now()).map(|left| Instant::now() + left);
                    if spec.holder_identity.is_none() {
                        vacant.notify_one();
                    }
                }
                // The Lease runs out by itself if it is not seen again.
                Some(Err(error)) => tracing::debug!(error = %client::one_line(&error), "the watch of the lease is interrupted"),
                None => until = None,
            },
            () = expiry => until = None,
        }
        voice.tell(until.is_some(), &options.identity);
    }
}

/// Who says whether this replica is the leader. Clones say the same.
#[derive(Debug, Clone)]
struct Voice {
    state: watch::Sender<bool>,
    /// Whether it has left for good: nothing makes it a leader again.
    has_left: Arc<AtomicBool>,
    metrics: Metrics,
}

impl Voice {
    /// Says for the last time that it is not. Whether it was until now.
    fn leave(&self) -> bool {
        self.has_left.store(true, Ordering::SeqCst);
        self.metrics.leader.set(0);
        self.state.send_replace(false)
    }

    fn tell(&self, is_leader: bool, identity: &str) {
        let changed = self.state.send_if_modified(|state| {
            !self.has_left.load(Ordering::SeqCst) && std::mem::replace(state, is_leader) != is_leader
        });
        if changed {
            self.metrics.leader.set(is_leader.into());
            tracing::info!(
                identity,
                "this replica is {} the leader",
                if is_leader { "now" } else { "no longer" }
            );
        }
    }
}

/// How long this replica may still count on the Lease; `None` when it is not its own, or has run out.
fn remaining(spec: &LeaseSpec, options: &Options, now: SystemTime) -> Option<Duration> {
    if spec.holder_identity.as_deref() != Some(&options.identity) {
        return None;
    }
    let duration = Duration::from_secs(u64::try_from(spec.lease_duration_seconds?).ok()?);
    let renewed = SystemTime::from(spec.renew_time.as_ref()?.0);
    let end = renewed.checked_add(duration)?.checked_sub(options.margin())?;
    // A clock that was set back must not make a Lease last for ever.
    end.duration_since(now).ok().filter(|left| !left.is_zero()).map(|left| left.min(duration))
}

#[cfg(test)]
mod tests;
