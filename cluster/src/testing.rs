//! An API server that is a function: what it was asked is kept, what it answers is up to the test.

use std::sync::{Arc, Mutex};

use http::{Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tower::{BoxError, service_fn};

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    /// `GET`, `POST`, `PATCH` …
    pub(crate) method: String,
    /// The path without its query.
    pub(crate) path: String,
    /// The body; null when there is none.
    pub(crate) body: Value,
}

/// What was asked so far.
pub(crate) type Log = Arc<Mutex<Vec<Asked>>>;

/// A client whose requests `answer` answers, with a status and a body.
pub(crate) fn client(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> (Client, Log) {
    let (log, answer) = (Log::default(), Arc::new(answer));
    let kept = Arc::clone(&log);
    let serve = move |request: Request<Body>| {
        let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
        async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect_bytes().await?;
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            let asked = Asked { method: head.method.to_string(), path: head.uri.path().to_owned(), body };
            let (status, answer) = answer(&asked);
            kept.lock().unwrap().push(asked);
            Ok::<_, BoxError>(
                Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()))?,
            )
        }
    };
    (Client::new(service_fn(serve), "default"), log)
}

/// The same client, whose answers say this date.
pub(crate) fn with_date(client: &Client, date: &'static str) -> Client {
    let inner = client.clone();
    let serve = move |request: Request<Body>| {
        let client = inner.clone();
        async move {
            let mut answer = client.send(request).await?;
            answer.headers_mut().insert(http::header::DATE, http::HeaderValue::from_static(date));
            Ok::<_, BoxError>(answer)
        }
    };
    Client::new(service_fn(serve), "default")
}

/// The body of an answer that refuses.
pub(crate) fn refusal(code: u16, reason: &str) -> (u16, Value) {
    let message = format!("refused: {reason}");
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message, "code": code}),
    )
}
