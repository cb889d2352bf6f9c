//! A bucket of tokens: so much at once, and then one in a while.

use std::time::Duration;

use tokio::time::Instant;

/// How many tokens a bucket holds, and after how long there is one more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) burst: u32,
    /// In whole seconds.
    pub(crate) refill: Duration,
}

/// One bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    size: Size,
    tokens: u32,
    since: Instant,
}

impl Bucket {
    /// One that nobody has taken from yet.
    pub(crate) const fn full(size: Size, now: Instant) -> Self {
        Self { size, tokens: size.burst, since: now }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// When there is none: the time at which there will be one.
    pub(crate) fn take(&mut self, now: Instant) -> Result<(), Instant> {
        *self = self.refilled(now);
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                Ok(())
            }
            None => Err(self.since + self.size.refill),
        }
    }

    /// Whether it is as if nobody had taken from it.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.refilled(now).tokens == self.size.burst
    }

    fn refilled(self, now: Instant) -> Self {
        let Size { burst, refill } = self.size;
        let passed = now.saturating_duration_since(self.since).as_secs() / refill.as_secs();
        let gained = u32::try_from(passed).unwrap_or(burst).min(burst);
        let tokens = (self.tokens + gained).min(burst);
        let since = if tokens == burst { now } else { self.since + refill * gained };
        Self { tokens, since, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { burst: 20, refill: Duration::from_secs(10) };

    #[test]
    fn after_a_burst_there_is_one_at_a_time() {
        let now = Instant::now();
        let mut bucket = Bucket::full(SIZE, now);
        assert_eq!((0..100).filter(|_| bucket.take(now).is_ok()).count(), SIZE.burst as usize);
        assert_eq!(bucket.take(now), Err(now + SIZE.refill));
        assert_eq!(bucket.take(now + SIZE.refill / 2), Err(now + SIZE.refill));
        assert_eq!(bucket.take(now + SIZE.refill), Ok(()));
        assert_eq!(bucket.take(now + SIZE.refill), Err(now + SIZE.refill * 2));
    }

    #[test]
    fn a_bucket_is_never_fuller_than_full() {
        let now = Instant::now();
        let mut bucket = Bucket::full(SIZE, now);
        assert!(bucket.take(now).is_ok() && !bucket.is_full(now));
        let later = now + SIZE.refill * 1000;
        assert!(bucket.is_full(later));
        assert_eq!((0..100).filter(|_| bucket.take(later).is_ok()).count(), SIZE.burst as usize);
    }
}
