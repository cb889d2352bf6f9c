//! The bounds that Hookward is held to, and whether this run kept them.

use super::{
    client::Protocol,
    plan,
    results::{Results, Series, Through, Whose},
};

/// What the floor needed on the machine the bounds were set on.
struct Reference {
    /// One request at a time: p50 and p99 in milliseconds.
    alone: (f64, f64),
    /// 16 in flight: answers per second, and processor time of each in microseconds.
    many: (f64, f64),
    /// One object of 1 MB at a time: p99 in milliseconds.
    large: f64,
}

const fn reference(protocol: Protocol) -> Reference {
    match protocol {
        Protocol::Http1 => Reference { alone: (0.08, 0.15), many: (63_500.0, 12.1), large: 1.8 },
        Protocol::Http2 => Reference { alone: (0.10, 0.18), many: (68_678.0, 8.3), large: 1.8 },
    }
}

/// One bound and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    /// What is bounded.
    pub(super) what: String,
    /// The bound, with its unit.
    pub(super) bound: String,
    /// What was measured, with its unit.
    pub(super) measured: String,
    /// The same as multiples of the floor: what is allowed, and what was measured.
    pub(super) ratio: Option<(String, String)>,
    /// Whether it was kept.
    pub(super) kept: Kept,
    /// What makes it slow, for the case that it was missed.
    pub(super) why: &'static str,
}

/// Whether a bound was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// In both forms, where it has both.
    Yes,
    /// As it stands; the floor is faster than its bound allows for.
    OnlyAsIs,
    /// As a multiple of the floor; the machine is slower than its bound allows for.
    OnlyAsRatio,
    /// In no form.
    No,
}

/// A value that must not be above, or below, a limit.
#[derive(Debug, Clone)]
struct Limit {
    what: String,
    unit: &'static str,
    digits: usize,
    measured: f64,
    bound: f64,
    at_least: bool,
    /// The floor on the reference machine, and in this run.
    floor: Option<(f64, f64)>,
    why: &'static str,
}

impl Limit {
    fn at_most(
        what: impl Into<String>,
        unit: &'static str,
        digits: usize,
        measured: f64,
        bound: f64,
    ) -> Self {
        Self { what: what.into(), unit, digits, measured, bound, at_least: false, floor: None, why: "" }
    }

    fn beside(self, reference: f64, floor: Option<f64>) -> Self {
        Self { floor: floor.map(|floor| (reference, floor)), ..self }
    }

    fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    fn judged(self) -> Judged {
        let keeps =
            |measured: f64, bound: f64| if self.at_least { measured >= bound } else { measured <= bound };
        let ratio = self.floor.map(|(reference, floor)| (self.measured / floor, self.bound / reference));
        let as_is = keeps(self.measured, self.bound);
        let kept = match (as_is, ratio.map(|(measured, bound)| keeps(measured, bound))) {
            (true, Some(true) | None) => Kept::Yes,
            (true, Some(false)) => Kept::OnlyAsIs,
            (false, Some(true)) => Kept::OnlyAsRatio,
            (false, Some(false) | None) => Kept::No,
        };
        let sign = if self.at_least { '≥' } else { '≤' };
        let digits = self.digits;
        let shown = |value: f64| format!("{value:.digits$} {}", self.unit).trim_end().to_owned();
        Judged {
            bound: format!("{sign} {}", shown(self.bound)),
            measured: shown(self.measured),
            ratio: ratio.map(|(measured, bound)| (format!("{sign} {bound:.2}"), format!("{measured:.2}"))),
            what: self.what,
            kept,
            why: self.why,
        }
    }
}

/// Every bound that this run says something about.
pub(super) fn judge(results: &Results) -> Vec<Judged> {
    let mut limits = Vec::new();
    for protocol in Protocol::ALL {
        small(results, protocol, &mut limits);
    }
    for protocol in Protocol::ALL {
        large(results, protocol, &mut limits);
    }
    for beside in &results.beside {
        let what = format!("3 KB beside {}, p99", beside.large);
        let late = beside.measured.times.first().map_or(f64::NAN, |times| times.quantile(0.99));
        limits.push(Limit::at_most(what, "ms", 2, late, 5.0));
    }
    process(results, &mut limits);
    checks(results, &mut limits);
    simulations(results, &mut limits);
    if let Some(cluster) = results.cluster {
        let added = |through: Through| through.middle - cluster.none.middle;
        for (what, ours) in [("nothing to repair", cluster.unchanged), ("the Job is repaired", cluster.ours)]
        {
            let what = format!("added p50 through an API server, {what}, by two empty webhooks");
            let ratio = added(ours) / added(cluster.floor);
            limits.push(Limit::at_most(what, "×", 2, ratio, 1.2).because(CLUSTER));
        }
    }
    limits.into_iter().map(Limit::judged).collect()
}

/// The 3 KB hook over one protocol.
fn small(results: &Results, protocol: Protocol, limits: &mut Vec<Limit>) {
    let (name, reference) = (protocol.name(), reference(protocol));
    if let Some(series) = results.find("3 KB", Whose::Mutate, protocol, 1) {
        let floor = results.find("3 KB", Whose::Floor, protocol, 1);
        let parts = [(0.5, "p50", 0.15, reference.alone.0), (0.99, "p99", 0.5, reference.alone.1)];
        for (share, share_name, bound, reference) in parts {
            let what = format!("3 KB /mutate, {name}, one at a time, {share_name}");
            let limit = Limit::at_most(what, "ms", 3, series.quantile(share), bound);
            limits.push(limit.beside(reference, floor.map(|floor| floor.quantile(share))));
        }
    }
    let floor = results.find("3 KB", Whose::Floor, protocol, 16);
    for whose in [Whose::Mutate, Whose::Validate] {
        let Some(series) = results.find("3 KB", whose, protocol, 16) else { continue };
        let what = format!("3 KB {}, {name}, 16 at once", whose.name());
        if let Some(handler) = &series.handler {
            limits.push(Limit::at_most(format!("{what}, handler p99"), "µs", 0, handler.within(0.99), 50.0));
        }
        let rate = Limit::at_most(format!("{what}, answers"), "/s", 0, series.measured.rate(), 25_000.0);
        let rate = Limit { at_least: true, ..rate };
        limits.push(rate.beside(reference.many.0, floor.map(|floor| floor.measured.rate())));
        let used = series.measured.processor_per_request();
        let used = Limit::at_most(format!("{what}, CPU"), "µs", 1, used, 30.0);
        limits.push(used.beside(reference.many.1, floor.map(|floor| floor.measured.processor_per_request())));
    }
}

/// Objects and releases of 1 MB over one protocol.
fn large(results: &Results, protocol: Protocol, limits: &mut Vec<Limit>) {
    let name = protocol.name();
    for body in ["1 MB dense Job", "1 MB dense CRD"] {
        let Some(series) = results.find(body, Whose::Validate, protocol, 1) else { continue };
        let floor = results.find(body, Whose::Floor, protocol, 1).map(|floor| floor.quantile(0.99));
        let limit = Limit::at_most(format!("{body}, {name}, p99"), "ms", 1, series.quantile(0.99), 10.0);
        limits.push(limit.beside(reference(protocol).large, floor));
    }
    if let Some(series) = results.find("1 MB release", Whose::Release, protocol, 1) {
        let what = format!("1 MB release at the gate, {name}, p99");
        limits.push(Limit::at_most(what, "ms", 1, series.quantile(0.99), 60.0).because(GATE));
    }
}

/// Start and memory of the server.
fn process(results: &Results, limits: &mut Vec<Limit>) {
    if let Some(middle) = results.starts.get(results.starts.len() / 2) {
        limits.push(Limit::at_most("start to ready without a cluster, p50", "ms", 1, *middle, 50.0));
        limits.push(Limit::at_most("memory, idle", "MB", 1, mebibytes(results.memory.0), 25.0));
    }
    if results.soak.0 > 0.0 {
        let what = format!("memory after {} min of mixed load", results.soak.0);
        limits.push(Limit::at_most(what, "MB", 1, mebibytes(results.memory.1), 40.0).because(SOAK));
    }
}

fn checks(results: &Results, limits: &mut Vec<Limit>) {
    for (what, check) in &results.checks {
        let is_corpus = what.contains("corpus");
        let bound = if is_corpus { 100.0 } else { 500.0 };
        limits.push(Limit::at_most(format!("check of {what}, two cores"), "ms", 0, check.wall, bound));
        if is_corpus {
            limits.push(Limit::at_most(
                format!("check of {what}, memory"),
                "MB",
                1,
                mebibytes(check.memory),
                60.0,
            ));
        }
    }
}

fn simulations(results: &Results, limits: &mut Vec<Limit>) {
    if let Some(plan) = results.plan {
        let what = format!("plan of a release with {} hooks", plan::HOOKS);
        limits.push(Limit::at_most(what, "ms", 1, plan.wall, 5.0));
    }
    if let Some(scenarios) = results.scenarios {
        let what = format!("{} random scenarios simulated, one core", plan::SCENARIOS);
        limits.push(Limit::at_most(what, "s", 1, scenarios.seconds, 10.0));
    }
}

fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Measured with a profiler: half of the time is the reading of 3 MB of YAML, a quarter that of the record.
const GATE: &str = "reading 3 MB of YAML is half of it, decoding the record a quarter";
/// Measured with and without: the allocator keeps what the largest request needed.
const SOAK: &str = "the allocator keeps what release records needed; MIMALLOC_PURGE_DELAY=0 gives it back";
/// Measured: without a repair, the same webhooks stay within the bound.
const CLUSTER: &str =
    "an empty webhook repairs nothing; the API server applies the patch and reads the object again";

impl Series {
    /// See [`super::load::Times::quantile`].
    fn quantile(&self, share: f64) -> f64 {
        self.measured.times.first().map_or(f64::NAN, |times| times.quantile(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(measured: f64, floor: f64) -> Kept {
        Limit::at_most("x", "ms", 1, measured, 10.0).beside(2.0, Some(floor)).judged().kept
    }

    #[test]
    fn a_bound_holds_as_it_stands_and_as_a_ratio() {
        assert_eq!(kept(9.0, 2.0), Kept::Yes);
        assert_eq!(kept(15.0, 4.0), Kept::OnlyAsRatio);
        assert_eq!(kept(9.0, 1.0), Kept::OnlyAsIs);
        assert_eq!(kept(15.0, 2.0), Kept::No);
    }

    #[test]
    fn without_a_floor_it_holds_as_it_stands() {
        assert_eq!(Limit::at_most("x", "ms", 1, 9.0, 10.0).judged().kept, Kept::Yes);
        assert_eq!(Limit::at_most("x", "ms", 1, 11.0, 10.0).judged().kept, Kept::No);
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        assert_eq!(kept(f64::NAN, 1.0), Kept::No);
    }
}
