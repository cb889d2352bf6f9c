//! What is counted of the server's life in a cluster; registered in the registry that `/metrics` shows.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, core::Collector};

use crate::{events::Dropped, registration::DriftKind};

/// The metrics of one replica.
#[derive(Debug, Clone)]
pub struct Metrics {
    dropped: [IntCounter; Dropped::ALL.len()],
    drift: [IntGauge; DriftKind::ALL.len()],
    pub(crate) repairs: IntCounter,
    pub(crate) leader: IntGauge,
    pub(crate) policies_refused: IntGauge,
    pub(crate) watches_broken: IntGauge,
    pub(crate) records_left_out: IntCounter,
}

impl Metrics {
    /// Registers everything, at zero.
    ///
    /// # Panics
    /// When `registry` has had a call of this before.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        let dropped = IntCounterVec::new(
            Opts::new("hookward_events_dropped_total", "Events that were not written, by reason."),
            &["reason"],
        );
        let dropped = registered(registry, dropped);
        let drift = IntGaugeVec::new(
            Opts::new(
                "hookward_registration_drift",
                "Differences between the webhook configurations and what they should be, by kind.",
            ),
            &["kind"],
        );
        let drift = registered(registry, drift);
        Self {
            dropped: Dropped::ALL.map(|reason| dropped.with_label_values(&[reason.name()])),
            drift: DriftKind::ALL.map(|kind| drift.with_label_values(&[kind.name()])),
            repairs: counter(
                registry,
                "hookward_registration_repairs_total",
                "Webhook configurations that were put right.",
            ),
            leader: gauge(registry, "hookward_leader", "1 while this replica is the leader."),
            policies_refused: gauge(
                registry,
                "hookward_policies_refused",
                "HookPolicy objects whose newest version cannot be put in force; the last good one is kept.",
            ),
            watches_broken: gauge(
                registry,
                "hookward_watches_broken",
                "Watches of policies and exceptions that are interrupted; what was read last stays in force.",
            ),
            records_left_out: counter(
                registry,
                "hookward_release_records_left_out_total",
                "Release records that the lookup could not decode, or had no room for.",
            ),
        }
    }

    pub(crate) fn dropped(&self, reason: Dropped) {
        self.dropped[reason as usize].inc();
    }

    pub(crate) fn drift(&self, kind: DriftKind, count: usize) {
        self.drift[kind as usize].set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("names and labels of metrics are fixed and valid");
    registry.register(Box::new(collector.clone())).expect("each metric is registered once");
    collector
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    registered(registry, IntCounter::new(name, help))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    registered(registry, IntGauge::new(name, help))
}
