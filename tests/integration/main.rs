//! The integration tests: one binary, one module per layer.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

/// The house: import edges, budgets, purity, where names are spelled.
mod architecture;
/// Generated files are fresh.
mod generated;
