//! All metrics, with every label set resolved at the start: counting costs an index and an atomic addition.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
    core::Collector,
};

mod labels;

pub use labels::{Decision, Operation, Path, Reason};
use policies::Mode;

/// Upper bounds of the time buckets, in seconds: from a small hook to the largest release record.
const BUCKETS: [f64; 16] = [
    10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 500e-3,
    2.0, 10.0,
];

/// Modes that a finding can have.
const MODES: [Mode; 3] = [Mode::Audit, Mode::Warn, Mode::Deny];

/// The metrics of one server.
pub struct Metrics {
    registry: Registry,
    requests: Vec<IntCounter>,
    durations: Vec<Histogram>,
    late: Vec<IntCounter>,
    rejected: Vec<IntCounter>,
    rules: Vec<OfRule>,
    pub(crate) handshake_failures: IntCounter,
    pub(crate) accept_errors: IntCounter,
    pub(crate) undecodable_records: IntCounter,
    pub(crate) unreadable_documents: IntCounter,
    pub(crate) connections: IntGauge,
    certificate_expiry: IntGauge,
    policy_generation: IntGauge,
    exceptions_expiring: IntGauge,
    ready: IntGauge,
    expiry: OnceLock<Box<Expiry>>,
}

type Expiry = dyn Fn() -> Option<i64> + Send + Sync;

/// What is counted for one rule.
struct OfRule {
    id: &'static str,
    findings: [IntCounter; MODES.len()],
    fixes: IntCounter,
    exceptions: IntCounter,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics for the rules called `ids`, all at zero.
    ///
    /// # Panics
    /// Never: names and labels are fixed, and each is registered once in a registry of its own.
    #[must_use]
    pub fn new(ids: impl IntoIterator<Item = &'static str>) -> Self {
        let registry = Registry::new();
        start_time(&registry);
        Self {
            requests: requests(&registry),
            durations: durations(&registry),
            late: late(&registry),
            rejected: rejected(&registry),
            rules: OfRule::all(&registry, ids),
            handshake_failures: counter(
                &registry,
                "hookward_tls_handshake_failures_total",
                "TLS handshakes that failed: a caller that does not trust the certificate shows up only here.",
            ),
            accept_errors: counter(
                &registry,
                "hookward_accept_errors_total",
                "Connections the system did not hand over.",
            ),
            undecodable_records: counter(
                &registry,
                "hookward_release_records_undecodable_total",
                "Release records that could not be decoded and were let through.",
            ),
            unreadable_documents: counter(
                &registry,
                "hookward_release_documents_unreadable_total",
                "Documents of release records that were left out of the judgement because they could not be read.",
            ),
            connections: gauge(&registry, "hookward_connections", "Open connections on the TLS port."),
            certificate_expiry: gauge(
                &registry,
                "hookward_certificate_expiry_seconds",
                "Seconds until the certificate in use expires; negative when it has.",
            ),
            policy_generation: gauge(
                &registry,
                "hookward_policy_generation",
                "Generation of the policies in force.",
            ),
            exceptions_expiring: gauge(
                &registry,
                "hookward_exceptions_expiring",
                "Exceptions in force that expire within seven days.",
            ),
            ready: gauge(&registry, "hookward_ready", "1 while this replica may be sent requests, else 0."),
            expiry: OnceLock::new(),
            registry,
        }
    }

    /// Counts one answered review.
    pub fn answered(&self, path: Path, operation: Operation, decision: Decision, took: Duration) {
        let index = (path as usize * Operation::ALL.len() + operation as usize) * Decision::ALL.len()
            + decision as usize;
        self.requests[index].inc();
        self.durations[path as usize].observe(took.as_secs_f64());
    }

    /// Counts one answer for which little time was left.
    pub(crate) fn late(&self, path: Path) {
        self.late[path as usize].inc();
    }

    /// Counts one request that got an HTTP error.
    pub fn rejected(&self, reason: Reason) {
        self.rejected[reason as usize].inc();
    }

    /// Counts one finding; a rule that was not named at the start is not counted.
    pub fn found(&self, rule: &str, mode: Mode) {
        let mode = MODES.iter().position(|known| *known == mode);
        if let (Some(rule), Some(mode)) = (self.rule(rule), mode) {
            rule.findings[mode].inc();
        }
    }

    /// Counts one repaired object.
    pub fn fixed(&self, rule: &str) {
        if let Some(rule) = self.rule(rule) {
            rule.fixes.inc();
        }
    }

    /// Counts one finding that an exception covered.
    pub fn excepted(&self, rule: &str) {
        if let Some(rule) = self.rule(rule) {
            rule.exceptions.inc();
        }
    }

    /// Says how the seconds until the certificate expires are found out; asked whenever metrics are read. Only the first call counts.
    pub fn watch_expiry(&self, seconds_left: impl Fn() -> Option<i64> + Send + Sync + 'static) {
        // A second watcher would watch the same certificate.
        let _ = self.expiry.set(Box::new(seconds_left));
    }

    /// Says which generation of the policies is in force.
    pub(crate) fn policy_generation(&self, generation: i64) {
        self.policy_generation.set(generation);
    }

    /// Says how many exceptions expire within seven days.
    pub(crate) fn exceptions_expiring(&self, count: i64) {
        self.exceptions_expiring.set(count);
    }

    /// The registry, for collectors of others; names that begin with `hookward_` and are shown here are taken.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Says whether this replica may be sent requests.
    pub(crate) fn ready(&self, is_ready: bool) {
        self.ready.set(is_ready.into());
    }

    /// The text format of Prometheus.
    #[must_use]
    pub fn render(&self) -> String {
        if let Some(seconds) = self.expiry.get().and_then(|seconds_left| seconds_left()) {
            self.certificate_expiry.set(seconds);
        }
        let mut text = String::new();
        // Our own label values are plain words, and writing to a String cannot fail.
        let _ = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text);
        text
    }

    fn rule(&self, id: &str) -> Option<&OfRule> {
        self.rules.iter().find(|rule| rule.id == id)
    }
}

impl OfRule {
    fn all(registry: &Registry, ids: impl IntoIterator<Item = &'static str>) -> Vec<Self> {
        let findings =
            counters(registry, "hookward_findings_total", "Findings, by rule and mode.", &["rule", "mode"]);
        let fixes = counters(registry, "hookward_fixes_total", "Objects repaired, by rule.", &["rule"]);
        let exceptions = counters(
            registry,
            "hookward_exceptions_used_total",
            "Findings that an exception covered, by rule.",
            &["rule"],
        );
        let of_rule = |id| Self {
            id,
            findings: MODES.map(|mode| findings.with_label_values(&[id, mode.name()])),
            fixes: fixes.with_label_values(&[id]),
            exceptions: exceptions.with_label_values(&[id]),
        };
        ids.into_iter().map(of_rule).collect()
    }
}

/// In the order in which [`Metrics::answered`] looks them up: path, operation, decision.
fn requests(registry: &Registry) -> Vec<IntCounter> {
    let family = counters(
        registry,
        "hookward_admission_requests_total",
        "Reviews answered.",
        &["path", "operation", "decision"],
    );
    let mut children = Vec::with_capacity(Path::ALL.len() * Operation::ALL.len() * Decision::ALL.len());
    for path in Path::ALL {
        for operation in Operation::ALL {
            let child = |decision: Decision| {
                family.with_label_values(&[path.name(), operation.name(), decision.name()])
            };
            children.extend(Decision::ALL.map(child));
        }
    }
    children
}

/// By path, since a release record takes a thousand times as long as a hook: together, neither could be seen.
fn durations(registry: &Registry) -> Vec<Histogram> {
    let help = "Time from a complete request to its answer.";
    let options = HistogramOpts::new("hookward_admission_duration_seconds", help).buckets(BUCKETS.to_vec());
    let family = registered(registry, HistogramVec::new(options, &["path"]));
    Path::ALL.iter().map(|path| family.with_label_values(&[path.name()])).collect()
}

fn late(registry: &Registry) -> Vec<IntCounter> {
    let help = "Reviews answered in the last fifth of the time there was.";
    let family = counters(registry, "hookward_admission_late_total", help, &["path"]);
    Path::ALL.iter().map(|path| family.with_label_values(&[path.name()])).collect()
}

fn rejected(registry: &Registry) -> Vec<IntCounter> {
    let help = "Requests answered with an HTTP error, by reason.";
    let family = counters(registry, "hookward_requests_rejected_total", help, &["reason"]);
    Reason::ALL.iter().map(|reason| family.with_label_values(&[reason.name()])).collect()
}

/// A replica that starts again and again loses its other metrics each time: only this one tells how often.
fn start_time(registry: &Registry) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    gauge(registry, "hookward_start_time_seconds", "When this replica started, in seconds since 1970.")
        .set(i64::try_from(since.as_secs()).unwrap_or_default());
}

fn registered<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("names and labels of metrics are fixed and valid");
    registry.register(Box::new(collector.clone())).expect("each metric is registered once");
    collector
}

fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    registered(registry, IntCounter::new(name, help))
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(registry, IntCounterVec::new(Opts::new(name, help), labels))
}

fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    registered(registry, IntGauge::new(name, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shows(metrics: &Metrics, line: &str) {
        let text = metrics.render();
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }

    #[test]
    fn each_answer_lands_in_its_own_counter() {
        let metrics = Metrics::new([]);
        metrics.answered(Path::Mutate, Operation::Create, Decision::Patched, Duration::from_micros(20));
        metrics.answered(Path::Release, Operation::Other, Decision::Undecodable, Duration::ZERO);
        shows(
            &metrics,
            r#"hookward_admission_requests_total{decision="patched",operation="create",path="mutate"} 1"#,
        );
        shows(
            &metrics,
            r#"hookward_admission_requests_total{decision="undecodable",operation="other",path="release"} 1"#,
        );
        shows(
            &metrics,
            r#"hookward_admission_requests_total{decision="denied",operation="create",path="mutate"} 0"#,
        );
        shows(&metrics, r#"hookward_admission_duration_seconds_bucket{path="mutate",le="0.00001"} 0"#);
        shows(&metrics, r#"hookward_admission_duration_seconds_bucket{path="mutate",le="0.000025"} 1"#);
    }

    #[test]
    fn every_rejection_has_a_counter_of_its_own() {
        let metrics = Metrics::new([]);
        for reason in Reason::ALL {
            metrics.rejected(reason);
        }
        for reason in Reason::ALL {
            shows(&metrics, &format!("hookward_requests_rejected_total{{reason=\"{}\"}} 1", reason.name()));
        }
    }

    #[test]
    fn findings_fixes_and_exceptions_are_counted_by_rule() {
        let metrics = Metrics::new(["job-suspended"]);
        metrics.found("job-suspended", Mode::Deny);
        metrics.fixed("job-suspended");
        metrics.excepted("job-suspended");
        metrics.found("written by a stranger", Mode::Deny);
        shows(&metrics, r#"hookward_findings_total{mode="deny",rule="job-suspended"} 1"#);
        shows(&metrics, r#"hookward_fixes_total{rule="job-suspended"} 1"#);
        shows(&metrics, r#"hookward_exceptions_used_total{rule="job-suspended"} 1"#);
        assert!(!metrics.render().contains("stranger"));
    }

    #[test]
    fn the_expiry_is_asked_for_when_it_is_read() {
        let metrics = Metrics::new([]);
        metrics.watch_expiry(|| Some(-7));
        shows(&metrics, "hookward_certificate_expiry_seconds -7");
    }

    #[test]
    fn gauges_show_what_they_were_told() {
        let metrics = Metrics::new([]);
        metrics.policy_generation(3);
        metrics.exceptions_expiring(2);
        shows(&metrics, "hookward_policy_generation 3");
        shows(&metrics, "hookward_exceptions_expiring 2");
        shows(&metrics, "hookward_connections 0");
        shows(&metrics, "hookward_tls_handshake_failures_total 0");
    }
}
