//! The server's life in a cluster: policies and exceptions by watch, leader, registration, certificate Secret, Events.

mod bucket;
mod changed;
pub mod client;
pub mod crd;
pub mod diagnose;
pub mod events;
mod exceptions;
mod guard;
pub mod leader;
pub mod metrics;
pub mod namespaces;
mod policies;
pub mod registration;
pub mod releases;
mod resource;
mod said;
pub mod secret;
pub mod set;
mod status;
#[cfg(test)]
mod testing;
mod watching;

pub use kube::Client;
pub use leader::Leader;
pub use metrics::Metrics;
pub use namespaces::Namespaces;
pub use registration::Registration;
pub use secret::SecretFile;
pub use set::{Options, Synced, Watched};
