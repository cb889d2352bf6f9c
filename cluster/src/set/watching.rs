//! Watches that go on for ever: every failure is said once, and tried again soon.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use futures::Stream;
use kube::{
    Api, Resource,
    runtime::{
        WatchStreamExt as _,
        utils::Backoff,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;

/// Waits after failures: soon at first, and never long, since a definition that is not there yet may come at any moment.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(2);
/// Without a failure for that long, the next one is a first one again.
const CALM: Duration = Duration::from_secs(10);

/// All objects of one kind, and what becomes of them, for ever.
///
/// The watcher lists again when the API server has forgotten where we were (410), when it was restarted, and when the definition was
/// deleted and made again.
pub(crate) fn stream<K>(api: Api<K>) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher::watcher(api, watcher::Config::default()).backoff(Patience::default())
}

/// Doubles from one failure to the next. Each try begins with a success of its own, so only calm makes it forget.
#[derive(Debug, Default)]
struct Patience {
    failures: u32,
    last: Option<Instant>,
}

impl Iterator for Patience {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.last.is_some_and(|last| last.elapsed() > CALM) {
            self.failures = 0;
        }
        let wait = FIRST.saturating_mul(1 << self.failures.min(10)).min(LONGEST);
        self.failures += 1;
        self.last = Some(Instant::now());
        Some(wait)
    }
}

impl Backoff for Patience {
    fn reset(&mut self) {}
}

/// What is wrong with one watch, told when it changes and not at every try.
#[derive(Debug)]
pub(crate) struct Trouble {
    what: &'static str,
    said: Option<String>,
}

impl Trouble {
    /// Nothing yet; `what` is watched.
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, said: None }
    }

    /// Whether the watch fails now.
    pub(crate) const fn is_now(&self) -> bool {
        self.said.is_some()
    }

    /// The event, unless it is a failure. A list that begins does not end the trouble, since it may fail like the last one.
    pub(crate) fn event<K>(&mut self, event: watcher::Result<Event<K>>) -> Option<Event<K>> {
        let what = self.what;
        match event {
            Ok(event) => {
                if !matches!(event, Event::Init) && self.said.take().is_some() {
                    tracing::info!(what, "the watch goes on");
                }
                Some(event)
            }
            Err(error) => {
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
    use super::*;

    #[test]
    fn the_wait_doubles_and_stays_short() {
        let mut patience = Patience::default();
        let waits: Vec<_> = patience.by_ref().take(7).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 2000, 2000]);
        // The API server answers, then fails again.
        patience.reset();
        assert_eq!(patience.next(), Some(LONGEST));
    }

    #[test]
    fn a_failure_is_no_event() {
        let mut trouble = Trouble::new("policies");
        assert!(trouble.event::<()>(Err(watcher::Error::NoResourceVersion)).is_none());
        assert!(trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::Init)).is_some() && trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::InitDone)).is_some() && trouble.said.is_none());
    }
}
