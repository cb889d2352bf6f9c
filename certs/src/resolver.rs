//! Hands rustls the current certificate, and lets it be exchanged between two handshakes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use time::OffsetDateTime;

use crate::ServingPair;

/// The certificate that is served now, whatever name the client asks for.
#[derive(Debug)]
pub struct Resolver {
    current: ArcSwap<ServingPair>,
}

impl Resolver {
    /// Starts with `pair`.
    #[must_use]
    pub fn new(pair: ServingPair) -> Self {
        Self { current: ArcSwap::from_pointee(pair) }
    }

    /// Serves `pair` from the next handshake on; connections that stand keep theirs.
    pub fn store(&self, pair: ServingPair) {
        self.current.store(Arc::new(pair));
    }

    /// The pair that is served now.
    #[must_use]
    pub fn current(&self) -> Arc<ServingPair> {
        self.current.load_full()
    }

    /// When the served certificate ends.
    #[must_use]
    pub fn not_after(&self) -> OffsetDateTime {
        self.current.load().leaf().not_after
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(self.current.load().certified_key()))
    }
}
