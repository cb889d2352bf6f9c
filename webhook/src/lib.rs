//! The server: TLS listener, routes, review to verdict to response, the release gate, and the admin port.
//!
//! A review travels `listener` → `routes` → `review` → the hook's annotations → `policies::evaluate` → the rules → `response`.

pub mod admin;
mod app;
pub mod args;
mod body;
mod budget;
mod connection;
mod deadline;
pub mod drain;
mod guard;
pub mod listener;
mod memory;
pub mod metrics;
mod patience;
mod policy;
mod ready;
mod refusal;
mod release_gate;
mod response;
mod review;
mod routes;
mod size;
pub mod surroundings;
#[cfg(test)]
mod testing;
pub mod tls;
mod wire;
mod wording;

use std::sync::Arc;

pub use app::{App, Limits};
pub use args::Args;
pub use budget::Work;
pub use drain::{Drain, Stage};
pub use guard::log_panics;
pub use listener::{Bound, Outcome};
pub use metrics::Metrics;
pub use ready::{Handle, Part, Readiness};
pub use refusal::Refusal;
pub use routes::routes;
pub use surroundings::Surroundings;

/// Serves reviews until `drain` has run its course, and the admin port as long as that.
pub async fn serve(reviews: Bound, admin: Bound, app: Arc<App>, drain: Drain) -> Outcome {
    let admin_drain = Drain::default();
    let beside = admin.serve(admin::routes(Arc::clone(&app)), Arc::clone(&app.metrics), admin_drain.clone());
    let metrics = Arc::clone(&app.metrics);
    let reviews = async {
        let outcome = reviews.serve(routes(app), metrics, drain).await;
        admin_drain.raise(Stage::Ended);
        outcome
    };
    tokio::join!(reviews, beside).0
}
