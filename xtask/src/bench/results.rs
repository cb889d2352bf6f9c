//! What was measured in one run, before it becomes a table.

use super::{
    check::Check,
    client::Protocol,
    histogram::Histogram,
    load::Measured,
    plan::{Plan, Scenarios},
};

/// Where a series of requests went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The server that does nothing.
    Floor,
    /// `/mutate`
    Mutate,
    /// `/validate`
    Validate,
    /// `/release`
    Release,
}

impl Whose {
    /// As it is written in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Mutate => "/mutate",
            Self::Validate => "/validate",
            Self::Release => "/release",
        }
    }

    /// The path of the requests.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Mutate => "/mutate",
            Self::Release => "/release",
            Self::Floor | Self::Validate => "/validate",
        }
    }
}

/// One series of requests of one size.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// The body, in a few words.
    pub(super) body: &'static str,
    /// Which server and path.
    pub(super) whose: Whose,
    /// How it travelled.
    pub(super) protocol: Protocol,
    /// Requests in flight.
    pub(super) senders: usize,
    /// What came out.
    pub(super) measured: Measured,
    /// How long the server itself worked, where it says so.
    pub(super) handler: Option<Histogram>,
}

/// Small requests beside large ones.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// What the large requests were.
    pub(super) large: String,
    /// First the small ones, then the large ones.
    pub(super) measured: Measured,
}

/// Milliseconds of a request through an API server: the middle one, and the 99th of 100.
#[derive(Debug, Clone, Copy)]
pub(super) struct Through {
    /// p50
    pub(super) middle: f64,
    /// p99
    pub(super) late: f64,
}

/// The same requests through a real API server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cluster {
    /// Without webhooks.
    pub(super) none: Through,
    /// Two webhooks that lead to the floor.
    pub(super) floor: Through,
    /// `mutate` and `validate`, for a Job that is repaired on its way.
    pub(super) ours: Through,
    /// The same for a Job that needs no repair.
    pub(super) unchanged: Through,
}

/// Everything of one run.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// All series, in the order of the table.
    pub(super) series: Vec<Series>,
    /// Small beside large.
    pub(super) beside: Vec<Beside>,
    /// Milliseconds from start to ready, sorted.
    pub(super) starts: Vec<f64>,
    /// KiB: right after start, after the mixed load, and the most during it.
    pub(super) memory: (u64, u64, u64),
    /// Minutes and requests of that load.
    pub(super) soak: (f64, f64),
    /// Each check with what it read.
    pub(super) checks: Vec<(String, Check)>,
    /// `hookward plan`.
    pub(super) plan: Option<Plan>,
    /// Random scenarios, simulated.
    pub(super) scenarios: Option<Scenarios>,
    /// Through an API server, if there was one.
    pub(super) cluster: Option<Cluster>,
    /// How large the release record was.
    pub(super) record: String,
}

impl Results {
    /// The series of these coordinates.
    pub(super) fn find(
        &self,
        body: &str,
        whose: Whose,
        protocol: Protocol,
        senders: usize,
    ) -> Option<&Series> {
        let is_it = |series: &&Series| {
            series.body == body
                && series.whose == whose
                && series.protocol == protocol
                && series.senders == senders
        };
        self.series.iter().find(is_it)
    }

    /// The largest share of a core that others used during any series.
    pub(super) fn disturbance(&self) -> f64 {
        self.series.iter().map(|series| series.measured.others).fold(0.0, f64::max)
    }
}
