//! `try --format json`, version 1: a contract with other people's programs, kept stable by mirror structs.

use std::io::{self, Write};

use json_patch::Patch;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::json_v1::{self, Error, ObjectName};
use crate::trial::{self, Trial};

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "hookward try --format json, version 1")]
pub struct Document<'a> {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    version: u8,
    /// In the order of the paths.
    releases: Vec<Release<'a>>,
    /// What could not be read; then the exit code is 2.
    errors: Vec<Error<'a>>,
}

/// The answers about one release.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the contract says so")]
struct Release<'a> {
    /// Its name.
    release: &'a str,
    /// Its namespace.
    namespace: &'a str,
    /// What the release gate says.
    gate: Gate<'a>,
    /// What each hook would get, asked by itself.
    objects: Vec<Hook<'a>>,
}

/// What the release gate says.
#[derive(Debug, Serialize, JsonSchema)]
struct Gate<'a> {
    /// Whether the release may go on.
    allowed: bool,
    /// 200 when allowed.
    code: u16,
    /// Why not; empty when allowed.
    message: &'a str,
    /// What Helm prints anyway.
    warnings: &'a [String],
    /// From the first byte of the question to the last of the answer.
    microseconds: u64,
}

/// What one hook would get.
#[derive(Debug, Serialize, JsonSchema)]
struct Hook<'a> {
    /// The object.
    object: ObjectName<'a>,
    /// How it is changed.
    mutate: Mutate<'a>,
    /// Whether it may be created then.
    validate: Validate<'a>,
    /// Both questions together.
    microseconds: u64,
}

/// How an object is changed.
#[derive(Debug, Serialize, JsonSchema)]
struct Mutate<'a> {
    /// JSON Patch; empty when nothing is changed.
    #[schemars(with = "Vec<serde_json::Value>")]
    patch: &'a Patch,
}

/// Whether an object may be created.
#[derive(Debug, Serialize, JsonSchema)]
struct Validate<'a> {
    /// Whether it may.
    allowed: bool,
    /// 200 when allowed.
    code: u16,
    /// Why not; empty when allowed.
    message: &'a str,
    /// What Helm prints anyway.
    warnings: &'a [String],
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
pub fn write(trial: &Trial, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: 1,
        releases: trial.releases.iter().map(Release::of).collect(),
        errors: trial.problems.iter().map(Error::of).collect(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    out.write_all(b"\n")
}

impl<'a> Release<'a> {
    fn of(release: &'a trial::Release) -> Self {
        let trial::Answer { allowed, code, message, warnings, microseconds } = &release.gate;
        Self {
            release: &release.name,
            namespace: &release.namespace,
            gate: Gate { allowed: *allowed, code: *code, message, warnings, microseconds: *microseconds },
            objects: release.hooks.iter().map(Hook::of).collect(),
        }
    }
}

impl<'a> Hook<'a> {
    fn of(hook: &'a trial::Hook) -> Self {
        let trial::Answer { allowed, code, message, warnings, microseconds } = &hook.answer;
        Self {
            object: ObjectName::of(&hook.object),
            mutate: Mutate { patch: &hook.patch },
            validate: Validate { allowed: *allowed, code: *code, message, warnings },
            microseconds: *microseconds,
        }
    }
}
