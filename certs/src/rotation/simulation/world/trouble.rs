//! What nobody should do and somebody does: other writers of what replicas share, and registrations that are lost for years.

use std::rc::Rc;

use time::OffsetDateTime;

use super::{BTreeSet, Event, Time, World, millis, serial, true_date};
use crate::{
    Authority, State,
    authority::CLOCK_SKEW,
    bundle::{sections, union},
    rotation::{MOST_AUTHORITIES, Step, state::Trusted},
};

/// After so many overlaps whatever can be renewed must have been.
const PATIENCE: u32 = 12;

/// An authority stays registered for so many overlaps after a leader has seen that nobody needs it.
const FAREWELL: u32 = 4;

#[derive(Default)]
pub(super) struct Troubles {
    drift: Option<Drift>,
    /// How often others have written.
    pub(super) strangers: u32,
    /// What replicas have written, for those who keep backups.
    backups: Vec<Rc<State>>,
    /// What is registered and not needed by the leader, and since when.
    unneeded: Vec<(String, Time)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Drift {
    /// No replica sees what is registered.
    Unseen,
    /// What the leader wants registered does not arrive at this configuration.
    Lost(usize),
}

impl World {
    /// From now on others write too, and registrations get lost; whoever registers keeps what others may need.
    pub(in super::super) fn in_trouble(mut self) -> Self {
        self.troubles = Some(Troubles::default());
        self.after(0, Event::Trouble);
        self
    }

    pub(super) fn is_unseen(&self) -> bool {
        self.drift() == Some(Drift::Unseen)
    }

    pub(super) fn is_lost(&self, configuration: usize) -> bool {
        self.drift() == Some(Drift::Lost(configuration))
    }

    fn drift(&self) -> Option<Drift> {
        self.troubles.as_ref().and_then(|troubles| troubles.drift)
    }

    pub(super) fn forget_farewells(&mut self) {
        if let Some(troubles) = &mut self.troubles {
            troubles.unneeded.clear();
        }
    }

    /// The text to be registered, with what is registered and has not been seen unneeded for long.
    pub(super) fn beside_others(&mut self, text: String) -> String {
        let farewell = millis(self.knobs.overlap * FAREWELL);
        let Some(troubles) = &mut self.troubles else { return text };
        let said: Vec<_> = self.said.iter().filter_map(|said| Some(said.last()?.1.clone())).collect();
        let said = union(said.iter().map(String::as_str)).unwrap_or_default();
        let is_unneeded = |section: &&str| !text.contains(*section);
        let before = std::mem::take(&mut troubles.unneeded);
        for section in sections(&said).filter(is_unneeded) {
            let known = before.iter().find(|(known, _)| known == section);
            troubles.unneeded.push((section.to_owned(), known.map_or(self.time, |(_, since)| *since)));
        }
        let stays = |(_, since): &&(String, Time)| self.time - since < farewell;
        let staying = troubles.unneeded.iter().filter(stays).map(|(section, _)| section.as_str());
        union([text.as_str()].into_iter().chain(staying)).unwrap_or_default()
    }

    pub(super) fn trouble(&mut self) {
        match self.up_to(3) {
            0 => self.set_drift(Some(Drift::Unseen)),
            1 => {
                let configuration = usize::from(self.up_to(1) == 1);
                self.set_drift(Some(Drift::Lost(configuration)));
            }
            2 => self.set_drift(None),
            // While it is not known what is registered, a set that can be served is followed.
            _ if self.drift().is_some() => {}
            _ => self.write_as_a_stranger(),
        }
        let soon = self.up_to(millis(self.knobs.authority_life) / 2);
        self.after(soon, Event::Trouble);
    }

    fn set_drift(&mut self, drift: Option<Drift>) {
        if let Some(troubles) = &mut self.troubles {
            troubles.drift = drift;
        }
        self.publish(self.leader);
        (0..self.replicas.len()).for_each(|replica| self.wake(replica, 0));
    }

    /// A backup, another authority, a whole set of one, keys removed, everything removed.
    fn write_as_a_stranger(&mut self) {
        let stored = Rc::clone(&self.stored.1);
        let without_keys = |stored: &State| {
            let strip = |one: &Trusted| {
                Trusted::without_key(one.certificate_pem(), one.summary().clone())
                    .with_last_leaf(one.last_leaf_ends())
            };
            stored.authorities().iter().map(strip).collect::<Vec<_>>()
        };
        let now = true_date(self.time);
        let life = self.knobs.authority_life;
        let other = || Authority::new_at(now, "other", life).unwrap();
        let state = match self.up_to(5) {
            0 => State::default(),
            1 => State::new(without_keys(&stored), None).at_generation(stored.generation()),
            2 => State::new(without_keys(&stored), stored.leaf().cloned()).at_generation(stored.generation()),
            3 => {
                let other = Trusted::new(other());
                State::new(vec![other], None).at_generation(stored.generation())
            }
            4 => {
                let mut state = State::new(vec![Trusted::new(other())], None);
                state.take(Step::MakeLeaf { issuer: 0 }, now, &self.knobs).unwrap();
                let later = self.up_to(stored.generation() * 2);
                state.at_generation(later)
            }
            _ => {
                let backups = self.troubles.as_ref().map_or(&[][..], |troubles| &troubles.backups);
                let (count, backups) = (backups.len() as u64, backups.to_vec());
                let chosen = usize::try_from(self.up_to(count.saturating_sub(1))).unwrap();
                backups.get(chosen).map_or_else(State::default, |backup| State::clone(backup))
            }
        };
        self.store(Rc::new(state));
        if let Some(troubles) = &mut self.troubles {
            troubles.strangers += 1;
        }
        // One that begins anew before another has written back knows nothing better.
        if self.replicas.len() > 1 && self.up_to(1) == 1 {
            let (replica, delay) = (self.pick(), self.up_to(millis(self.knobs.overlap)));
            self.after(delay, Event::Restart { replica });
        }
    }

    /// A replica serves what it has found.
    pub(super) fn serve(&mut self, index: usize, state: Rc<State>) {
        let now = true_date(self.time);
        let replica = &mut self.replicas[index];
        let before = replica.served.replace(Rc::clone(&state));
        replica.wanted = state.bundle();
        let Some(troubles) = &mut self.troubles else { return };
        let before = before.as_deref().and_then(State::leaf);
        let lasts = |end: OffsetDateTime| now.saturating_add(skew()) < end;
        if before.is_some_and(|leaf| lasts(leaf.not_after())) {
            let is_valid = state.leaf().is_some_and(|leaf| leaf.not_after().saturating_add(skew()) >= now);
            assert!(is_valid, "at {} ms a leaf that has expired follows one that has not", self.time);
        }
        // Shortly before its end there is no time to wait until all trust the next one.
        replica.is_ready &= before.is_some_and(|leaf| lasts(self.knobs.leaf_ends_at_once(leaf)));
        if troubles.backups.last().is_none_or(|last| **last != *state) {
            troubles.backups.push(state);
        }
    }

    /// Whoever has been trusted by all who call stays so while its leaf is valid, and no leaf outlives its end for long.
    pub(super) fn check_in_trouble(&mut self) {
        let now = true_date(self.time);
        let oldest = self.time.saturating_sub(millis(self.knobs.overlap));
        let mut all: Option<BTreeSet<String>> = None;
        for said in &self.said {
            let still_seen = said.iter().rposition(|(since, ..)| *since <= oldest).unwrap_or(0);
            for (_, _, bundle) in &said[still_seen..] {
                all = Some(all.map_or_else(|| BTreeSet::clone(bundle), |all| &all & bundle));
            }
        }
        let all = all.unwrap_or_default();
        assert!(self.stored.1.authorities().len() <= MOST_AUTHORITIES + 1);
        for replica in &mut self.replicas {
            let Some(leaf) = replica.served.as_deref().and_then(State::leaf) else { continue };
            let issuer = replica.served.as_deref().map(|state| serial(&state.authorities()[leaf.issuer()]));
            let is_trusted = issuer.is_some_and(|issuer| all.contains(&issuer));
            let is_valid = now <= leaf.not_after();
            let late = (now - leaf.not_after().max(true_date(replica.began))) - skew() * 2;
            assert!(
                late < self.knobs.overlap * PATIENCE,
                "at {} ms a leaf has been served for {late} since it expired",
                self.time
            );
            assert!(
                is_trusted || !is_valid || !replica.is_ready,
                "at {} ms one that all trusted is not trusted any more",
                self.time
            );
            replica.is_ready |= is_trusted && is_valid;
        }
    }
}

fn skew() -> time::Duration {
    time::Duration::try_from(CLOCK_SKEW).unwrap()
}
