//! All that is there, found by name, by number and by what may still become of it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    ops::{Index, IndexMut},
};

use super::{Live, RunState};
use crate::answer::ObjectId;

/// Objects by uid, which is the order in which they were created.
#[derive(Debug, Clone, Default)]
pub(super) struct Lives {
    all: BTreeMap<u64, Live>,
    /// Those of each name, oldest first; by a number of the name, which two names may share.
    named: HashMap<u64, Vec<u64>>,
    /// Those that time, or the end of another, may change; also some of which that was true a moment ago.
    open: BTreeSet<u64>,
    /// Those that bring a kind.
    defining: BTreeSet<u64>,
}

impl Lives {
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = &Live> {
        self.all.values()
    }

    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Live> {
        self.all.values_mut()
    }

    pub(super) fn get(&self, uid: u64) -> Option<&Live> {
        self.all.get(&uid)
    }

    pub(super) fn get_mut(&mut self, uid: u64) -> Option<&mut Live> {
        self.all.get_mut(&uid)
    }

    /// Those that time, or the end of another, may change.
    pub(super) fn open(&self) -> impl Iterator<Item = &Live> {
        self.open.iter().filter_map(|uid| self.all.get(uid)).filter(|live| live.is_open())
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
        let uid = live.uid;
        self.all.insert(uid, live);
        self.touch(uid);
    }

    /// Somebody has changed it, so that it may have become open, or bring another kind.
    pub(super) fn touch(&mut self, uid: u64) {
        self.open.insert(uid);
        if self.all.get(&uid).is_some_and(|live| live.object.defines.is_some()) {
            self.defining.insert(uid);
        } else {
            self.defining.remove(&uid);
        }
    }

    /// Forgets those that are open no longer.
    pub(super) fn tidy(&mut self) {
        let all = &self.all;
        self.open.retain(|uid| all.get(uid).is_some_and(Live::is_open));
    }

    pub(super) fn remove(&mut self, uid: u64) -> Option<Live> {
        let live = self.all.remove(&uid)?;
        if let Some(uids) = self.named.get_mut(&live.number()) {
            uids.retain(|one| *one != uid);
        }
        self.open.remove(&uid);
        self.defining.remove(&uid);
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
        self.all.get_mut(&uid).expect("whoever has the uid of an object has looked whether it is there")
    }
}

impl Live {
    fn number(&self) -> u64 {
        let id = &self.object.id;
        number(id.group(), &id.kind, id.namespace.as_deref(), &id.name)
    }

    /// Whether time, or the end of another, may change it.
    fn is_open(&self) -> bool {
        self.end.is_some()
            || self.goes.is_some()
            || self.is_terminating()
            || matches!(self.run, RunState::Waiting(_))
    }
}

/// A number of a name, the same in every version of its group.
fn number(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (group, kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}
