//! How long an HTTP/1.1 connection may keep us waiting: short within the head of a request, long between requests.

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
    time::{Instant, Sleep, sleep},
};

/// How long a connection may be idle. Go's clients, and so the API server, drop an idle connection themselves after 90 s: at
/// this age nobody is left who could be about to send, and closing cannot lose a request.
pub(crate) const IDLE: Duration = Duration::from_secs(600);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
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
        if self.doing() == Doing::Idle {
            self.set(Doing::Head);
        }
    }

    fn set(&self, doing: Doing) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX >> 2);
        self.state.store(now << 2 | doing as u64, Ordering::Relaxed);
    }

    fn doing(&self) -> Doing {
        match self.state.load(Ordering::Relaxed) & 3 {
            0 => Doing::Idle,
            1 => Doing::Head,
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
    header_timeout: Duration,
    /// Wakes up every `header_timeout`; resetting it on each request would cost more than it is worth.
    tick: Pin<Box<Sleep>>,
}

impl<S> Patient<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>, header_timeout: Duration) -> Self {
        Self { stream, activity, header_timeout, tick: Box::pin(sleep(header_timeout)) }
    }

    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.tick.as_mut().poll(cx));
            let limit = match self.activity.doing() {
                Doing::Idle => IDLE,
                Doing::Head => self.header_timeout,
                Doing::Answering => Duration::MAX,
            };
            if self.activity.lasts() >= limit {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            let next = Instant::now() + self.header_timeout.max(Duration::from_millis(1));
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

    fn pair() -> (DuplexStream, Patient<DuplexStream>, Arc<Activity>) {
        let (client, server) = duplex(64);
        let activity = Activity::new();
        (client, Patient::new(server, Arc::clone(&activity), HEADER), activity)
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
    async fn an_idle_connection_outlives_every_client_of_go() {
        let (_client, mut server, _) = pair();
        assert!(timeout(Duration::from_secs(500), server.read(&mut [0; 16])).await.is_err());
        assert_eq!(server.read(&mut [0; 16]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
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
