//! What the world around the server knows and wants to know; the server itself talks to nobody but its callers.

use std::{collections::BTreeMap, fmt, future::Future, pin::Pin, sync::Arc};

use policies::{Decision, HookKey, Membership};

/// Labels of a namespace.
pub type Labels = Arc<BTreeMap<String, String>>;

/// What came of asking for a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// Its labels are known from now on.
    Labels,
    /// There is no such namespace.
    Absent,
    /// Nobody could say.
    Nothing,
}

/// A cluster, as far as reviews need it; all but [`Self::learn`] answer at once, from memory.
pub trait Surroundings: fmt::Debug + Send + Sync {
    /// The labels of a namespace; `None` when they are not known, and then nothing may be judged that depends on them.
    fn labels(&self, namespace: &str) -> Option<Labels>;

    /// Finds the labels of a namespace that was not known, so that [`Self::labels`] knows them.
    fn learn<'a>(&'a self, namespace: &'a str) -> Pin<Box<dyn Future<Output = Learned> + Send + 'a>>;

    /// The release that this hook belongs to now, by its stored record.
    fn membership(&self, hook: &HookKey) -> Option<Membership>;

    /// Takes note of a denial or warning; never waits, and never for a dry run.
    fn record(&self, decision: Decision);
}

#[cfg(test)]
mod tests;
