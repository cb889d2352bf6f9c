//! Which hooks belong to which release, as far as this server's own release gate saw: a guess good enough for words, and for nothing else.
//!
//! # Invariants
//! What is remembered never proves a recovery and never makes a judgement stricter: another replica may have seen a later release, and
//! a rollback shows itself to no gate. Its moment is always [`Moment::Unknown`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use policies::{HookKey, Membership, Moment, Release};

/// Hooks at once: more than are under way in the largest cluster; about 2 MB when all names are long.
const MOST: usize = 4096;
/// A hook of a release is run within its timeout, and so is the one of its rollback.
const TIMEOUTS: u32 = 2;

/// The hooks of the releases that passed the gate lately.
#[derive(Debug, Default)]
pub(crate) struct Memory(RwLock<Inner>);

#[derive(Debug, Default)]
struct Inner {
    hooks: HashMap<HookKey, Known>,
    /// In the order in which they came; a hook that came again is in it twice, and the first time counts no more.
    order: VecDeque<(HookKey, Instant)>,
}

#[derive(Debug)]
struct Known {
    membership: Membership,
    since: Instant,
    until: Instant,
}

impl Memory {
    /// Remembers the hooks of a release that passed; `timeout` is how long its engine waits.
    pub(crate) fn keep(&self, release: &Release<'_>, revision: u64, timeout: Duration) {
        self.keep_at(release, revision, timeout, Instant::now());
    }

    fn keep_at(&self, release: &Release<'_>, revision: u64, timeout: Duration, now: Instant) {
        let (Some(name), Some(namespace)) = (release.name, release.namespace) else { return };
        let until = now + timeout.saturating_mul(TIMEOUTS);
        let membership = Membership {
            release: name.to_owned(),
            namespace: namespace.to_owned(),
            revision,
            moment: Moment::Unknown,
        };
        let keys = release.hooks().flat_map(|(_, item, _)| keys(item.object, namespace));
        // Read before the lock is taken: nobody waits for a large release.
        let keys: Vec<HookKey> = keys.take(MOST).collect();
        let mut inner = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for key in keys {
            inner.order.push_back((key.clone(), now));
            inner.hooks.insert(key, Known { membership: membership.clone(), since: now, until });
        }
        inner.forget(now);
    }

    /// The release that let this hook pass last.
    pub(crate) fn membership(&self, hook: &HookKey) -> Option<Membership> {
        self.membership_at(hook, Instant::now())
    }

    fn membership_at(&self, hook: &HookKey, now: Instant) -> Option<Membership> {
        let inner = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = inner.hooks.get(hook).filter(|known| now < known.until)?;
        Some(known.membership.clone())
    }
}

impl Inner {
    /// Forgets what is too old, and the oldest of what is too much.
    fn forget(&mut self, now: Instant) {
        while let Some((key, since)) = self.order.front() {
            // It came again later.
            let is_stale = self.hooks.get(key).is_none_or(|known| known.since != *since);
            let is_over = || self.hooks.get(key).is_some_and(|known| known.until <= now);
            if !is_stale && !is_over() && self.order.len() <= MOST {
                break;
            }
            if !is_stale {
                self.hooks.remove(key);
            }
            self.order.pop_front();
        }
    }
}

/// The names under which the API server may ask for a hook. The manifest of a cluster-scoped object looks like one that leaves the
/// namespace to Helm.
fn keys(object: hooks::Object<'_>, namespace: &str) -> impl Iterator<Item = HookKey> + use<> {
    let written = object.namespace();
    let named = HookKey::of(object, Some(written.unwrap_or(namespace)));
    let cluster_scoped = HookKey::of(object, None).filter(|_| written.is_none());
    named.into_iter().chain(cluster_scoped)
}

#[cfg(test)]
mod tests;
