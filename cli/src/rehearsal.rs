//! What `plan` and `rollout` have to say, before any format: releases that were played, and what was expected of them.

use std::sync::Arc;

use lifecycle::{Answer, Chart, Profile, answer::ObjectId, command::Flags, scenario::Expectation};
use policies::Mode;

use crate::report::Problem;

pub mod charts;
pub mod idle;
mod outcomes;
pub mod play;

/// Everything that one run of `plan` or `rollout` has to say.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// One per release that could be played, in the order given.
    pub scenarios: Vec<Rehearsed>,
    /// What is known of a plan that could not be played.
    pub known: Known,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Things worth a line on stderr that are no error.
    pub notes: Vec<String>,
}

/// What is known of a release before it is read.
#[derive(Debug, Default)]
pub struct Known {
    /// Which Helm is simulated.
    pub helm: Option<String>,
    /// The name of the release.
    pub release: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
}

/// One release that was played.
#[derive(Debug)]
pub struct Rehearsed {
    /// The name of the scenario; of a plan, that of the release.
    pub name: String,
    /// The file that the scenario stands in, or the path that was planned.
    pub file: String,
    /// Whose behaviour it is.
    pub profile: Profile,
    /// Who played it, for people, as in `Helm 4.2`.
    pub player: String,
    /// Where, for people, as in `simulated`; of a plan, which cannot be real, empty.
    pub place: String,
    /// What happened.
    pub answer: Answer,
    /// What was asked, for each of the actions of the answer.
    pub asked: Vec<Asked>,
    /// What was expected.
    pub expectations: Vec<Expectation>,
    /// Whether all of that holds, and, of what was really run, whether it went as simulated.
    pub passed: bool,
    /// Rules that object to something.
    pub marks: Vec<Mark>,
}

/// What was asked in one action.
#[derive(Debug, Clone)]
pub struct Asked {
    /// With which flags.
    pub flags: Flags,
    /// The revision whose hooks were played; `None` if there was none.
    pub chart: Option<Arc<Chart>>,
    /// The revision that was deployed before, or else the newest one.
    pub before: Option<u32>,
}

/// A rule that objects to an object, or to a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The object; `None` for the release as a whole.
    pub object: Option<ObjectId>,
    /// Id of the rule.
    pub rule: &'static str,
    /// What it leads to.
    pub mode: Mode,
    /// What is wrong.
    pub message: String,
}

impl Rehearsed {
    /// Who played it and where, for people: `Helm 4.2, simulated`.
    #[must_use]
    pub fn played_by(&self) -> String {
        match self.place.as_str() {
            "" => self.player.clone(),
            place => format!("{}, {place}", self.player),
        }
    }
}

impl Rehearsal {
    /// Nothing but what is wrong.
    #[must_use]
    pub fn refused(problem: Problem) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }

    /// Whether all that was expected holds.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.scenarios.iter().all(|scenario| scenario.passed)
    }
}
