//! How long a replica has seen things as they are, by its own steady clock.

use std::time::Duration;

use time::OffsetDateTime;

use super::{State, View, is_worse};

/// Remembers what was seen last, and since when.
#[derive(Debug, Default)]
pub struct Settling {
    seen: Option<Seen>,
    is_past_first: bool,
}

#[derive(Debug)]
struct Seen {
    state: State,
    since: Duration,
    registered_since: Option<Duration>,
}

impl Settling {
    /// Takes note of what is seen at `steady`, a reading of a clock that never steps.
    ///
    /// A registration that lacks an authority, even once, begins anew.
    pub fn observe<'a>(
        &mut self,
        now: OffsetDateTime,
        steady: Duration,
        state: &State,
        registered: Option<&'a str>,
    ) -> View<'a> {
        let is_other = self.seen.as_ref().is_none_or(|seen| seen.state != *state);
        if is_other {
            self.is_past_first |= self.seen.is_some();
            self.seen = Some(Seen { state: state.clone(), since: steady, registered_since: None });
        }
        let is_registered = state.is_registered(registered);
        let mut view = View {
            now,
            registered,
            unchanged: Duration::ZERO,
            settled: Duration::ZERO,
            is_first: !self.is_past_first,
        };
        if let Some(seen) = &mut self.seen {
            let since = seen.registered_since.take().unwrap_or(steady);
            seen.registered_since = is_registered.then_some(since);
            view.unchanged = steady.saturating_sub(seen.since);
            view.settled = steady.saturating_sub(seen.registered_since.unwrap_or(steady));
        }
        view
    }

    /// The view after a step that was taken and is not written yet: nobody has seen its outcome.
    #[must_use]
    pub fn foresee<'a>(view: &View<'a>) -> View<'a> {
        View { unchanged: Duration::ZERO, settled: Duration::ZERO, is_first: false, ..*view }
    }

    /// What was seen last, where what is `found` is not to be served in its place: then it should be written back.
    #[must_use]
    pub fn prefers(&self, found: &State, registered: Option<&str>, now: OffsetDateTime) -> Option<&State> {
        let remembered = self.seen.as_ref().map(|seen| &seen.state)?;
        is_worse(found, remembered, registered, now).then_some(remembered)
    }
}
