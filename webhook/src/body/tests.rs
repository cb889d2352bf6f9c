//! Bodies that are refused, bodies that are slow, and what they may hold meanwhile.

use tokio::{sync::mpsc, task::yield_now, time::Instant};

use super::*;
use crate::testing::Fed;

fn limits() -> Limits {
    Limits::new(100, 1)
}

async fn outcome(content_type: &str, body: &str, headers: &[(&str, &str)]) -> Result<Bytes, Refusal> {
    let mut request = Request::post("/mutate").header("content-type", content_type);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request.body(Body::from(body.to_owned())).unwrap(), &limits()).await.map(|whole| whole.bytes)
}

/// A request whose body comes when it is told to.
fn fed(announced: Option<usize>) -> (mpsc::UnboundedSender<Bytes>, Request<Body>) {
    let (feed, body) = Fed::pair();
    let mut request = Request::post("/mutate").header("content-type", "application/json");
    if let Some(bytes) = announced {
        request = request.header("content-length", bytes);
    }
    (feed, request.body(body).unwrap())
}

#[tokio::test]
async fn json_may_have_parameters() {
    for content_type in ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y"] {
        assert_eq!(outcome(content_type, "{}", &[]).await.unwrap(), "{}");
    }
}

#[tokio::test]
async fn nothing_else_is_taken_for_json() {
    for content_type in
        ["", "text/json", "application/json-patch+json", "application/vnd.kubernetes.protobuf"]
    {
        assert_eq!(outcome(content_type, "{}", &[]).await.unwrap_err(), Refusal::ContentType);
    }
    assert_eq!(
        outcome("application/json", "{}", &[("content-encoding", "gzip")]).await.unwrap_err(),
        Refusal::ContentEncoding
    );
}

#[tokio::test]
async fn the_limit_itself_is_allowed() {
    assert!(outcome("application/json", &" ".repeat(100), &[]).await.is_ok());
    assert_eq!(
        outcome("application/json", &" ".repeat(101), &[]).await.unwrap_err(),
        Refusal::BodyTooLarge { limit: 100 }
    );
}

#[tokio::test]
async fn an_announced_size_is_refused_before_it_comes() {
    assert_eq!(
        outcome("application/json", "", &[("content-length", "101")]).await.unwrap_err(),
        Refusal::BodyTooLarge { limit: 100 }
    );
}

#[tokio::test]
async fn pieces_are_put_together() {
    for announced in [None, Some(300_000)] {
        let (feed, request) = fed(announced);
        for letter in ["a", "b", "c"] {
            feed.send(letter.repeat(100_000).into()).unwrap();
        }
        drop(feed);
        let whole = read(request, &Limits::default()).await.unwrap();
        let expected = ["a", "b", "c"].map(|letter| letter.repeat(100_000)).concat();
        assert!(whole.bytes == expected);
    }
}

#[tokio::test]
async fn the_memory_of_a_body_is_given_back_with_it() {
    let limits = Limits::default();
    let free = limits.budget.bodies.available_permits();
    let (feed, request) = fed(None);
    feed.send(vec![b' '; 1 << 20].into()).unwrap();
    drop(feed);
    let whole = read(request, &limits).await.unwrap();
    assert_eq!(limits.budget.bodies.available_permits(), free - 1024);
    drop(whole);
    assert_eq!(limits.budget.bodies.available_permits(), free);
}

#[tokio::test]
async fn what_is_only_announced_takes_nothing_from_others() {
    let limits = Arc::new(Limits::default());
    let stalled: Vec<_> = (0..100).map(|_| fed(Some(8 << 20))).collect();
    let (_feeds, requests): (Vec<_>, Vec<_>) = stalled.into_iter().unzip();
    let announced = requests.into_iter().map(|request| {
        let limits = Arc::clone(&limits);
        tokio::spawn(async move { read(request, &limits).await.map(|_| ()) })
    });
    let announced: Vec<_> = announced.collect();
    yield_now().await;
    let (feed, request) = fed(None);
    feed.send(vec![b' '; 4 << 20].into()).unwrap();
    drop(feed);
    assert_eq!(read(request, &limits).await.unwrap().bytes.len(), 4 << 20);
    for task in announced {
        task.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_is_given_up_and_its_memory_too() {
    let limits = Limits::default();
    let free = limits.budget.bodies.available_permits();
    let (feed, request) = fed(Some(1000));
    feed.send("{".into()).unwrap();
    let began = Instant::now();
    assert_eq!(read(request, &limits).await.unwrap_err(), Refusal::BodyTimeout);
    assert_eq!(began.elapsed(), limits.body_timeout);
    assert_eq!(limits.budget.bodies.available_permits(), free);
}

#[tokio::test(start_paused = true)]
async fn one_connection_cannot_take_all_memory() {
    let limits = Limits::default();
    let share = Share::new(64);
    let (feed, mut request) = fed(None);
    request.extensions_mut().insert(share);
    feed.send(vec![b' '; 100 << 10].into()).unwrap();
    drop(feed);
    assert_eq!(read(request, &limits).await.unwrap_err(), Refusal::BodyTimeout);
}
