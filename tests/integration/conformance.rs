//! Real Helm and the simulation agree about random releases: a fixed few of those that `cargo xtask conformance` plays.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tests::{
    conformance::conform,
    rig::{Helm, Rig},
};

/// Chosen since together they show every event, every kind, every result of a step, and most errors that Helm knows.
const SEEDS: [u64; 40] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
    29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
];

/// Scenarios at the same time.
const PLAYERS: usize = 2;

#[test]
fn helm_3_does_what_the_simulation_says() {
    all_agree(Helm::V3);
}

#[test]
fn helm_4_does_what_the_simulation_says() {
    all_agree(Helm::V4);
}

#[track_caller]
fn all_agree(helm: Helm) {
    let rig = Rig::shared().expect("no test cluster: run cargo xtask test");
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while let Some(seed) = SEEDS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = conform(rig, helm, *seed);
                    assert!(verdict.requests > 0 || verdict.commands > 0, "seed {seed} plays nothing");
                    if !verdict.agrees {
                        wrong.lock().unwrap().extend(verdict.disagreements.last().cloned());
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} disagree\n{}", wrong.len(), SEEDS.len(), wrong.join("\n"));
}
