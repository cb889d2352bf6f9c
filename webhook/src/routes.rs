//! The paths, and the limits on size, time and number that hold before anything is read.
//!
//! # Which object is judged
//!
//! A JSON text can name a member twice, and readers differ in which one counts. Ours cannot be made to judge another object than
//! the API server stores: a duplicate in the envelope is an error (400), and inside an object the last one counts and names keep
//! their case, which is how the API server's own decoder (sigs.k8s.io/json) reads. The API server sends what it has decoded, not
//! what its client wrote, so both cases only ever come from somebody else.

use std::{future::Future, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::post,
};
use hooks::duration;
use http::{HeaderValue, header};
use tokio::time::timeout;

use crate::{app::App, body, deadline::Deadline, guard, metrics::Path, refusal::Refusal, review};

/// What the API server waits for a webhook unless told otherwise; it always says, others may not.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest it can be told to wait.
const LONGEST: Duration = Duration::from_secs(30);

/// The routes of the TLS port.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .route("/release", post(release))
        .route("/policy", post(policy))
        .route("/policy/stamp", post(stamp))
        .fallback(async |State(app): State<Arc<App>>| refuse(&app, Refusal::UnknownPath))
        .method_not_allowed_fallback(async |State(app): State<Arc<App>>| refuse(&app, Refusal::Method))
        .with_state(app)
}

async fn mutate(State(app): State<Arc<App>>, request: Request) -> Response {
    admit(app, Path::Mutate, request).await
}

async fn validate(State(app): State<Arc<App>>, request: Request) -> Response {
    admit(app, Path::Validate, request).await
}

async fn release(State(app): State<Arc<App>>, request: Request) -> Response {
    admit(app, Path::Release, request).await
}

async fn policy(State(app): State<Arc<App>>, request: Request) -> Response {
    admit(app, Path::Policy, request).await
}

async fn stamp(State(app): State<Arc<App>>, request: Request) -> Response {
    admit(app, Path::Stamp, request).await
}

async fn admit(app: Arc<App>, path: Path, request: Request) -> Response {
    let limit = time_to_answer(request.uri().query());
    let deadline = Deadline::after(limit);
    let work = async {
        let is_ours = matches!(path, Path::Policy | Path::Stamp);
        // Of our own objects those that need no others are judged at any time: the first policy may come before there is one.
        if !is_ours && !app.ready.can_judge() {
            return Err(Refusal::NotReady);
        }
        let whole = body::read(request, &app.limits).await?;
        // Only now: a body that is slow to come takes memory, and nobody's turn.
        let _turn = app.limits.requests.try_acquire().map_err(|_| Refusal::Overloaded)?;
        review::answer(&app, path, whole, deadline).await
    };
    let response = answer(&app, limit, work).await;
    if response.status().is_success() && deadline.left() < limit / 5 {
        app.metrics.late(path);
    }
    response
}

/// Turns the outcome of `work` into a response: 503 when it takes longer than `limit`, or panics.
async fn answer(
    app: &App,
    limit: Duration,
    work: impl Future<Output = Result<Vec<u8>, Refusal>>,
) -> Response {
    match timeout(limit, guard::guarded(work)).await {
        Ok(Some(Ok(review))) => {
            let mut response = Response::new(Body::from(review));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Ok(Some(Err(refusal))) => refuse(app, refusal),
        Ok(None) => refuse(app, Refusal::Panic),
        Err(_) => refuse(app, Refusal::Deadline),
    }
}

fn refuse(app: &App, refusal: Refusal) -> Response {
    app.metrics.rejected(refusal.reason());
    tracing::debug!(reason = refusal.reason().name(), "a request was not judged");
    refusal.into_response()
}

/// Four fifths of `timeout=10s` in the query: an answer that comes too late is worth nothing.
fn time_to_answer(query: Option<&str>) -> Duration {
    let asked = query.unwrap_or("").split('&').find_map(|pair| pair.strip_prefix("timeout="));
    let patience = asked.and_then(duration::parse).filter(|asked| !asked.is_zero()).unwrap_or(PATIENCE);
    patience.min(LONGEST) * 4 / 5
}

#[cfg(test)]
mod tests;
