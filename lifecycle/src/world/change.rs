//! How time passes: change by change.

use super::{END, Live, Millis, RunState, World};

impl World {
    /// When something will change without anybody asking for it.
    #[must_use]
    pub fn next_change(&self) -> Option<Millis> {
        if self.startable().is_some() {
            return Some(self.now);
        }
        let orphans = self.orphans.iter().map(|orphan| orphan.goes);
        self.lives.next().into_iter().chain(orphans).min().filter(|at| *at < END)
    }

    /// Lets time pass until `to`, with all that changes on the way; into the past nobody goes.
    pub fn advance(&mut self, to: Millis) {
        while let Some(at) = self.next_change().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            self.change();
        }
        self.now = self.now.max(to.min(END));
    }

    /// Lets time pass, change by change, until `condition` gives something, and gives that; `None` at `deadline`, when it is too late
    /// for what changes just then.
    pub fn until<T>(&mut self, deadline: Millis, mut condition: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        loop {
            if let Some(found) = condition(self) {
                return Some(found);
            }
            let Some(next) = self.next_change().filter(|next| *next < deadline) else {
                self.now = self.now.max(deadline.min(END));
                return None;
            };
            self.now = self.now.max(next);
            self.change();
        }
    }

    /// The first of those whose pods waited for something that is there when time moves on: what was deleted in the moment it came,
    /// no kubelet has seen.
    fn startable(&self) -> Option<u64> {
        self.lives.waiting().find(|live| self.missing(live).is_none()).map(|live| live.uid)
    }

    /// The first change that is due.
    fn change(&mut self) {
        if let Some(uid) = self.startable() {
            self.begin(uid);
            self.settle();
            return;
        }
        if let Some(uid) = self.lives.due(self.now) {
            match self.lives[uid].end.take_if(|(at, _)| *at <= self.now) {
                Some((_, run)) => self.end(uid, run),
                None => self.go(uid),
            }
        } else {
            self.orphans.retain(|orphan| orphan.goes > self.now);
            self.settle();
        }
    }

    /// The pods of an object have come to their end, or are up.
    fn end(&mut self, uid: u64, run: RunState) {
        let live = &mut self.lives[uid];
        live.run = run;
        if !live.is_terminating() {
            live.expire();
        }
        self.lives.tidy();
    }
}

impl Live {
    /// When it changes next.
    pub(super) fn next(&self) -> Option<Millis> {
        let end = self.end.as_ref().map(|(at, _)| *at);
        end.into_iter().chain(self.goes).min()
    }
}
