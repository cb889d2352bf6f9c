//! What is said of a watch that is interrupted: once, and when it goes on.

use kube::runtime::watcher::{self, Event};

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
    fn a_failure_is_no_event() {
        let mut trouble = Trouble::new("policies");
        assert!(trouble.event::<()>(Err(watcher::Error::NoResourceVersion)).is_none());
        assert!(trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::Init)).is_some() && trouble.said.is_some());
        assert!(trouble.event::<()>(Ok(Event::InitDone)).is_some() && trouble.said.is_none());
    }
}
