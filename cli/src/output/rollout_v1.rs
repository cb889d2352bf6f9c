//! `rollout --format json`, version 1: a contract with other people's programs.

use std::io::{self, Write};

use lifecycle::{answer::Played, scenario::Expectation};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::json_v1::{self, Error};
use crate::rehearsal::{Rehearsal, Rehearsed};

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "hookward rollout --format json, version 1")]
pub struct Document<'a> {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    version: u8,
    /// In the order of the files.
    scenarios: Vec<Scenario<'a>>,
    /// What could not be read; then the exit code is 2.
    errors: Vec<Error<'a>>,
}

/// One rollout.
#[derive(Debug, Serialize, JsonSchema)]
struct Scenario<'a> {
    /// Its name.
    name: &'a str,
    /// Whether all that was expected holds.
    passed: bool,
    /// The version of Helm that played it, as in `4.2.4`; or `argocd`, `flux`.
    helm: &'a str,
    /// The name of the release.
    release: &'a str,
    /// Its namespace.
    namespace: &'a str,
    /// One for each step of the scenario.
    actions: &'a [Played],
    /// What was expected, by step.
    expectations: &'a [Expectation],
}

/// The JSON schema of the document.
#[must_use]
pub fn schema() -> Schema {
    json_v1::every_member(schema_for!(Document<'_>))
}

/// Writes the document on one line.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: 1,
        scenarios: rehearsal.scenarios.iter().map(Scenario::of).collect(),
        errors: rehearsal.problems.iter().map(Error::of).collect(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

impl<'a> Scenario<'a> {
    fn of(rehearsed: &'a Rehearsed) -> Self {
        let answer = &rehearsed.answer;
        Self {
            name: &rehearsed.name,
            passed: rehearsed.passed,
            helm: &answer.helm,
            release: &answer.release,
            namespace: &answer.namespace,
            actions: &answer.actions,
            expectations: &rehearsed.expectations,
        }
    }
}
