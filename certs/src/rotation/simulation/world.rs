//! The simulated world: events in the order of true time, each followed by a look whether everybody is trusted.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
    rc::Rc,
    time::Duration,
};

use time::OffsetDateTime;

use crate::{
    Knobs, State,
    authority::CLOCK_SKEW,
    rotation::{
        Moment, Settling, Verdict,
        state::Trusted,
        turn::{Outcome, look, written},
    },
};

mod checks;
mod registrations;
mod trouble;

use self::trouble::Troubles;

/// What the replicas' clocks of the calendar do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clocks {
    /// They differ by no more than certificates allow for.
    Close,
    /// They step by up to three years, back and forth, one by one or all together.
    Stepping,
    /// That of the first replica steps so after the beginning, and the others differ by no more than certificates allow for.
    OneAstray,
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
    /// What a replica wants registered arrives at one of the two configurations; the leader says what it was to replace.
    Register { configuration: usize, text: String, replaces: Option<Time> },
    /// The replica sees what is registered.
    See { replica: usize, edition: u64, texts: [String; 2] },
    /// Another replica becomes leader, a process starts again, a clock steps.
    Disturb,
    /// A process starts again.
    Restart { replica: usize },
    /// Somebody else writes what replicas share, or nobody sees what is registered, or it does not arrive.
    Trouble,
}

struct Replica {
    knobs: Knobs,
    served: Option<Rc<State>>,
    /// What it needs registered.
    wanted: Option<String>,
    settling: Settling,
    registered: [String; 2],
    edition: u64,
    /// Seconds that its clock is ahead.
    ahead: i64,
    timer: u64,
    /// When it began.
    began: Time,
    /// Whether all who call have accepted it since it began; only in trouble, and where clocks are wrong.
    is_ready: bool,
}

/// What a replica has planned, until it arrives at the store.
struct Draft {
    version: u32,
    outcome: Option<Outcome>,
    /// Whether by its clock the leaf ended soon when it was planned; the clock may have stepped since.
    is_hurried: bool,
}

pub(super) struct World {
    knobs: Knobs,
    /// How late an API server reads what is registered, at most.
    lag: Duration,
    clocks: Clocks,
    random: u64,
    time: Time,
    queue: BinaryHeap<Reverse<(Time, u64, Event)>>,
    events: u64,
    replicas: Vec<Replica>,
    leader: usize,
    stored: (u32, Rc<State>),
    drafts: Vec<Draft>,
    /// What each configuration has said, and since when.
    said: [Vec<(Time, String, Bundle)>; 2],
    made: u32,
    restarts: u32,
    /// When a clock that had stepped to the end of a leaf left no time to wait until all API servers had read.
    hurries: Vec<Time>,
    troubles: Option<Troubles>,
}

impl World {
    pub(super) fn new(seed: u64, knobs: &Knobs, replicas: usize, clocks: Clocks) -> Self {
        let replica = || Replica {
            knobs: knobs.clone(),
            served: None,
            wanted: None,
            settling: Settling::default(),
            registered: Default::default(),
            edition: 0,
            ahead: 0,
            timer: 0,
            began: 0,
            is_ready: false,
        };
        let mut world = Self {
            lag: knobs.overlap,
            knobs: knobs.clone(),
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
            hurries: Vec::new(),
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
        while self.queue.peek().is_some_and(|Reverse((time, ..))| *time < end)
            && let Some(Reverse((time, _, event))) = self.queue.pop()
        {
            self.time = time;
            self.happen(event);
            self.check();
        }
    }

    /// Other lives and another overlap: each replica begins anew with them, one after the other. Eyes stay as good as they were, and
    /// API servers read within `lag`.
    pub(super) fn change(&mut self, knobs: &Knobs, lag: Duration) {
        self.lag = lag;
        for replica in 0..self.replicas.len() {
            self.replicas[replica].knobs = knobs.clone();
            self.restart(replica);
            let while_it_starts = self.time + self.eyes();
            self.run(Duration::from_millis(while_it_starts));
        }
    }

    /// Successful writes to the store, those of others too.
    pub(super) fn writes(&self) -> u32 {
        self.stored.0
    }

    /// How often others have written.
    pub(super) fn strangers(&self) -> u32 {
        self.troubles.as_ref().map_or(0, |troubles| troubles.strangers)
    }

    pub(super) fn authorities_made(&self) -> u32 {
        self.made
    }

    pub(super) fn hurries(&self) -> u32 {
        u32::try_from(self.hurries.len()).unwrap()
    }

    pub(super) fn restarts(&self) -> u32 {
        self.restarts
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Turn { replica, timer } if self.replicas[replica].timer == timer => self.turn(replica),
            Event::Turn { .. } => {}
            Event::Write { replica, draft } => self.write(replica, draft),
            Event::Register { configuration, text, replaces } => self.register(configuration, text, replaces),
            Event::See { replica, edition, texts } => {
                // A watch may be late, but it never goes back.
                if self.replicas[replica].edition < edition {
                    self.replicas[replica].edition = edition;
                    self.replicas[replica].registered = texts;
                    self.turn(replica);
                }
            }
            Event::Disturb => self.disturb(),
            Event::Restart { replica } => self.restart(replica),
            Event::Trouble => self.trouble(),
        }
    }

    /// As [`crate::Keeper::turn`], but that a write takes its time.
    fn turn(&mut self, index: usize) {
        let moment = self.moment(index);
        let (version, stored) = (self.stored.0, Rc::clone(&self.stored.1));
        let registered = self.registered_as_seen(index);
        let replica = &mut self.replicas[index];
        let (settling, knobs) = (&mut replica.settling, &replica.knobs);
        let is_hurried = stored.leaf().is_some_and(|leaf| knobs.ends_soon(leaf, moment.now));
        let outcome = look(settling, &stored, registered.as_deref(), moment, knobs).unwrap();
        match outcome.verdict {
            Verdict::Follow if !stored.is_empty() => self.serve(index, stored),
            Verdict::Later => replica.wanted = stored.bundle(),
            _ => {}
        }
        if outcome.is_to_write {
            let draft = self.drafts.len();
            self.drafts.push(Draft { version, outcome: Some(outcome), is_hurried });
            let delay = self.up_to(self.eyes() / 10);
            self.replicas[index].timer += 1;
            self.after(delay, Event::Write { replica: index, draft });
        } else {
            // Clocks may step, so nobody sleeps for long.
            self.wake(index, millis(outcome.wait).min(self.longest_sleep()));
        }
        self.publish(index);
    }

    fn write(&mut self, replica: usize, draft: usize) {
        let Draft { version, outcome, is_hurried } = &mut self.drafts[draft];
        let is_hurried = *is_hurried;
        if *version == self.stored.0
            && let Some(outcome) = outcome.take()
        {
            let known: Vec<_> = self.stored.1.authorities().iter().map(serial).collect();
            let new = outcome.state.authorities().iter().filter(|one| !known.contains(&serial(one)));
            self.made += u32::try_from(new.count()).unwrap();
            if self.clocks != Clocks::Close && is_hurried {
                self.hurries.push(self.time);
            }
            let (moment, registered) = (self.moment(replica), self.registered_as_seen(replica));
            let Replica { settling, knobs, .. } = &mut self.replicas[replica];
            let _ = written(settling, &outcome, registered.as_deref(), moment, knobs);
            self.store(Rc::new(outcome.state));
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

    fn disturb(&mut self) {
        let replica = self.pick();
        match self.up_to(3) {
            0 => {
                self.leader = self.pick();
                self.forget_farewells();
                self.publish(self.leader);
            }
            1 if self.replicas.len() > 1 => self.restart(replica),
            2 => self.step_clock(replica),
            _ => (0..self.replicas.len()).for_each(|replica| self.step_clock(replica)),
        }
        let soon = self.up_to(millis(self.knobs.leaf_life) / 4);
        self.after(soon, Event::Disturb);
    }

    fn restart(&mut self, replica: usize) {
        self.restarts += 1;
        let one = &mut self.replicas[replica];
        (one.served, one.wanted, one.settling) = (None, None, Settling::default());
        (one.began, one.is_ready) = (self.time, false);
        self.wake(replica, 0);
    }

    fn step_clock(&mut self, replica: usize) {
        let range = if self.is_right(replica) { CLOCK_SKEW.as_secs() - 2 } else { 3 * 365 * 24 * 60 * 60 };
        self.replicas[replica].ahead =
            i64::try_from(self.up_to(range)).unwrap() - i64::try_from(range / 2).unwrap();
    }

    /// Whether the clock of this replica differs from the true one by no more than certificates allow for.
    fn is_right(&self, replica: usize) -> bool {
        match self.clocks {
            Clocks::Close => true,
            Clocks::Stepping => false,
            Clocks::OneAstray => replica > 0 || self.time == 0,
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

    fn moment(&self, replica: usize) -> Moment {
        Moment { now: self.now(replica), steady: Duration::from_millis(self.time) }
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
