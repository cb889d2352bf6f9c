//! Keeps the certificates of a store as the plan wants them, together with other replicas that do the same.

use std::{future, sync::Arc, time::Duration};

use time::OffsetDateTime;
use tokio::{sync::watch, time::Instant};

use crate::{
    Knobs, Resolver, State, Store,
    authority::{self, Authority, CLOCK_SKEW},
    rotation::{
        Settling, Step, Verdict, state,
        turn::{self, Outcome},
    },
    store::{Cause, ReplaceError, format},
};

mod journal;

pub use crate::rotation::Moment;

use journal::Journal;

/// Clocks may step, machines may sleep and watches may be deaf, so the store is read at least this often, and three times in
/// an overlap: within it everybody must have seen what others wrote.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Nobody looks more often than this, however short the overlap is.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// How soon a store is tried again that did not answer; doubled each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);

/// How often others may be quicker before a turn gives up until the next one.
const TRIES: usize = 8;

/// Why a turn did not end well; what is served stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store was not read.
    #[error("cannot read the certificates")]
    Read(#[source] Cause),
    /// The store was not written.
    #[error(transparent)]
    Write(#[from] ReplaceError),
    /// A certificate was not made.
    #[error(transparent)]
    Make(#[from] state::Error),
}

/// What one turn did.
#[derive(Debug)]
pub struct Turn {
    /// The steps that this replica took and the store accepted.
    pub steps: Vec<Step>,
    /// Whether another certificate is served since.
    pub is_exchanged: bool,
    /// What was found and could not be read.
    pub problems: Vec<format::Problem>,
    /// Where the contents came from.
    pub source: Source,
    /// When the certificate that is served now ends.
    pub not_after: OffsetDateTime,
    /// How long nothing becomes due.
    pub wait: Duration,
    /// The version of the store that was seen or written last.
    version: String,
}

/// Where the certificates of a turn came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The store held them.
    Store,
    /// The store held none any more, or worse ones that no replica wrote: this one wrote back those it remembers.
    Memory,
    /// There were none: they are new.
    New,
}

/// One replica's part in keeping the certificates.
#[derive(Debug)]
pub struct Keeper<S> {
    store: S,
    knobs: Knobs,
    resolver: Arc<Resolver>,
    bundle: watch::Sender<Option<String>>,
    settling: Settling,
    /// Whether this replica's clock was found to be wrong.
    is_astray: bool,
}

impl<S: Store> Keeper<S> {
    /// Reads nothing yet: until the first turn, a certificate is served that nobody trusts.
    ///
    /// # Errors
    /// When not even that can be made.
    pub fn new(store: S, knobs: Knobs) -> Result<Self, state::Error> {
        let stranger = Authority::new("nobody", authority::DAY)?;
        let leaf = stranger.issue(&knobs.names, authority::DAY)?;
        let resolver = Arc::new(Resolver::new(leaf.serving_pair(None)?));
        let (bundle, settling) = (watch::Sender::new(None), Settling::default());
        Ok(Self { store, knobs, resolver, bundle, settling, is_astray: false })
    }

    /// What rustls asks for certificates; the same for the whole life of this keeper.
    #[must_use]
    pub fn resolver(&self) -> Arc<Resolver> {
        Arc::clone(&self.resolver)
    }

    /// The PEM bundle that must be registered; `None` before the first turn.
    #[must_use]
    pub fn bundle(&self) -> watch::Receiver<Option<String>> {
        self.bundle.subscribe()
    }

    /// Reads the store, takes the steps that are due, and serves what there is then.
    ///
    /// # Errors
    /// When the store cannot be read or written, or a certificate cannot be made. What is served stays.
    pub async fn turn(&mut self, moment: Moment, registered: Option<&str>) -> Result<Turn, Error> {
        let mut tries = 1;
        loop {
            match self.try_turn(moment, registered).await {
                Err(Error::Write(ReplaceError::Conflict)) if tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    /// Takes turns until the future is dropped: when the store or the registration changes, and when something becomes due.
    ///
    /// Each turn is logged, and handed to `report`. `registered` is the PEM bundle that is registered everywhere.
    pub async fn run(
        mut self,
        mut registered: watch::Receiver<Option<String>>,
        mut report: impl FnMut(&Result<Turn, Error>),
    ) {
        let began = Instant::now();
        let longest = (self.knobs.overlap / 3).clamp(SHORTEST_WAIT, LONGEST_WAIT);
        let mut retry = FIRST_RETRY.min(longest);
        let mut journal = Journal::default();
        loop {
            let moment = Moment { now: OffsetDateTime::now_utc(), steady: began.elapsed() };
            let bundle = registered.borrow_and_update().clone();
            let turn = self.turn(moment, bundle.as_deref()).await;
            journal.log(&turn);
            report(&turn);
            let (version, wait) = match turn {
                Ok(turn) => (Some(turn.version), turn.wait.min(longest)),
                Err(_) => (None, retry),
            };
            retry = if version.is_some() { FIRST_RETRY } else { retry * 2 }.min(longest);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.store_changes(version.as_deref()) => {}
                () = next(&mut registered) => {}
            }
        }
    }

    async fn store_changes(&self, version: Option<&str>) {
        match version {
            Some(version) => self.store.changed(version).await,
            None => future::pending().await,
        }
    }

    async fn try_turn(&mut self, moment: Moment, registered: Option<&str>) -> Result<Turn, Error> {
        let stored = self.store.read().await.map_err(Error::Read)?;
        let moment = Moment { now: self.calendar(moment.now, stored.read_at), ..moment };
        let format::Decoded { state: found, problems } = format::decode(&stored.data);
        let outcome = turn::look(&mut self.settling, &found, registered, moment, &self.knobs)?;
        let source = match outcome.verdict {
            Verdict::WriteBack if outcome.is_to_write => Source::Memory,
            Verdict::Follow if found.is_empty() => Source::New,
            _ => Source::Store,
        };
        let mut is_exchanged = false;
        match outcome.verdict {
            Verdict::Follow if !found.is_empty() => is_exchanged = self.adopt(&found),
            Verdict::Later => self.publish(&found),
            _ => {}
        }
        if outcome.is_to_write {
            self.store.replace(&stored.version, format::encode(&outcome.state)).await?;
            self.publish(&outcome.state);
            let is_served = turn::written(&mut self.settling, &outcome, registered, moment, &self.knobs);
            is_exchanged |= is_served && self.adopt(&outcome.state);
        }
        let not_after = self.resolver.not_after();
        let Outcome { steps, wait, .. } = outcome;
        Ok(Turn { steps, is_exchanged, problems, source, not_after, wait, version: stored.version })
    }

    /// What certificates are dated by: this replica's clock, unless those who will be shown them live in another time.
    fn calendar(&mut self, own: OffsetDateTime, read_at: Option<OffsetDateTime>) -> OffsetDateTime {
        let astray = read_at.filter(|theirs| (own - *theirs).abs() > CLOCK_SKEW);
        if astray.is_some() != self.is_astray {
            self.is_astray = astray.is_some();
            if let Some(theirs) = astray {
                let seconds_ahead = (own - theirs).whole_seconds();
                tracing::warn!(
                    seconds_ahead,
                    "this clock and that of the API server differ; certificates are dated by that one"
                );
            } else {
                tracing::info!("this clock and that of the API server agree again");
            }
        }
        astray.unwrap_or(own)
    }

    /// Says what must be registered for this state.
    fn publish(&self, state: &State) {
        self.bundle.send_if_modified(|bundle| {
            let is_other = *bundle != state.bundle();
            if is_other {
                *bundle = state.bundle();
            }
            is_other
        });
    }

    /// Serves what is in the state, and says what must be registered for it; returns whether another leaf is served.
    fn adopt(&self, state: &State) -> bool {
        self.publish(state);
        let Some(pair) = state.pair() else { return false };
        let current = self.resolver.current();
        let is_other = current.leaf() != pair.leaf();
        if is_other || current.authority_pem() != pair.authority_pem() {
            self.resolver.store(pair);
        }
        is_other
    }
}

/// Ends when another bundle is registered; never, when nobody tells any more.
async fn next(registered: &mut watch::Receiver<Option<String>>) {
    if registered.changed().await.is_err() {
        future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
