//! Each HTTP status, and that no body can do worse than get one.

use std::{
    io,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Frame;
use proptest::{prelude::*, test_runner::Config};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::*;
use crate::{
    app::Limits,
    metrics::Reason,
    ready::Part,
    testing::{Fed, app, app_with, job, post, review, text},
};

const PATHS: [&str; 5] = ["/mutate", "/validate", "/release", "/policy", "/policy/stamp"];

async fn send(app: &Arc<App>, request: Request) -> (u16, String) {
    let response = routes(Arc::clone(app)).oneshot(request).await.unwrap();
    assert!(!response.headers().contains_key("retry-after"));
    (response.status().as_u16(), text(response).await)
}

#[track_caller]
fn counted(app: &App, reason: Reason) {
    let line = format!("hookward_requests_rejected_total{{reason=\"{}\"}} 1", reason.name());
    assert!(app.metrics.render().contains(&line), "{line}");
}

fn good() -> String {
    review(&job(&json!({})), &json!({})).to_string()
}

#[tokio::test]
async fn every_path_answers_a_review() {
    for path in PATHS {
        let response = routes(app()).oneshot(post(path, good())).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/json");
    }
}

#[tokio::test]
async fn only_post_is_heard() {
    let app = app();
    let request = Request::get("/mutate").body(Body::empty()).unwrap();
    let response = routes(Arc::clone(&app)).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "POST");
    assert_eq!(text(response).await, "send an AdmissionReview with POST\n");
    counted(&app, Reason::Method);
}

#[tokio::test]
async fn other_paths_are_not_there() {
    let app = app();
    assert_eq!(send(&app, post("/validate/", good())).await.0, 404);
    counted(&app, Reason::UnknownPath);
}

#[tokio::test]
async fn another_content_type_is_refused() {
    let app = app();
    let request = Request::post("/mutate").header("content-type", "text/plain").body(good().into()).unwrap();
    assert_eq!(send(&app, request).await, (415, "the content type must be application/json\n".to_owned()));
    counted(&app, Reason::ContentType);
}

#[tokio::test]
async fn too_large_a_body_is_refused_and_counted() {
    let app = app_with(Limits::new(1000, 8));
    assert_eq!(
        send(&app, post("/validate", "x".repeat(1001))).await,
        (413, "the body is larger than 1000 bytes\n".to_owned())
    );
    counted(&app, Reason::BodyTooLarge);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let app = app();
    let broken = Body::new(Broken);
    assert_eq!(
        send(&app, post("/validate", broken)).await,
        (400, "the body ended before it was whole\n".to_owned())
    );
    counted(&app, Reason::BodyTruncated);
}

/// A body whose connection is lost.
struct Broken;

impl hyper::body::Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }
}

#[tokio::test]
async fn what_is_no_review_is_refused_with_a_sentence() {
    let app = app();
    for (body, sentence) in [
        ("", "the JSON ends too early at line 1, column 0"),
        ("{\"kind\": \"Adm", "the JSON ends too early at line 1, column 13"),
        ("\0", "this is not JSON at line 1, column 1"),
        ("{}", "missing field `apiVersion` at line 1, column 2"),
    ] {
        let answer = send(&app, post("/validate", body)).await;
        assert_eq!(answer, (400, format!("this is no AdmissionReview: {sentence}\n")));
    }
    let truncated = &good()[..200];
    assert_eq!(send(&app, post("/validate", truncated.to_owned())).await.0, 400);
}

#[tokio::test]
async fn another_version_is_refused_with_a_sentence() {
    let app = app();
    let older = good().replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1");
    let answer = send(&app, post("/mutate", older)).await;
    assert_eq!(answer, (400, "only AdmissionReview in admission.k8s.io/v1 is understood\n".to_owned()));
    counted(&app, Reason::Version);
}

#[tokio::test]
async fn nesting_without_end_is_refused_and_nothing_overflows() {
    let app = app();
    let deep = "[".repeat(50_000);
    let inside = good().replace("\"spec\":{}", &format!("\"spec\":{deep}{}", "]".repeat(50_000)));
    for path in PATHS {
        for body in [deep.clone(), format!("{{\"request\":{deep}"), format!("{{\"extra\":{deep}")] {
            assert_eq!(send(&app, post(path, body)).await.0, 400);
        }
        // What is no object of ours is not even read where only those are judged.
        let ours = inside.replace("\"group\":\"batch\",\"kind\":\"Job\",\"version\":\"v1\"", OURS);
        assert!(ours.contains(OURS));
        assert_eq!(send(&app, post(path, ours)).await.0, 400);
    }
}

/// What the API server says of the kind of an exception.
const OURS: &str = "\"group\":\"hookward.dev\",\"kind\":\"HookException\",\"version\":\"v1alpha1\"";

#[tokio::test]
async fn text_that_is_not_utf8_is_refused() {
    let app = app();
    let mut body = good().into_bytes();
    let place = body.windows(7).position(|bytes| bytes == b"migrate").unwrap();
    body[place] = 0xff;
    assert_eq!(send(&app, post("/validate", body)).await.0, 400);
}

#[tokio::test]
async fn nul_and_any_script_are_only_text() {
    let app = app();
    let body = good().replace("migrate", "m\\u0000 Ж 日本 \u{202e}");
    assert_eq!(send(&app, post("/validate", body)).await.0, 200);
}

#[tokio::test]
async fn before_policies_are_read_nothing_is_judged() {
    let app = app();
    let policies = app.ready.wait_for(Part::Policies);
    assert_eq!(send(&app, post("/mutate", good())).await.0, 503);
    counted(&app, Reason::NotReady);
    drop(policies);
    assert_eq!(send(&app, post("/mutate", good())).await.0, 200);
}

#[tokio::test]
async fn more_at_once_than_allowed_is_refused() {
    let app = app_with(Limits::new(1 << 20, 1));
    let occupied = app.limits.requests.try_acquire().unwrap();
    assert_eq!(send(&app, post("/mutate", good())).await.0, 503);
    counted(&app, Reason::Overloaded);
    drop(occupied);
    assert_eq!(send(&app, post("/mutate", good())).await.0, 200);
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_request_too() {
    let app = app();
    let bug = async {
        assert!(PATHS.is_empty());
        Err(Refusal::NotReady)
    };
    let response = answer(&app, PATIENCE, bug).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    counted(&app, Reason::Panic);
    assert_eq!(send(&app, post("/mutate", good())).await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn the_answer_comes_before_the_caller_has_gone() {
    let app = app();
    let began = tokio::time::Instant::now();
    let (_feed, body) = Fed::pair();
    let response = send(&app, post("/mutate?timeout=5s", body)).await;
    assert_eq!(response, (503, "there was not enough time to judge the request\n".to_owned()));
    assert_eq!(began.elapsed(), Duration::from_secs(4));
    counted(&app, Reason::Deadline);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_leaves_little_time_is_counted() {
    let app = app();
    let (feed, body) = Fed::pair();
    let slow = tokio::spawn(routes(Arc::clone(&app)).oneshot(post("/mutate?timeout=5s", body)));
    // Of five seconds four are used, and of those four fifths are over.
    tokio::time::sleep(Duration::from_millis(3300)).await;
    feed.send(good().into()).unwrap();
    drop(feed);
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::OK);
    assert_eq!(send(&app, post("/mutate?timeout=5s", good())).await.0, 200);
    assert!(app.metrics.render().contains("hookward_admission_late_total{path=\"mutate\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = app();
    let began = tokio::time::Instant::now();
    let (_feed, body) = Fed::pair();
    let response = send(&app, post("/mutate?timeout=30s", body)).await;
    assert_eq!(response, (408, "the body did not arrive in time\n".to_owned()));
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    counted(&app, Reason::BodyTimeout);
}

#[tokio::test]
async fn a_body_that_does_not_come_takes_nobodys_turn() {
    let app = app_with(Limits::new(1 << 20, 1));
    let (feed, body) = Fed::pair();
    let stalled = tokio::spawn(routes(Arc::clone(&app)).oneshot(post("/mutate", body)));
    feed.send("{".into()).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(send(&app, post("/mutate", good())).await.0, 200);
    stalled.abort();
}

#[test]
fn four_fifths_of_the_time_are_used() {
    assert_eq!(time_to_answer(Some("timeout=5s")), Duration::from_secs(4));
    assert_eq!(time_to_answer(Some("a=b&timeout=500ms")), Duration::from_millis(400));
    assert_eq!(time_to_answer(Some("timeout=1h")), Duration::from_secs(24));
    for query in [None, Some(""), Some("timeout="), Some("timeout=soon"), Some("timeout=0s")] {
        assert_eq!(time_to_answer(query), Duration::from_secs(8), "{query:?}");
    }
}

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

/// Sends `body` everywhere; the answer is a review or 400. These are small: what large ones may take is the matter of `e2e::memory`.
fn judged_or_refused(body: &[u8]) {
    static APP: LazyLock<Arc<App>> = LazyLock::new(app);
    for path in PATHS {
        let (status, _) = RUNTIME.block_on(send(&APP, post(path, body.to_vec())));
        assert!(status == 200 || status == 400, "{status}");
    }
}

proptest! {
    #![proptest_config(Config::with_cases(200))]

    #[test]
    fn no_bytes_do_worse_than_400(body in prop::collection::vec(any::<u8>(), 0..200)) {
        judged_or_refused(&body);
    }

    #[test]
    fn no_damage_to_a_review_does_worse_than_400(place in 0_usize..600, byte in any::<u8>(), keep in 0_usize..900) {
        let mut body = good().into_bytes();
        let place = place % body.len();
        body[place] = byte;
        body.truncate(keep);
        judged_or_refused(&body);
    }

    #[test]
    fn no_annotation_does_worse_than_400(hook in ".*", weight in ".*", policy in ".*", spec in "\\PC*") {
        let mut object = job(&json!({"backoffLimit": spec, "template": [spec], "ttlSecondsAfterFinished": {"a": null}}));
        object["metadata"]["annotations"] =
            json!({"helm.sh/hook": hook, "helm.sh/hook-weight": weight, "helm.sh/hook-delete-policy": policy});
        judged_or_refused(review(&object, &json!({})).to_string().as_bytes());
    }
}
