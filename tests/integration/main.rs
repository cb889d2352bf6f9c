//! The integration tests: one binary, one module per layer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "where a helper of a test fails, the test has failed")]
#![allow(
    clippy::print_stderr,
    reason = "what was measured, and what could not be run, is told to whoever runs the tests"
)]

/// The house: import edges, budgets, purity, where names are spelled.
mod architecture;
/// The Helm chart.
mod chart;
/// The command line.
mod cli;
/// The simulation of a release, beside the real one.
mod conformance;
/// The pages name only what exists.
mod docs;
/// Real Helm on a real control plane.
mod e2e;
/// Generated files are fresh.
mod generated;
/// The container image and the Dockerfile.
mod image;
/// Alerts and dashboard.
mod monitoring;
/// Real pods on a real node.
mod node;
/// The YAML reader against the one that Helm uses.
mod yaml_go;
