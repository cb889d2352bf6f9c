//! All that is there, found by name, by number and by what may still become of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    ops::{Index, IndexMut},
};

use super::{Live, Millis, RunState};
use crate::answer::ObjectId;

/// Objects by uid, which is the order in which they were created.
#[derive(Debug, Clone, Default)]
pub(super) struct Lives {
    all: BTreeMap<u64, Live>,
    /// Those of each name, oldest first; by a number of the name, which two names may share.
    named: HashMap<u64, Vec<u64>>,
    /// Those that time changes, by when it does so next.
    timed: BTreeSet<(Millis, u64)>,
    /// Under which time each of those is found.
    times: HashMap<u64, Millis>,
    /// Those whose pods wait for something.
    waiting: BTreeSet<u64>,
    /// Those on their way out.
    going: BTreeSet<u64>,
    /// Those that bring a kind.
    defining: BTreeSet<u64>,
    /// Those that somebody may have changed since all were sorted into these.
    touched: Vec<u64>,
}

impl Lives {
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Live> {
        self.all.values()
    }

    pub(super) fn get(&self, uid: u64) -> Option<&Live> {
        self.all.get(&uid)
    }

    pub(super) fn get_mut(&mut self, uid: u64) -> Option<&mut Live> {
        self.touched.push(uid);
        self.all.get_mut(&uid)
    }

    /// When time changes one of them next.
    pub(super) fn next(&self) -> Option<Millis> {
        self.timed.first().map(|(at, _)| *at)
    }

    /// The oldest of those that time has changed by `now`.
    pub(super) fn due(&self, now: Millis) -> Option<u64> {
        let mut due = self.timed.range(..=(now, u64::MAX));
        let (first, last) = (due.clone().next()?, due.next_back()?);
        // Those of one moment are in order.
        if first.0 == last.0 { Some(first.1) } else { due.chain([last]).map(|(_, uid)| *uid).min() }
    }

    /// Those whose pods wait for something.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Live> {
        self.waiting.iter().filter_map(|uid| self.all.get(uid))
    }

    /// Those on their way out.
    pub(super) fn going(&self) -> impl Iterator<Item = &Live> {
        self.going.iter().filter_map(|uid| self.all.get(uid))
    }

    /// Those that bring a kind.
    pub(super) fn defining(&self) -> impl Iterator<Item = &Live> {
        self.defining.iter().filter_map(|uid| self.all.get(uid))
    }

    /// The newest one of this id.
    pub(super) fn newest(&self, id: &ObjectId) -> Option<&Live> {
        self.of(number(id.group(), &id.kind, id.namespace.as_deref(), &id.name))
            .rfind(|live| live.object.id.is_same(id))
    }

    /// Those of the core group that have this name, oldest first.
    pub(super) fn core<'a>(
        &'a self,
        kind: &str,
        namespace: Option<&str>,
        name: &str,
    ) -> impl Iterator<Item = &'a Live> + use<'a> {
        let is_it = |live: &&Live| {
            let id = &live.object.id;
            id.name == name
                && id.kind == kind
                && id.namespace.as_deref() == namespace
                && id.group().is_empty()
        };
        let found: Vec<_> = self.of(number("", kind, namespace, name)).filter(is_it).collect();
        found.into_iter()
    }

    fn of(&self, number: u64) -> impl DoubleEndedIterator<Item = &Live> {
        self.named.get(&number).into_iter().flatten().filter_map(|uid| self.all.get(uid))
    }

    pub(super) fn add(&mut self, live: Live) {
        self.named.entry(live.number()).or_default().push(live.uid);
        self.touched.push(live.uid);
        self.all.insert(live.uid, live);
    }

    /// Sorts those anew that somebody may have changed.
    pub(super) fn tidy(&mut self) {
        for uid in std::mem::take(&mut self.touched) {
            self.forget(uid);
            let Some(live) = self.all.get(&uid) else { continue };
            if let Some(at) = live.next() {
                self.timed.insert((at, uid));
                self.times.insert(uid, at);
            }
            let sorts = [
                (&mut self.waiting, matches!(live.run, RunState::Waiting(_))),
                (&mut self.going, live.is_terminating()),
                (&mut self.defining, live.object.defines.is_some()),
            ];
            for (sort, _) in sorts.into_iter().filter(|(_, is_of_it)| *is_of_it) {
                sort.insert(uid);
            }
        }
    }

    fn forget(&mut self, uid: u64) {
        if let Some(at) = self.times.remove(&uid) {
            self.timed.remove(&(at, uid));
        }
        for sort in [&mut self.waiting, &mut self.going, &mut self.defining] {
            sort.remove(&uid);
        }
    }

    pub(super) fn remove(&mut self, uid: u64) -> Option<Live> {
        let live = self.all.remove(&uid)?;
        if let Some(uids) = self.named.get_mut(&live.number()) {
            uids.retain(|one| *one != uid);
        }
        self.forget(uid);
        Some(live)
    }
}

impl Index<u64> for Lives {
    type Output = Live;

    fn index(&self, uid: u64) -> &Live {
        &self.all[&uid]
    }
}

impl IndexMut<u64> for Lives {
    fn index_mut(&mut self, uid: u64) -> &mut Live {
        self.get_mut(uid).expect("whoever has the uid of an object has looked whether it is there")
    }
}

impl Live {
    fn number(&self) -> u64 {
        let id = &self.object.id;
        number(id.group(), &id.kind, id.namespace.as_deref(), &id.name)
    }
}

/// A number of a name, the same in every version of its group.
fn number(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (group, kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}
