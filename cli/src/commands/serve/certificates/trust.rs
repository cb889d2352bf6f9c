//! Whether the certificate that is served is valid, and trusted by those who are told to call.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use certs::{Resolver, pair::Validity};
use prometheus::{IntGauge, Registry};
use time::OffsetDateTime;
use webhook::{App, Handle, Part, Readiness};

/// What shows whether the served certificate is trusted.
pub(super) fn gauge(registry: &Registry) -> prometheus::Result<IntGauge> {
    let gauge = IntGauge::new(
        "hookward_certificate_trusted",
        "1 while the registered caBundle verifies the served certificate, else 0.",
    )?;
    registry.register(Box::new(gauge.clone()))?;
    Ok(gauge)
}

/// Looks at the served certificate whenever it or the registration may have changed.
#[derive(Clone)]
pub(super) struct Trust {
    resolver: Arc<Resolver>,
    ready: Readiness,
    registration: Option<Registration>,
    seen: Arc<Mutex<Seen>>,
}

/// What is done where a registration is watched.
#[derive(Clone)]
struct Registration {
    gauge: IntGauge,
    lost: Arc<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Seen {
    certificate: Option<Handle>,
    /// Only at the start: a server that nobody else can replace does not leave because of a registration.
    trust: Option<Handle>,
    bundle: Option<String>,
    is_trusted: bool,
}

impl Trust {
    /// Of a server that nobody registers.
    pub(super) fn unregistered(app: &App, resolver: Arc<Resolver>) -> Self {
        Self { resolver, ready: app.ready.clone(), registration: None, seen: Arc::default() }
    }

    /// Of a server that is not ready before the registered bundle verifies its certificate; later, `lost` is told when it does not.
    pub(super) fn registered(
        app: &App,
        resolver: Arc<Resolver>,
        lost: impl Fn() + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let gauge = gauge(app.metrics.registry())?;
        let trust = Self {
            registration: Some(Registration { gauge, lost: Arc::new(lost) }),
            ..Self::unregistered(app, resolver)
        };
        trust.seen().trust = Some(app.ready.wait_for(Part::Trust));
        Ok(trust)
    }

    /// Another bundle is registered.
    pub(super) fn look_at_bundle(&self, bundle: Option<String>) {
        self.seen().bundle = bundle;
        self.look();
    }

    /// Time has passed, or another certificate is served.
    pub(super) fn look(&self) {
        let current = self.resolver.current();
        let mut seen = self.seen();
        let is_valid = current.validity(OffsetDateTime::now_utc()) == Validity::Current;
        seen.certificate = match seen.certificate.take() {
            None if !is_valid => Some(self.ready.wait_for(Part::Certificate)),
            Some(handle) if !is_valid => Some(handle),
            _ => None,
        };
        let Some(registration) = &self.registration else { return };
        let is_trusted = seen.bundle.as_ref().is_some_and(|bundle| current.trusted_by(bundle));
        registration.gauge.set(is_trusted.into());
        if is_trusted {
            seen.trust = None;
        }
        let is_lost = seen.is_trusted && !is_trusted;
        seen.is_trusted = is_trusted;
        drop(seen);
        if is_lost {
            tracing::warn!("the registered caBundle does not verify the served certificate: calls will fail");
            (registration.lost)();
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
