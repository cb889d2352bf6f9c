//! The plan at single moments.

use super::*;
use crate::Authority;

const NAME: &str = "hooks.demo.svc";
const LONG: Duration = Duration::from_secs(60);

fn knobs() -> Knobs {
    Knobs::new(vec![NAME.parse().unwrap()])
}

fn start() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + 20_000 * DAY
}

/// What a replica sees that has seen all of it for long enough.
fn settled(now: OffsetDateTime, registered: Option<&str>) -> View<'_> {
    View { now, registered, unchanged: 2 * LONG, settled: 2 * LONG, is_first: false }
}

/// What a replica sees that has seen it for long, while the registration lacks something.
fn unregistered(now: OffsetDateTime) -> View<'static> {
    View { settled: Duration::ZERO, ..settled(now, None) }
}

fn take(state: &mut State, step: Step, now: OffsetDateTime) {
    assert!(state.take(step, now, &knobs()).unwrap());
}

/// An authority and its leaf, made at the start.
fn fresh() -> State {
    let mut state = State::default();
    take(&mut state, Step::MakeAuthority, start());
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start());
    state
}

/// Two authorities made at the start and 243 days later, and the leaf of the first made 200 days after the start.
fn exchanging() -> State {
    let mut state = fresh();
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start() + 200 * DAY);
    take(&mut state, Step::MakeAuthority, start() + 244 * DAY);
    state
}

fn is_wait(step: Step) -> bool {
    matches!(step, Step::Wait { .. })
}

#[test]
fn the_first_authority_and_leaf_are_made_at_once() {
    let view =
        View { unchanged: Duration::ZERO, settled: Duration::ZERO, is_first: true, ..settled(start(), None) };
    let mut state = State::default();
    assert_eq!(plan(&view, &state, &knobs()), Step::MakeAuthority);
    take(&mut state, Step::MakeAuthority, start());
    let view = Settling::foresee(&view);
    assert_eq!(plan(&view, &state, &knobs()), Step::MakeLeaf { issuer: 0 });
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start());
    let waits = plan(&view, &state, &knobs());
    assert!(matches!(waits, Step::Wait { for_registration: true, .. }), "{waits:?}");
}

#[test]
fn a_leaf_is_renewed_at_two_thirds_of_its_life_by_the_authority_there_is() {
    let state = fresh();
    let bundle = state.bundle();
    let at = |days| plan(&settled(start() + days * DAY, bundle.as_deref()), &state, &knobs());
    assert!(is_wait(at(59)));
    assert_eq!(at(61), Step::MakeLeaf { issuer: 0 });
}

#[test]
fn the_wait_ends_when_the_leaf_is_due() {
    let state = fresh();
    let bundle = state.bundle();
    let step = plan(&settled(start(), bundle.as_deref()), &state, &knobs());
    assert_eq!(step, Step::Wait { at_most: 60 * DAY + Duration::from_secs(1), for_registration: false });
}

#[test]
fn a_new_authority_signs_only_when_both_have_been_registered_for_the_overlap() {
    let state = exchanging();
    let now = start() + 244 * DAY;
    let (old, both) = (state.authorities()[0].certificate_pem().to_owned(), state.bundle().unwrap());
    assert!(is_wait(plan(&View { registered: Some(&old), ..unregistered(now) }, &state, &knobs())));
    let almost = View { settled: Duration::from_millis(59_999), ..settled(now, Some(&both)) };
    let step = plan(&almost, &state, &knobs());
    assert_eq!(step, Step::Wait { at_most: Duration::from_millis(1), for_registration: false });
    assert_eq!(plan(&settled(now, Some(&both)), &state, &knobs()), Step::MakeLeaf { issuer: 1 });
}

#[test]
fn an_authority_leaves_when_its_last_leaf_has_expired() {
    let mut state = exchanging();
    take(&mut state, Step::MakeLeaf { issuer: 1 }, start() + 245 * DAY);
    let bundle = state.bundle();
    let at = |days| settled(start() + days * DAY, bundle.as_deref());
    assert!(is_wait(plan(&at(289), &state, &knobs())));
    assert_eq!(plan(&at(291), &state, &knobs()), Step::DropAuthority { index: 0 });
    for early in [Duration::ZERO, LONG, Duration::from_secs(119)] {
        assert!(is_wait(plan(&View { settled: early, ..at(291) }, &state, &knobs())), "{early:?}");
    }
    take(&mut state, Step::DropAuthority { index: 0 }, start());
    assert_eq!(state.leaf().unwrap().issuer(), 0);
    assert!(state.pair().unwrap().trusted_by_authority().unwrap());
}

#[test]
fn an_authority_is_renewed_while_a_whole_leaf_still_fits_into_it() {
    let mut short = knobs();
    short.authority_life = 180 * DAY;
    let mut state = State::default();
    state.take(Step::MakeAuthority, start(), &short).unwrap();
    state.take(Step::MakeLeaf { issuer: 0 }, start() + 40 * DAY, &short).unwrap();
    let bundle = state.bundle();
    let at = |moment| plan(&settled(moment, bundle.as_deref()), &state, &short);
    assert!(is_wait(at(start() + 90 * DAY - 3 * LONG)));
    assert_eq!(at(start() + 90 * DAY - LONG), Step::MakeAuthority);
}

#[test]
fn a_new_authority_that_is_never_registered_leads_to_no_more_leaves_than_have_a_use() {
    let mut state = exchanging();
    let end = start() + 365 * DAY;
    let mut leaves = 0;
    for hour in 0..24 * 121 {
        let now = start() + 244 * DAY + hour * Duration::from_secs(3600);
        let step = plan(&unregistered(now), &state, &knobs());
        if let Step::MakeLeaf { issuer } = step {
            assert_eq!(issuer, 0);
            take(&mut state, step, now);
            leaves += 1;
        }
        assert!(matches!(step, Step::MakeLeaf { .. } | Step::Wait { .. }), "{step:?}");
    }
    assert_eq!(state.leaf().unwrap().not_after(), end);
    assert!(leaves <= 3, "{leaves}");
}

#[test]
fn another_name_leads_to_a_leaf_for_the_names_before_too_and_for_a_while_only() {
    let mut state = fresh();
    let mut renamed = knobs();
    renamed.names = vec!["other.demo.svc".parse().unwrap()];
    let bundle = state.bundle();
    let view = settled(start() + DAY, bundle.as_deref());
    assert_eq!(plan(&view, &state, &renamed), Step::MakeLeaf { issuer: 0 });
    state.take(Step::MakeLeaf { issuer: 0 }, start() + DAY, &renamed).unwrap();
    assert_eq!(state.pair().unwrap().leaf().names, ["other.demo.svc", NAME]);
    for knobs in [knobs(), renamed.clone()] {
        assert!(is_wait(plan(&view, &state, &knobs)));
    }
    state.take(Step::MakeLeaf { issuer: 0 }, start() + 62 * DAY, &renamed).unwrap();
    assert_eq!(state.pair().unwrap().leaf().names, ["other.demo.svc"]);
}

#[test]
fn a_certificate_found_expired_at_the_start_is_renewed_at_once_and_later_after_the_overlap() {
    let state = fresh();
    let hurried = View { unchanged: Duration::ZERO, is_first: true, ..unregistered(start() + 100 * DAY) };
    assert_eq!(plan(&hurried, &state, &knobs()), Step::MakeLeaf { issuer: 0 });
    assert!(is_wait(plan(&View { is_first: false, ..hurried }, &state, &knobs())));
}

#[test]
fn a_clock_that_went_back_before_the_leaf_leads_to_another_one_and_before_the_authority_to_another_of_those()
{
    let mut state = fresh();
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start() + 30 * DAY);
    assert_eq!(plan(&unregistered(start() + DAY), &state, &knobs()), Step::MakeLeaf { issuer: 0 });
    assert_eq!(plan(&unregistered(start() - DAY), &state, &knobs()), Step::MakeAuthority);
}

#[test]
fn authorities_do_not_pile_up_where_none_is_ever_registered() {
    let mut state = fresh();
    for life in 0..MOST_AUTHORITIES + 3 {
        let now = start() + u32::try_from(life).unwrap() * 300 * DAY;
        for _ in 0..3 {
            let step = plan(&unregistered(now), &state, &knobs());
            if !is_wait(step) {
                take(&mut state, step, now);
            }
        }
    }
    assert_eq!(state.authorities().len(), MOST_AUTHORITIES);
    assert!(state.leaf().is_some());
    let hurried = View { unchanged: Duration::ZERO, is_first: true, ..unregistered(start() + 9000 * DAY) };
    assert!(is_wait(plan(&hurried, &state, &knobs())), "somebody may not have seen the last change");
}

#[test]
fn a_leaf_that_has_expired_with_its_authority_is_followed_by_the_newest_though_that_is_never_registered() {
    let mut state = exchanging();
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start() + 300 * DAY);
    let (dead, patient) = (start() + 366 * DAY, PATIENCE * LONG);
    let view = |unchanged, days| View { unchanged, ..unregistered(start() + days * DAY) };
    assert!(is_wait(plan(&view(patient, 364), &state, &knobs())), "there is something to lose");
    let almost = plan(&View { unchanged: LONG * 5 / 2, ..unregistered(dead) }, &state, &knobs());
    assert_eq!(almost, Step::Wait { at_most: LONG / 2, for_registration: true });
    let known = state.authorities()[0].certificate_pem().to_owned();
    for registered in [None, Some(known.as_str())] {
        let view = View { registered, ..view(patient, 366) };
        assert_eq!(plan(&view, &state, &knobs()), Step::MakeLeaf { issuer: 1 });
    }
}

#[test]
fn a_leaf_whose_end_comes_before_the_overlap_is_over_is_followed_by_what_is_registered_and_no_sooner() {
    let mut state = exchanging();
    take(&mut state, Step::MakeLeaf { issuer: 0 }, start() + 300 * DAY);
    let (bundle, end) = (state.bundle(), start() + 365 * DAY);
    let hurried = |now| View { settled: Duration::ZERO, ..settled(now, bundle.as_deref()) };
    let early = plan(&hurried(end - LONG / 2), &state, &knobs());
    assert_eq!(early, Step::Wait { at_most: LONG / 6 + Duration::from_secs(1), for_registration: false });
    for now in [end - LONG / 3, end + LONG / 2] {
        assert_eq!(plan(&hurried(now), &state, &knobs()), Step::MakeLeaf { issuer: 1 });
        assert!(is_wait(plan(&unregistered(now), &state, &knobs())), "nobody would trust it");
    }
    assert!(is_wait(plan(&hurried(end + LONG), &state, &knobs())), "a clock may have stepped");
}

#[test]
fn an_authority_for_which_there_is_no_time_is_made_beside_three_that_may_not_go_yet() {
    let mut state = exchanging();
    take(&mut state, Step::MakeAuthority, start() + 244 * DAY);
    take(&mut state, Step::MakeLeaf { issuer: 2 }, start() + 520 * DAY);
    let end = state.leaf().unwrap().not_after();
    let at = |now| plan(&View { unchanged: Duration::ZERO, ..unregistered(now) }, &state, &knobs());
    assert!(is_wait(at(end - 3 * LONG)));
    assert_eq!(at(end - 2 * LONG), Step::MakeAuthority);
    take(&mut state, Step::MakeAuthority, end - 2 * LONG);
    assert_eq!(state.authorities().len(), MOST_AUTHORITIES + 1);
}

#[test]
fn years_without_a_registration_leave_a_certificate_that_is_valid() {
    let mut state = fresh();
    for day in 0..2000 {
        let now = start() + day * DAY;
        for _ in 0..MOST_AUTHORITIES + 2 {
            let step = plan(&View { unchanged: DAY, ..unregistered(now) }, &state, &knobs());
            if !is_wait(step) {
                take(&mut state, step, now);
            }
            assert!(state.authorities().len() <= MOST_AUTHORITIES);
        }
        assert!(state.leaf().unwrap().not_after() >= now, "day {day}");
    }
}

#[test]
fn an_authority_whose_key_is_lost_is_followed_without_a_gap() {
    let read = Trusted::without_key(
        fresh().authorities()[0].certificate_pem(),
        fresh().authorities()[0].summary().clone(),
    );
    let mut state = State::new(vec![read], None);
    assert_eq!(plan(&settled(start(), None), &state, &knobs()), Step::MakeAuthority);
    take(&mut state, Step::MakeAuthority, start());
    assert_eq!(plan(&unregistered(start()), &state, &knobs()), Step::MakeLeaf { issuer: 1 });
}

#[test]
fn the_trusted_authority_signs_first_when_the_leaf_is_lost() {
    let both = exchanging();
    let state = State::new(both.authorities().to_vec(), None);
    let old = both.authorities()[0].certificate_pem();
    let step = plan(&View { registered: Some(old), ..unregistered(start() + 244 * DAY) }, &state, &knobs());
    assert_eq!(step, Step::MakeLeaf { issuer: 0 });
}

#[test]
fn lifetimes_that_leave_no_room_are_refused() {
    assert_eq!(knobs().check(), Ok(()));
    let with = |change: fn(&mut Knobs)| {
        let mut knobs = knobs();
        change(&mut knobs);
        knobs.check()
    };
    assert_eq!(with(|knobs| knobs.names.clear()), Err(KnobsError::NoNames));
    assert_eq!(with(|knobs| knobs.authority_life = 179 * DAY), Err(KnobsError::Authority));
    assert_eq!(with(|knobs| knobs.overlap = 16 * DAY), Err(KnobsError::Leaf));
    assert_eq!(with(|knobs| knobs.leaf_life = Duration::ZERO), Err(KnobsError::Leaf));
}

#[test]
fn a_registration_that_lacks_an_authority_once_begins_anew() {
    let state = fresh();
    let (bundle, other) = (state.bundle(), Authority::new("other", DAY).unwrap());
    let mut settling = Settling::default();
    let mut look = |seconds, registered| {
        let view = settling.observe(start(), Duration::from_secs(seconds), &state, registered);
        (view.unchanged.as_secs(), view.settled.as_secs())
    };
    assert_eq!(look(10, None), (0, 0));
    assert_eq!(look(20, bundle.as_deref()), (10, 0));
    assert_eq!(look(50, bundle.as_deref()), (40, 30));
    assert_eq!(look(60, Some(other.certificate_pem())), (50, 0));
    assert_eq!(look(70, bundle.as_deref()), (60, 0));
    assert_eq!(look(80, bundle.as_deref()), (70, 10));
}
