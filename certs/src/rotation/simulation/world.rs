//! The simulated world: events in the order of true time, each followed by a look whether everybody is trusted.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    rc::Rc,
    time::Duration,
};

use time::OffsetDateTime;

use crate::{
    Knobs, State, Summary,
    authority::CLOCK_SKEW,
    bundle::sections,
    rotation::{Settling, Step, plan, state::Trusted},
};

mod trouble;

use self::trouble::Troubles;

/// What the replicas' clocks of the calendar do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clocks {
    /// They differ by no more than certificates allow for.
    Close,
    /// They step by up to three years, back and forth, one by one or all together.
    Stepping,
}

/// Milliseconds of true time.
type Time = u64;

/// Serial numbers of certificates.
type Bundle = Rc<BTreeSet<String>>;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The replica reads the store and plans.
    Turn { replica: usize, timer: u64 },
    /// What it planned arrives at the store.
    Write { replica: usize, draft: usize },
    /// What the leader wants registered arrives at one of the two configurations.
    Register { configuration: usize, text: String },
    /// The replica sees what is registered.
    See { replica: usize, edition: u64, texts: [String; 2] },
    /// Another replica becomes leader, a process starts again, a clock steps.
    Disturb,
    /// Somebody else writes what replicas share, or nobody sees what is registered, or it does not arrive.
    Trouble,
}

struct Replica {
    served: Option<Rc<State>>,
    settling: Settling,
    registered: [String; 2],
    edition: u64,
    /// Seconds that its clock is ahead.
    ahead: i64,
    timer: u64,
    /// Whether all who call have trusted it since it began; only in trouble.
    is_ready: bool,
}

pub(super) struct World {
    knobs: Knobs,
    clocks: Clocks,
    random: u64,
    time: Time,
    queue: BinaryHeap<Reverse<(Time, u64, Event)>>,
    events: u64,
    replicas: Vec<Replica>,
    leader: usize,
    stored: (u32, Rc<State>),
    drafts: Vec<(u32, Option<State>)>,
    /// What each configuration has said, and since when.
    said: [Vec<(Time, String, Bundle)>; 2],
    made: u32,
    restarts: u32,
    troubles: Option<Troubles>,
}

impl World {
    pub(super) fn new(seed: u64, knobs: Knobs, replicas: usize, clocks: Clocks) -> Self {
        let replica = || Replica {
            served: None,
            settling: Settling::default(),
            registered: Default::default(),
            edition: 0,
            ahead: 0,
            timer: 0,
            is_ready: false,
        };
        let mut world = Self {
            knobs,
            clocks,
            random: seed,
            time: 0,
            queue: BinaryHeap::new(),
            events: 0,
            replicas: (0..replicas).map(|_| replica()).collect(),
            leader: 0,
            stored: (0, Rc::default()),
            drafts: Vec::new(),
            said: Default::default(),
            made: 0,
            restarts: 0,
            troubles: None,
        };
        for replica in 0..replicas {
            world.step_clock(replica);
            world.wake(replica, 0);
        }
        world.after(0, Event::Disturb);
        world
    }

    pub(super) fn run(&mut self, length: Duration) {
        let end = millis(length);
        while let Some(Reverse((time, _, event))) = self.queue.pop().filter(|Reverse((time, ..))| *time < end)
        {
            self.time = time;
            self.happen(event);
            self.check();
        }
    }

    /// Successful writes to the store.
    pub(super) fn writes(&self) -> u32 {
        self.stored.0
    }

    pub(super) fn authorities_made(&self) -> u32 {
        self.made
    }

    pub(super) fn restarts(&self) -> u32 {
        self.restarts
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Turn { replica, timer } if self.replicas[replica].timer == timer => self.turn(replica),
            Event::Turn { .. } => {}
            Event::Write { replica, draft } => self.write(replica, draft),
            Event::Register { configuration, text } => self.register(configuration, text),
            Event::See { replica, edition, texts } => {
                // A watch may be late, but it never goes back.
                if self.replicas[replica].edition < edition {
                    self.replicas[replica].edition = edition;
                    self.replicas[replica].registered = texts;
                    self.turn(replica);
                }
            }
            Event::Disturb => self.disturb(),
            Event::Trouble => self.trouble(),
        }
    }

    /// As [`crate::Keeper::turn`], but that a write takes its time.
    fn turn(&mut self, index: usize) {
        let now = self.now(index);
        let steady = Duration::from_millis(self.time);
        let (version, stored) = (self.stored.0, Rc::clone(&self.stored.1));
        let registered = self.registered_as_seen(index);
        let replica = &mut self.replicas[index];
        let remembered = replica.settling.prefers(&stored, registered.as_deref(), now).cloned();
        let mut is_changed = remembered.is_some();
        let mut state = remembered.unwrap_or_else(|| State::clone(&stored));
        if !is_changed && !state.is_empty() {
            self.serve(index, stored);
        }
        let replica = &mut self.replicas[index];
        let mut view = replica.settling.observe(now, steady, &state, registered.as_deref());
        let wait = loop {
            let step = plan(&view, &state, &self.knobs);
            if let Step::Wait { at_most, .. } = step {
                break at_most;
            }
            is_changed |= state.take(step, now, &self.knobs).unwrap();
            view = Settling::foresee(&view);
        };
        if is_changed {
            let draft = self.drafts.len();
            self.drafts.push((version, Some(state)));
            let delay = self.up_to(self.eyes() / 10);
            self.replicas[index].timer += 1;
            self.after(delay, Event::Write { replica: index, draft });
        } else {
            // Clocks may step, so nobody sleeps for long.
            self.wake(index, millis(wait).min(self.longest_sleep()));
        }
        if index == self.leader {
            self.publish();
        }
    }

    fn write(&mut self, replica: usize, draft: usize) {
        let (version, state) = &mut self.drafts[draft];
        if *version == self.stored.0
            && let Some(state) = state.take()
        {
            let known: Vec<_> = self.stored.1.authorities().iter().map(serial).collect();
            let new = state.authorities().iter().filter(|one| !known.contains(&serial(one)));
            self.made += u32::try_from(new.count()).unwrap();
            self.store(Rc::new(state));
        }
        self.turn(replica);
    }

    fn store(&mut self, state: Rc<State>) {
        self.stored = (self.stored.0 + 1, state);
        for replica in 0..self.replicas.len() {
            let delay = self.up_to(self.eyes());
            self.wake(replica, delay);
        }
    }

    /// The leader has its bundle registered, one configuration after the other.
    fn publish(&mut self) {
        let Some(text) = self.replicas[self.leader].served.as_ref().and_then(|state| state.bundle()) else {
            return;
        };
        let text = self.beside_others(text);
        for configuration in 0..2 {
            if self.replicas[self.leader].registered[configuration] != text {
                let delay = self.up_to(self.eyes() / 10);
                self.after(delay, Event::Register { configuration, text: text.clone() });
            }
        }
    }

    fn register(&mut self, configuration: usize, text: String) {
        if self.is_lost(configuration) {
            return;
        }
        if self.said[configuration].last().is_some_and(|(_, said, _)| *said == text) {
            return;
        }
        let serial = |pem: &str| Summary::from_pem(pem.as_bytes()).unwrap().swap_remove(0).serial;
        let bundle: BTreeSet<_> = sections(&text).map(serial).collect();
        let oldest = self.time.saturating_sub(millis(self.knobs.overlap));
        let said = &mut self.said[configuration];
        said.push((self.time, text, Rc::new(bundle)));
        // Whoever lags behind by the overlap still sees the last one that was said before that.
        let still_seen = said.iter().rposition(|(since, ..)| *since <= oldest).unwrap_or(0);
        said.drain(..still_seen);
        let edition = self.events;
        for replica in 0..self.replicas.len() {
            let texts = [0, 1].map(|one: usize| {
                self.said[one].last().map_or_else(String::new, |(_, text, _)| text.clone())
            });
            let delay = self.up_to(self.eyes());
            self.after(delay, Event::See { replica, edition, texts });
        }
    }

    fn disturb(&mut self) {
        let replica = self.pick();
        match self.up_to(3) {
            0 => {
                self.leader = self.pick();
                self.forget_farewells();
                self.publish();
            }
            1 if self.replicas.len() > 1 => {
                self.restarts += 1;
                let one = &mut self.replicas[replica];
                (one.served, one.settling, one.is_ready) = (None, Settling::default(), false);
                self.wake(replica, 0);
            }
            2 => self.step_clock(replica),
            _ => (0..self.replicas.len()).for_each(|replica| self.step_clock(replica)),
        }
        let soon = self.up_to(millis(self.knobs.leaf_life) / 4);
        self.after(soon, Event::Disturb);
    }

    fn step_clock(&mut self, replica: usize) {
        let range = match self.clocks {
            Clocks::Close => CLOCK_SKEW.as_secs() - 2,
            Clocks::Stepping => 3 * 365 * 24 * 60 * 60,
        };
        self.replicas[replica].ahead =
            i64::try_from(self.up_to(range)).unwrap() - i64::try_from(range / 2).unwrap();
    }

    /// Whoever serves is trusted by whoever may call.
    fn check(&mut self) {
        if self.troubles.is_some() {
            return self.check_in_trouble();
        }
        let oldest = self.time.saturating_sub(millis(self.knobs.overlap));
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
            let now = true_date(self.time);
            let is_valid = |begin, end| begin <= now && now <= end;
            if self.clocks == Clocks::Close {
                assert!(is_valid(leaf.not_before(), leaf.not_after()), "the leaf at {} ms", self.time);
                assert!(
                    is_valid(issuer.summary().not_before, issuer.not_after()),
                    "the authority at {} ms",
                    self.time
                );
            }
        }
    }

    fn wake(&mut self, replica: usize, delay: Time) {
        self.replicas[replica].timer += 1;
        let timer = self.replicas[replica].timer;
        self.after(delay, Event::Turn { replica, timer });
    }

    fn after(&mut self, delay: Time, event: Event) {
        self.events += 1;
        self.queue.push(Reverse((self.time + delay, self.events, event)));
    }

    /// What both configurations have in common, as this replica sees them.
    fn registered_as_seen(&self, replica: usize) -> Option<String> {
        let [one, other] = &self.replicas[replica].registered;
        (one == other && !one.is_empty() && !self.is_unseen()).then(|| one.clone())
    }

    fn now(&self, replica: usize) -> OffsetDateTime {
        true_date(self.time) + time::Duration::seconds(self.replicas[replica].ahead)
    }

    /// How late changes are seen at most: with the leader's and one's own lateness, still within the overlap.
    fn eyes(&self) -> Time {
        millis(self.knobs.overlap) * 4 / 10
    }

    fn longest_sleep(&self) -> Time {
        millis(self.knobs.leaf_life) / 12
    }

    fn pick(&mut self) -> usize {
        let last = u64::try_from(self.replicas.len() - 1).unwrap();
        usize::try_from(self.up_to(last)).unwrap()
    }

    /// A random number, this one included. Source: Steele, Lea, Flood, «Fast splittable pseudorandom number generators», 2014.
    fn up_to(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % (most + 1)
    }
}

fn serial(authority: &Trusted) -> String {
    authority.summary().serial.clone()
}

fn millis(length: Duration) -> Time {
    u64::try_from(length.as_millis()).unwrap()
}

fn true_date(time: Time) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000) + Duration::from_millis(time)
}
