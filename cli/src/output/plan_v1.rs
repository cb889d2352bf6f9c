//! `plan --format json`, version 1: a contract with other people's programs.

use std::io::{self, Write};

use lifecycle::answer::Played;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::json_v1::{self, Error};
use crate::rehearsal::Rehearsal;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "hookward plan --format json, version 1")]
pub struct Document<'a> {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    version: u8,
    /// The version of Helm that is simulated, as in `4.2.4`; or `argocd`, `flux`. Null when even that is not known, as the next two.
    helm: Option<&'a str>,
    /// The name of the release.
    release: Option<&'a str>,
    /// Its namespace.
    namespace: Option<&'a str>,
    /// In the order they were asked for.
    actions: &'a [Played],
    /// What could not be read; then the exit code is 2.
    errors: Vec<Error<'a>>,
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
    let answer = rehearsal.scenarios.first().map(|scenario| &scenario.answer);
    let known = &rehearsal.known;
    let document = Document {
        version: 1,
        helm: answer.map(|answer| &answer.helm).or(known.helm.as_ref()).map(String::as_str),
        release: answer.map(|answer| &answer.release).or(known.release.as_ref()).map(String::as_str),
        namespace: answer.map(|answer| &answer.namespace).or(known.namespace.as_ref()).map(String::as_str),
        actions: answer.map_or(&[], |answer| &answer.actions),
        errors: rehearsal.problems.iter().map(Error::of).collect(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}
