//! Whether what is found in the store should give way to what a replica remembers: somebody else may have written there.

use std::time::Duration;

use time::OffsetDateTime;

use super::{Issued, Knobs, State, Trusted};

/// What to do about what is found in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Serve it.
    Follow,
    /// Plan with it, and have it registered, but serve on what is remembered: not everybody who calls may trust it yet.
    Later,
    /// Write back what is remembered, and serve that.
    WriteBack,
}

/// Judges what is `found` beside what is `remembered`, which is served. `age` says since when an authority has been seen registered.
///
/// What other replicas write has a later generation, and holds the authority of what was served; it is never written back. A backup
/// that was restored, or entries that were edited, are followed unless they hold nothing to serve, or something out of date. Both
/// are served only when their authority has been registered for the overlap, or for longer than that of what is served: a replica
/// that begins anew may have taken what somebody wrote for what should be there, and have had it registered a moment ago.
///
/// Whoever wrote it, what is not valid by this replica's clock is not served while what is remembered is: one clock is wrong then, and
/// might have been anybody's. The plan puts right what is shared after an overlap.
pub(super) fn judge(
    found: &State,
    remembered: &State,
    age: impl Fn(&Trusted) -> Option<Duration>,
    now: OffsetDateTime,
    knobs: &Knobs,
) -> Verdict {
    if remembered.is_empty() || found == remembered {
        return Verdict::Follow;
    }
    let Some(served) = remembered.leaf() else {
        return if found.is_empty() { Verdict::WriteBack } else { Verdict::Follow };
    };
    let Some(leaf) = found.leaf() else { return Verdict::WriteBack };
    let is_current = |leaf: &Issued| (leaf.not_before()..=leaf.not_after()).contains(&now);
    if now < served.not_before() || knobs.leaf_ends_at_once(served) <= now {
        let is_worse = is_current(served) && !is_current(leaf);
        return if is_worse { Verdict::Later } else { Verdict::Follow };
    }
    let (issuer, next) = (&remembered.authorities()[served.issuer()], &found.authorities()[leaf.issuer()]);
    let is_too_early = issuer.summary().der() != next.summary().der()
        && match (age(issuer), age(next)) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(known), Some(new)) => new < knobs.overlap && new <= known,
        };
    let is_of_a_replica =
        found.generation() > remembered.generation() && found.is_beside(issuer.certificate_pem());
    match () {
        () if !is_too_early && is_current(leaf) => Verdict::Follow,
        () if is_of_a_replica => Verdict::Later,
        () => Verdict::WriteBack,
    }
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

    /// Where these authorities have been registered for as long as anybody can tell.
    fn verdict(found: &State, remembered: &State, registered: &State, days: u32) -> Verdict {
        let bundle = registered.bundle();
        let age = |one: &Trusted| one.is_in(bundle.as_deref()).then_some(DAY);
        judge(found, remembered, age, start() + days * DAY, &knobs())
    }

    fn is_written_back(found: &State, remembered: &State, registered: &State, days: u32) -> bool {
        verdict(found, remembered, registered, days) == Verdict::WriteBack
    }

    #[test]
    fn what_a_replica_wrote_is_never_written_back_and_served_when_all_trust_it_or_there_is_nothing_to_lose() {
        let before = fresh();
        let next = after(&before, &[Step::MakeAuthority, Step::MakeLeaf { issuer: 1 }], start());
        assert_eq!(verdict(&next, &before, &before, 1), Verdict::Later);
        assert_eq!(verdict(&next, &before, &next, 1), Verdict::Follow);
        assert_eq!(verdict(&next, &before, &State::default(), 1), Verdict::Follow);
        assert_eq!(verdict(&next, &before, &before, 99), Verdict::Follow, "by a clock of another year");
        let last = after(&before, &[Step::MakeLeaf { issuer: 0 }], start());
        assert_eq!(verdict(&last, &before, &State::default(), 1), Verdict::Follow);
    }

    #[test]
    fn what_a_replica_wrote_by_another_clock_is_not_served_before_it_is_valid_nor_after() {
        let before = fresh();
        let ahead = after(&before, &[Step::MakeLeaf { issuer: 0 }], start() + 200 * DAY);
        for (day, expected) in [(0, Verdict::Later), (90, Verdict::Later), (91, Verdict::Follow)] {
            assert_eq!(
                verdict(&ahead, &before, &before, day),
                expected,
                "on day {day} nothing better is left"
            );
        }
        let behind = after(&ahead, &[Step::MakeLeaf { issuer: 0 }], start());
        assert_eq!(verdict(&behind, &ahead, &ahead, 200), Verdict::Later);
    }

    #[test]
    fn a_foreign_authority_that_a_replica_had_registered_a_moment_ago_is_not_served() {
        let (mine, theirs) = (fresh(), after(&fresh(), &[Step::MakeLeaf { issuer: 0 }], start()));
        let at = |new, known| {
            let is_mine = |one: &Trusted| mine.is_beside(one.certificate_pem());
            let age = |one: &Trusted| Some(if is_mine(one) { known } else { new });
            judge(&theirs, &mine, age, start() + DAY, &knobs())
        };
        let (moment, overlap) = (Duration::from_secs(1), knobs().overlap);
        assert_eq!(at(moment, overlap), Verdict::WriteBack);
        assert_eq!(at(moment, moment), Verdict::WriteBack, "both were seen at the same time, after a start");
        assert_eq!(at(moment, Duration::ZERO), Verdict::Follow, "theirs is better known");
        assert_eq!(at(overlap, 2 * overlap), Verdict::Follow);
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
