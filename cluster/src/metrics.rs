//! What is counted of the server's life in a cluster; registered in the registry that `/metrics` shows.

use prometheus::{
    Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, core::Collector,
};

use crate::{events::Dropped, registration::DriftKind};

/// What is watched for as long as a replica lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Watch {
    HookPolicies,
    HookExceptions,
    Namespaces,
    Releases,
    Mutating,
    Validating,
}

impl Watch {
    const ALL: [Self; 6] = [
        Self::HookPolicies,
        Self::HookExceptions,
        Self::Namespaces,
        Self::Releases,
        Self::Mutating,
        Self::Validating,
    ];

    /// The word for the metric and for the log.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HookPolicies => "hookpolicies",
            Self::HookExceptions => "hookexceptions",
            Self::Namespaces => "namespaces",
            Self::Releases => "releases",
            Self::Mutating => "mutatingwebhookconfigurations",
            Self::Validating => "validatingwebhookconfigurations",
        }
    }
}

/// The metrics of one replica.
#[derive(Debug, Clone)]
pub struct Metrics {
    dropped: [IntCounter; Dropped::ALL.len()],
    drift: [Gauge; DriftKind::ALL.len()],
    watches_broken: [IntGauge; Watch::ALL.len()],
    pub(crate) repairs: IntCounter,
    pub(crate) leader: IntGauge,
    pub(crate) policies_refused: IntGauge,
    pub(crate) records_left_out: IntCounter,
}

impl Metrics {
    /// Registers everything, at zero; what has to be seen first is not a number until it was.
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
        let drift = GaugeVec::new(
            Opts::new(
                "hookward_registration_drift",
                "Differences between the webhook configurations and what they should be, by kind; NaN where they are not seen.",
            ),
            &["kind"],
        );
        let drift = registered(registry, drift);
        let drift = DriftKind::ALL.map(|kind| drift.with_label_values(&[kind.name()]));
        for gauge in &drift {
            gauge.set(f64::NAN);
        }
        let watches = IntGaugeVec::new(
            Opts::new(
                "hookward_watches_broken",
                "1 while a watch is interrupted, by what it watches; what was read last counts until it goes on.",
            ),
            &["watch"],
        );
        let watches = registered(registry, watches);
        Self {
            dropped: Dropped::ALL.map(|reason| dropped.with_label_values(&[reason.name()])),
            drift,
            watches_broken: Watch::ALL.map(|watch| watches.with_label_values(&[watch.name()])),
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

    /// `None` where nobody can say.
    pub(crate) fn drift(&self, kind: DriftKind, count: Option<usize>) {
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        self.drift[kind as usize].set(count.map_or(f64::NAN, number));
    }

    /// 1 while this watch is interrupted.
    pub(crate) const fn watch(&self, watch: Watch) -> &IntGauge {
        &self.watches_broken[watch as usize]
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
