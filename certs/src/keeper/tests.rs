//! Replicas that keep one store together, in every order that matters.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use rustls::version::TLS13;

use super::*;
use crate::{
    Memory, Stored,
    authority::DAY,
    handshake::handshake,
    store::{Entries, format::encode},
};

const NAME: &str = "hooks.demo.svc";

/// A store that answers late, by as many turns of the runtime as its numbers say, and fails when told to.
#[derive(Clone)]
struct Slow {
    memory: Memory,
    random: Arc<AtomicU64>,
    failures: Arc<Mutex<u32>>,
}

impl Slow {
    fn new(memory: Memory, seed: u64) -> Self {
        Self { memory, random: Arc::new(AtomicU64::new(seed)), failures: Arc::default() }
    }

    async fn delay(&self) -> Result<(), Cause> {
        let random = self.random.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..random >> 61 {
            tokio::task::yield_now().await;
        }
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err("no answer".into());
        }
        Ok(())
    }
}

impl Store for Slow {
    async fn read(&self) -> Result<Stored, Cause> {
        self.delay().await?;
        self.memory.read().await
    }

    async fn replace(&self, version: &str, data: Entries) -> Result<(), ReplaceError> {
        self.delay().await.map_err(ReplaceError::Failed)?;
        self.memory.replace(version, data).await
    }

    async fn changed(&self, version: &str) {
        self.memory.changed(version).await;
    }
}

fn knobs() -> Knobs {
    Knobs::new(vec![NAME.parse().unwrap()])
}

fn keeper(memory: &Memory) -> Keeper<Memory> {
    Keeper::new(memory.clone(), knobs()).unwrap()
}

fn at(days: u32, seconds: u64) -> Moment {
    let steady = days * DAY + Duration::from_secs(seconds);
    Moment { now: OffsetDateTime::now_utc() + steady, steady }
}

fn served<S: Store>(keeper: &Keeper<S>) -> String {
    keeper.resolver().current().leaf().serial.clone()
}

fn versions(memory: &Memory) -> u64 {
    memory.stored().version.parse().unwrap()
}

#[tokio::test]
async fn three_replicas_that_start_at_once_agree_whoever_is_faster() {
    for seed in 0..200 {
        let memory = Memory::default();
        let store = Slow::new(memory.clone(), seed);
        let [mut one, mut two, mut three] = [(); 3].map(|()| Keeper::new(store.clone(), knobs()).unwrap());
        let now = at(0, 0);
        let turns = tokio::join!(one.turn(now, None), two.turn(now, None), three.turn(now, None));
        for turn in [turns.0, turns.1, turns.2] {
            turn.unwrap();
        }
        assert_eq!(versions(&memory), 1, "seed {seed}: one of them wrote");
        let serials = [served(&one), served(&two), served(&three)];
        assert!(serials.iter().all(|serial| *serial == serials[0]), "seed {seed}: {serials:?}");
        let bundles =
            [one.bundle(), two.bundle(), three.bundle()].map(|bundle| bundle.borrow().clone().unwrap());
        assert!(bundles.iter().all(|bundle| *bundle == bundles[0]));
        assert!(one.resolver().current().trusted_by(&bundles[0]));
    }
}

#[tokio::test]
async fn a_whole_exchange_of_the_authority_goes_by_without_a_restart() {
    let memory = Memory::default();
    let mut keepers = [keeper(&memory), keeper(&memory)];
    let mut registered: Option<String> = None;
    let mut served_by = Vec::new();
    for day in (0..600).step_by(5) {
        for second in [0, 61, 122] {
            for keeper in &mut keepers {
                keeper.turn(at(day, second), registered.as_deref()).await.unwrap();
            }
            let issuer = keepers[0].resolver().current().leaf().clone();
            if let Some(bundle) = &registered {
                assert!(
                    keepers.iter().all(|keeper| keeper.resolver().current().trusted_by(bundle)),
                    "day {day}"
                );
            }
            served_by.push(issuer.serial);
            registered = keepers[1].bundle().borrow().clone();
        }
    }
    served_by.dedup();
    assert!(served_by.len() >= 10, "{} leaves", served_by.len());
    let authorities = registered.unwrap().matches("BEGIN").count();
    assert_eq!(authorities, 1, "the old ones are gone");
}

#[tokio::test]
async fn what_is_served_is_what_clients_accept() {
    let memory = Memory::default();
    let mut keeper = keeper(&memory);
    let resolver = keeper.resolver();
    let turn = keeper.turn(at(0, 0), None).await.unwrap();
    assert!(turn.is_exchanged);
    assert_eq!((turn.source, turn.steps.len()), (Source::New, 2));
    let state = format::decode(&memory.stored().data).state;
    handshake(&resolver, state.authorities()[0].signer().unwrap(), NAME, &TLS13).unwrap();
}

#[tokio::test]
async fn a_store_that_is_emptied_gets_back_what_replicas_remember() {
    let memory = Memory::default();
    let (mut one, mut two) = (keeper(&memory), keeper(&memory));
    one.turn(at(0, 0), None).await.unwrap();
    two.turn(at(0, 0), None).await.unwrap();
    let (before, serial) = (memory.stored().data, served(&one));
    for rubbish in [Entries::new(), Entries::from([("ca.crt".to_owned(), b"rubbish".to_vec())])] {
        memory.overwrite(rubbish);
        let turn = two.turn(at(0, 1), None).await.unwrap();
        assert_eq!(turn.source, Source::Memory);
        assert_eq!(memory.stored().data, before);
        assert_eq!(one.turn(at(0, 2), None).await.unwrap().source, Source::Store);
        assert_eq!([served(&one), served(&two)], [serial.clone(), serial.clone()]);
    }
}

/// What may be done to a Secret by hand, as it is then and as it should be again.
async fn after_a_hand_in_the_store(change: impl Fn(&mut Entries)) {
    let memory = Memory::default();
    let (mut one, mut two) = (keeper(&memory), keeper(&memory));
    one.turn(at(0, 0), None).await.unwrap();
    two.turn(at(0, 0), None).await.unwrap();
    let (bundle, before) = (one.bundle(), memory.stored().data);
    let (registered, serial) = (bundle.borrow().clone(), served(&one));
    let mut changed = before.clone();
    change(&mut changed);
    memory.overwrite(changed);
    for (second, keeper) in [&mut two, &mut one].into_iter().enumerate() {
        let turn = keeper.turn(at(0, 1 + second as u64), registered.as_deref()).await.unwrap();
        assert_eq!((turn.is_exchanged, turn.steps), (false, vec![]));
        assert_eq!(turn.source, if second == 0 { Source::Memory } else { Source::Store });
    }
    assert_eq!(memory.stored().data, before);
    assert_eq!([served(&one), served(&two)], [serial.clone(), serial]);
    assert_eq!(*bundle.borrow(), registered, "the issuer of what is served stays registered");
    assert!(!bundle.has_changed().unwrap());
}

#[tokio::test]
async fn another_authority_in_the_place_of_the_issuer_is_not_taken() {
    let other = Authority::new("other", DAY).unwrap();
    after_a_hand_in_the_store(|entries| {
        entries.insert("ca.crt".to_owned(), other.certificate_pem().as_bytes().to_vec());
    })
    .await;
}

#[tokio::test]
async fn keys_and_certificates_that_are_removed_come_back_and_no_unknown_authority_signs() {
    after_a_hand_in_the_store(|entries| {
        entries.retain(|name, _| !["ca.key", "tls.crt", "tls.key"].contains(&name.as_str()));
    })
    .await;
    after_a_hand_in_the_store(|entries| {
        entries.remove("tls.crt");
    })
    .await;
}

#[tokio::test]
async fn a_whole_set_of_an_authority_that_nobody_knows_is_not_served() {
    let mut other = State::default();
    for step in [Step::MakeAuthority, Step::MakeLeaf { issuer: 0 }] {
        other.take(step, OffsetDateTime::now_utc(), &knobs()).unwrap();
    }
    after_a_hand_in_the_store(|entries| *entries = encode(&other)).await;
}

#[tokio::test]
async fn two_that_trust_different_authorities_write_back_once_an_overlap_until_one_follows() {
    let (mut other, memory) = (State::default(), Memory::default());
    for step in [Step::MakeAuthority, Step::MakeLeaf { issuer: 0 }] {
        other.take(step, OffsetDateTime::now_utc(), &knobs()).unwrap();
    }
    let mut keeper = keeper(&memory);
    keeper.turn(at(0, 0), None).await.unwrap();
    let (mine, serial) = (keeper.bundle().borrow().clone().unwrap(), served(&keeper));
    let both = format!("{mine}{}", other.bundle().unwrap());
    // Theirs is registered for the first time when mine has been for two minutes.
    keeper.turn(at(0, 1), Some(&mine)).await.unwrap();
    let mut written_back = Vec::new();
    for second in 120..180 {
        memory.overwrite(encode(&other));
        let turn = keeper.turn(at(0, second), Some(&both)).await.unwrap();
        assert_eq!(served(&keeper), serial);
        if turn.source == Source::Memory {
            written_back.push(second);
        }
    }
    assert_eq!(written_back, [120]);
    assert!(keeper.turn(at(0, 180), Some(&both)).await.unwrap().is_exchanged, "all trust it by now");
}

#[tokio::test]
async fn a_backup_whose_certificate_has_expired_is_not_served() {
    let memory = Memory::default();
    let mut keeper = keeper(&memory);
    keeper.turn(at(0, 0), None).await.unwrap();
    let backup = memory.stored().data;
    keeper.turn(at(80, 0), None).await.unwrap();
    let (now, serial) = (memory.stored().data, served(&keeper));
    memory.overwrite(backup);
    let registered = keeper.bundle().borrow().clone();
    let turn = keeper.turn(at(100, 0), registered.as_deref()).await.unwrap();
    assert_eq!((turn.source, turn.is_exchanged), (Source::Memory, false));
    assert_eq!((memory.stored().data, served(&keeper)), (now, serial));
}

#[tokio::test]
async fn a_store_full_of_rubbish_at_the_start_is_said_and_filled() {
    let memory = Memory::new(Entries::from([("tls.crt".to_owned(), b"rubbish".to_vec())]));
    let mut keeper = keeper(&memory);
    let turn = keeper.turn(at(0, 0), None).await.unwrap();
    assert_eq!(turn.source, Source::New);
    assert_eq!(turn.problems.len(), 1);
    assert_eq!(keeper.turn(at(0, 1), None).await.unwrap().problems, []);
}

#[tokio::test]
async fn certificates_of_somebody_else_are_served_until_ours_are_trusted() {
    let authority = Authority::new("theirs", 300 * DAY).unwrap();
    let leaf = authority.issue(&knobs().names, 80 * DAY).unwrap();
    let theirs = [("ca.crt", authority.certificate_pem()), ("tls.crt", leaf.certificate_pem())];
    let mut theirs: Entries = theirs.map(|(name, pem)| (name.to_owned(), pem.as_bytes().to_vec())).into();
    theirs.insert("tls.key".to_owned(), leaf.key_pem().expose().as_bytes().to_vec());
    let memory = Memory::new(theirs);
    let mut keeper = keeper(&memory);
    keeper.turn(at(0, 0), None).await.unwrap();
    assert_eq!(keeper.resolver().current().leaf().issuer, "CN=theirs");
    let both = keeper.bundle().borrow().clone();
    assert_eq!(both.as_ref().unwrap().matches("BEGIN").count(), 2);
    keeper.turn(at(0, 1), both.as_deref()).await.unwrap();
    assert_eq!(keeper.resolver().current().leaf().issuer, "CN=theirs");
    keeper.turn(at(0, 61), both.as_deref()).await.unwrap();
    assert_eq!(keeper.resolver().current().leaf().issuer, "CN=hookward");
}

#[tokio::test]
async fn a_store_that_fails_costs_nothing_that_is_served() {
    let store = Slow::new(Memory::default(), 0);
    let mut keeper = Keeper::new(store.clone(), knobs()).unwrap();
    keeper.turn(at(0, 0), None).await.unwrap();
    let serial = served(&keeper);
    *store.failures.lock().unwrap() = 1;
    let error = keeper.turn(at(61, 0), None).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read the certificates");
    assert_eq!(served(&keeper), serial);
    keeper.turn(at(61, 1), None).await.unwrap();
    assert_ne!(served(&keeper), serial, "the leaf was due");
}

#[tokio::test(start_paused = true)]
async fn the_loop_tries_again_and_follows_what_others_write() {
    let store = Slow::new(Memory::default(), 0);
    *store.failures.lock().unwrap() = 3;
    let keeper = Keeper::new(store.clone(), knobs()).unwrap();
    let (resolver, mut bundle) = (keeper.resolver(), keeper.bundle());
    let (_registrar, registered) = watch::channel(None);
    let keeping = tokio::spawn(keeper.run(registered, |_| {}));
    bundle.wait_for(Option::is_some).await.unwrap();

    let mut other = State::default();
    let now = OffsetDateTime::now_utc();
    other.take(Step::MakeAuthority, now, &knobs()).unwrap();
    other.take(Step::MakeLeaf { issuer: 0 }, now, &knobs()).unwrap();
    store.memory.overwrite(encode(&other));
    bundle.wait_for(|bundle| *bundle == other.bundle()).await.unwrap();
    assert!(resolver.current().trusted_by(&other.bundle().unwrap()));
    keeping.abort();
}

/// A store whose keeper has a clock of its own.
struct Elsewhere(Memory, OffsetDateTime);

impl Store for Elsewhere {
    async fn read(&self) -> Result<Stored, Cause> {
        Ok(Stored { read_at: Some(self.1), ..self.0.read().await? })
    }

    async fn replace(&self, version: &str, data: Entries) -> Result<(), ReplaceError> {
        self.0.replace(version, data).await
    }

    async fn changed(&self, version: &str) {
        self.0.changed(version).await;
    }
}

#[tokio::test]
async fn a_replica_whose_clock_is_wrong_dates_by_that_of_the_store_and_leaves_alone_what_is_good_there() {
    let memory = Memory::default();
    for days in [0, 61, 400] {
        let here = at(1, 0).now;
        let mut astray = Keeper::new(Elsewhere(memory.clone(), here), knobs()).unwrap();
        let turn = astray.turn(at(days, 0), None).await.unwrap();
        assert!(turn.not_after > here + 80 * DAY && turn.not_after < here + 91 * DAY, "{turn:?}");
        assert_eq!(versions(&memory), 1, "{days} days: each wrote in turn, for ever");
    }
}
