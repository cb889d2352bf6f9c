//! A bug in judging one request must neither end the process nor admit the request, nor show what the request held.

use std::{
    future::{Future, poll_fn},
    panic::{self, AssertUnwindSafe},
    pin::pin,
    task::Poll,
};

/// Runs `work` to its end; `None` when it panicked.
pub(crate) async fn guarded<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|cx| match panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        // The future is never polled again, so nobody sees what it left half done.
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// Logs where a panic happened, and not its message, which may quote what a request held. For the whole process, once, at start.
pub fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let (file, line) = info.location().map_or(("unknown", 0), |place| (place.file(), place.line()));
        tracing::error!(file, line, "a bug: please report the place");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        assert_eq!(guarded(async { 7 }).await, Some(7));
        assert_eq!(guarded::<()>(async { panic!("a bug") }).await, None);
    }

    #[tokio::test]
    async fn a_panic_after_a_wait_is_one_too() {
        let work = async {
            tokio::task::yield_now().await;
            panic!("a bug");
        };
        assert_eq!(guarded::<()>(work).await, None);
    }
}
