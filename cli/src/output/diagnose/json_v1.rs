//! `diagnose --format json`, version 1: a contract with other people's programs, kept stable by mirror structs.

use std::io::{self, Write};

use cluster::diagnose::{self, Diagnosis, Repair};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Prevention;
use crate::output::json_v1;

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "hookward diagnose --format json, version 1")]
pub struct Document<'a> {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    version: u8,
    /// What is known of the release; null when it could not be looked at.
    release: Option<Release<'a>>,
    /// Why it could not be looked at; then the exit code is 2.
    errors: Vec<Error<'a>>,
}

/// What is known of a release.
#[derive(Debug, Serialize, JsonSchema)]
struct Release<'a> {
    /// Its name.
    name: &'a str,
    /// Its namespace.
    namespace: &'a str,
    /// The revision that this is about.
    revision: i64,
    /// Where it stands, in Helm's word.
    status: &'static str,
    /// Since when, in RFC 3339.
    since: Option<String>,
    /// Whether nothing is wrong; else the exit code is 1.
    healthy: bool,
    /// One sentence on where the release stands.
    state: &'a str,
    /// Helm's own words after a failure; what may be secret in them is masked.
    said: Option<&'a str>,
    /// All revisions, oldest first.
    history: Vec<Revision>,
    /// The hook that failed, or is about to.
    hook: Option<Hook<'a>>,
    /// What mends it, in this order.
    repair: Vec<Step<'a>>,
    /// Rules that find what led to it.
    prevent: Vec<Rule<'a>>,
    /// What could not be looked at, one sentence each.
    notes: &'a [String],
}

/// One revision.
#[derive(Debug, Serialize, JsonSchema)]
struct Revision {
    /// Its number.
    revision: i64,
    /// Where it stands, in Helm's word.
    status: &'static str,
}

/// A hook that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct Hook<'a> {
    /// The object.
    object: ObjectName<'a>,
    /// The event that it ran for.
    event: Option<&'static str>,
    /// Its weight.
    weight: i64,
    /// The template that it was rendered from.
    file: &'a str,
    /// When Helm began with it, in RFC 3339.
    began: Option<String>,
    /// When Helm had done with it, in RFC 3339.
    ended: Option<String>,
    /// Why it failed, the first one above all.
    causes: Vec<Cause<'a>>,
    /// What Helm did meanwhile.
    helm: &'a str,
    /// What became of the object.
    now: &'a str,
    /// What its containers said last; what may be secret in it is masked.
    logs: Vec<Log<'a>>,
}

/// What identifies an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ObjectName<'a> {
    /// `apiVersion`.
    api_version: &'a str,
    /// `kind`.
    kind: &'a str,
    /// Its namespace, or that of the release.
    namespace: &'a str,
    /// `metadata.name`.
    name: &'a str,
}

/// One reason.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the contract says so")]
struct Cause<'a> {
    /// What programs may call it.
    cause: &'a str,
    /// What happened: follows the name of the hook in a sentence.
    message: &'a str,
    /// The words of Kubernetes.
    said: Option<&'a str>,
}

/// The end of a log.
#[derive(Debug, Serialize, JsonSchema)]
struct Log<'a> {
    /// The pod.
    pod: &'a str,
    /// The container.
    container: &'a str,
    /// Its last lines.
    lines: &'a [String],
}

/// One thing to do.
#[derive(Debug, Serialize, JsonSchema)]
struct Step<'a> {
    /// What to type; null where it is something else that has to be done.
    command: Option<&'a str>,
    /// What that does, or what has to be done.
    message: &'a str,
}

/// A rule that finds what led to the failure.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the contract says so")]
struct Rule<'a> {
    /// Its id.
    rule: &'a str,
    /// What it leads to: deny, warn or audit.
    mode: &'static str,
    /// What it says of this hook.
    message: &'a str,
}

/// Why a release could not be looked at.
#[derive(Debug, Serialize, JsonSchema)]
struct Error<'a> {
    /// One sentence.
    message: &'a str,
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
pub fn write(diagnosis: &Diagnosis, prevent: &[Prevention], out: &mut dyn Write) -> io::Result<()> {
    let release = Some(Release::of(diagnosis, prevent));
    print(&Document { version: 1, release, errors: Vec::new() }, out)
}

/// Writes a document that only says why there is no other.
///
/// # Errors
/// When it cannot be written.
pub fn refuse(message: &str, out: &mut dyn Write) -> io::Result<()> {
    let errors = vec![Error { message }];
    print(&Document { version: 1, release: None, errors }, out)
}

fn print(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, document)?;
    out.write_all(b"\n")
}

impl<'a> Release<'a> {
    fn of(diagnosis: &'a Diagnosis, prevent: &'a [Prevention]) -> Self {
        let revision =
            |one: &diagnose::Revision| Revision { revision: one.revision, status: one.status.name() };
        let step = |repair: &'a Repair| Step { command: repair.command.as_deref(), message: &repair.text };
        let rule =
            |one: &'a Prevention| Rule { rule: one.rule, mode: one.mode.name(), message: &one.message };
        Self {
            name: &diagnosis.release,
            namespace: &diagnosis.namespace,
            revision: diagnosis.revision,
            status: diagnosis.status.name(),
            since: moment(diagnosis.since),
            healthy: diagnosis.is_healthy(),
            state: &diagnosis.state,
            said: diagnosis.said.as_deref(),
            history: diagnosis.history.iter().map(revision).collect(),
            hook: diagnosis.hook.as_ref().map(Hook::of),
            repair: diagnosis.repair.iter().map(step).collect(),
            prevent: prevent.iter().map(rule).collect(),
            notes: &diagnosis.notes,
        }
    }
}

impl<'a> Hook<'a> {
    fn of(hook: &'a diagnose::Hook) -> Self {
        let cause =
            |one: &'a diagnose::Cause| Cause { cause: one.id, message: &one.what, said: one.said.as_deref() };
        let log =
            |one: &'a diagnose::Log| Log { pod: &one.pod, container: &one.container, lines: &one.lines };
        Self {
            object: ObjectName {
                api_version: &hook.api_version,
                kind: &hook.kind,
                namespace: &hook.namespace,
                name: &hook.name,
            },
            event: hook.event.map(hooks::Event::name),
            weight: hook.weight,
            file: &hook.path,
            began: moment(hook.began),
            ended: moment(hook.ended),
            causes: hook.causes.iter().map(cause).collect(),
            helm: &hook.helm,
            now: &hook.now,
            logs: hook.logs.iter().map(log).collect(),
        }
    }
}

fn moment(seconds: Option<i64>) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds?).ok()?.format(&Rfc3339).ok()
}
