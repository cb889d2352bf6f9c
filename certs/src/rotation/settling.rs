//! What a replica remembers: what it serves, and since when it has seen things as they are, by its own steady clock.

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use time::OffsetDateTime;

use super::{
    Knobs, State, View,
    healing::{Verdict, judge},
    state::certificates,
};

/// Remembers what was seen last, and since when.
#[derive(Debug, Default)]
pub struct Settling {
    seen: Option<Seen>,
    is_past_first: bool,
    /// What is served.
    served: Option<State>,
    /// The registered authorities, each since when it has been seen without a break.
    registered: Vec<(CertificateDer<'static>, Duration)>,
    written_back: Option<Duration>,
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

    /// Takes note of what is registered at `steady`; to be called before [`Self::judge`].
    ///
    /// Where nothing can be seen, what was seen last counts on: whoever called then may call again.
    pub fn observe_registered(&mut self, steady: Duration, registered: Option<&str>) {
        if registered.is_none() {
            return;
        }
        let before = std::mem::take(&mut self.registered);
        let since =
            |one: &CertificateDer<'_>| before.iter().find(|(known, _)| known == one).map(|known| known.1);
        let found = certificates(registered).into_iter();
        self.registered =
            found.map(|one| (since(&one).unwrap_or(steady), one)).map(|(since, one)| (one, since)).collect();
    }

    /// What to do about what is `found`, beside what is served.
    #[must_use]
    pub fn judge(&self, now: OffsetDateTime, steady: Duration, found: &State, knobs: &Knobs) -> Verdict {
        let Some(served) = &self.served else { return Verdict::Follow };
        let since = |der: &CertificateDer<'_>| self.registered.iter().find(|(one, _)| one == der);
        let age = |one: &super::Trusted| Some(steady.saturating_sub(since(one.summary().der())?.1));
        judge(found, served, age, now, knobs)
    }

    /// What is served from now on.
    pub fn serve(&mut self, state: &State) {
        if self.served.as_ref() != Some(state)
            || self.served.as_ref().map(State::generation) != Some(state.generation())
        {
            self.served = Some(state.clone());
        }
    }

    /// What is served; `None` at the start.
    #[must_use]
    pub fn served(&self) -> Option<&State> {
        self.served.as_ref()
    }

    /// How long `found` is to be left as it is before what is served is written back.
    ///
    /// What is of no use to anybody is replaced at once. Where two replicas differ in what they trust, each writes once an overlap:
    /// by then both know what the other one has registered.
    #[must_use]
    pub fn left_alone(&self, steady: Duration, found: &State, knobs: &Knobs) -> Duration {
        let since = self.written_back.filter(|_| found.leaf().is_some());
        since.map_or(Duration::ZERO, |since| (since + knobs.overlap).saturating_sub(steady))
    }

    /// What is served was written back at `steady`.
    pub fn wrote_back(&mut self, steady: Duration) {
        self.written_back = Some(steady);
    }
}
