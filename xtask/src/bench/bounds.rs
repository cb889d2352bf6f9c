//! The bounds that Hookward is held to, and whether this run kept them.

use super::{
    client::Protocol,
    load::Times,
    results::{Results, Series, Whose},
};

/// Processor time per answer of the floor on the machine the bounds were set on, 16 in flight, in microseconds.
const REFERENCE: [(Protocol, f64); 2] = [(Protocol::Http1, 12.1), (Protocol::Http2, 8.3)];

/// One bound and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    /// What is bounded.
    pub(super) what: String,
    /// The bound, with its unit.
    pub(super) bound: String,
    /// What was measured, with its unit.
    pub(super) measured: String,
    /// The same bound on a machine as fast as this one, where the floor tells.
    pub(super) here: String,
    /// Whether it was kept, as is or as a ratio to the floor.
    pub(super) kept: Kept,
    /// What makes it slow, for the case that it was missed.
    pub(super) why: &'static str,
}

/// Whether a bound was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// As it stands.
    Yes,
    /// Only when the speed of this machine, as the floor shows it, is taken into account.
    AsRatio,
    /// Neither.
    No,
}

/// A value that must not be above, or below, a limit.
struct Limit {
    what: String,
    unit: &'static str,
    digits: usize,
    measured: f64,
    bound: f64,
    at_least: bool,
    factor: Option<f64>,
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
        Self { what: what.into(), unit, digits, measured, bound, at_least: false, factor: None, why: "" }
    }

    /// `factor` is how much slower than the reference this machine is.
    fn on_machine(self, factor: Option<f64>) -> Self {
        Self { factor, ..self }
    }

    fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    fn judged(self) -> Judged {
        let keeps = |bound: f64| if self.at_least { self.measured >= bound } else { self.measured <= bound };
        let here =
            self.factor.map(|factor| if self.at_least { self.bound / factor } else { self.bound * factor });
        let kept = match here {
            _ if keeps(self.bound) => Kept::Yes,
            Some(here) if keeps(here) => Kept::AsRatio,
            _ => Kept::No,
        };
        let (unit, digits) = (self.unit, self.digits);
        let sign = if self.at_least { '≥' } else { '≤' };
        let shown = |value: f64| format!("{value:.digits$} {unit}");
        Judged {
            bound: format!("{sign} {}", shown(self.bound)),
            measured: shown(self.measured),
            here: here.map_or_else(|| "–".to_owned(), |here| format!("{sign} {}", shown(here))),
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
        if let Some(series) = results.find("1 MB dense Job", Whose::Validate, protocol, 1) {
            let what = format!("1 MB dense object, {}, p99", protocol.name());
            limits.push(
                Limit::at_most(what, "ms", 1, late(series), 10.0).on_machine(factor(results, protocol)),
            );
        }
    }
    for (name, protocol) in Protocol::ALL.map(|protocol| (protocol.name(), protocol)) {
        if let Some(series) = results.find("1 MB release", Whose::Release, protocol, 1) {
            let what = format!("release gate, 1 MB Secret, {name}, p99");
            limits.push(
                Limit::at_most(what, "ms", 1, late(series), 60.0).on_machine(factor(results, protocol)),
            );
        }
    }
    for beside in &results.beside {
        let what = format!("3 KB beside {}, p99", beside.large);
        let late = beside.measured.times.first().map_or(f64::NAN, |times| times.quantile(0.99));
        limits.push(Limit::at_most(what, "ms", 2, late, 5.0).because(
            "server and clients share two cores with the kernel: a small request waits while a large one is decrypted and read",
        ));
    }
    rest(results, &mut limits);
    limits.into_iter().map(Limit::judged).collect()
}

/// The 3 KB hook over one protocol.
fn small(results: &Results, protocol: Protocol, limits: &mut Vec<Limit>) {
    let factor = factor(results, protocol);
    let name = protocol.name();
    let handler = |whose, senders| {
        results.find("3 KB", whose, protocol, senders).and_then(|series| series.handler.as_ref())
    };
    for (whose, senders) in [(Whose::Mutate, 16), (Whose::Validate, 16)] {
        if let Some(handler) = handler(whose, senders) {
            let what = format!("3 KB {}, {name}, {senders} in flight, handler p99", whose.name());
            limits.push(Limit::at_most(what, "µs", 0, handler.quantile(0.99), 50.0).on_machine(factor));
        }
    }
    if let Some(series) = results.find("3 KB", Whose::Mutate, protocol, 1) {
        let what = format!("3 KB /mutate, {name}, one at a time");
        let middle = series.measured.times.first().map_or(f64::NAN, |times| times.quantile(0.5));
        limits.push(Limit::at_most(format!("{what}, p50"), "ms", 2, middle, 0.15).on_machine(factor));
        limits.push(Limit::at_most(format!("{what}, p99"), "ms", 2, late(series), 0.5).on_machine(factor));
    }
    for whose in [Whose::Mutate, Whose::Validate] {
        let Some(series) = results.find("3 KB", whose, protocol, 16) else { continue };
        let what = format!("3 KB {}, {name}, 16 in flight", whose.name());
        let rate = Limit::at_most(format!("{what}, answers"), "/s", 0, series.measured.rate(), 25_000.0);
        limits.push(Limit { at_least: true, ..rate }.on_machine(factor));
        let processor = series.measured.processor_per_request();
        limits.push(Limit::at_most(format!("{what}, CPU"), "µs", 1, processor, 30.0).on_machine(factor));
    }
}

fn rest(results: &Results, limits: &mut Vec<Limit>) {
    let mebibytes = |kib: u64| kib as f64 / 1024.0;
    limits.push(Limit::at_most("memory, idle", "MB", 1, mebibytes(results.memory.0), 25.0));
    let what = format!("memory after {} min of mixed load", results.soak.0);
    limits.push(Limit::at_most(what, "MB", 1, mebibytes(results.memory.1), 40.0));
    let middle = results.starts.get(results.starts.len() / 2).copied().unwrap_or(f64::NAN);
    limits.push(Limit::at_most("start to ready without a cluster, p50", "ms", 1, middle, 50.0));
    for (what, check) in &results.checks {
        let bound = if what.contains("corpus") { 100.0 } else { 500.0 };
        limits.push(Limit::at_most(format!("check of {what}, two cores"), "ms", 0, check.wall, bound));
        if what.contains("corpus") {
            limits.push(Limit::at_most(
                format!("check of {what}, memory"),
                "MB",
                1,
                mebibytes(check.memory),
                60.0,
            ));
        }
    }
    if let Some(cluster) = results.cluster {
        let (floor, ours) =
            (cluster.floor.middle - cluster.none.middle, cluster.ours.middle - cluster.none.middle);
        let what = "through an API server, added p50, as a ratio to two empty webhooks";
        limits.push(Limit::at_most(what, "", 2, ours / floor, 1.2));
    }
}

fn late(series: &Series) -> f64 {
    series.measured.times.first().map_or(f64::NAN, |times: &Times| times.quantile(0.99))
}

/// How much slower than the reference this machine answers when there is nothing to do.
pub(super) fn factor(results: &Results, protocol: Protocol) -> Option<f64> {
    let (_, reference) = REFERENCE.iter().find(|(known, _)| *known == protocol)?;
    let floor = results.find("3 KB", Whose::Floor, protocol, 16)?;
    Some(floor.measured.processor_per_request() / reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(measured: f64, factor: f64) -> Kept {
        Limit::at_most("x", "ms", 1, measured, 10.0).on_machine(Some(factor)).judged().kept
    }

    #[test]
    fn a_slow_machine_is_no_excuse_for_more_than_its_slowness() {
        assert_eq!(kept(9.0, 1.0), Kept::Yes);
        assert_eq!(kept(15.0, 2.0), Kept::AsRatio);
        assert_eq!(kept(25.0, 2.0), Kept::No);
    }

    #[test]
    fn a_fast_machine_makes_no_bound_stricter() {
        assert_eq!(kept(9.0, 0.5), Kept::Yes);
    }

    #[test]
    fn what_was_not_measured_is_not_kept() {
        assert_eq!(kept(f64::NAN, 1.0), Kept::No);
    }
}
