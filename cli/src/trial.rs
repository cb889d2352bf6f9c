//! What `try` has seen, before any format: data only.

use std::net::SocketAddr;

use json_patch::Patch;
use policies::{Mode, Profile};
use serde_json::Value;

use crate::report::{ObjectName, Problem};

/// Everything that one run of `try` has to say.
#[derive(Debug, Default)]
pub struct Trial {
    /// The server, if it was started.
    pub run: Option<Run>,
    /// One per release.
    pub releases: Vec<Release>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Things worth a line on stderr that are no error.
    pub notes: Vec<String>,
    /// How many charts were left out because there is no helm.
    pub skipped: usize,
}

/// The server that was asked.
#[derive(Debug)]
pub struct Run {
    /// Where it listened.
    pub address: SocketAddr,
    /// Under which profile.
    pub profile: Profile,
    /// How many rules were on.
    pub rules: usize,
}

/// The answers about one release.
#[derive(Debug)]
pub struct Release {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// How many objects it has.
    pub objects: usize,
    /// How many of them are hooks.
    pub hook_objects: usize,
    /// What the release gate says.
    pub gate: Answer,
    /// What each hook would get.
    pub hooks: Vec<Hook>,
    /// Hooks that nobody is asked about, and why: `Job/migrate for "pre-instal": …`.
    pub unasked: Vec<String>,
}

/// An answer to one review, or to two for an object.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Whether it may pass.
    pub allowed: bool,
    /// The HTTP status for the one who asked the API server; 200 when allowed.
    pub code: u16,
    /// Why not; empty when allowed.
    pub message: String,
    /// What they are told anyway.
    pub warnings: Vec<String>,
    /// From the first byte of the question to the last of the answer.
    pub microseconds: u64,
}

/// The answers about one hook.
#[derive(Debug)]
pub struct Hook {
    /// The object.
    pub object: ObjectName,
    /// How `/mutate` changes it.
    pub patch: Patch,
    /// The object before that, as the API server sent it.
    pub before: Value,
    /// What `/validate` says of the result; its time includes `/mutate`.
    pub answer: Answer,
}

impl Trial {
    /// The strictest thing that happened to anything.
    #[must_use]
    pub fn worst(&self) -> Option<Mode> {
        let of_answer = |answer: &Answer| match answer {
            Answer { allowed: false, .. } => Some(Mode::Deny),
            Answer { warnings, .. } if !warnings.is_empty() => Some(Mode::Warn),
            Answer { .. } => None,
        };
        let of_hook =
            |hook: &Hook| of_answer(&hook.answer).max((!hook.patch.0.is_empty()).then_some(Mode::Audit));
        self.releases
            .iter()
            .flat_map(|release| {
                std::iter::once(of_answer(&release.gate)).chain(release.hooks.iter().map(of_hook))
            })
            .flatten()
            .max()
    }
}

impl Answer {
    /// The ids of the rules that it names, each once, in their order.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        [self.denying_rules(), self.warning_rules()].concat()
    }

    /// The ids of the rules for which it denies, each once, in their order.
    #[must_use]
    pub fn denying_rules(&self) -> Vec<&str> {
        ids(self.message.lines())
    }

    /// The ids of the rules that only warn, each once, in their order.
    #[must_use]
    pub fn warning_rules(&self) -> Vec<&str> {
        let denying = self.denying_rules();
        let mut rules = ids(self.warnings.iter().map(String::as_str));
        rules.retain(|rule| !denying.contains(rule));
        rules
    }
}

fn ids<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut rules = Vec::new();
    for line in lines {
        let id = line.strip_prefix('`').and_then(|rest| rest.split('`').next());
        rules.extend(id.filter(|id| !rules.contains(id)));
    }
    rules
}
