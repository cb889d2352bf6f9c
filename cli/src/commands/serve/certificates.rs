//! Where the served certificate comes from, how it stays fresh, and whether those who call are told to trust it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use certs::{Keeper, Knobs, Reloader, Resolver, reload};
use cluster::{registration::Registered, secret::SecretFile};
use prometheus::Registry;
use time::OffsetDateTime;
use tokio::sync::watch;
use webhook::App;

mod handover;
mod reading;
mod secret;
#[cfg(test)]
mod tests;
mod trust;

use handover::Handover;
use reading::Reading;
use secret::SecretStore;
use trust::Trust;

use super::tasks::Tasks;

/// How often a folder is read, and the validity of what is served is looked at.
const INTERVAL: Duration = reload::INTERVAL;

/// A certificate to serve, and the source that it is renewed from.
pub struct Certificates {
    resolver: Arc<Resolver>,
    bundle: watch::Receiver<Option<String>>,
    source: Source,
}

enum Source {
    /// Somebody else renews the files.
    Folder(Reloader, Handover),
    /// Replicas renew what the Secret holds.
    Secret(Box<Keeper<SecretStore>>),
}

impl Certificates {
    /// Serves what a folder holds, which somebody else renews, and perhaps the authority with it.
    ///
    /// # Errors
    /// When there is nothing to begin with.
    pub fn from_folder(folder: &Path) -> anyhow::Result<Self> {
        let reloader = Reloader::new(folder).context("cannot serve without a certificate")?;
        let handover = Handover::new(reloader.resolver());
        let (resolver, bundle) = (handover.resolver(), handover.bundle());
        Ok(Self { resolver, bundle, source: Source::Folder(reloader, handover) })
    }

    /// Serves what a Secret holds, filling and renewing it together with the other replicas. Until it is read, a certificate
    /// is served that nobody trusts. Call it in a runtime.
    ///
    /// # Errors
    /// When the lifetimes do not fit each other, or no certificate can be made at all.
    pub fn from_secret(file: SecretFile, knobs: Knobs) -> anyhow::Result<Self> {
        knobs.check().context("cannot renew certificates")?;
        let keeper = Keeper::new(SecretStore::new(file), knobs).context("cannot make a certificate")?;
        let (resolver, bundle) = (keeper.resolver(), keeper.bundle());
        Ok(Self { resolver, bundle, source: Source::Secret(Box::new(keeper)) })
    }

    /// What rustls asks for certificates.
    #[must_use]
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// The PEM bundle that must be registered; `None` while it is not known.
    #[must_use]
    pub fn bundle(&self) -> watch::Receiver<Option<String>> {
        self.bundle.clone()
    }

    /// Keeps the certificate fresh until the runtime ends, shows when it expires, and holds readiness back while it is not
    /// valid. Call it in a runtime.
    ///
    /// What does so is added to `tasks`. `registered` tells what both webhook configurations have in common. With it, the server is not ready at its start before those
    /// who call it would accept the certificate. `tell` is told when later they would not, and of whatever else people must mend.
    ///
    /// # Errors
    /// When the metric is there already.
    pub fn keep(
        self,
        app: &App,
        registered: Option<watch::Receiver<Registered>>,
        tasks: &mut Tasks,
        tell: impl Fn(Concern) + Send + Sync + 'static,
    ) -> anyhow::Result<()> {
        let expiry = Arc::clone(&self.resolver);
        app.metrics
            .watch_expiry(move || Some((expiry.not_after() - OffsetDateTime::now_utc()).whole_seconds()));
        let resolver = Arc::clone(&self.resolver);
        let tell: Tell = Arc::new(tell);
        let trust = match &registered {
            Some(_) => Trust::registered(app, resolver, Arc::clone(&tell))?,
            None => Trust::unregistered(app, resolver),
        };
        trust.look();
        let is_registered = registered.is_some();
        let registered = registered.unwrap_or_else(|| watch::channel(Registered::default()).1);
        tasks.spawn("looks at the certificate", watch_trust(trust.clone(), registered.clone()));
        match self.source {
            Source::Folder(reloader, mut handover) => {
                let renew = reloader.run(INTERVAL, move |_| {
                    if is_registered {
                        let registered = registered.borrow().clone();
                        handover.look(&registered);
                    } else {
                        handover.follow();
                    }
                    trust.look();
                });
                tasks.spawn("reads the certificate", renew);
            }
            Source::Secret(keeper) => {
                if !is_registered {
                    tracing::warn!(
                        "without --webhook-configuration nobody says who is trusted: the authority is never renewed"
                    );
                }
                let (sender, bundle) = watch::channel(None);
                tasks.spawn("tells what is registered", tell_bundle(registered, sender));
                let mut reading = Reading::new(app.ready.clone(), tell);
                let renew = keeper.run(bundle, move |turn| {
                    reading.look(turn);
                    trust.look();
                });
                tasks.spawn("renews the certificate", renew);
            }
        }
        Ok(())
    }
}

/// What only people can mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// Those who call do not accept the certificate; why not.
    NotTrusted(String),
    /// The Secret that replicas share has been gone for a while.
    SecretGone {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// Whom to tell.
type Tell = Arc<dyn Fn(Concern) + Send + Sync>;

/// Puts what certificates show of themselves where a registration is watched into `registry`, as [`Certificates::keep`] does.
///
/// # Errors
/// When it is there already.
pub fn describe(registry: &Registry) -> prometheus::Result<()> {
    trust::gauge(registry).map(drop)
}

/// The registration changes when somebody says so, validity by itself.
async fn watch_trust(trust: Trust, mut registered: watch::Receiver<Registered>) {
    let mut is_told = true;
    let mut ticks = tokio::time::interval(INTERVAL);
    loop {
        trust.look_at(registered.borrow_and_update().clone());
        tokio::select! {
            changed = registered.changed(), if is_told => is_told = changed.is_ok(),
            _ = ticks.tick() => {}
        }
    }
}

/// Says which bundle is registered, and nothing of the rest.
async fn tell_bundle(mut registered: watch::Receiver<Registered>, bundle: watch::Sender<Option<String>>) {
    loop {
        let seen = registered.borrow_and_update().bundle.clone();
        bundle.send_if_modified(|told| {
            let is_news = *told != seen;
            *told = seen;
            is_news
        });
        if registered.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}
