//! How loops wait for the next value of a channel.

use std::future;

use tokio::sync::watch;

/// Waits for a new value; for ever when nobody is left who could send one, so that such a channel ends no loop.
pub(crate) async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        future::pending::<()>().await;
    }
}
