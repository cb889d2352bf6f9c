//! The integration tests: one binary, one module per layer.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

/// The house: import edges, budgets, purity, where names are spelled.
mod architecture;
/// The command line.
mod cli;
/// Real Helm on a real control plane.
mod e2e;
/// Generated files are fresh.
mod generated;
/// The YAML reader against the one that Helm uses.
mod yaml_go;
