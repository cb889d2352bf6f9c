//! When an answer is worth nothing any more: whoever judges asks in between, so that no input keeps a thread for longer.

use std::time::Duration;

use tokio::time::Instant;

use crate::refusal::Refusal;

/// The end of a judgement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left of it.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Goes on as long as somebody waits.
    ///
    /// # Errors
    /// [`Refusal::Deadline`] from then on.
    pub(crate) fn check(self) -> Result<(), Refusal> {
        if Instant::now() < self.0 { Ok(()) } else { Err(Refusal::Deadline) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_up_when_it_is() {
        assert_eq!(Deadline::after(Duration::ZERO).check(), Err(Refusal::Deadline));
        assert_eq!(Deadline::after(Duration::from_secs(3600)).check(), Ok(()));
    }
}
