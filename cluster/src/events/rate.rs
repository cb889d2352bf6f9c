//! How many Events there may be: a bucket of tokens for each namespace, so that a loop in one does not hide another, and one for all.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::bucket::{Bucket, Size};

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

impl Rate {
    /// Takes a token of the namespace and one of all, if there are both.
    pub(super) fn allows(&mut self, namespace: &str, now: Instant) -> bool {
        if self.buckets.len() >= NAMESPACES {
            self.buckets.retain(|_, bucket| !bucket.is_full(now));
            if self.buckets.len() >= NAMESPACES && !self.buckets.contains_key(namespace) {
                return false;
            }
        }
        let bucket = self.buckets.entry(namespace.to_owned()).or_insert_with(|| Bucket::full(EACH, now));
        bucket.take(now).is_ok() && self.all.get_or_insert_with(|| Bucket::full(ALL, now)).take(now).is_ok()
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
