//! Which certificates there should be at a moment: a plan that looks at dates and at what is registered, and does nothing.
//!
//! A new authority stands beside the old one in the bundle before any leaf of it is served: nobody tells us when every API
//! server has read a registration, so a replica signs with the new one only when it has itself seen both, unchanged, for the
//! overlap. It measures that by its own steady clock: clocks of the calendar differ between nodes, and step. The old
//! authority leaves the bundle when its last leaf has expired.
//!
//! Where a registration never comes, the leaf that is served ends some day, and with it everything that waiting could save: the
//! newest authority signs then, whoever knows it.

use std::time::Duration;

use time::OffsetDateTime;

use crate::{Name, authority::DAY};

mod healing;
mod settling;
#[cfg(test)]
mod simulation;
pub mod state;
#[cfg(test)]
mod tests;
pub mod turn;

pub use healing::Verdict;
pub use settling::Settling;
pub use state::{Issued, State, Trusted};
pub use turn::Moment;

/// More authorities than these are not kept beside each other, but for one that cannot wait until another one may go; an undisturbed
/// rotation has two at most.
pub const MOST_AUTHORITIES: usize = 3;

/// So many overlaps a registration may take before it counts as one that does not come; an undisturbed one takes two.
const PATIENCE: u32 = 3;

/// So many overlaps everything must have settled before an authority leaves: a replica that began a moment before the last leaf was
/// made serves the one before it for an overlap from then on, and looks three times in another.
const FAREWELL: u32 = 2;

/// How long things live, and for whom.
#[derive(Debug, Clone)]
pub struct Knobs {
    /// The common name of authorities.
    pub authority_name: String,
    /// How long an authority is valid.
    pub authority_life: Duration,
    /// How long a leaf is valid.
    pub leaf_life: Duration,
    /// How long a change must have been seen by everybody before the next one may rely on it.
    pub overlap: Duration,
    /// The names of the leaf, the first one its common name.
    pub names: Vec<Name>,
}

/// Lifetimes that do not fit each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KnobsError {
    /// A leaf ends with its authority, so an authority must outlive several.
    #[error("an authority must live at least twice as long as a certificate")]
    Authority,
    /// A leaf is renewed at two thirds of its life; what is left must do for an exchange of the authority.
    #[error("a certificate must live at least six times as long as the overlap, and a second")]
    Leaf,
    /// A leaf without a name would be trusted by no client.
    #[error("a certificate needs at least one name")]
    NoNames,
}

/// What a replica knows when it plans.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The calendar, as this replica's clock has it.
    pub now: OffsetDateTime,
    /// The PEM bundle that is registered everywhere; `None` where there is none.
    pub registered: Option<&'a str>,
    /// How long, by a steady clock, this replica has seen the state as it is.
    pub unchanged: Duration,
    /// How long, by a steady clock, it has seen the state as it is and all its authorities registered; at most `unchanged`.
    pub settled: Duration,
    /// Whether the state is the first that this replica has seen.
    pub is_first: bool,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Make an authority, and publish it beside the others.
    MakeAuthority,
    /// Issue a leaf by the authority of this index, and serve it.
    MakeLeaf {
        /// Index among the authorities.
        issuer: usize,
    },
    /// Take the authority of this index out of the bundle.
    DropAuthority {
        /// Index among the authorities.
        index: usize,
    },
    /// Nothing until something changes, or this time has passed.
    Wait {
        /// For how long at most.
        at_most: Duration,
        /// Whether the registration lacks an authority.
        for_registration: bool,
    },
}

impl Knobs {
    /// A year for authorities, 90 days for leaves, a minute of overlap.
    #[must_use]
    pub fn new(names: Vec<Name>) -> Self {
        Self {
            authority_name: "hookward".to_owned(),
            authority_life: 365 * DAY,
            leaf_life: 90 * DAY,
            overlap: Duration::from_secs(60),
            names,
        }
    }

    /// Whether the lifetimes leave room for each other.
    ///
    /// # Errors
    /// See [`KnobsError`].
    pub fn check(&self) -> Result<(), KnobsError> {
        if self.names.is_empty() {
            Err(KnobsError::NoNames)
        } else if self.leaf_life < self.overlap.saturating_mul(6).max(Duration::from_secs(1)) {
            Err(KnobsError::Leaf)
        } else if self.authority_life < self.leaf_life.saturating_mul(2) {
            Err(KnobsError::Authority)
        } else {
            Ok(())
        }
    }

    /// When a new authority should follow this one: at two thirds of its life, and while a whole leaf still fits into it.
    fn authority_is_due(&self, authority: &Trusted) -> OffsetDateTime {
        let (made, end) = (authority.made(), authority.not_after());
        let before_the_last_leaf =
            end.saturating_sub(signed(self.leaf_life + self.overlap.saturating_mul(2)));
        two_thirds(made, end, self.authority_life).min(before_the_last_leaf)
    }

    /// When a new leaf should follow this one.
    fn leaf_is_due(&self, leaf: &Issued) -> OffsetDateTime {
        two_thirds(leaf.made(), leaf.not_after(), self.leaf_life)
    }

    /// From when on everybody who looks three times in an overlap needs another leaf, else one is served that has expired.
    ///
    /// Of a leaf that was made for a shorter overlap, the last sixth, which is the overlap at most that it was made for.
    fn leaf_ends_at_once(&self, leaf: &Issued) -> OffsetDateTime {
        let life: time::Duration = leaf.not_after() - leaf.made();
        let sixth: time::Duration = life / 6;
        leaf.not_after().saturating_sub(sixth.min(signed(self.overlap / 3)))
    }

    /// Whether the leaf ends before one change and then another could settle, or ended less than an overlap ago.
    fn ends_soon(&self, leaf: &Issued, now: OffsetDateTime) -> bool {
        let begin = leaf.not_after().saturating_sub(signed(self.overlap.saturating_mul(2)));
        let end = leaf.not_after().saturating_add(signed(self.overlap));
        (begin..end).contains(&now)
    }

    /// Whether the leaf ends now, or ended less than an overlap ago: for one that ended long before, the clock may be wrong.
    fn is_ending(&self, leaf: &Issued, now: OffsetDateTime) -> bool {
        let end = leaf.not_after().saturating_add(signed(self.overlap));
        (self.leaf_ends_at_once(leaf)..end).contains(&now)
    }

    /// Whether the leaf vouches for every name.
    fn are_names_of(&self, leaf: &Issued) -> bool {
        self.names.iter().all(|name| leaf.covers(name))
    }
}

/// What to do next. The same for every replica that sees the same.
#[must_use]
pub fn plan(view: &View<'_>, state: &State, knobs: &Knobs) -> Step {
    let authorities = state.authorities();
    let is_rested = view.is_first || view.unchanged >= knobs.overlap;
    let newest = authorities.iter().rposition(|authority| authority.can_sign(view.now));
    let is_due = newest.is_none_or(|newest| knobs.authority_is_due(&authorities[newest]) <= view.now);
    if is_due && authorities.is_empty() {
        return Step::MakeAuthority;
    }
    let is_urgent = state.leaf().is_some_and(|leaf| knobs.ends_soon(leaf, view.now));
    let most = MOST_AUTHORITIES + usize::from(is_urgent);
    if is_due && (is_rested || is_urgent) {
        if authorities.len() < most {
            return Step::MakeAuthority;
        }
        if let Some(index) = superfluous(view, state, knobs, newest) {
            return Step::DropAuthority { index };
        }
    }
    let leaf = newest.and_then(|newest| issuer_of_next_leaf(view, state, knobs, newest, is_rested));
    if let Some(issuer) = leaf {
        return Step::MakeLeaf { issuer };
    }
    if let Some(index) = outlived(view, state, knobs) {
        return Step::DropAuthority { index };
    }
    let at_most = next_look(view, state, knobs);
    Step::Wait { at_most, for_registration: !state.is_registered(view.registered) }
}

/// Who should sign a leaf now, if one is needed.
fn issuer_of_next_leaf(
    view: &View<'_>,
    state: &State,
    knobs: &Knobs,
    newest: usize,
    is_rested: bool,
) -> Option<usize> {
    let authorities = state.authorities();
    // Where nobody can wait: the oldest that is registered is known to most API servers.
    let is_trusted =
        |index: &usize| authorities[*index].can_sign(view.now) && authorities[*index].is_in(view.registered);
    let at_once = || (0..=newest).find(is_trusted).unwrap_or(newest);
    let Some(leaf) = state.leaf() else { return Some(at_once()) };
    let issuer = leaf.issuer();
    if issuer != newest && view.settled >= knobs.overlap {
        return Some(newest);
    }
    if knobs.is_ending(leaf, view.now)
        && let Some(heir) = heir(view, state, leaf, newest)
    {
        return Some(heir);
    }
    if has_nothing_to_lose(view, state) && view.unchanged >= knobs.overlap.saturating_mul(PATIENCE) {
        return Some(at_once());
    }
    if !is_rested || !authorities[issuer].can_sign(view.now) {
        return None;
    }
    if !knobs.are_names_of(leaf) {
        return Some(issuer);
    }
    let end = view.now.saturating_add(signed(knobs.leaf_life)).min(authorities[issuer].not_after());
    let is_due = knobs.leaf_is_due(leaf) <= view.now && end > leaf.not_after();
    (is_due || view.now < leaf.not_before()).then_some(issuer)
}

/// Who signs on when the leaf ends before anything could settle: its authority, or else the oldest that is registered, though not
/// every API server may have read of it.
fn heir(view: &View<'_>, state: &State, leaf: &Issued, newest: usize) -> Option<usize> {
    let authorities = state.authorities();
    let outlives = |index: &usize| {
        authorities[*index].can_sign(view.now) && authorities[*index].not_after() > leaf.not_after()
    };
    let is_trusted = |index: &usize| outlives(index) && authorities[*index].is_in(view.registered);
    Some(leaf.issuer()).filter(outlives).or_else(|| (0..=newest).find(is_trusted))
}

/// Whether the leaf has expired, and its authority can sign no other one.
fn has_nothing_to_lose(view: &View<'_>, state: &State) -> bool {
    let can_renew = |leaf: &Issued| state.authorities()[leaf.issuer()].can_sign(view.now);
    state.leaf().is_some_and(|leaf| leaf.not_after() < view.now && !can_renew(leaf))
}

/// The oldest authority whose leaves have all expired, once a leaf of a later one is served everywhere.
fn outlived(view: &View<'_>, state: &State, knobs: &Knobs) -> Option<usize> {
    let issuer = state.leaf()?.issuer();
    let authorities = state.authorities();
    let is_outlived = |index: &usize| authorities[*index].last_leaf_ends().is_none_or(|end| end < view.now);
    (0..issuer).find(is_outlived).filter(|_| view.settled >= knobs.overlap.saturating_mul(FAREWELL))
}

/// The oldest authority that nobody serves a leaf of, and that signs no more, to make room for a new one.
fn superfluous(view: &View<'_>, state: &State, knobs: &Knobs, newest: Option<usize>) -> Option<usize> {
    let issuer = state.leaf().map(Issued::issuer);
    let is_superfluous = |index: &usize| Some(*index) != issuer && Some(*index) != newest;
    let is_left = view.unchanged >= knobs.overlap.saturating_mul(FAREWELL);
    (0..state.authorities().len()).find(is_superfluous).filter(|_| is_left)
}

/// How long nothing can become due.
fn next_look(view: &View<'_>, state: &State, knobs: &Knobs) -> Duration {
    let authorities = state.authorities();
    let newest = authorities.iter().rev().find(|authority| authority.can_sign(view.now));
    let dates = newest
        .map(|newest| knobs.authority_is_due(newest))
        .into_iter()
        .chain(state.leaf().map(|leaf| knobs.leaf_is_due(leaf)))
        .chain(state.leaf().map(|leaf| knobs.leaf_ends_at_once(leaf)))
        .chain(state.leaf().map(Issued::not_after))
        .chain(authorities.iter().filter_map(Trusted::last_leaf_ends))
        .filter_map(|date| Duration::try_from(date - view.now).ok());
    // A date has passed when the second after it begins.
    let dates = dates.map(|left| left + Duration::from_secs(1));
    let patience = if has_nothing_to_lose(view, state) { PATIENCE } else { 1 };
    let left = |overlaps: u32, past| knobs.overlap.saturating_mul(overlaps).saturating_sub(past);
    let steady = [1, FAREWELL].map(|overlaps| left(overlaps, view.settled)).into_iter();
    let steady = steady.chain([patience, FAREWELL].map(|overlaps| left(overlaps, view.unchanged)));
    dates.chain(steady.filter(|left| !left.is_zero())).min().unwrap_or(DAY)
}

/// Two thirds of a life, which is no longer than one would be that is made today.
fn two_thirds(made: OffsetDateTime, end: OffsetDateTime, life: Duration) -> OffsetDateTime {
    let life = (end - made).min(signed(life));
    made.saturating_add(life * 2 / 3)
}

/// As a length of the calendar; one that is too long for it is as long as can be.
fn signed(length: Duration) -> time::Duration {
    time::Duration::try_from(length).unwrap_or(time::Duration::MAX)
}
