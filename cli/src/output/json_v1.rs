//! `check --format json`, version 1: a contract with other people's programs, kept stable by mirror structs.

use std::io::{self, Write};

use policies::Mode;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::{Value, json};

use crate::report::{self, Report};

/// The whole document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "hookward check --format json, version 1")]
pub struct Document<'a> {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    version: u8,
    /// Who wrote it.
    tool: Tool,
    /// What was counted.
    summary: Summary,
    /// Sorted by file, line and rule; what is unknown comes first.
    findings: Vec<Finding<'a>>,
    /// What could not be read; then the exit code is 2.
    errors: Vec<Error<'a>>,
}

/// Who wrote it.
#[derive(Debug, Serialize, JsonSchema)]
struct Tool {
    /// `hookward`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

/// What was counted.
#[derive(Debug, Serialize, JsonSchema)]
struct Summary {
    /// Objects that were read; items of a `List` count one by one.
    objects: usize,
    /// Objects with the hook annotation.
    hooks: usize,
    /// Findings that deny.
    deny: usize,
    /// Findings that warn.
    warn: usize,
    /// Findings that are only reported.
    audit: usize,
    /// Findings that Hookward can repair.
    fixable: usize,
}

/// One finding.
#[derive(Debug, Serialize, JsonSchema)]
struct Finding<'a> {
    /// Id of the rule.
    rule: &'a str,
    /// What it leads to.
    mode: ModeWord,
    /// How bad it is.
    severity: SeverityWord,
    /// What will happen.
    message: &'a str,
    /// What to do.
    help: &'a str,
    /// Where the rule is explained, relative to the repository.
    docs: String,
    /// Whether Hookward can repair it.
    fixable: bool,
    /// The object; null when there is none.
    object: Option<ObjectName<'a>>,
    /// JSON pointer into the document of the object.
    field: Option<&'a str>,
    /// The file as given; `-` for the standard input.
    file: &'a str,
    /// From 1. An absent field is where its nearest parent is.
    line: Option<usize>,
    /// From 1, in characters.
    column: Option<usize>,
}

/// What a finding leads to.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ModeWord {
    /// Refused.
    Deny,
    /// Admitted with a warning.
    Warn,
    /// Only reported.
    Audit,
}

/// How bad a finding is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SeverityWord {
    /// Loses data, or gives the cluster away.
    Critical,
    /// Breaks releases.
    High,
    /// Costs time.
    Medium,
    /// Untidy.
    Low,
}

/// What identifies an object.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectName<'a> {
    /// `apiVersion`.
    api_version: &'a str,
    /// `kind`.
    kind: &'a str,
    /// As written, else that of the release.
    namespace: Option<&'a str>,
    /// `metadata.name`; null for an object with `generateName`, which has none yet.
    name: Option<&'a str>,
}

/// What could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Error<'a> {
    /// The file as given.
    file: &'a str,
    /// From 1.
    line: Option<usize>,
    /// One sentence.
    message: &'a str,
}

/// The JSON schema of the document.
#[must_use]
pub fn schema() -> Schema {
    every_member(schema_for!(Document<'_>))
}

/// `errors` of documents that have no schema.
pub(super) fn errors(problems: &[report::Problem]) -> Value {
    json!(problems.iter().map(Error::of).collect::<Vec<_>>())
}

/// Says that members are never left out: what is unknown is null.
pub(super) fn every_member(schema: Schema) -> Schema {
    let mut schema = schema;
    require(&mut schema);
    schema
}

fn require(schema: &mut Schema) {
    schemars::transform::transform_subschemas(&mut require, schema);
    let names = schema.get("properties").and_then(Value::as_object);
    if let Some(names) = names.map(|properties| properties.keys().cloned().collect::<Vec<_>>()) {
        schema.insert("required".to_owned(), names.into());
    }
}

/// Writes the document on one line.
///
/// # Errors
/// When it cannot be written.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Document::of(report))?;
    out.write_all(b"\n")
}

impl<'a> Document<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            version: 1,
            tool: Tool { name: "hookward", version: env!("CARGO_PKG_VERSION") },
            summary: Summary {
                objects: report.objects,
                hooks: report.hooks,
                deny: report.count(Mode::Deny),
                warn: report.count(Mode::Warn),
                audit: report.count(Mode::Audit),
                fixable: report.findings.iter().filter(|entry| entry.fixable).count(),
            },
            findings: report.findings.iter().map(Finding::of).collect(),
            errors: report.problems.iter().map(Error::of).collect(),
        }
    }
}

impl<'a> Finding<'a> {
    fn of(entry: &'a report::Entry) -> Self {
        Self {
            rule: entry.rule.id,
            mode: match entry.mode {
                Mode::Deny => ModeWord::Deny,
                Mode::Warn => ModeWord::Warn,
                Mode::Audit | Mode::Off => ModeWord::Audit,
            },
            severity: match entry.severity {
                policies::Severity::Critical => SeverityWord::Critical,
                policies::Severity::High => SeverityWord::High,
                policies::Severity::Medium => SeverityWord::Medium,
                policies::Severity::Low => SeverityWord::Low,
            },
            message: &entry.message,
            help: &entry.help,
            docs: format!("docs/rules.md#{}", entry.rule.id),
            fixable: entry.fixable,
            object: entry.object.as_ref().map(ObjectName::of),
            field: entry.field.as_deref(),
            file: &entry.place.file,
            line: entry.place.line,
            column: entry.place.column,
        }
    }
}

impl<'a> ObjectName<'a> {
    pub(super) fn of(object: &'a report::ObjectName) -> Self {
        Self {
            api_version: &object.api_version,
            kind: &object.kind,
            namespace: object.namespace.as_deref(),
            name: object.name.as_deref(),
        }
    }
}

impl<'a> Error<'a> {
    pub(super) fn of(problem: &'a report::Problem) -> Self {
        Self { file: &problem.file, line: problem.line, message: &problem.message }
    }
}
