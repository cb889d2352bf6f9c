//! What tests of several modules share.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use arc_swap::ArcSwap;
use axum::{Router, body::Body};
use bytes::Bytes;
use hooks::annotations::HOOK;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Frame;
use policies::{PolicySet, Profile};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower::ServiceExt;

use crate::{App, Drain, Limits};

pub(crate) mod log;
pub(crate) mod surroundings;
pub(crate) mod tls;

/// The shipped policies under `baseline`.
pub(crate) fn app() -> Arc<App> {
    app_with(Limits::default())
}

pub(crate) fn app_with(limits: Limits) -> Arc<App> {
    Arc::new(app_draining(limits, Drain::default()))
}

pub(crate) fn app_draining(limits: Limits, drain: Drain) -> App {
    App::new(Arc::new(ArcSwap::from_pointee(PolicySet::shipped(Profile::Baseline))), drain, limits)
}

/// Status and text of a GET.
pub(crate) async fn fetch(router: Router, path: &str) -> (u16, String) {
    let response = router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    (response.status().as_u16(), text(response).await)
}

/// A POST of JSON.
pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("content-type", "application/json").body(body.into()).unwrap()
}

/// A body that comes when it is told to.
pub(crate) struct Fed(mpsc::UnboundedReceiver<Bytes>);

impl Fed {
    /// The hand that feeds it, and the body; it ends with the hand.
    pub(crate) fn pair() -> (mpsc::UnboundedSender<Bytes>, Body) {
        let (feed, pieces) = mpsc::unbounded_channel();
        (feed, Body::new(Self(pieces)))
    }
}

impl hyper::body::Body for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// The text of a response.
pub(crate) async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// A review of the CREATE of `object`, with `changes` merged into its request.
pub(crate) fn review(object: &Value, changes: &Value) -> Value {
    let mut request = json!({
        "uid": "6c1d4bd5", "operation": "CREATE", "namespace": "shop", "name": "migrate", "dryRun": false,
        "kind": {"group": "batch", "version": "v1", "kind": "Job"},
        "resource": {"group": "batch", "version": "v1", "resource": "jobs"},
        "userInfo": {"username": "helm", "groups": ["system:authenticated"]},
        "object": object, "oldObject": null, "options": {"kind": "CreateOptions", "fieldManager": "helm"},
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
}

/// A hook Job with this spec.
pub(crate) fn job(spec: &Value) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "migrate", "namespace": "shop", "annotations": {(HOOK): "pre-upgrade"}},
        "spec": spec,
    })
}

/// What comes back for `review`: the `response` of the answer.
pub(crate) async fn answer(app: &Arc<App>, path: &str, review: &Value) -> Value {
    // As long as can be: what is tested is not how fast this machine is.
    let request = post(&format!("{path}?timeout=30s"), review.to_string());
    let response = crate::routes(Arc::clone(app)).oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let review: Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(
        (&review["apiVersion"], &review["kind"]),
        (&json!("admission.k8s.io/v1"), &json!("AdmissionReview"))
    );
    assert_eq!(review["response"]["uid"], "6c1d4bd5");
    review["response"].clone()
}
