//! A real socket: who is let in, how connections end, and that leaving loses nothing.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use rustls::version::TLS12;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    task::JoinSet,
};

use super::*;
use crate::{
    testing::Fed,
    testing::tls::{Authority, Client, Server, args, closes, harmless, request},
    tls::Clients,
};

/// Reads the whole answer, as a client does before it uses the connection again.
async fn is_answered(response: http::Response<Incoming>) -> bool {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    status == 200 && body.starts_with(b"{\"apiVersion\"")
}

/// A body and the hand that feeds it.
fn later() -> (mpsc::UnboundedSender<Bytes>, Body) {
    let (feed, body) = Fed::pair();
    feed.send("{".into()).unwrap();
    (feed, body)
}

/// Waits until `happened`, which something under way will bring about.
async fn until(happened: impl Fn() -> bool) {
    while !happened() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn both_protocols_are_served() {
    let server = Server::start(args()).await;
    let response = server.http1().await.send_request(request(harmless())).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_11);
    assert!(!closes(&response) && is_answered(response).await);
    let response = server.http2().await.send_request(request(harmless())).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert!(is_answered(response).await);
}

#[tokio::test]
async fn a_large_body_arrives_over_both_protocols() {
    let server = Server::start(args()).await;
    let large = harmless() + &" ".repeat(3 << 20);
    assert!(is_answered(server.http1().await.send_request(request(large.clone())).await.unwrap()).await);
    assert!(is_answered(server.http2().await.send_request(request(large)).await.unwrap()).await);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_given_up_and_counted() {
    let server = Server::start(Args { handshake_timeout: Duration::from_millis(20), ..args() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The end, or a reset: both say that the server has gone.
    let _ = stream.read(&mut [0; 1]).await;
    until(|| {
        server.shows("hookward_tls_handshake_failures_total 1") && server.shows("hookward_connections 0")
    })
    .await;
}

#[tokio::test]
async fn plain_http_is_refused_and_counted() {
    let server = Server::start(args()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A reset after the alert is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"));
    until(|| server.shows("hookward_tls_handshake_failures_total 1")).await;
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_certificate_is_counted() {
    let mut server = Server::start(args()).await;
    server.authority = Authority::new();
    assert!(server.connect(Client::default()).await.is_err());
    until(|| server.shows("hookward_tls_handshake_failures_total 1")).await;
}

#[tokio::test]
async fn tls_1_2_is_for_those_who_ask() {
    let client = || Client { version: &TLS12, ..Client::default() };
    assert!(Server::start(args()).await.connect(client()).await.is_err());
    assert!(Server::start(Args { tls12: true, ..args() }).await.connect(client()).await.is_ok());
}

/// Whether a client with this identity gets an answer: in TLS 1.3 it learns of a refusal only when it reads.
async fn lets_in(server: &Server, identity: Option<(&Authority, &str)>) -> bool {
    let Ok(mut stream) = server.connect(Client { identity, ..Client::default() }).await else { return false };
    let _ = stream.write_all(b"GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    answer.starts_with(b"HTTP/1.1 404")
}

#[tokio::test]
async fn clients_must_be_signed_and_on_the_list() {
    let (ours, other) = (Authority::new(), Authority::new());
    let clients = |names: &[&str]| Clients {
        authorities: ours.pem.clone().into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    let server = Server::start_with(args(), Some(clients(&["kube-apiserver"]))).await;
    assert!(lets_in(&server, Some((&ours, "kube-apiserver"))).await);
    assert!(!lets_in(&server, Some((&ours, "somebody"))).await);
    assert!(!lets_in(&server, Some((&other, "kube-apiserver"))).await);
    assert!(!lets_in(&server, None).await);
    let server = Server::start_with(args(), Some(clients(&[]))).await;
    assert!(lets_in(&server, Some((&ours, "somebody"))).await);
}

#[tokio::test]
async fn an_age_without_end_is_one() {
    let server = Server::start(Args { connection_age: Duration::MAX, ..args() }).await;
    let response = server.http1().await.send_request(request(harmless())).await.unwrap();
    assert!(!closes(&response) && is_answered(response).await);
}

#[tokio::test]
async fn an_old_connection_is_asked_to_close_and_never_closed_first() {
    let server = Server::start(Args { connection_age: Duration::ZERO, ..args() }).await;
    let mut client = server.http1().await;
    client.ready().await.unwrap();
    let response = client.send_request(request(harmless())).await.unwrap();
    assert!(closes(&response));
    assert!(is_answered(response).await);
    until(|| server.shows("hookward_connections 0")).await;
}

/// Sends requests until the connection takes no new one.
async fn until_told_to_go(client: &mut hyper::client::conn::http2::SendRequest<Body>) {
    while let Ok(response) = client.send_request(request(harmless())).await {
        assert!(is_answered(response).await);
    }
}

#[tokio::test]
async fn an_old_http2_connection_finishes_what_it_began() {
    let server = Server::start(Args { connection_age: Duration::from_millis(20), ..args() }).await;
    let mut client = server.http2().await;
    let (feed, body) = later();
    let pending = client.send_request(request(body));
    until_told_to_go(&mut client).await;
    feed.send(harmless()[1..].to_owned().into()).unwrap();
    drop(feed);
    assert!(is_answered(pending.await.unwrap()).await);
    until(|| server.shows("hookward_connections 0")).await;
}

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let server = Server::start(Args { max_connections: 1, max_concurrency: 1, ..args() }).await;
    let mut first = server.http1().await;
    assert!(is_answered(first.send_request(request(harmless())).await.unwrap()).await);
    let mut waiting = Box::pin(server.http1());
    tokio::select! {
        biased;
        _ = &mut waiting => unreachable!("the second connection did not wait"),
        response = first.send_request(request(harmless())) => assert!(is_answered(response.unwrap()).await),
    }
    drop(first);
    assert!(is_answered(waiting.await.send_request(request(harmless())).await.unwrap()).await);
}

#[tokio::test]
async fn a_connection_counts_for_as_long_as_it_lives_however_it_ends() {
    let metrics = Metrics::new([]);
    let gauge = metrics.connections.clone();
    let lives = tokio::spawn(async move {
        let _counted = Counted::new(&gauge);
        std::future::pending::<()>().await;
    });
    until(|| metrics.connections.get() == 1).await;
    tokio::task::yield_now().await;
    lives.abort();
    until(|| metrics.connections.get() == 0).await;
}

#[tokio::test]
async fn a_request_whose_body_stalls_loses_its_connection() {
    let server = Server::start(Args { body_timeout: Duration::from_millis(20), ..args() }).await;
    let mut client = server.http1().await;
    let (_feed, body) = later();
    let response = client.send_request(request(body)).await.unwrap();
    assert_eq!(response.status(), 408);
    until(|| server.shows("hookward_connections 0")).await;
}

/// Neither all turns nor more of the memory than has come. What the process really takes is looked at by `e2e::memory`.
#[tokio::test]
async fn many_stalled_streams_leave_the_server_to_others() {
    let server = Server::start(Args { max_concurrency: 8, ..args() }).await;
    let mut stalled = Vec::new();
    for _ in 0..8 {
        let mut client = server.http2().await;
        let (feed, body) = later();
        stalled.push((feed, tokio::spawn(async move { client.send_request(request(body)).await })));
    }
    let response = server.http1().await.send_request(request(harmless())).await.unwrap();
    assert!(is_answered(response).await);
    let left = server.app.limits.budget.bodies.available_permits();
    assert!(left >= (32 << 10) - 8 * 64, "{left} KiB");
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let server = Server::start(args()).await;
    let mut stream = server.connect(Client::default()).await.unwrap();
    let head = format!("POST /validate HTTP/1.1\r\nx: {}", "a".repeat(100 << 10));
    // The server may have closed before it has read everything.
    let _ = stream.write_all(head.as_bytes()).await;
    until(|| server.shows("hookward_connections 0")).await;
}

#[tokio::test]
async fn the_admin_port_answers_however_many_hold_it() {
    let server = Server::start(args()).await;
    let mut silent = Vec::new();
    for _ in 0..2 * ADMIN_CONNECTIONS {
        silent.push(TcpStream::connect(server.admin_address).await.unwrap());
    }
    assert!(admin(&server, "/livez").await.ends_with("\r\n\r\nok\n"));
}

#[tokio::test]
async fn a_drain_answers_what_is_under_way_over_http1() {
    let server = Server::start(args()).await;
    let (mut busy, mut idle) = (server.http1().await, server.http1().await);
    let (feed, body) = later();
    let pending = tokio::spawn(async move { busy.send_request(request(body)).await });
    assert!(is_answered(idle.send_request(request(harmless())).await.unwrap()).await);
    server.drain.signalled();
    server.drain.reached(Stage::Draining).await;
    feed.send(harmless()[1..].to_owned().into()).unwrap();
    drop(feed);
    let response = pending.await.unwrap().unwrap();
    assert!(closes(&response) && is_answered(response).await);
    let response = idle.send_request(request(harmless())).await.unwrap();
    assert!(closes(&response) && is_answered(response).await);
    assert_eq!(server.outcome.await.unwrap(), Outcome::Drained);
}

#[tokio::test]
async fn a_drain_answers_what_is_under_way_over_http2() {
    let server = Server::start(args()).await;
    let mut client = server.http2().await;
    let (feed, body) = later();
    let pending = client.send_request(request(body));
    assert!(is_answered(client.send_request(request(harmless())).await.unwrap()).await);
    server.drain.signalled();
    until_told_to_go(&mut client).await;
    feed.send(harmless()[1..].to_owned().into()).unwrap();
    drop(feed);
    assert!(is_answered(pending.await.unwrap()).await);
    assert_eq!(server.outcome.await.unwrap(), Outcome::Drained);
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn while_the_news_spreads_everything_is_served() {
    let server = Server::start(Args { drain_delay: Duration::from_secs(3600), ..args() }).await;
    server.drain.signalled();
    assert!(!server.app.ready.is_ready());
    let response = server.http1().await.send_request(request(harmless())).await.unwrap();
    assert!(!closes(&response) && is_answered(response).await);
}

#[tokio::test]
async fn the_admin_port_tells_of_the_drain_until_its_end() {
    let server = Server::start(args()).await;
    let mut idle = server.http1().await;
    assert!(admin(&server, "/readyz").await.ends_with("\r\n\r\nok\n"));
    server.drain.signalled();
    server.drain.reached(Stage::Draining).await;
    assert!(admin(&server, "/readyz").await.ends_with("\r\n\r\nshutting down\n"));
    assert!(admin(&server, "/metrics").await.contains("\nhookward_connections 1\n"));
    assert!(is_answered(idle.send_request(request(harmless())).await.unwrap()).await);
    let address = server.admin_address;
    assert_eq!(server.outcome.await.unwrap(), Outcome::Drained);
    assert!(TcpStream::connect(address).await.is_err());
}

/// The whole answer of the admin port.
async fn admin(server: &Server, path: &str) -> String {
    let mut stream = TcpStream::connect(server.admin_address).await.unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_drain_has_an_end() {
    let server = Server::start(Args { drain_timeout: Duration::from_millis(20), ..args() }).await;
    let mut idle = server.http1().await;
    assert!(is_answered(idle.send_request(request(harmless())).await.unwrap()).await);
    server.drain.signalled();
    assert_eq!(server.outcome.await.unwrap(), Outcome::Cut);
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let server = Server::start(Args { drain_delay: Duration::from_secs(3600), ..args() }).await;
    let mut idle = server.http1().await;
    assert!(is_answered(idle.send_request(request(harmless())).await.unwrap()).await);
    server.drain.signalled();
    server.drain.signalled();
    assert_eq!(server.outcome.await.unwrap(), Outcome::Cut);
}

/// Sends one request after the other until the server asks to stop; every one must be answered.
async fn keep_asking(mut client: hyper::client::conn::http1::SendRequest<Body>) -> usize {
    let mut answered = 0;
    loop {
        let response = client.send_request(request(harmless())).await.unwrap();
        let last = closes(&response);
        assert!(is_answered(response).await);
        answered += 1;
        if last {
            return answered;
        }
        client.ready().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_under_load_loses_nothing() {
    let server = Server::start(args()).await;
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        clients.spawn(keep_asking(server.http1().await));
    }
    until(|| asked(&server) > 100).await;
    server.drain.signalled();
    let answered: usize = clients.join_all().await.into_iter().sum();
    assert_eq!(answered, asked(&server));
    assert_eq!(server.outcome.await.unwrap(), Outcome::Drained);
}

/// Never sent, or sent after the last stream that the GOAWAY names: a client sends it again elsewhere.
fn was_never_taken(error: &hyper::Error) -> bool {
    error.is_canceled() || format!("{error:?}").contains("GoAway(b\"\", NO_ERROR, Remote)")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_under_load_loses_nothing_over_http2() {
    let server = Server::start(args()).await;
    let client = server.http2().await;
    let mut askers = JoinSet::new();
    for _ in 0..8 {
        let mut client = client.clone();
        askers.spawn(async move {
            let mut answered = 0;
            loop {
                match client.send_request(request(harmless())).await {
                    Ok(response) => assert!(is_answered(response).await),
                    Err(error) => return (answered, was_never_taken(&error)),
                }
                answered += 1;
            }
        });
    }
    until(|| asked(&server) > 100).await;
    server.drain.signalled();
    let outcomes = askers.join_all().await;
    assert!(outcomes.iter().all(|(_, never_taken)| *never_taken));
    assert_eq!(outcomes.iter().map(|(answered, _)| answered).sum::<usize>(), asked(&server));
    drop(client);
    assert_eq!(server.outcome.await.unwrap(), Outcome::Drained);
}

/// Reviews that the server says it has answered.
fn asked(server: &Server) -> usize {
    let text = server.app.metrics.render();
    let counts = text.lines().filter(|line| line.starts_with("hookward_admission_requests_total"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok()).sum()
}
