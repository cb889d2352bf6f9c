//! Ctrl-C, or whoever else wants a rollout to end.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Every signal that asks for the end. From its making on no signal ends the process by itself.
#[derive(Debug)]
pub(super) struct Stops(Vec<Signal>);

impl Stops {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Whether one came since the last look.
    pub(super) fn came(&mut self) -> bool {
        self.next().now_or_never().is_some()
    }
}

impl Stream for Stops {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        // All of them are asked, so that each wakes us.
        let came = self.0.iter_mut().filter_map(|signal| match signal.poll_recv(context) {
            Poll::Ready(Some(())) => Some(()),
            Poll::Ready(None) | Poll::Pending => None,
        });
        if came.count() > 0 { Poll::Ready(Some(())) } else { Poll::Pending }
    }
}
