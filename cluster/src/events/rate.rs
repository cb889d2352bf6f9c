//! How many Events there may be: a bucket of tokens for each namespace, so that a loop in one does not hide another, and one for all.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

/// Of one namespace: 25 at once, then six a minute.
const EACH: Size = Size { burst: 25, refill: Duration::from_secs(10) };
/// Of all together, so that no caller makes us write without end: 300 at once, then sixty a minute.
const ALL: Size = Size { burst: 300, refill: Duration::from_secs(1) };
/// Namespaces that are remembered; a full bucket need not be.
const NAMESPACES: usize = 4096;

/// The buckets.
#[derive(Debug, Default)]
pub(super) struct Rate {
    buckets: HashMap<String, Bucket>,
    all: Option<Bucket>,
}

/// How many tokens a bucket holds, and after how long there is one more.
#[derive(Debug, Clone, Copy)]
struct Size {
    burst: u32,
    refill: Duration,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: u32,
    since: Instant,
}

impl Rate {
    /// Takes a token of the namespace and one of all, if there are both.
    pub(super) fn allows(&mut self, namespace: &str, now: Instant) -> bool {
        if self.buckets.len() >= NAMESPACES {
            self.buckets.retain(|_, bucket| bucket.refilled(EACH, now).tokens < EACH.burst);
            if self.buckets.len() >= NAMESPACES && !self.buckets.contains_key(namespace) {
                return false;
            }
        }
        let bucket = self.buckets.entry(namespace.to_owned()).or_insert_with(|| Bucket::full(EACH, now));
        bucket.take(EACH, now) && self.all.get_or_insert_with(|| Bucket::full(ALL, now)).take(ALL, now)
    }
}

impl Bucket {
    const fn full(size: Size, now: Instant) -> Self {
        Self { tokens: size.burst, since: now }
    }

    /// Whether there was a token to take.
    fn take(&mut self, size: Size, now: Instant) -> bool {
        *self = self.refilled(size, now);
        let is_there = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        is_there
    }

    fn refilled(&self, size: Size, now: Instant) -> Self {
        let passed = now.saturating_duration_since(self.since).as_secs() / size.refill.as_secs();
        let gained = u32::try_from(passed).unwrap_or(size.burst).min(size.burst);
        let tokens = (self.tokens + gained).min(size.burst);
        let since = if tokens == size.burst { now } else { self.since + size.refill * gained };
        Self { tokens, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_one_at_a_time() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        assert_eq!((0..100).filter(|_| rate.allows("shop", now)).count(), EACH.burst as usize);
        assert!(!rate.allows("shop", now + EACH.refill / 2));
        assert!(rate.allows("shop", now + EACH.refill));
        assert!(!rate.allows("shop", now + EACH.refill));
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
        let later = now + EACH.refill * 1000;
        assert_eq!((0..100).filter(|_| rate.allows("shop", later)).count(), EACH.burst as usize);
    }

    #[test]
    fn the_memory_is_bounded_and_what_is_full_is_forgotten_first() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        for index in 0..NAMESPACES * 2 {
            rate.allows(&index.to_string(), now);
        }
        assert_eq!(rate.buckets.len(), NAMESPACES);
        assert!(rate.allows("later", now + EACH.refill));
        assert_eq!(rate.buckets.len(), 1);
    }

    #[test]
    fn a_flood_over_all_namespaces_has_an_end_and_leaves_some_for_later() {
        let (mut rate, now) = (Rate::default(), Instant::now());
        let mut flood =
            |at: Instant| (0..4_000).filter(|index| rate.allows(&format!("n{}", index % 1_000), at)).count();
        assert_eq!(flood(now), ALL.burst as usize);
        assert_eq!(flood(now + Duration::from_secs(60)), 60);
    }
}
