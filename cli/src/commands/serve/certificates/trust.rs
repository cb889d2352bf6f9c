//! Whether the served certificate may be relied on: it is valid now, and callers are told to trust it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use certs::{Resolver, pair::Validity};
use cluster::registration::Registered;
use prometheus::{IntGauge, Registry};
use time::OffsetDateTime;
use webhook::{App, Handle, Part, Readiness};

use super::{Concern, Tell};

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
    tell: Tell,
}

#[derive(Default)]
struct Seen {
    certificate: Option<Handle>,
    /// Only at the start: a server that nobody else can replace does not leave because of a registration.
    trust: Option<Handle>,
    registered: Registered,
    is_trusted: bool,
    /// What was told last since it was trusted.
    told: Option<String>,
}

impl Trust {
    /// Of a server that nobody registers.
    pub(super) fn unregistered(app: &App, resolver: Arc<Resolver>) -> Self {
        Self { resolver, ready: app.ready.clone(), registration: None, seen: Arc::default() }
    }

    /// Of a server that is not ready before those who are registered to call it would accept its certificate; later, `tell` is told
    /// when they would not.
    pub(super) fn registered(app: &App, resolver: Arc<Resolver>, tell: Tell) -> anyhow::Result<Self> {
        let gauge = gauge(app.metrics.registry())?;
        let trust =
            Self { registration: Some(Registration { gauge, tell }), ..Self::unregistered(app, resolver) };
        trust.seen().trust = Some(app.ready.wait_for(Part::Trust));
        Ok(trust)
    }

    /// Something else is registered.
    pub(super) fn look_at(&self, registered: Registered) {
        self.seen().registered = registered;
        self.look();
    }

    /// Time has passed, or another certificate is served.
    pub(super) fn look(&self) {
        let current = self.resolver.current();
        let now = OffsetDateTime::now_utc();
        let mut seen = self.seen();
        let is_valid = current.validity(now) == Validity::Current;
        seen.certificate = match seen.certificate.take() {
            None if !is_valid => Some(self.ready.wait_for(Part::Certificate)),
            Some(handle) if !is_valid => Some(handle),
            _ => None,
        };
        let Some(registration) = &self.registration else { return };
        let Registered { bundle, hosts, .. } = &seen.registered;
        let refused = match bundle {
            Some(bundle) => current.refused(bundle, hosts, now),
            // Nobody calls: that is drift, and no trust is lost by it.
            None if hosts.is_empty() => return,
            None => Some(certs::Refusal::Authority),
        };
        registration.gauge.set(refused.is_none().into());
        let was_trusted = std::mem::replace(&mut seen.is_trusted, refused.is_none());
        let reason = refused.as_ref().map(ToString::to_string);
        self.ready.explain(Part::Trust, reason.clone());
        let (Some(refused), Some(reason)) = (refused, reason) else {
            (seen.trust, seen.told) = (None, None);
            return;
        };
        // At the start, waiting may help.
        let is_news = seen.told.as_ref() != Some(&reason);
        let is_to_tell = was_trusted || (is_news && (seen.told.is_some() || refused.is_of_the_certificate()));
        if is_to_tell {
            seen.told = Some(reason.clone());
            drop(seen);
            tracing::warn!(
                "the API server does not accept the served certificate, calls will fail: {reason}"
            );
            (registration.tell)(Concern::NotTrusted(reason));
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
