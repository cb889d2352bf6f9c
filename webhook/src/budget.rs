//! The memory that requests may take, all of it out of one number: what the container may use.
//!
//! A quarter is for bodies in memory. A quarter is for what is made of large ones: values, records, findings; it goes to one judgement
//! after the other, or to several small ones at once. The other half is the process itself, its connections, and what is made of small
//! bodies, which are judged at once and by few threads.

use std::{num::NonZero, sync::Arc, thread};

use hooks::{Object, annotations};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// What is assumed where nobody says: the limit of the chart.
pub(crate) const USUAL: u64 = 128 << 20;
/// The least and the most that makes a difference, in bytes.
const RANGE: (u64, u64) = (32 << 20, 1 << 30);
/// Memory for what is made of a small body, in bytes; one that takes more is judged like a large one.
pub(crate) const QUICK: usize = 2 << 20;
/// What a connection takes besides bodies, in bytes: what it reads ahead, and the buffers of TLS.
const CONNECTION: usize = 64 << 10;
/// Bodies that wait for memory; each may have filled the buffers of its connection.
const WAITING: usize = 32;
/// Judgements of large bodies at once.
const JUDGEMENTS: usize = 4;
/// What a hook takes besides its values, in bytes: findings of rules about all of it.
pub(crate) const HOOK: usize = 8 << 10;
/// What an ordinary object takes: its places in what rules look it up in.
pub(crate) const RESOURCE: usize = 2 << 10;
/// What one finding takes.
const FINDING: usize = 2 << 10;
/// What each byte of an annotation about hooks takes: each may be an item of a list.
const ITEM: usize = 96;

/// The parts of the memory.
#[derive(Debug)]
pub(crate) struct Budget {
    /// KiB of bodies.
    pub(crate) bodies: Arc<Semaphore>,
    /// Bodies that may wait for memory.
    pub(crate) waiting: Arc<Semaphore>,
    /// What is made of large bodies.
    pub(crate) work: Work,
}

/// Memory for what is made of large bodies and of records, in turn.
#[derive(Debug, Clone)]
pub struct Work {
    kib: Arc<Semaphore>,
    all: u32,
}

impl Budget {
    /// The parts of so many bytes.
    pub(crate) fn of(memory: u64) -> Self {
        let quarter = quarter(memory) / 1024;
        Self {
            bodies: Arc::new(Semaphore::new(quarter)),
            waiting: Arc::new(Semaphore::new(WAITING)),
            work: Work {
                kib: Arc::new(Semaphore::new(quarter)),
                all: u32::try_from(quarter).unwrap_or(u32::MAX),
            },
        }
    }
}

/// Connections for which there is memory.
pub(crate) fn connections(memory: u64) -> u32 {
    u32::try_from(quarter(memory) / CONNECTION).unwrap_or(u32::MAX)
}

/// A quarter of the memory, in bytes.
fn quarter(memory: u64) -> usize {
    usize::try_from(memory.clamp(RANGE.0, RANGE.1) / 4).unwrap_or(usize::MAX)
}

impl Work {
    /// All of it, in KiB.
    #[must_use]
    pub const fn all(&self) -> u32 {
        self.all
    }

    /// What is likely to do for a body of so many bytes, in KiB: ten times as much, and no less than the part of each of those that may
    /// go on at once, as many as there are processors to get on with them.
    pub(crate) fn likely(&self, body: usize) -> u32 {
        let processors = thread::available_parallelism().map_or(1, NonZero::get).min(JUDGEMENTS);
        let part = self.all / u32::try_from(processors).unwrap_or(1);
        u32::try_from(body / 1024 * 10).unwrap_or(u32::MAX).clamp(part, self.all)
    }

    /// Waits for `kib` KiB.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when there will never be any.
    pub(crate) async fn take(&self, kib: u32) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.kib).acquire_many_owned(kib).await.map_err(|_| Refusal::Overloaded)
    }

    /// The KiB that are left, to be waited for by others who read records.
    #[must_use]
    pub fn kib(&self) -> Arc<Semaphore> {
        Arc::clone(&self.kib)
    }
}

/// What judging `object` takes at most besides its values, in bytes, `base` of them in any case. Asked before its annotations are read.
pub(crate) fn judging(object: Object<'_>, base: usize) -> usize {
    let containers = object.pods().map_or(0, |pods| pods.containers().count());
    let annotations = object.metadata().and_then(|metadata| metadata.get("annotations"));
    let members = annotations.map_or(&[][..], |annotations| annotations.members());
    let listed = members.iter().filter(|member| member.name.starts_with(annotations::PREFIX));
    let items = listed.map(|member| member.node.as_str().map_or(0, str::len)).sum::<usize>();
    base + FINDING * (containers + members.len()) + ITEM * items
}

#[cfg(test)]
mod tests {
    use hooks::{Interest, json};

    use super::*;

    #[test]
    fn half_of_the_memory_is_for_requests_and_a_quarter_for_connections() {
        let budget = Budget::of(USUAL);
        assert_eq!((budget.bodies.available_permits(), budget.work.all()), (32 << 10, 32 << 10));
        assert_eq!(connections(USUAL), 512);
        assert_eq!(Budget::of(0).work.all(), 8 << 10);
        assert_eq!(Budget::of(u64::MAX).work.all(), 256 << 10);
    }

    #[test]
    fn what_is_judged_at_once_fits_together() {
        let work = Budget::of(USUAL).work;
        let processors = thread::available_parallelism().unwrap().get().min(JUDGEMENTS);
        assert!(work.likely(100 << 10) as usize * processors <= work.all() as usize);
        assert!(work.likely(0) as usize * 1024 >= 2 * QUICK);
        assert!(work.likely(1 << 20) >= 10 << 10);
        assert_eq!(work.likely(usize::MAX), work.all());
    }

    #[test]
    fn commas_and_containers_are_paid_for_before_they_are_read() {
        let job = |annotation: &str, containers: usize| {
            let containers = vec!["{}"; containers].join(",");
            format!(
                r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"annotations":{{"{}":"{annotation}"}}}},"spec":{{"containers":[{containers}]}}}}"#,
                annotations::HOOK
            )
        };
        let price = |text: &str| {
            judging(Object::new(&json::object(text.as_bytes(), Interest::Judged).unwrap()), HOOK)
        };
        let usual = price(&job("test", 1));
        assert!(usual < 16 << 10, "{usual}");
        assert!(price(&job(&",".repeat(10_000), 1)) > usual + 900_000);
        assert!(price(&job("test", 1001)) > usual + 1_000_000);
    }
}
