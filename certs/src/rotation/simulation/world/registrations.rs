//! What is registered: who asks for it, when it arrives, and who has read it.

use std::{collections::BTreeSet, rc::Rc};

use super::{Event, Time, World, millis};
use crate::{
    Summary,
    bundle::{sections, union},
};

impl World {
    /// Every replica has registered what it needs, one configuration after the other; only the leader takes any away.
    pub(super) fn publish(&mut self, index: usize) {
        let Some(wanted) = self.replicas[index].wanted.clone() else { return };
        let is_leader = index == self.leader;
        let wanted = if is_leader { self.beside_others(wanted) } else { wanted };
        for configuration in 0..2 {
            let seen = &self.replicas[index].registered[configuration];
            let is_missing = |section: &str| !sections(seen).any(|known| known == section);
            let is_right = if is_leader { *seen == wanted } else { !sections(&wanted).any(is_missing) };
            if !is_right {
                let delay = self.up_to(self.eyes() / 10);
                let replaces = is_leader.then(|| self.last_said(configuration).0);
                self.after(delay, Event::Register { configuration, text: wanted.clone(), replaces });
            }
        }
    }

    /// What a configuration says, and since when.
    pub(super) fn last_said(&self, configuration: usize) -> (Time, &str) {
        self.said[configuration].last().map_or((0, ""), |(since, text, _)| (*since, text.as_str()))
    }

    pub(super) fn register(&mut self, configuration: usize, text: String, replaces: Option<Time>) {
        let (since, said) = self.last_said(configuration);
        let text = if replaces.is_some() { text } else { union([said, &text]).unwrap_or_default() };
        let is_conflict = replaces.is_some_and(|replaces| replaces != since);
        if is_conflict || said == text || self.is_lost(configuration) {
            return;
        }
        let serial = |pem: &str| Summary::from_pem(pem.as_bytes()).unwrap().swap_remove(0).serial;
        let bundle: BTreeSet<_> = sections(&text).map(serial).collect();
        let oldest = self.time.saturating_sub(millis(self.lag));
        let said = &mut self.said[configuration];
        said.push((self.time, text, Rc::new(bundle)));
        // Whoever lags behind by the overlap still sees the last one that was said before that.
        let still_seen = said.iter().rposition(|(since, ..)| *since <= oldest).unwrap_or(0);
        said.drain(..still_seen);
        let edition = self.events;
        for replica in 0..self.replicas.len() {
            let texts = [0, 1].map(|one: usize| self.last_said(one).1.to_owned());
            let delay = self.up_to(self.eyes());
            self.after(delay, Event::See { replica, edition, texts });
        }
    }

    /// What both configurations have in common, as this replica sees them.
    pub(super) fn registered_as_seen(&self, replica: usize) -> Option<String> {
        let [one, other] = &self.replicas[replica].registered;
        if self.is_unseen() || (one.is_empty() && other.is_empty()) {
            return None;
        }
        let common = sections(one).filter(|section| sections(other).any(|known| known == *section));
        Some(union(common).unwrap_or_default())
    }
}
