//! The accept loop: every failure is counted, every wait has an end, and leaving loses nothing.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use prometheus::IntGauge;
use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::AbortHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::{
    args::Args,
    body,
    connection::{self, Shared},
    drain::{Drain, Stage},
    metrics::Metrics,
    patience::{Crowd, IDLE},
};

mod readers;

use readers::Readers;

/// Connections at once on the admin port; kubelet and Prometheus need few. When all are taken, the oldest is closed for a new one.
const ADMIN_CONNECTIONS: u32 = 64;
/// How long a connection to the admin port may be idle: what is asked there can be asked again.
const ADMIN_IDLE: Duration = Duration::from_secs(10);
/// The largest part of the requests at once that one HTTP/2 connection may have under way, and how many always.
const STREAMS: (u32, u32) = (4, 100);
/// How many of the largest bodies one HTTP/2 connection may send at once.
const BODIES: usize = 2;
/// The first and the longest pause after the system refused to hand over a connection, for want of file descriptors for example.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// How long dropped connections may take to notice.
const LAST_CALL: Duration = Duration::from_secs(1);

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every connection finished.
    Drained,
    /// Time was up, or a second signal came, and connections that were still open are dropped.
    Cut,
}

/// A socket that listens, and what its connections will be held to.
#[derive(Debug)]
pub struct Bound {
    socket: TcpListener,
    address: SocketAddr,
    tls: Option<Arc<ServerConfig>>,
    max_connections: u32,
    args: Args,
}

impl Args {
    /// Listens for reviews.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(&self, tls: ServerConfig) -> Result<Bound, ListenError> {
        let max_connections = self.connections();
        Bound::new(self.listen, Some(Arc::new(tls)), max_connections, self).await
    }

    /// Listens for health and metrics, without TLS.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind_admin(&self) -> Result<Bound, ListenError> {
        let args = Self { drain_delay: Duration::ZERO, drain_timeout: Duration::ZERO, ..self.clone() };
        Bound::new(self.admin_listen, None, ADMIN_CONNECTIONS, &args).await
    }
}

impl Bound {
    async fn new(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        max_connections: u32,
        args: &Args,
    ) -> Result<Self, ListenError> {
        let failed = |source| ListenError::Bind { address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        Ok(Self { socket, address: bound, tls, max_connections, args: args.clone() })
    }

    /// Where it listens; a port of 0 has become a real one.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `drain` has run its course.
    ///
    /// # Guarantees
    /// After the first signal new connections are taken for the drain delay, while readiness is already gone. Then none is, each
    /// answer asks its connection to close, and what is still open when the drain timeout ends, or a second signal comes, is dropped.
    pub async fn serve(self, router: Router, metrics: Arc<Metrics>, drain: Drain) -> Outcome {
        let places = self.max_connections as usize;
        let slots = Arc::new(Semaphore::new(places));
        let (part, most) = STREAMS;
        let shared = Shared {
            router,
            drain: drain.clone(),
            age: self.args.connection_age,
            header_timeout: self.args.header_timeout,
            idle: if self.tls.is_some() { IDLE } else { ADMIN_IDLE },
            crowd: Crowd { slots: Arc::clone(&slots), places },
            streams: (self.args.max_concurrency / part).clamp(1, most),
            share_kib: body::kib(self.args.max_body).saturating_mul(BODIES),
        };
        let door = Arc::new(Door {
            tls: self.tls.map(TlsAcceptor::from),
            handshake_timeout: self.args.handshake_timeout,
            shared,
            readers: Readers::of(&self.args),
            metrics,
        });
        let (delay, limit) = (self.args.drain_delay, self.args.drain_timeout);
        let leaving = async {
            drain.reached(Stage::Leaving).await;
            tokio::select! {
                () = sleep(delay) => {}
                () = drain.reached(Stage::Ended) => {}
            }
            drain.raise(Stage::Draining);
        };
        tokio::join!(accept(self.socket, &door, &slots, &drain), leaving);
        tokio::select! {
            biased;
            () = drain.reached(Stage::Ended) => {}
            _ = slots.acquire_many(self.max_connections) => return Outcome::Drained,
            () = sleep(limit) => {}
        }
        drain.raise(Stage::Ended);
        // Whether they all noticed changes nothing: the process is about to end.
        let _ = timeout(LAST_CALL, slots.acquire_many(self.max_connections)).await;
        Outcome::Cut
    }
}

/// Takes connections until the drain begins; those that were already waiting in the queue of the system are still served.
async fn accept(socket: TcpListener, door: &Arc<Door>, slots: &Arc<Semaphore>, drain: &Drain) {
    let mut pause = PAUSE.0;
    let mut open = VecDeque::new();
    loop {
        tokio::select! {
            biased;
            () = drain.reached(Stage::Draining) => break,
            () = door.has_room(slots) => {}
        }
        tokio::select! {
            // Before the drain: a connection that is already waiting is taken.
            biased;
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    pause = PAUSE.0;
                    let slot = slot(door, slots, &mut open).await;
                    let task = tokio::spawn(Arc::clone(door).admit(stream, slot));
                    if door.replaces() {
                        open.retain(|task: &AbortHandle| !task.is_finished());
                        open.push_back(task.abort_handle());
                    }
                }
                Err(error) => {
                    door.metrics.accept_errors.inc();
                    if !is_of_one_connection(&error) {
                        tracing::warn!(%error, "the system refused to hand over a connection");
                        sleep(pause).await;
                        pause = (pause * 2).min(PAUSE.1);
                    }
                }
            },
            () = drain.reached(Stage::Draining) => {}
        }
    }
    // The runtime may not know yet of connections that the system has already made; closing the socket would reset them.
    let Ok(socket) = socket.into_std() else { return };
    while let (Ok(slot), Ok((stream, _))) = (Arc::clone(slots).try_acquire_owned(), socket.accept()) {
        if let Ok(stream) = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
            tokio::spawn(Arc::clone(door).admit(stream, slot));
        }
    }
}

/// A place for one connection. Where none is left, the oldest connection gives up its own.
async fn slot(door: &Door, slots: &Arc<Semaphore>, open: &mut VecDeque<AbortHandle>) -> OwnedSemaphorePermit {
    if door.replaces() && slots.available_permits() == 0 {
        open.retain(|task| !task.is_finished());
        if let Some(oldest) = open.pop_front() {
            oldest.abort();
        }
    }
    Arc::clone(slots).acquire_owned().await.expect("the semaphore of connections is never closed")
}

/// Counts a connection as open for as long as it lives, also when serving it panics or is given up.
struct Counted<'m>(&'m IntGauge);

impl<'m> Counted<'m> {
    fn new(gauge: &'m IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Whether the error says only that a client has gone while it waited.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

/// What happens to a connection between the socket and its first request.
struct Door {
    tls: Option<TlsAcceptor>,
    handshake_timeout: Duration,
    shared: Shared,
    readers: Readers,
    metrics: Arc<Metrics>,
}

impl Door {
    /// Whether a new connection replaces the oldest one rather than wait: on the admin port, where a kubelet that has to wait ends us.
    const fn replaces(&self) -> bool {
        self.tls.is_none()
    }

    /// Waits until a connection can be taken from the queue of the system.
    async fn has_room(&self, slots: &Semaphore) {
        if !self.replaces() {
            // Given back at once: nobody else takes any.
            drop(slots.acquire().await);
        }
    }

    /// Serves one connection; the slot is free again when it ends.
    async fn admit(self: Arc<Self>, stream: TcpStream, slot: OwnedSemaphorePermit) {
        // Answers are small and complete; a system that cannot do without delay is only slower.
        let _ = stream.set_nodelay(true);
        if let Some(tls) = &self.tls {
            let _counted = Counted::new(&self.metrics.connections);
            if let Some(stream) = self.handshake(tls, stream).await {
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    connection::http2(stream, &self.shared).await;
                } else {
                    connection::http1(stream, &self.shared).await;
                }
            }
        } else {
            let client = stream.peer_addr().ok().map(|address| address.ip());
            let router = self.readers.view(&self.shared.router, client);
            connection::http1(stream, &Shared { router, ..self.shared.clone() }).await;
        }
        drop(slot);
    }

    async fn handshake(&self, tls: &TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let failure = match timeout(self.handshake_timeout, tls.accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        let failures = &self.metrics.handshake_failures;
        failures.inc();
        // Seldom enough for a scanner, soon enough for a caller that does not trust the certificate.
        if failures.get().is_power_of_two() {
            tracing::warn!(error = %failure, failures = failures.get(), "a TLS handshake failed");
        }
        None
    }
}

#[cfg(test)]
mod tests;
