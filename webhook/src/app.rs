//! What every request shares.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use policies::{PolicySet, RULES};
use tokio::sync::Semaphore;

use crate::{
    budget::{self, Budget, Work},
    drain::Drain,
    memory::Memory,
    metrics::Metrics,
    ready::Readiness,
    surroundings::Surroundings,
};

/// Bodies above this are judged away from the event loop, so that small requests beside them do not wait.
pub(crate) const LARGE: usize = 64 << 10;

/// How long a body may take to arrive unless told otherwise; in a cluster it takes milliseconds.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What every request shares. Whoever changes the policies stores a new set; requests under way keep the one they began with.
#[derive(Debug)]
pub struct App {
    /// The policies in force.
    pub policies: Arc<ArcSwap<PolicySet>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What is not there yet.
    pub ready: Readiness,
    /// How much is done at once.
    pub limits: Limits,
    /// The cluster, where there is one.
    pub surroundings: Option<Arc<dyn Surroundings>>,
    /// What the release gate let pass.
    pub(crate) memory: Memory,
}

impl App {
    /// Ready until parts are declared missing or `drain` begins; counts for every rule there is.
    #[must_use]
    pub fn new(policies: Arc<ArcSwap<PolicySet>>, drain: Drain, limits: Limits) -> Self {
        let metrics = Metrics::new(RULES.iter().map(|rule| rule.meta().id));
        Self {
            policies,
            metrics: Arc::new(metrics),
            ready: Readiness::new(drain),
            limits,
            surroundings: None,
            memory: Memory::default(),
        }
    }

    /// The same in a cluster.
    #[must_use]
    pub fn with_surroundings(self, surroundings: Arc<dyn Surroundings>) -> Self {
        Self { surroundings: Some(surroundings), ..self }
    }
}

/// How much is done at once, so that no input can take all memory or all processors.
pub struct Limits {
    /// Bytes of one body.
    pub max_body: usize,
    /// Requests being answered.
    pub(crate) requests: Semaphore,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// The memory for all that.
    pub(crate) budget: Budget,
}

impl Limits {
    /// Bodies of at most `max_body` bytes, and `max_concurrency` requests at once, in the usual memory.
    #[must_use]
    pub fn new(max_body: usize, max_concurrency: usize) -> Self {
        Self::within(budget::USUAL, max_body, max_concurrency)
    }

    /// The same for a process that may take `memory` bytes. No body is larger than half of what there is for bodies.
    #[must_use]
    pub fn within(memory: u64, max_body: usize, max_concurrency: usize) -> Self {
        let budget = Budget::of(memory);
        Self {
            max_body: max_body.min(budget.bodies.available_permits() * 1024 / 2),
            requests: Semaphore::new(max_concurrency.min(Semaphore::MAX_PERMITS)),
            body_timeout: BODY_TIMEOUT,
            budget,
        }
    }

    /// The memory for what is made of large bodies, to share with others who read records.
    #[must_use]
    pub fn work(&self) -> Work {
        self.budget.work.clone()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new(8 << 20, 256)
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Limits")
            .field("max_body", &self.max_body)
            .field("requests_left", &self.requests.available_permits())
            .finish_non_exhaustive()
    }
}
