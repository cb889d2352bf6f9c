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

proptest! {
    #![proptest_config(Config::with_cases(64))]

    #[test]
    fn every_replica_is_trusted_by_every_api_server_at_every_moment(
        seed in any::<u64>(),
        leaf_days in 30u32..400,
        authority_lives in 2u32..8,
        overlap_minutes in 1u32..6000,
        replicas in 1usize..4,
    ) {
        let mut world = World::new(seed, knobs(leaf_days, authority_lives, overlap_minutes), replicas, Clocks::Close);
        world.run(YEARS * 365 * DAY);
        // Each renewal is one write, and an authority is three: made, signing, and the one before it dropped.
        let leaves = YEARS * 365 * 3 / 2 / leaf_days + 2;
        let authorities = YEARS * 365 * 3 / 2 / ((authority_lives - 1).max(1) * leaf_days) + 2;
        prop_assert!(world.writes() <= leaves * 2 + authorities * 3, "{} writes", world.writes());
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
        let mut world = World::new(seed, knobs, replicas, Clocks::Stepping);
        world.run(DAY * 365);
        let most = 365 * 24 * 60 / overlap_minutes + world.restarts() + 3;
        prop_assert!(world.writes() <= most, "{} writes, {most} at most", world.writes());
    }
}

#[test]
fn no_trouble_costs_a_trusted_replica_its_trust_or_lets_an_expired_leaf_be_served_for_long() {
    for (seed, replicas) in [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3)] {
        let knobs = knobs(90, 4, 1000);
        let mut world = World::new(seed, knobs, replicas, Clocks::Close).in_trouble();
        world.run(YEARS * 365 * DAY);
    }
}
