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
const SEEDS: [u64; 43] = [
    9, 10, 22, 23, 25, 30, 38, 40, 74, 82, 86, 99, 128, 130, 150, 156, 158, 164, 170, 174, 177, 193, 200,
    207, 220, 225, 252, 260, 265, 279, 306, 309, 330, 334, 351, 361, 363, 368, 381, 384, 388, 394, 436,
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
    let [next, requests] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PLAYERS {
            scope.spawn(|| {
                while let Some(seed) = SEEDS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = conform(rig, helm, *seed);
                    requests.fetch_add(verdict.requests, Ordering::Relaxed);
                    if !verdict.agrees {
                        wrong.lock().unwrap().extend(verdict.disagreements.last().cloned());
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} disagree\n{}", wrong.len(), SEEDS.len(), wrong.join("\n"));
    assert!(requests.into_inner() > 5 * SEEDS.len(), "hardly anything was compared");
}
