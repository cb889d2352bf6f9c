//! The admin port: whether the server lives, whether it should be sent requests, and what it has counted.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use crate::app::App;

/// The routes of the admin port.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app)
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    let status = if app.ready.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, app.ready.describe() + "\n").into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.metrics.policy_generation(i64::try_from(app.policies.load().generation()).unwrap_or(i64::MAX));
    let mut response = app.metrics.render().into_response();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, format);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ready::Part, testing};

    #[tokio::test]
    async fn ready_when_every_part_is() {
        let app = testing::app();
        let policies = app.ready.wait_for(Part::Policies);
        assert_eq!(
            testing::fetch(routes(Arc::clone(&app)), "/readyz").await,
            (503, "waiting for policies\n".to_owned())
        );
        drop(policies);
        assert_eq!(testing::fetch(routes(app), "/readyz").await, (200, "ok\n".to_owned()));
    }

    #[tokio::test]
    async fn alive_even_when_not_ready() {
        let app = testing::app();
        let _policies = app.ready.wait_for(Part::Policies);
        assert_eq!(testing::fetch(routes(app), "/livez").await, (200, "ok\n".to_owned()));
    }

    #[tokio::test]
    async fn metrics_show_the_generation_in_force() {
        let (status, text) = testing::fetch(routes(testing::app()), "/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("\nhookward_policy_generation 0\n"), "{text}");
    }
}
