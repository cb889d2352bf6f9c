//! What must hold at every moment, where nobody else writes.

use super::{Clocks, World, millis, serial, true_date};

impl World {
    /// Whoever serves is trusted by whoever may call.
    pub(super) fn check(&mut self) {
        if self.troubles.is_some() {
            return self.check_in_trouble();
        }
        let oldest = self.time.saturating_sub(millis(self.lag));
        let is_hurried = self.hurries.last().is_some_and(|hurry| *hurry >= oldest);
        let oldest = if is_hurried { self.time } else { oldest };
        for replica in &self.replicas {
            let Some(state) = &replica.served else { continue };
            let Some(leaf) = state.leaf() else { continue };
            let issuer = &state.authorities()[leaf.issuer()];
            for said in &self.said {
                let still_seen = said.iter().rposition(|(since, ..)| *since <= oldest).unwrap_or(0);
                for (since, _, bundle) in &said[still_seen..] {
                    assert!(
                        bundle.contains(&serial(issuer)),
                        "at {} ms a leaf of {} is served, not trusted by what was said at {since} ms",
                        self.time,
                        serial(issuer)
                    );
                }
            }
        }
        self.check_validity();
    }

    /// Whoever has a clock that is right serves what is valid, since its beginning or since it first did.
    fn check_validity(&mut self) {
        let now = true_date(self.time);
        for index in 0..self.replicas.len() {
            let is_right = self.is_right(index);
            let replica = &mut self.replicas[index];
            let Some(state) = replica.served.as_ref().filter(|_| is_right) else { continue };
            let Some(leaf) = state.leaf() else { continue };
            let issuer = &state.authorities()[leaf.issuer()];
            let is_valid =
                [(leaf.not_before(), leaf.not_after()), (issuer.summary().not_before, issuer.not_after())]
                    .iter()
                    .all(|(begin, end)| (*begin..=*end).contains(&now));
            let may_begin_so = self.clocks != Clocks::Close && !replica.is_ready;
            assert!(is_valid || may_begin_so, "at {} ms what replica {index} serves is not valid", self.time);
            replica.is_ready |= is_valid;
        }
    }
}
