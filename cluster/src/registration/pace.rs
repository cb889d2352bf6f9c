//! How fast the leader may write: somebody else may want another bundle for ever.

use std::time::Duration;

use tokio::time::Instant;

/// Writes that may follow each other at once; then there is one per second.
pub(super) const BURST: u32 = 20;

/// When writes may follow each other.
#[derive(Debug)]
pub(super) struct Pace {
    tokens: u32,
    since: Instant,
}

impl Pace {
    pub(super) const fn new(now: Instant) -> Self {
        Self { tokens: BURST, since: now }
    }

    /// `None` for now, else when to try again.
    pub(super) fn next(&mut self, now: Instant) -> Option<Instant> {
        let gained = now.saturating_duration_since(self.since).as_secs();
        if gained > 0 {
            self.tokens = self.tokens.saturating_add(u32::try_from(gained).unwrap_or(BURST)).min(BURST);
            self.since = now;
        }
        if self.tokens == 0 {
            return Some(self.since + Duration::from_secs(1));
        }
        self.tokens -= 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_there_is_one_write_per_second() {
        let now = Instant::now();
        let mut pace = Pace::new(now);
        assert_eq!((0..BURST).filter(|_| pace.next(now).is_none()).count(), BURST as usize);
        let second = Duration::from_secs(1);
        assert_eq!(pace.next(now), Some(now + second));
        assert_eq!(pace.next(now + second), None);
        assert!(pace.next(now + second).is_some());
    }
}
