//! How long a connection may keep us waiting: short within the head of a request, long between requests.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Semaphore,
    time::{Instant, Sleep, sleep},
};

/// How long a connection may be idle. Go's clients, and so the API server, drop an idle connection themselves after 90 s: at
/// this age nobody is left who could be about to send, and closing cannot lose a request.
pub(crate) const IDLE: Duration = Duration::from_secs(100);
/// How long a connection may wait with its first request: on HTTP/1.1 only when places are rare, since Go opens connections that
/// it uses later, or never.
pub(crate) const FIRST: Duration = Duration::from_secs(10);

/// The places for connections: many are taken when fewer than half are left.
#[derive(Debug, Clone)]
pub(crate) struct Crowd {
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) places: usize,
}

impl Crowd {
    fn is_dense(&self) -> bool {
        self.slots.available_permits() * 2 < self.places
    }
}

/// How long an HTTP/1.1 connection may take.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// For the head of a request.
    pub(crate) header: Duration,
    /// Between requests.
    pub(crate) idle: Duration,
    /// Tells when the first request has to come sooner.
    pub(crate) crowd: Crowd,
}

/// The requests of one HTTP/2 connection.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    begun: AtomicU64,
    ended: AtomicU64,
}

impl Traffic {
    /// Counts a request as under way for as long as what is returned lives.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.begun.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// Whether there ever was a request.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed) > 0
    }

    /// Waits until nothing has been under way for as long as `idle`, or for [`FIRST`] before the first request.
    pub(crate) async fn silence(&self, idle: Duration) {
        let mut since = Instant::now();
        let mut before = 0;
        loop {
            let limit = if self.has_begun() { idle } else { idle.min(FIRST) };
            if since.elapsed() >= limit {
                return;
            }
            sleep(limit.min(FIRST)).await;
            let begun = self.begun.load(Ordering::Relaxed);
            if begun != before || begun != self.ended.load(Ordering::Relaxed) {
                since = Instant::now();
            }
            before = begun;
        }
    }
}

/// A request that is under way.
pub(crate) struct UnderWay(Arc<Traffic>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Nothing has come at all.
    Unused,
    /// Nothing has come since the last answer.
    Idle,
    /// A request began to arrive.
    Head,
    /// A request is being answered; its own deadline holds.
    Answering,
}

/// What a connection is doing, and since when: two bits, and milliseconds since it began.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    state: AtomicU64,
}

impl Activity {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), state: AtomicU64::new(0) })
    }

    /// The head of a request is complete.
    pub(crate) fn answering(&self) {
        self.set(Doing::Answering);
    }

    /// The request is answered.
    pub(crate) fn idle(&self) {
        self.set(Doing::Idle);
    }

    fn received(&self) {
        if matches!(self.doing(), Doing::Unused | Doing::Idle) {
            self.set(Doing::Head);
        }
    }

    fn set(&self, doing: Doing) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX >> 2);
        self.state.store(now << 2 | doing as u64, Ordering::Relaxed);
    }

    fn doing(&self) -> Doing {
        match self.state.load(Ordering::Relaxed) & 3 {
            0 => Doing::Unused,
            1 => Doing::Idle,
            2 => Doing::Head,
            _ => Doing::Answering,
        }
    }

    fn lasts(&self) -> Duration {
        let since = Duration::from_millis(self.state.load(Ordering::Relaxed) >> 2);
        self.began.elapsed().saturating_sub(since)
    }
}

/// A stream that fails with [`io::ErrorKind::TimedOut`] when its other end keeps us waiting.
///
/// hyper's own header timeout also runs while a connection is idle, and closing an idle connection first can lose a request: Go
/// does not send a POST again.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    stream: S,
    activity: Arc<Activity>,
    limits: Limits,
    /// Wakes up every now and then; resetting it on each request would cost more than it is worth.
    tick: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, limits: Limits) -> Self {
        let tick = Box::pin(sleep(limits.header));
        Self { stream, activity, limits, tick }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.tick.as_mut().poll(cx));
            let limit = match self.activity.doing() {
                Doing::Unused if self.limits.crowd.is_dense() => self.limits.idle.min(FIRST),
                Doing::Unused | Doing::Idle => self.limits.idle,
                Doing::Head => self.limits.header,
                Doing::Answering => Duration::MAX,
            };
            if self.activity.lasts() >= limit {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let next = Instant::now() + self.limits.header.max(Duration::from_millis(1));
            self.tick.as_mut().reset(next);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if polled.is_pending() {
            return self.poll_patience(cx);
        }
        if buffer.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::timeout,
    };

    use super::*;

    const HEADER: Duration = Duration::from_secs(10);

    /// Two places, of which `free` are free.
    fn pair_beside(free: usize) -> (DuplexStream, Patient<DuplexStream>, Arc<Activity>) {
        let (client, server) = duplex(64);
        let activity = Activity::new();
        let crowd = Crowd { slots: Arc::new(Semaphore::new(free)), places: 2 };
        let limits = Limits { header: HEADER, idle: IDLE, crowd };
        (client, Patient::new(server, Arc::clone(&activity), limits), activity)
    }

    fn pair() -> (DuplexStream, Patient<DuplexStream>, Arc<Activity>) {
        pair_beside(2)
    }

    /// How long the server waits for the next byte.
    async fn waits(server: &mut Patient<DuplexStream>) -> Duration {
        let began = Instant::now();
        assert_eq!(server.read(&mut [0; 16]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_given_up() {
        let (mut client, mut server, _) = pair();
        client.write_all(b"POST").await.unwrap();
        assert_eq!(server.read(&mut [0; 16]).await.unwrap(), 4);
        let began = Instant::now();
        assert_eq!(server.read(&mut [0; 16]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= HEADER && began.elapsed() <= 2 * HEADER);
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_outlives_every_client_of_go_and_not_by_much() {
        let (_client, mut server, activity) = pair_beside(0);
        activity.idle();
        let waited = waits(&mut server).await;
        assert!(waited > Duration::from_secs(95) && waited <= IDLE + HEADER, "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_places_are_rare_an_unused_connection_leaves_soon() {
        let (_client, mut server, _) = pair_beside(0);
        assert!(waits(&mut server).await <= FIRST);
        let (_client, mut server, _) = pair();
        assert!(waits(&mut server).await >= IDLE);
    }

    #[tokio::test(start_paused = true)]
    async fn http2_is_silent_when_nothing_is_under_way() {
        let traffic = Arc::new(Traffic::default());
        let began = Instant::now();
        traffic.silence(IDLE).await;
        assert_eq!(began.elapsed(), FIRST);
        let under_way = traffic.begin();
        assert!(timeout(10 * IDLE, traffic.silence(IDLE)).await.is_err());
        drop(under_way);
        let began = Instant::now();
        traffic.silence(IDLE).await;
        assert!(began.elapsed() >= IDLE && began.elapsed() <= IDLE + 2 * FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_being_answered_has_its_own_deadline() {
        let (mut client, mut server, activity) = pair();
        client.write_all(b"POST").await.unwrap();
        assert_eq!(server.read(&mut [0; 16]).await.unwrap(), 4);
        activity.answering();
        assert!(timeout(100 * HEADER, server.read(&mut [0; 16])).await.is_err());
    }
}
