//! Leaving in order: a first signal lets every request finish, a second one ends at once.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How far the server is on its way out. It only ever moves forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Not leaving.
    Serving,
    /// Asked to leave: no longer ready, but everything is still answered until the news has reached those who send.
    Leaving,
    /// No new connections; each answer tells its connection to close.
    Draining,
    /// What is still open is dropped.
    Ended,
}

/// A handle to the stage, for those who move it and those who wait for it.
#[derive(Debug, Clone)]
pub struct Drain {
    stage: Arc<watch::Sender<Stage>>,
}

impl Default for Drain {
    fn default() -> Self {
        Self { stage: Arc::new(watch::Sender::new(Stage::Serving)) }
    }
}

impl Drain {
    /// Where the server is now.
    #[must_use]
    pub fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Moves on to `stage`; never back.
    pub fn raise(&self, stage: Stage) {
        self.stage.send_if_modified(|current| {
            let forward = stage > *current;
            if forward {
                *current = stage;
            }
            forward
        });
    }

    /// What a signal does: the first begins to drain, the next one ends.
    pub fn signalled(&self) {
        self.raise(if self.stage() == Stage::Serving { Stage::Leaving } else { Stage::Ended });
    }

    /// Waits until `stage`, or a later one, is reached.
    pub async fn reached(&self, stage: Stage) {
        let mut changes = self.stage.subscribe();
        // The sender lives in `self`, so it cannot be gone.
        let _ = changes.wait_for(|current| *current >= stage).await;
    }

    /// Listens for SIGTERM and SIGINT until the server has ended.
    ///
    /// # Errors
    /// When the system does not let signals be watched.
    pub async fn on_signals(self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        while self.stage() != Stage::Ended {
            tokio::select! {
                _ = terminate.recv() => self.signalled(),
                _ = interrupt.recv() => self.signalled(),
                () = self.reached(Stage::Ended) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_drains_the_second_ends() {
        let drain = Drain::default();
        drain.signalled();
        assert_eq!(drain.stage(), Stage::Leaving);
        drain.raise(Stage::Draining);
        drain.signalled();
        assert_eq!(drain.stage(), Stage::Ended);
    }

    #[test]
    fn there_is_no_way_back() {
        let drain = Drain::default();
        drain.raise(Stage::Ended);
        drain.raise(Stage::Leaving);
        assert_eq!(drain.stage(), Stage::Ended);
    }

    #[tokio::test]
    async fn waiting_for_a_stage_ends_with_a_later_one() {
        let drain = Drain::default();
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.reached(Stage::Leaving).await }
        });
        drain.raise(Stage::Ended);
        waiting.await.unwrap();
    }
}
