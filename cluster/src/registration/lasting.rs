//! How long each difference has lasted, and which ones have for long enough to be told of and put right.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::Drift;

/// The differences that there are, each with its own beginning: one that has lasted says nothing of another.
#[derive(Debug)]
pub(super) struct Lasting {
    settle: Duration,
    catch_up: Duration,
    since: BTreeMap<Drift, Instant>,
    /// Since when the configurations have been of another release than our file.
    other_since: Option<Instant>,
}

impl Lasting {
    /// None yet; a difference settles after `settle`, or after `catch_up` where it may be another release.
    pub(super) const fn new(settle: Duration, catch_up: Duration) -> Self {
        Self { settle, catch_up, since: BTreeMap::new(), other_since: None }
    }

    /// These are the differences now.
    pub(super) fn look(&mut self, now: Instant, drift: &[Drift], is_other: bool) {
        let since = |drift: &Drift| self.since.get(drift).copied().unwrap_or(now);
        self.since = drift.iter().map(|drift| (drift.clone(), since(drift))).collect();
        self.other_since = is_other.then(|| self.other_since.unwrap_or(now));
    }

    /// Those that have lasted for long enough. Where the configurations are of another release than our file, the file has time to catch
    /// up, but only once: who takes the mark away does not switch this off.
    pub(super) fn settled(&self, now: Instant) -> Vec<Drift> {
        let has_lasted = |since: Instant, long: Duration| now.duration_since(since) >= long;
        let has_caught_up = self.other_since.is_none_or(|since| has_lasted(since, self.catch_up));
        let is_settled = |since: Instant| {
            has_lasted(since, self.settle) && (has_caught_up || has_lasted(since, self.catch_up))
        };
        self.since.iter().filter(|(_, since)| is_settled(**since)).map(|(drift, _)| drift.clone()).collect()
    }

    /// Counts anew: something was done about all of them.
    pub(super) fn restart(&mut self, now: Instant) {
        for since in self.since.values_mut() {
            *since = now;
        }
    }

    /// When another one may have lasted for long enough, also in the past.
    pub(super) fn ends(&self) -> impl Iterator<Item = Instant> {
        let each = self.since.values().flat_map(|since| [*since + self.settle, *since + self.catch_up]);
        each.chain(self.other_since.map(|since| since + self.catch_up))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::{Configuration, DriftKind};

    const SETTLE: Duration = Duration::from_secs(30);
    const CATCH_UP: Duration = Duration::from_secs(180);

    fn drift(field: &str) -> Drift {
        let (configuration, kind) = (Configuration::Validating, DriftKind::Other);
        Drift { configuration, webhook: Some("a".into()), kind, field: field.into() }
    }

    #[test]
    fn a_long_drift_made_another_one_settled_at_once() {
        let (mut lasting, start) = (Lasting::new(SETTLE, CATCH_UP), Instant::now());
        let [old, new] = ["rules", "failurePolicy"].map(drift);
        lasting.look(start, std::slice::from_ref(&old), false);
        let later = start + CATCH_UP;
        let both = [new.clone(), old.clone()];
        lasting.look(later, &both, false);
        assert_eq!(lasting.settled(later), std::slice::from_ref(&old));
        assert!(lasting.ends().any(|end| end == later + SETTLE));
        assert_eq!(lasting.settled(later + SETTLE), both);
    }

    #[test]
    fn one_that_went_and_came_back_is_a_new_one() {
        let (mut lasting, start) = (Lasting::new(SETTLE, CATCH_UP), Instant::now());
        lasting.look(start, &[drift("rules")], false);
        lasting.look(start + SETTLE, &[], false);
        lasting.look(start + SETTLE, &[drift("rules")], false);
        assert_eq!(lasting.settled(start + SETTLE), []);
    }

    #[test]
    fn a_long_drift_made_an_upgrade_settled_at_once() {
        let (mut lasting, start) = (Lasting::new(SETTLE, CATCH_UP), Instant::now());
        lasting.look(start, &[drift("rules")], false);
        let later = start + CATCH_UP;
        lasting.look(later, &[drift("failurePolicy")], true);
        assert_eq!(lasting.settled(later + SETTLE), []);
        assert_eq!(lasting.settled(later + CATCH_UP).len(), 1);
    }
}
