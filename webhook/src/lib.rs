//! The server: TLS listener, routes, review to verdict to response, the release gate, and the admin port.
//!
//! A review travels `listener` → `routes` → `review` → the hook's annotations → `policies::evaluate` → the rules → `response`.

pub mod admin;
mod app;
pub mod args;
mod body;
mod connection;
pub mod drain;
mod duration;
mod guard;
pub mod listener;
pub mod metrics;
mod patience;
mod ready;
mod refusal;
mod release_gate;
mod response;
mod review;
mod routes;
#[cfg(test)]
mod testing;
pub mod tls;
mod wire;
mod wording;

pub use app::{App, Limits};
pub use args::Args;
pub use drain::{Drain, Stage};
pub use guard::log_panics;
pub use listener::{Bound, Outcome};
pub use metrics::Metrics;
pub use ready::{Handle, Part, Readiness};
pub use refusal::Refusal;
pub use routes::routes;
