//! A rollout as people write it down: the file `RolloutScenario`, step by step, with what is expected of each.

use std::{path::PathBuf, sync::Arc, time::Duration};

use schemars::{Schema, schema_for};

use crate::{
    Chart, Command, Outcomes, Profile,
    answer::{Action, Played},
    command::Flags,
};

mod expect;
mod read;
pub mod spelling;
mod written;

pub use expect::{Expect, Expectation, Field, Newest, Value};
pub use read::{Error, read, read_for};

/// The group and version of the file.
pub const API_VERSION: &str = "hookward.dev/v1alpha1";
/// Its kind.
pub const KIND: &str = "RolloutScenario";

/// The JSON schema of the file, for editors.
#[must_use]
pub fn schema() -> Schema {
    schema_for!(written::Document)
}

/// One rollout.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `metadata.name`.
    pub name: String,
    /// The name of the release.
    pub release: String,
    /// The namespace of the release.
    pub namespace: String,
    /// Which tool plays it: `3`, `4`, `argocd` or `flux`.
    pub helm: String,
    /// What it does, in order.
    pub steps: Vec<Step>,
}

/// One command of a rollout, and what is expected of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// What is asked.
    pub action: Action,
    /// What is installed or upgraded to; the others have none.
    pub chart: Option<Source>,
    /// How.
    pub flags: Flags,
    /// How much time passes before it.
    pub after: Duration,
    /// What the pods of its hooks do; beats their annotation.
    pub outcomes: Outcomes,
    /// What must come of it; without any, it must exit with 0.
    pub expect: Option<Expect>,
    /// The line and the column where it is written, from 1.
    pub place: (usize, usize),
}

/// A chart, and the values it is rendered with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// A chart, or manifests that are rendered already; relative to the file of the scenario.
    pub chart: PathBuf,
    /// Files of values, relative to the file of the scenario.
    pub values: Vec<PathBuf>,
    /// `--set`.
    pub set: Vec<String>,
    /// `--set-string`.
    pub set_string: Vec<String>,
    /// The line and the column where the chart is named, from 1.
    pub place: (usize, usize),
}

impl Scenario {
    /// The tool that plays it.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile::find(&self.helm).unwrap_or_default()
    }
}

impl Step {
    /// The command, with the chart that its source was rendered to.
    #[must_use]
    pub fn command(&self, chart: Option<Arc<Chart>>) -> Command {
        Command { action: self.action, chart, flags: self.flags.clone(), outcomes: self.outcomes.clone() }
    }

    /// Whether what happened is what is expected; `index` is the place of the step in the scenario, from 0.
    ///
    /// A step of which nothing is expected must exit with 0: that is said only when it does not.
    #[must_use]
    pub fn judge(&self, index: usize, played: &Played) -> Vec<Expectation> {
        match &self.expect {
            Some(expect) if !expect.is_empty() => expect.judge(index, played),
            _ if played.exit == 0 => Vec::new(),
            _ => Expect { exit: Some(0), ..Expect::default() }.judge(index, played),
        }
    }
}
