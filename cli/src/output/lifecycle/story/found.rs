//! What was done to each object and left of it, found by what Kubernetes knows it by.

use std::collections::HashMap;

use lifecycle::{
    Step,
    answer::{Key, ObjectId, Played},
};

use super::{Doing, Row};

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
                found.steps.entry(object.key()).or_default().push(step);
            }
        }
        for (place, row) in rows.iter().enumerate().filter(|(_, row)| row.doing == Doing::Hook) {
            found.rows.extend(row.object.map(|object| (object.key(), place)));
        }
        let leftovers = actions.last().into_iter().flat_map(|played| &played.leftovers);
        for left in leftovers {
            found.leftovers.entry(left.key()).or_insert(left);
        }
        found
    }

    pub(super) fn steps<'s>(&'s self, id: &'s ObjectId) -> &'s [&'a Step] {
        self.steps.get(&id.key()).map_or(&[], Vec::as_slice)
    }

    pub(super) fn row(&self, id: &ObjectId) -> Option<usize> {
        self.rows.get(&id.key()).copied()
    }

    pub(super) fn left(&self, id: &ObjectId) -> Option<&'a ObjectId> {
        self.leftovers.get(&id.key()).copied()
    }
}
