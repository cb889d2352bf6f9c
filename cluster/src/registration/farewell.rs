//! When an authority may leave the registered bundle: nobody says who still serves what it signed, so the leader waits.
//!
//! Other replicas add what they need, and files reach them when their node gets to it. What comes back after it was removed is needed by
//! somebody, and stays twice as long each time.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::authorities::Authorities;

/// More authorities than that are not remembered once they have left.
const MEMORY: usize = 64;
/// The longest stay is the shortest one doubled so often.
const DOUBLINGS: u32 = 6;

/// What a leader knows of the authorities that it does not need itself.
#[derive(Debug)]
pub(super) struct Farewell {
    period: Duration,
    known: BTreeMap<Vec<u8>, Guest>,
}

#[derive(Debug, Default)]
struct Guest {
    /// Since when it has been registered without need, as this leader has seen it; `None` while it is not registered.
    since: Option<Instant>,
    returns: u32,
}

impl Farewell {
    pub(super) const fn new(period: Duration) -> Self {
        Self { period, known: BTreeMap::new() }
    }

    /// Who does not lead does not count the time either: the leader before may need what this one does not.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// This is registered now, and this is what the leader itself needs.
    pub(super) fn look(&mut self, now: Instant, registered: &Authorities, needed: &Authorities) {
        self.known.retain(|certificate, _| !needed.contains(certificate));
        for (certificate, guest) in &mut self.known {
            if !registered.contains(certificate) && guest.since.take().is_some() {
                guest.returns += 1;
            }
        }
        for certificate in registered.iter().filter(|one| !needed.contains(one)) {
            self.known.entry(certificate.to_vec()).or_default().since.get_or_insert(now);
        }
        if self.known.len() > MEMORY {
            self.known.retain(|_, guest| guest.since.is_some());
        }
    }

    /// Whether it has stayed long enough.
    pub(super) fn is_over(&self, now: Instant, certificate: &[u8]) -> bool {
        self.known.get(certificate).and_then(|guest| self.end(guest)).is_some_and(|end| end <= now)
    }

    /// When the next one will have stayed long enough.
    pub(super) fn next(&self, now: Instant) -> Option<Instant> {
        self.known.values().filter_map(|guest| self.end(guest)).filter(|end| *end > now).min()
    }

    fn end(&self, guest: &Guest) -> Option<Instant> {
        Some(guest.since? + self.period.saturating_mul(1 << guest.returns.min(DOUBLINGS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registration::authorities::stand_in;

    const PERIOD: Duration = Duration::from_secs(600);

    fn of(names: &[&str]) -> Authorities {
        Authorities::of_pem(&names.iter().map(|name| stand_in(name)).collect::<String>())
    }

    #[test]
    fn what_the_leader_does_not_need_stays_for_a_while() {
        let (mut farewell, start) = (Farewell::new(PERIOD), Instant::now());
        farewell.look(start, &of(&["a", "b"]), &of(&["a"]));
        assert!(!farewell.is_over(start + PERIOD / 2, b"b"));
        assert_eq!(farewell.next(start), Some(start + PERIOD));
        assert!(farewell.is_over(start + PERIOD, b"b") && !farewell.is_over(start + PERIOD, b"a"));
        // Needed again: the time begins anew.
        farewell.look(start + PERIOD, &of(&["a", "b"]), &of(&["a", "b"]));
        farewell.look(start + PERIOD, &of(&["a", "b"]), &of(&["a"]));
        assert!(!farewell.is_over(start + PERIOD, b"b"));
        farewell.forget();
        assert_eq!(farewell.next(start), None);
    }

    #[test]
    fn what_comes_back_is_needed_by_somebody_and_stays_longer() {
        let (mut farewell, mut now) = (Farewell::new(PERIOD), Instant::now());
        for stay in [PERIOD, PERIOD * 2, PERIOD * 4] {
            farewell.look(now, &of(&["a", "b"]), &of(&["a"]));
            assert!(!farewell.is_over(now + stay - Duration::from_secs(1), b"b"));
            now += stay;
            assert!(farewell.is_over(now, b"b"));
            farewell.look(now, &of(&["a"]), &of(&["a"]));
        }
    }
}
