//! How long is waited, and for what.

use k8s_openapi::api::core::v1::ConfigMap;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use super::*;

#[tokio::test(start_paused = true)]
async fn pauses_grow_to_a_bound_until_all_is_calm() {
    let mut pauses = Pauses::default();
    let taken: Vec<_> = pauses.by_ref().take(7).map(|pause| pause.as_millis()).collect();
    assert_eq!(taken, [100, 200, 400, 800, 1600, 2000, 2000]);
    // The API server answers, then fails again.
    pauses.reset();
    assert_eq!(pauses.next(), Some(PAUSE[1]));
    tokio::time::advance(CALM * 2).await;
    assert_eq!(pauses.next(), Some(PAUSE[0]));
}

#[tokio::test]
async fn a_file_that_is_no_kubeconfig_is_an_error_that_says_so() {
    let error = connect_by(Path::new("/dev/null/none")).await.err().map(|error| error.to_string());
    assert_eq!(error.as_deref(), Some("cannot use the kubeconfig"));
}

/// What the API server says to somebody who was away for too long.
const FORGOTTEN: &str = r#"{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
    "message":"too old resource version: 7 (9)","reason":"Expired","code":410}}"#;

/// A server that answers lists, and watches with `watched`; where that is empty it falls silent. Says the target of each request.
async fn server(watched: &'static str) -> (Client, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (asked, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, asked.clone(), watched));
        }
    });
    (with_silence(Config::new(uri), Duration::from_millis(100)).unwrap(), told)
}

async fn serve(
    mut connection: TcpStream,
    asked: mpsc::UnboundedSender<String>,
    watched: &'static str,
) -> Option<()> {
    let list = r#"{"apiVersion":"v1","kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":[]}"#;
    let mut request = Vec::new();
    loop {
        while !request.ends_with(b"\r\n\r\n") {
            request.push(connection.read_u8().await.ok()?);
        }
        let target = String::from_utf8_lossy(&request).split(' ').nth(1)?.to_owned();
        request.clear();
        let body = if target.contains("watch=") { watched } else { list };
        asked.send(target).ok()?;
        if !body.is_empty() {
            let (body, head) = (body.replace('\n', ""), "HTTP/1.1 200 OK\r\ncontent-type: application/json");
            let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}\n", body.len() + 1);
            connection.write_all(answer.as_bytes()).await.ok()?;
        }
    }
}

fn follow(client: Client) {
    let events = watch(Api::<ConfigMap>::default_namespaced(client), watcher::Config::default());
    tokio::spawn(events.for_each(|_| future::ready(())));
}

#[tokio::test]
async fn a_server_that_vanished_without_a_word_was_waited_for_for_ever() {
    let (client, mut told) = server("").await;
    follow(client);
    assert!(!told.recv().await.unwrap().contains("watch="));
    for _ in 0..3 {
        let target = told.recv().await.unwrap();
        let goes_on = target.contains("timeoutSeconds=45") && target.contains("resourceVersion=7");
        assert!(goes_on && target.contains("watch="), "{target}");
    }
}

#[tokio::test]
async fn who_was_away_for_too_long_reads_everything_again() {
    let (client, mut told) = server(FORGOTTEN).await;
    follow(client);
    for _ in 0..3 {
        let (list, watch) = (told.recv().await.unwrap(), told.recv().await.unwrap());
        assert!(!list.contains("watch=") && watch.contains("watch="), "{list} {watch}");
    }
}
