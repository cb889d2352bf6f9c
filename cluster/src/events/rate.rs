//! How many Events one namespace may have: a bucket of tokens each, so that a loop in one does not hide another.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// Events that may come at once in one namespace.
const BURST: u32 = 25;
/// One more is allowed after this.
const REFILL: Duration = Duration::from_secs(10);
/// Namespaces that are remembered; a full bucket need not be.
const NAMESPACES: usize = 4096;

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Rate {
    buckets: HashMap<String, Bucket>,
}

#[derive(Debug)]
struct Bucket {
    tokens: u32,
    since: Instant,
}

impl Rate {
    /// Takes a token, if there is one.
    pub(super) fn allows(&mut self, namespace: &str, now: Instant) -> bool {
        if self.buckets.len() >= NAMESPACES {
            self.buckets.retain(|_, bucket| bucket.refilled(now).tokens < BURST);
            if self.buckets.len() >= NAMESPACES && !self.buckets.contains_key(namespace) {
                return false;
            }
        }
        let full = || Bucket { tokens: BURST, since: now };
        let bucket = self.buckets.entry(namespace.to_owned()).or_insert_with(full);
        *bucket = bucket.refilled(now);
        let is_allowed = bucket.tokens > 0;
        bucket.tokens = bucket.tokens.saturating_sub(1);
        is_allowed
    }
}

impl Bucket {
    fn refilled(&self, now: Instant) -> Self {
        let passed = now.saturating_duration_since(self.since).as_secs() / REFILL.as_secs();
        let gained = u32::try_from(passed).unwrap_or(BURST).min(BURST);
        let tokens = (self.tokens + gained).min(BURST);
        let since = if tokens == BURST { now } else { self.since + REFILL * gained };
        Self { tokens, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_at_a_time() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        assert_eq!((0..100).filter(|_| rate.allows("shop", now)).count(), BURST as usize);
        assert!(!rate.allows("shop", now + REFILL / 2));
        assert!(rate.allows("shop", now + REFILL));
        assert!(!rate.allows("shop", now + REFILL));
    }

    #[test]
    fn one_namespace_takes_nothing_from_another() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        while rate.allows("noisy", now) {}
        assert!(rate.allows("quiet", now));
    }

    #[test]
    fn a_bucket_is_never_fuller_than_full() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        assert!(rate.allows("shop", now));
        let later = now + REFILL * 1000;
        assert_eq!((0..100).filter(|_| rate.allows("shop", later)).count(), BURST as usize);
    }

    #[test]
    fn the_memory_is_bounded_and_what_is_full_is_forgotten_first() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        for index in 0..NAMESPACES * 2 {
            rate.allows(&index.to_string(), now);
        }
        assert_eq!(rate.buckets.len(), NAMESPACES);
        assert!(rate.allows("later", now + REFILL));
        assert_eq!(rate.buckets.len(), 1);
    }
}
