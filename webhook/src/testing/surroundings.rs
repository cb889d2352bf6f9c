//! A cluster that tests fill, and whose notes they read.

use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use policies::{Decision, HookKey, Membership, PolicySet, Profile, policy_set::Named};
use serde_json::Value;

use super::app_draining;
use crate::{
    App, Drain, Limits,
    surroundings::{Labels, Learned, Surroundings},
};

/// What is known, what can be learned, and what was told.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) known: Mutex<BTreeMap<String, Labels>>,
    pub(crate) learnable: BTreeMap<String, Labels>,
    /// Whether learning never ends.
    pub(crate) is_deaf: bool,
    /// Whether what cannot be learned is not there.
    pub(crate) is_whole: bool,
    pub(crate) lookups: AtomicUsize,
    pub(crate) lessons: AtomicUsize,
    pub(crate) membership: Option<Membership>,
    pub(crate) told: Mutex<Vec<Decision>>,
}

impl Surroundings for Fake {
    fn labels(&self, namespace: &str) -> Option<Labels> {
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.known.lock().unwrap().get(namespace).cloned()
    }

    fn learn<'a>(&'a self, namespace: &'a str) -> Pin<Box<dyn Future<Output = Learned> + Send + 'a>> {
        Box::pin(async move {
            self.lessons.fetch_add(1, Ordering::Relaxed);
            if self.is_deaf {
                std::future::pending::<()>().await;
            }
            if let Some(labels) = self.learnable.get(namespace) {
                self.known.lock().unwrap().insert(namespace.to_owned(), Arc::clone(labels));
                return Learned::Labels;
            }
            if self.is_whole { Learned::Absent } else { Learned::Nothing }
        })
    }

    fn membership(&self, _hook: &HookKey) -> Option<Membership> {
        self.membership.clone()
    }

    fn record(&self, decision: Decision) {
        self.told.lock().unwrap().push(decision);
    }
}

/// Labels of a namespace.
pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    Arc::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// A server in this cluster, with these specs of policies.
pub(crate) fn app_in(fake: Fake, specs: &[Value]) -> (Arc<App>, Arc<Fake>) {
    let fake = Arc::new(fake);
    let named = specs.iter().enumerate().map(|(index, spec)| Named {
        name: format!("p{index}"),
        settings: serde_json::from_value(spec.clone()).unwrap(),
        is_base: false,
    });
    let set = PolicySet::new(named.collect(), Vec::new(), Profile::Baseline, 1).unwrap();
    let app = app_draining(Limits::default(), Drain::default()).with_surroundings(Arc::<Fake>::clone(&fake));
    app.policies.store(Arc::new(set));
    (Arc::new(app), fake)
}
