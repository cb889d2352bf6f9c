//! All that the watches of one rollout have seen, in the order in which it happened.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::watch;

use super::{
    Became, Tell, Told,
    sight::{Change, End, Seen, What},
};

/// Where watches write.
pub(super) struct Journal {
    inner: Mutex<Inner>,
    changed: watch::Sender<()>,
    tell: Tell,
}

#[derive(Default)]
struct Inner {
    seen: Vec<Seen>,
    /// How many watches write.
    watches: usize,
    /// By the number of the watch and the uid: the last version that was heard of.
    alive: BTreeMap<(usize, String), u64>,
}

impl Journal {
    pub(super) fn new(tell: Tell) -> Self {
        Self { inner: Mutex::default(), changed: watch::Sender::new(()), tell }
    }

    /// A number for one more watch.
    pub(super) fn number(&self) -> usize {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.watches += 1;
        inner.watches
    }

    /// A watch has seen something, and knows from now on of this object in this version; a deletion ends that.
    pub(super) fn write(&self, of: usize, uid: &str, version: u64, change: Change, what: Option<What>) {
        let mut told = None;
        {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (of, uid.to_owned());
            if change == Change::Deleted {
                inner.alive.remove(&key);
            } else {
                inner.alive.insert(key, version);
            }
            if let Some(what) = what {
                told = became(&what, &inner.seen);
                inner.seen.push(Seen { version, at: Instant::now(), what });
            }
        }
        self.changed.send_replace(());
        if let Some((object, became)) = told {
            (self.tell)(Told::Saw(object, became));
        }
    }

    /// Everything until now, in the order in which it happened.
    pub(super) fn read(&self) -> Vec<Seen> {
        let mut seen = self.inner.lock().unwrap_or_else(PoisonError::into_inner).seen.clone();
        seen.sort_by_key(|seen| seen.version);
        // Each watch is heard for itself: what is heard after a later change came before it all the same.
        let mut next = None;
        for seen in seen.iter_mut().rev() {
            seen.at = next.map_or(seen.at, |next| seen.at.min(next));
            next = Some(seen.at);
        }
        seen
    }

    /// What a watch knows to be there.
    pub(super) fn alive(&self, of: usize) -> BTreeMap<String, u64> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let own = inner.alive.iter().filter(|((watch, _), _)| *watch == of);
        own.map(|((_, uid), version)| (uid.clone(), *version)).collect()
    }

    /// Tells of every change from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

/// What there is to tell of what a hook does now.
fn became(what: &What, before: &[Seen]) -> Option<(String, Became)> {
    let What::Object(sight) = what else { return None };
    if !sight.is_hook {
        return None;
    }
    let last = before.iter().rev().find_map(|seen| match &seen.what {
        What::Object(earlier) if earlier.uid == sight.uid => Some(earlier),
        _ => None,
    });
    let became = match (sight.change, &sight.end) {
        (Change::Deleted, _) => Became::Gone,
        (Change::Added, _) => Became::Sent,
        (Change::Modified, Some(end)) if last.is_none_or(|last| last.end.is_none()) => match end {
            End::Complete => Became::Done,
            End::Failed(_) => Became::Failed,
        },
        (Change::Modified, _) if sight.is_going && last.is_none_or(|last| !last.is_going) => Became::Goes,
        (Change::Found | Change::Modified, _) => return None,
    };
    Some((sight.id.to_string(), became))
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Journal").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use serde_json::json;

    use super::*;
    use crate::run::sight::Stored;

    #[test]
    fn what_one_watch_told_late_was_said_to_come_after_what_followed() {
        let journal = Journal::new(Arc::new(|_| {}));
        let text = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"labels": {"version": "1", "status": "deployed"}}});
        let secret = serde_json::from_value(text).unwrap();
        for version in [7, 5, 6] {
            let what = Stored::of(&secret, Change::Added).map(What::Revision);
            journal.write(1, "a", version, Change::Added, what);
            std::thread::sleep(Duration::from_millis(1));
        }
        let seen = journal.read();
        assert!(
            seen.is_sorted_by_key(|seen| seen.version) && seen.is_sorted_by_key(|seen| seen.at),
            "{seen:?}"
        );
    }
}
