//! One file per command.

pub mod certs;
pub mod check;
pub mod completions;
pub mod diagnose;
pub mod plan;
pub mod probe;
pub mod rollout;
pub mod rules;
pub mod serve;
pub mod try_release;
