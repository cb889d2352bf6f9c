//! Steady requests to a server, of which none may be lost.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{TrySendError, http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, crypto::aws_lc_rs};
use tokio::{net::TcpStream, task::JoinSet, time::sleep};
use tokio_rustls::client::TlsStream;

use crate::{
    server::Server,
    steady::{End, Workers, connect, roots},
};

/// Requests at once on one HTTP/2 connection.
const STREAMS: usize = 8;

/// Over what the requests go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1, one request after the other on each connection.
    Http1,
    /// HTTP/2, eight at once on each connection.
    Http2,
}

/// Where new connections go, and whom they trust there.
#[derive(Debug, Clone)]
struct Target {
    address: std::net::SocketAddr,
    tls: Arc<ClientConfig>,
}

/// Requests under way, each connection in a loop; a connection that the server ends in order is replaced by a new one.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    workers: Workers,
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    uri: http::Uri,
    body: Bytes,
    target: Mutex<Target>,
    end: End,
    answered: AtomicU64,
    // Requests that were sent, or may have been, and got no good answer.
    lost: Mutex<Vec<String>>,
}

impl Load {
    /// Sends `body` to `path` over and over.
    ///
    /// # Panics
    /// When there is no runtime.
    #[must_use]
    #[track_caller]
    pub fn start(server: &Server, protocol: Protocol, connections: usize, path: &str, body: &str) -> Self {
        let uri = format!("https://127.0.0.1{path}?timeout=10s").parse();
        let shared = Arc::new(Shared {
            protocol,
            uri: uri.unwrap_or_else(|error| panic!("{path} is no path: {error}")),
            body: Bytes::copy_from_slice(body.as_bytes()),
            target: Mutex::new(Target::of(server, protocol)),
            end: End::default(),
            answered: AtomicU64::new(0),
            lost: Mutex::default(),
        });
        let worker = Arc::clone(&shared);
        let workers = (0..connections).map(move |_| Arc::clone(&worker).keep_connected());
        let workers = Workers::start(&shared.end, workers);
        Self { shared, workers }
    }

    /// How many requests have been answered well so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Connections that begin from now on go to this server.
    pub fn turn_to(&self, server: &Server) {
        *self.shared.target.lock().unwrap_or_else(PoisonError::into_inner) =
            Target::of(server, self.shared.protocol);
    }

    /// Sends nothing more, and says what was lost.
    ///
    /// # Panics
    /// When a worker panicked.
    #[must_use]
    #[track_caller]
    pub fn finish(self) -> Vec<String> {
        self.workers.finish();
        std::mem::take(&mut *self.shared.lost.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Target {
    fn of(server: &Server, protocol: Protocol) -> Self {
        let roots = roots(server.authority().as_bytes())
            .unwrap_or_else(|error| panic!("the server's authority is no certificate: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13]);
        let builder = builder.unwrap_or_else(|error| panic!("no TLS for clients: {error}"));
        let mut tls = builder.with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = match protocol {
            Protocol::Http1 => vec![b"http/1.1".to_vec()],
            Protocol::Http2 => vec![b"h2".to_vec()],
        };
        Self { address: server.address(), tls: Arc::new(tls) }
    }
}

/// What became of one request.
enum Sent {
    /// It was answered, and the connection goes on.
    Answered,
    /// The connection is over; nothing was lost.
    Over,
}

impl Shared {
    async fn keep_connected(self: Arc<Self>) {
        while !self.end.has_come() {
            let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match connect(target.address, target.tls).await {
                Ok(stream) => self.use_up(stream).await,
                // A client that finds nobody asks again, elsewhere or later; it has sent nothing.
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// Sends requests over this connection for as long as the server takes them.
    async fn use_up(self: &Arc<Self>, stream: TlsStream<TcpStream>) {
        match self.protocol {
            Protocol::Http1 => {
                let Ok((mut sender, connection)) = http1::handshake(TokioIo::new(stream)).await else {
                    return;
                };
                tokio::spawn(connection);
                while !self.end.has_come() && sender.ready().await.is_ok() {
                    if let Sent::Over = self.settle(sender.try_send_request(self.request()).await).await {
                        return;
                    }
                }
            }
            Protocol::Http2 => {
                let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
                let Ok((sender, connection)) = handshake else { return };
                tokio::spawn(connection);
                let streams: JoinSet<()> =
                    (0..STREAMS).map(|_| Arc::clone(self).stream(sender.clone())).collect();
                streams.join_all().await;
            }
        }
    }

    async fn stream(self: Arc<Self>, mut sender: http2::SendRequest<Full<Bytes>>) {
        while !self.end.has_come() && sender.ready().await.is_ok() {
            if let Sent::Over = self.settle(sender.try_send_request(self.request()).await).await {
                return;
            }
        }
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.uri.clone();
        let headers = request.headers_mut();
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        headers.insert("host", http::HeaderValue::from_static("127.0.0.1"));
        request
    }

    async fn settle(&self, sent: Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>>) -> Sent {
        let lost = match sent {
            Ok(response) => {
                let (status, closes) = (response.status(), response.headers().get("connection").is_some());
                match response.into_body().collect().await.map(http_body_util::Collected::to_bytes) {
                    Ok(body) if status == 200 && body.starts_with(b"{\"apiVersion\"") => {
                        self.answered.fetch_add(1, Ordering::Relaxed);
                        return if closes { Sent::Over } else { Sent::Answered };
                    }
                    Ok(_) => format!("answered with {status}"),
                    Err(error) => format!("answered in part: {error:?}"),
                }
            }
            // The request is still here: it has not left this process.
            Err(error) if error.message().is_some() => return Sent::Over,
            Err(error) => format!("{:?}", error.into_error()),
        };
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).push(lost);
        Sent::Over
    }
}
