//! Readiness: what is not there yet holds a handle, and letting go of the handle is how it says that it is.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use crate::drain::{Drain, Stage};

/// What the server can be waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A certificate that is valid now.
    Certificate,
    /// Exceptions read once.
    Exceptions,
    /// Policies read once.
    Policies,
    /// A registration whose CA bundle verifies the certificate.
    Trust,
}

impl Part {
    const ALL: [Self; 4] = [Self::Certificate, Self::Exceptions, Self::Policies, Self::Trust];

    /// The word for `/readyz`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Exceptions => "exceptions",
            Self::Policies => "policies",
            Self::Trust => "trust",
        }
    }

    /// Without these nothing can be judged; without the others nobody could ask.
    const fn is_needed_to_judge(self) -> bool {
        matches!(self, Self::Exceptions | Self::Policies)
    }
}

/// Who is waited for, and whether the server is on its way out.
#[derive(Debug, Clone, Default)]
pub struct Readiness {
    waiting: Arc<[AtomicUsize; Part::ALL.len()]>,
    reasons: Arc<Mutex<[Option<String>; Part::ALL.len()]>>,
    drain: Drain,
}

/// As long as it lives, its part is not there.
#[derive(Debug)]
#[must_use = "dropping the handle says that the part is ready"]
pub struct Handle {
    waiting: Arc<[AtomicUsize; Part::ALL.len()]>,
    part: Part,
}

impl Readiness {
    /// Nothing is waited for; readiness ends when `drain` begins.
    #[must_use]
    pub fn new(drain: Drain) -> Self {
        Self { waiting: Arc::default(), reasons: Arc::default(), drain }
    }

    /// Declares that `part` is not there. May be called again later, when it is lost.
    pub fn wait_for(&self, part: Part) -> Handle {
        self.waiting[part as usize].fetch_add(1, Ordering::Relaxed);
        Handle { waiting: Arc::clone(&self.waiting), part }
    }

    /// Says why `part` is not there, one line for people, or that nobody knows any more; without a handle nobody reads it.
    pub fn explain(&self, part: Part, reason: Option<String>) {
        self.reasons()[part as usize] = reason;
    }

    /// Whether requests should be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.drain.stage() == Stage::Serving && self.missing().next().is_none()
    }

    /// Whether a request that came nevertheless can be judged.
    #[must_use]
    pub fn can_judge(&self) -> bool {
        !self.missing().any(Part::is_needed_to_judge)
    }

    /// One line for people: `ok`, or what is missing, and why where that is known.
    #[must_use]
    pub fn describe(&self) -> String {
        let reasons = self.reasons();
        let described = |part: Part| match &reasons[part as usize] {
            Some(reason) => format!("{} ({reason})", part.name()),
            None => part.name().to_owned(),
        };
        let missing = self.missing().map(described).collect::<Vec<_>>();
        if self.drain.stage() != Stage::Serving {
            "shutting down".to_owned()
        } else if missing.is_empty() {
            "ok".to_owned()
        } else {
            format!("waiting for {}", missing.join(", "))
        }
    }

    fn reasons(&self) -> MutexGuard<'_, [Option<String>; Part::ALL.len()]> {
        self.reasons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self) -> impl Iterator<Item = Part> {
        Part::ALL.into_iter().filter(|part| self.waiting[*part as usize].load(Ordering::Relaxed) > 0)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.waiting[self.part as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_to_wait_for_is_ready() {
        assert!(Readiness::default().is_ready());
    }

    #[test]
    fn a_dropped_handle_is_a_ready_part() {
        let ready = Readiness::default();
        let (first, second) = (ready.wait_for(Part::Policies), ready.wait_for(Part::Trust));
        assert_eq!(ready.describe(), "waiting for policies, trust");
        assert!(!ready.can_judge());
        drop(first);
        assert!(ready.can_judge() && !ready.is_ready());
        drop(second);
        assert!(ready.is_ready());
    }

    #[test]
    fn what_is_missing_says_why_as_long_as_it_is() {
        let ready = Readiness::default();
        let (trust, _policies) = (ready.wait_for(Part::Trust), ready.wait_for(Part::Policies));
        ready.explain(Part::Trust, Some("another name".to_owned()));
        assert_eq!(ready.describe(), "waiting for policies, trust (another name)");
        ready.explain(Part::Trust, None);
        assert_eq!(ready.describe(), "waiting for policies, trust");
        ready.explain(Part::Trust, Some("another name".to_owned()));
        drop(trust);
        assert_eq!(ready.describe(), "waiting for policies");
    }

    #[test]
    fn every_handle_of_a_part_must_go() {
        let ready = Readiness::default();
        let (first, second) = (ready.wait_for(Part::Policies), ready.wait_for(Part::Policies));
        drop(first);
        assert!(!ready.is_ready());
        drop(second);
        assert!(ready.is_ready());
    }

    #[test]
    fn a_drain_ends_readiness_at_once_but_not_judgement() {
        let drain = Drain::default();
        let ready = Readiness::new(drain.clone());
        drain.signalled();
        assert!(!ready.is_ready());
        assert!(ready.can_judge());
        assert_eq!(ready.describe(), "shutting down");
    }
}
