//! One connection from its first request to its last, over HTTP/1.1 or HTTP/2.

use std::{convert::Infallible, future::Future, hash::BuildHasher, pin::pin, sync::Arc, time::Duration};

use axum::{Router, response::Response};
use http::{HeaderValue, Request, header};
use hyper::{
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, sleep_until},
};
use tower::Service;

use crate::{
    body::Share,
    drain::{Drain, Stage},
    patience::{Activity, Crowd, FIRST, Limits, Patient, Traffic},
};

/// What is read ahead of one HTTP/1.1 connection, and so the largest head; in bytes.
const READ_AHEAD: usize = 32 << 10;
/// What a client may send ahead in one HTTP/2 request, in bytes: a small one needs no second round trip.
const STREAM_WINDOW: u32 = 128 << 10;
/// The same for a whole connection.
const CONNECTION_WINDOW: u32 = 256 << 10;
/// How often a silent HTTP/2 connection is asked whether it lives, and how long the answer may take.
const PING: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(10));
/// An age beyond this means "for ever", and could not be added to a clock.
const LONGEST_AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long requests may go on after GOAWAY because of age; the longest timeout of a webhook is 30 s.
const GRACE: Duration = Duration::from_secs(35);

/// What all connections of one listener share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) drain: Drain,
    pub(crate) age: Duration,
    pub(crate) header_timeout: Duration,
    /// How long a connection may be idle.
    pub(crate) idle: Duration,
    /// Places for connections, to see how many are left.
    pub(crate) crowd: Crowd,
    /// Requests at once on one HTTP/2 connection.
    pub(crate) streams: u32,
    /// KiB of bodies at once on one HTTP/2 connection.
    pub(crate) share_kib: usize,
}

impl Shared {
    fn limits(&self) -> Limits {
        Limits { header: self.header_timeout, idle: self.idle, crowd: self.crowd.clone() }
    }

    /// Between 0.9 and 1.1 of the configured age, so that connections that began together do not end together.
    fn jittered_age(&self) -> Duration {
        let random = std::hash::RandomState::new().hash_one(0_u8) % 201;
        self.age.min(LONGEST_AGE).saturating_mul(900 + u32::try_from(random).unwrap_or(100)) / 1000
    }
}

/// Serves HTTP/1.1 until either end closes, or the drain ends.
///
/// # Guarantees
/// The server never closes an idle connection that a client may be about to use: age and drain are a `Connection: close` on the
/// next answer. Only the end of the drain, or a silence longer than any client keeps a connection, closes it.
pub(crate) async fn http1<S>(stream: S, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let activity = Activity::new();
    let patient = Patient::new(stream, Arc::clone(&activity), shared.limits());
    let retires = Instant::now() + shared.jittered_age();
    let service = service_fn(|request| {
        activity.answering();
        let answer = answer(shared.router.clone(), request);
        let activity = &activity;
        async move {
            let mut response = answer.await;
            if Instant::now() >= retires || shared.drain.stage() >= Stage::Draining {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            activity.idle();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(READ_AHEAD)
        .serve_connection(TokioIo::new(patient), service);
    tokio::select! {
        // How a connection ends is the client's business.
        _ = connection => {}
        () = shared.drain.reached(Stage::Ended) => {}
        // By now it was asked to close or was idle for too long: what is left is a client that does not read its answers.
        () = sleep_until(retires + shared.idle + GRACE) => {}
    }
}

/// Serves HTTP/2 until either end closes, or the drain ends. Age, silence and drain are a GOAWAY, which loses no request.
pub(crate) async fn http2<S>(stream: S, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (router, share, traffic) =
        (shared.router.clone(), Share::new(shared.share_kib), Arc::new(Traffic::default()));
    let busy = Arc::clone(&traffic);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(share.clone());
        let under_way = busy.begin();
        let answer = answer(router.clone(), request);
        async move {
            let _under_way = under_way;
            Ok::<_, Infallible>(answer.await)
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(shared.streams)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let grace = tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(shared.jittered_age()) => GRACE,
        () = traffic.silence(shared.idle) => GRACE,
        // The drain has a limit of its own.
        () = shared.drain.reached(Stage::Draining) => Duration::MAX,
    };
    connection.as_mut().graceful_shutdown();
    let patience = async {
        // Who has not even begun to speak HTTP/2 does not hear a GOAWAY.
        sleep(grace.min(FIRST)).await;
        if traffic.has_begun() {
            sleep(grace).await;
        }
    };
    tokio::select! {
        _ = connection => {}
        () = patience => {}
        () = shared.drain.reached(Stage::Ended) => {}
    }
}

fn answer(mut router: Router, request: Request<Incoming>) -> impl Future<Output = Response> {
    let answer = router.call(request);
    async move { answer.await.unwrap_or_else(|never| match never {}) }
}
