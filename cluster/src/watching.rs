//! What is said of a watch that is interrupted: once, and when it goes on.

use kube::runtime::watcher::{self, Event};
use prometheus::IntGauge;

use crate::metrics::{Metrics, Watch};

/// What is wrong with one watch, told when it changes and not at every try.
#[derive(Debug)]
pub(crate) struct Trouble {
    what: &'static str,
    said: Option<String>,
    is_broken: IntGauge,
}

impl Trouble {
    /// Nothing yet.
    pub(crate) fn new(watch: Watch, metrics: &Metrics) -> Self {
        Self { what: watch.name(), said: None, is_broken: metrics.watch(watch).clone() }
    }

    /// The event, unless it is a failure. A list that begins does not end the trouble, since it may fail like the last one.
    pub(crate) fn event<K>(&mut self, event: watcher::Result<Event<K>>) -> Option<Event<K>> {
        let what = self.what;
        match event {
            Ok(event) => {
                if !matches!(event, Event::Init) && self.said.take().is_some() {
                    tracing::info!(what, "the watch goes on");
                    self.is_broken.set(0);
                }
                Some(event)
            }
            Err(error) => {
                self.is_broken.set(1);
                let error = error.to_string();
                if self.said.as_ref() != Some(&error) {
                    tracing::warn!(what, error, "the watch is interrupted; what is known stays in force");
                    self.said = Some(error);
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;

    use super::*;

    #[test]
    fn a_watch_that_failed_counted_as_sound() {
        let metrics = Metrics::new(&Registry::new());
        let broken = |watch| metrics.watch(watch).get();
        let mut trouble = Trouble::new(Watch::Namespaces, &metrics);
        trouble.event::<()>(Err(watcher::Error::NoResourceVersion));
        trouble.event::<()>(Ok(Event::Init));
        assert_eq!((broken(Watch::Namespaces), broken(Watch::HookPolicies)), (1, 0));
        trouble.event::<()>(Ok(Event::InitDone));
        assert_eq!(broken(Watch::Namespaces), 0);
    }

    #[test]
    fn a_failure_is_no_event() {
        let mut trouble = Trouble::new(Watch::HookPolicies, &Metrics::new(&Registry::new()));
        assert!(trouble.event::<()>(Err(watcher::Error::NoResourceVersion)).is_none());
        assert!(trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::Init)).is_some() && trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::InitDone)).is_some() && trouble.said.is_none());
    }
}
