//! Years of rotation in a moment: replicas with slow eyes and wrong clocks, two registrations, and API servers that lag behind.

mod world;

use std::time::Duration;

use proptest::{prelude::*, test_runner::Config};

use self::world::{Clocks, World};
use super::Knobs;
use crate::authority::DAY;

/// The simulated time of one case.
const YEARS: u32 = 16;

fn knobs(leaf_days: u32, authority_lives: u32, overlap_minutes: u32) -> Knobs {
    let leaf_life = leaf_days * DAY;
    let mut knobs = Knobs::new(vec!["hooks.demo.svc".parse().unwrap()]);
    knobs.leaf_life = leaf_life;
    knobs.authority_life = leaf_life * authority_lives;
    knobs.overlap = Duration::from_secs(60) * overlap_minutes;
    knobs.check().unwrap();
    knobs
}

/// As many cases as are usual, or `PROPTEST_CASES`.
fn cases(usual: u32) -> Config {
    let sought = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config { failure_persistence: None, ..Config::with_cases(sought.unwrap_or(usual)) }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_replica_is_trusted_by_every_api_server_at_every_moment(
        seed in any::<u64>(),
        leaf_days in 30u32..400,
        authority_lives in 2u32..8,
        overlap_minutes in 1u32..6000,
        replicas in 1usize..4,
    ) {
        let mut world = World::new(seed, &knobs(leaf_days, authority_lives, overlap_minutes), replicas, Clocks::Close);
        world.run(YEARS * 365 * DAY);
        let most = most_writes(YEARS, leaf_days, authority_lives);
        prop_assert!(world.writes() <= most, "{} writes", world.writes());
        prop_assert!(world.authorities_made() >= YEARS * 365 / (authority_lives * leaf_days), "{}", world.authorities_made());
    }

    #[test]
    fn clocks_that_step_by_years_break_no_trust_and_write_once_an_overlap_at_most(
        seed in any::<u64>(),
        leaf_days in 30u32..400,
        authority_lives in 2u32..8,
        overlap_minutes in 1000u32..6000,
        replicas in 1usize..4,
    ) {
        let knobs = knobs(leaf_days, authority_lives, overlap_minutes);
        let mut world = World::new(seed, &knobs, replicas, Clocks::Stepping);
        world.run(DAY * 365);
        let most = 365 * 24 * 60 / overlap_minutes + world.restarts() + world.hurries() + 3;
        prop_assert!(world.writes() <= most, "{} writes, {most} at most", world.writes());
    }

    /// One that was ahead wrote what was not valid yet, and one that was behind what had expired, and all served it. While they take
    /// turns no authority settles, so this cannot go on for long; a [`crate::Keeper`] whose clock is wrong dates by another one.
    #[test]
    fn one_clock_that_steps_by_years_leaves_the_others_what_is_valid_for_a_quarter_of_its_life(
        seed in any::<u64>(),
        leaf_days in 30u32..400,
        authority_lives in 2u32..8,
        overlap_minutes in 60u32..6000,
        replicas in 2usize..5,
    ) {
        let knobs = knobs(leaf_days, authority_lives, overlap_minutes);
        World::new(seed, &knobs, replicas, Clocks::OneAstray).run(knobs.leaf_life / 4);
    }
}

/// The last leaf of an authority had ended by one clock, and by another one a replica that had just begun served it still.
#[test]
fn an_authority_does_not_leave_while_a_replica_that_has_just_begun_serves_its_last_leaf() {
    World::new(12_473_185_710_598_860_480, &knobs(146, 3, 5762), 2, Clocks::Stepping).run(DAY * 365);
    World::new(13_473_596_908_416_483_961, &knobs(48, 5, 4005), 3, Clocks::Stepping).run(DAY * 365);
}

/// What was written by a clock that was behind ended soon, and then by one that was ahead, for which all waited.
#[test]
fn a_leaf_does_not_end_while_another_one_that_is_not_valid_yet_settles() {
    let knobs = knobs(228, 3, 5128);
    World::new(15_164_231_625_988_734_547, &knobs, 3, Clocks::OneAstray).run(knobs.leaf_life / 4);
}

/// Each renewal is one write, and an authority is three: made, signing, and the one before it dropped.
fn most_writes(years: u32, leaf_days: u32, authority_lives: u32) -> u32 {
    let days = years * 365 * 3 / 2;
    let authorities = days / ((authority_lives - 1).max(1) * leaf_days) + 2;
    (days / leaf_days + 2) * 2 + authorities * 3
}

/// Seed 73 had a replica follow what another one, which had just begun, took from a stranger.
#[test]
fn no_trouble_costs_a_trusted_replica_its_trust_or_lets_an_expired_leaf_be_served_for_long() {
    for seed in [10, 40, 49, 67, 68, 73, 74, 114, 130, 134] {
        in_trouble(u64::from(seed), seed, YEARS);
    }
    // A stranger's set was followed while nobody saw what was registered.
    in_trouble(3_990_508_450_856_054_756, 6901, YEARS / 4);
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn no_trouble_does_so_whatever_the_lives(seed in any::<u64>(), lives in any::<u16>()) {
        in_trouble(seed, lives.into(), YEARS / 4);
    }
}

/// Lives of many kinds, by a number; others write, and what replicas write is no more than without them, but a few times each.
fn in_trouble(seed: u64, lives: u32, years: u32) {
    let (leaf_days, authority_lives) = (30 + lives * 37 % 300, 2 + lives % 6);
    let knobs = knobs(leaf_days, authority_lives, 1 + lives * 131 % 5000);
    let replicas = 1 + usize::try_from(lives % 3).unwrap();
    let mut world = World::new(seed, &knobs, replicas, Clocks::Close).in_trouble();
    world.run(years * 365 * DAY);
    let most = most_writes(years, leaf_days, authority_lives) + world.strangers() * 6;
    assert!(world.writes() <= most, "seed {seed}, {lives}: {} writes, {most} at most", world.writes());
}

/// Hours, where the clocks' differences are nothing; then lives of months, and an overlap longer than what is left of any authority.
#[test]
fn an_overlap_longer_than_what_is_left_of_the_authority_costs_no_call() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    for seed in (0..200_u64).step_by(16) {
        let mut short = knobs(1, 2, 60);
        (short.authority_life, short.leaf_life, short.overlap) = (24 * HOUR, 12 * HOUR, 2 * HOUR);
        short.check().unwrap();
        let mut world = World::new(seed, &short, 1 + usize::try_from(seed % 3).unwrap(), Clocks::Close);
        let change = 5 * DAY + u32::try_from(seed).unwrap() * HOUR / 4;
        world.run(change);
        world.change(&knobs(90, 4, 60 * 60), short.overlap / 4);
        world.run(change + 10 * DAY);
    }
}
