//! Whether what is found in the store should give way to what a replica remembers: somebody else may have written there.

use time::OffsetDateTime;

use super::{Issued, State};

/// Whether serving what is `found` would be worse than serving on what is `remembered`, so that this should be written back.
///
/// What other replicas write is always followed: it has a later generation, and holds the authority of what was served. A backup
/// that was restored, or entries that were edited, are followed unless they hold nothing to serve, or something out of date, or
/// something that the registered bundle does not verify while it verifies what is remembered.
pub(super) fn is_worse(
    found: &State,
    remembered: &State,
    registered: Option<&str>,
    now: OffsetDateTime,
) -> bool {
    if remembered.is_empty() || found == remembered {
        return false;
    }
    let Some(served) = remembered.leaf() else { return found.is_empty() };
    let Some(leaf) = found.leaf() else { return true };
    let issuer = &remembered.authorities()[served.issuer()];
    let is_of_a_replica =
        found.generation() > remembered.generation() && found.is_beside(issuer.certificate_pem());
    let is_current = |leaf: &Issued| (leaf.not_before()..=leaf.not_after()).contains(&now);
    if is_of_a_replica || !is_current(served) {
        return false;
    }
    let is_lost = !found.authorities()[leaf.issuer()].is_in(registered) && issuer.is_in(registered);
    !is_current(leaf) || is_lost
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Knobs,
        authority::DAY,
        rotation::{Step, Trusted},
    };

    fn knobs() -> Knobs {
        Knobs::new(vec!["hooks.demo.svc".parse().unwrap()])
    }

    fn start() -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH + 20_000 * DAY
    }

    /// Takes these steps, each of a replica.
    fn after(state: &State, steps: &[Step], now: OffsetDateTime) -> State {
        let mut state = state.clone();
        for step in steps {
            assert!(state.take(*step, now, &knobs()).unwrap());
        }
        state
    }

    fn fresh() -> State {
        after(&State::default(), &[Step::MakeAuthority, Step::MakeLeaf { issuer: 0 }], start())
    }

    fn is_written_back(found: &State, remembered: &State, registered: &State, days: u32) -> bool {
        is_worse(found, remembered, registered.bundle().as_deref(), start() + days * DAY)
    }

    #[test]
    fn what_a_replica_wrote_is_followed_even_when_it_is_not_registered() {
        let before = fresh();
        let next = after(&before, &[Step::MakeAuthority, Step::MakeLeaf { issuer: 1 }], start());
        assert!(!is_written_back(&next, &before, &before, 1));
        assert!(!is_written_back(&next, &before, &before, 99), "by a clock of another year neither");
    }

    #[test]
    fn a_restored_backup_is_followed_only_while_it_can_be_served() {
        let backup = fresh();
        let now = after(&backup, &[Step::MakeLeaf { issuer: 0 }], start() + 60 * DAY);
        assert!(!is_written_back(&backup, &now, &now, 80));
        assert!(is_written_back(&backup, &now, &now, 100), "it has expired");
        assert!(!is_written_back(&backup, &now, &now, 200), "both have");
    }

    #[test]
    fn another_authority_is_followed_only_where_it_is_known_or_nothing_is() {
        let (mine, theirs) = (fresh(), after(&fresh(), &[Step::MakeLeaf { issuer: 0 }], start()));
        assert!(theirs.generation() > mine.generation());
        assert!(is_written_back(&theirs, &mine, &mine, 1));
        assert!(!is_written_back(&theirs, &mine, &theirs, 1));
        assert!(!is_written_back(&theirs, &mine, &State::default(), 1));
    }

    #[test]
    fn what_cannot_be_served_is_not_followed_whatever_is_registered() {
        let mine = fresh();
        let without_leaf = State::new(mine.authorities().to_vec(), None);
        let other = Trusted::new(crate::Authority::new("other", DAY).unwrap());
        for found in [State::default(), without_leaf, State::new(vec![other], None)] {
            assert!(is_written_back(&found, &mine, &State::default(), 1));
        }
        assert!(!is_written_back(&mine, &State::default(), &mine, 1), "nothing is remembered");
    }
}
