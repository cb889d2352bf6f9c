//! What was done to each object and left of it, found by what Kubernetes knows it by.

use std::collections::HashMap;

use lifecycle::{
    Step,
    answer::{ObjectId, Played},
};

use super::{Doing, Row};

/// Group, kind, namespace and name.
pub(super) type Key<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

/// What there is to find.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    /// In the order in which they were taken.
    steps: HashMap<Key<'a>, Vec<&'a Step>>,
    /// The place of the last row in which each was sent.
    rows: HashMap<Key<'a>, usize>,
    leftovers: HashMap<Key<'a>, &'a ObjectId>,
}

impl<'a> Found<'a> {
    /// Of some actions, the last of which has these rows.
    pub(super) fn of(actions: &'a [Played], rows: &[Row<'a>]) -> Self {
        let mut found = Self::default();
        for step in actions.iter().flat_map(|played| &played.steps) {
            if let Some(object) = &step.object {
                found.steps.entry(key(object)).or_default().push(step);
            }
        }
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.doing == Doing::Hook) {
            found.rows.extend(row.object.map(|object| (key(object), place)));
        }
        let leftovers = actions.last().into_iter().flat_map(|played| &played.leftovers);
        for left in leftovers {
            found.leftovers.entry(key(left)).or_insert(left);
        }
        found
    }

    pub(super) fn steps<'s>(&'s self, id: &'s ObjectId) -> &'s [&'a Step] {
        self.steps.get(&key(id)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self, id: &ObjectId) -> Option<usize> {
        self.rows.get(&key(id)).copied()
    }

    pub(super) fn left(&self, id: &ObjectId) -> Option<&'a ObjectId> {
        self.leftovers.get(&key(id)).copied()
    }
}

/// By which an object is found.
pub(super) fn key(id: &ObjectId) -> Key<'_> {
    (id.group(), &id.kind, id.namespace.as_deref(), &id.name)
}
