//! The admin port: whether the server lives, whether it should be sent requests, and what it has counted.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, StatusCode, header};

use policies::exception::Exception;

use crate::{app::App, review};

/// In seconds: how long before its end an exception counts as expiring.
const WEEK: i64 = 7 * 24 * 60 * 60;

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
    let policies = app.policies.load();
    app.metrics.policy_generation(i64::try_from(policies.generation()).unwrap_or(i64::MAX));
    let now = review::now();
    let expiring = |exception: &&Exception| (now..now + WEEK).contains(&exception.expires_at);
    let count = policies.exceptions().iter().filter(expiring).count();
    app.metrics.exceptions_expiring(i64::try_from(count).unwrap_or(i64::MAX));
    app.metrics.ready(app.ready.is_ready());
    let mut response = app.metrics.render().into_response();
    let format = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, format);
    response
}

#[cfg(test)]
mod tests {
    use policies::{PolicySet, Profile, exception::ExceptionSpec};

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
    async fn metrics_say_whether_it_is_ready() {
        let app = testing::app();
        let policies = app.ready.wait_for(Part::Policies);
        let (_, text) = testing::fetch(routes(Arc::clone(&app)), "/metrics").await;
        assert!(text.contains("\nhookward_ready 0\n"), "{text}");
        drop(policies);
        let (_, text) = testing::fetch(routes(app), "/metrics").await;
        assert!(text.contains("\nhookward_ready 1\n"), "{text}");
    }

    #[tokio::test]
    async fn exceptions_are_announced_a_week_before_their_end() {
        let exception = |days: i64| Exception {
            name: "shop".into(),
            spec: ExceptionSpec {
                rules: vec!["*".into()],
                namespaces: vec!["shop".into()],
                kinds: Vec::new(),
                names: Vec::new(),
                reason: "a reason".into(),
                expires_at: String::new(),
                requested_by: None,
                changed_by: None,
                authors: Vec::new(),
            },
            expires_at: review::now() + days * 24 * 60 * 60,
        };
        let exceptions = [-1, 1, 6, 8].map(exception).to_vec();
        let app = testing::app();
        app.policies.store(Arc::new(PolicySet::new(Vec::new(), exceptions, Profile::Baseline, 7).unwrap()));
        let (_, text) = testing::fetch(routes(app), "/metrics").await;
        assert!(text.contains("\nhookward_exceptions_expiring 2\n"), "{text}");
        assert!(text.contains("\nhookward_policy_generation 7\n"), "{text}");
    }
}
