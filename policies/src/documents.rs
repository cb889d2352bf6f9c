//! Policies and exceptions as people write them, or as a cluster prints them: YAML documents of the group `hookward.dev`.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use hooks::{
    Interest, Node,
    manifest::{self, Manifest},
    node::{Member, Value},
    plainly::Words,
    yaml::{self, Limits},
};

use crate::{
    exception::{self, Approval, Exception, ExceptionSpec, Unapproved},
    policy_set::Named,
    settings::Settings,
    wording,
};

/// The API group of our own kinds.
pub const GROUP: &str = "hookward.dev";
/// Their version.
pub const VERSION: &str = "v1alpha1";
/// Both, as objects say it.
pub const API_VERSION: &str = "hookward.dev/v1alpha1";

/// What is said of a value that is not what is wanted there.
const WORDS: Words = Words {
    own: unknown_field,
    number: |_, field| {
        let example = if field == Some("helmVersion") { "4" } else { "1" };
        (", and not a larger one than makes sense", example)
    },
    wanted: ("expected scalar or mapping", "one word", "WORD"),
    instead: &[("unknown variant", "unknown word")],
};

/// Of a field that is not known, what it was most likely meant to be.
fn unknown_field(said: &str) -> Option<String> {
    let (unknown, known) = said.strip_prefix("unknown field ")?.split_once(", expected one of ")?;
    let names = known.split(", ").map(|name| name.trim_matches('`'));
    let meant = wording::nearest(unknown.trim_matches('`'), names)?;
    Some(format!("{said}; did you mean {meant:?}?"))
}

/// One document of a policy file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind")]
pub enum Document {
    /// Settings of rules.
    HookPolicy(Resource<Settings>),
    /// Findings that count for nothing, until a day.
    HookException(Resource<ExceptionSpec>),
}

/// An object of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource<T> {
    /// `hookward.dev/v1alpha1`.
    pub api_version: String,
    /// Its name.
    pub metadata: Metadata,
    /// What it says.
    pub spec: T,
}

/// What we read of `metadata`; labels and annotations are the user's own business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// The name.
    pub name: String,
}

/// What a policy file holds.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    /// The policies, in the order they were written.
    pub policies: Vec<Named>,
    /// The exceptions, in the order they were written. A file is under its owner's control, so what was written there counts as
    /// approved; what a cluster has printed counts here as it does there.
    pub exceptions: Vec<Exception>,
    /// The names of exceptions that a cluster has printed and that do not count there, and why.
    pub unapproved: Vec<(String, Unapproved)>,
}

/// Why a policy file cannot be used, and where in it that shows.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct Error {
    /// The line in the whole file, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a document of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not YAML, or something that neither kind says.
    #[error("{0}")]
    Unreadable(String),
    /// Text that no reader of YAML looks at.
    #[error("a document has ended here; put --- on a line of its own before the next one")]
    Unread,
    /// No document at all.
    #[error("there is no HookPolicy and no HookException in it")]
    Nothing,
    /// A list that is none.
    #[error("items of a List is no list")]
    Items,
    /// Another kind of object.
    #[error("this is no HookPolicy and no HookException of {API_VERSION}")]
    Kind,
    /// Another version of our kinds.
    #[error("{name} has apiVersion {written:?}; use {API_VERSION}")]
    Version {
        /// Its name.
        name: String,
        /// As written.
        written: String,
    },
    /// An exception that cannot be put in force.
    #[error("HookException {name}: {error}")]
    Exception {
        /// Its name.
        name: String,
        /// Why.
        error: exception::Broken,
    },
}

/// An object of ours with the kind that it was told apart by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written<T> {
    api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    metadata: WrittenMetadata,
    spec: T,
    /// What a cluster has printed says who approved it; of other statuses there is nothing to know.
    #[serde(default)]
    status: Approval,
}

#[derive(Deserialize)]
struct WrittenMetadata {
    name: String,
    /// Only an API server counts generations.
    generation: Option<i64>,
}

/// One object, in a document of its own or in a list.
struct Part<'t> {
    /// The whole file.
    file: &'t str,
    root: &'t Node<'t>,
    /// The object by itself, its first line indented as in the file.
    text: Cow<'t, str>,
    /// Where `text` begins in the file, in bytes.
    offset: usize,
}

/// Reads a policy file. A `List`, as kubectl prints it, stands for its items.
///
/// # Errors
///
/// The first document that cannot be read, or that there is none.
pub fn read(text: &str) -> Result<Documents, Error> {
    let mut documents = Documents::default();
    let read = manifest::read(text, Interest::Everything, &Limits::default());
    if read.is_empty() {
        return Err(Error { line: 1, column: 1, problem: Problem::Nothing });
    }
    for document in read {
        let manifest = document.map_err(|error| {
            let yaml::Error { message, line, column, .. } = error;
            Error { line, column, problem: Problem::Unreadable(message) }
        })?;
        let Manifest { document, root, fault, unread, .. } = &manifest;
        if let Some(yaml::Error { line, column, message, .. }) = fault.clone() {
            return Err(Error { line, column, problem: Problem::Unreadable(message) });
        }
        if let Some((line, column)) = unread.map(|offset| manifest::line_column(text, offset)) {
            return Err(Error { line, column, problem: Problem::Unread });
        }
        if is_list(root) {
            let Some(Value::List(items)) = root.get("items").map(|items| &items.value) else {
                return Err(at(text, root.nearest("/items").0, Problem::Items));
            };
            for item in items {
                documents.take(&Part::item(text, item))?;
            }
        } else {
            let (part, offset) = (Cow::Borrowed(document.text), document.offset);
            documents.take(&Part { file: text, root, text: part, offset })?;
        }
    }
    Ok(documents)
}

/// The objects of a document.
fn objects<'n, 't>(root: &'n Node<'t>) -> &'n [Node<'t>] {
    if is_list(root) { root.get("items").map_or(&[], Node::items) } else { std::slice::from_ref(root) }
}

/// Whether an object stands for others of ours.
fn is_list(root: &Node<'_>) -> bool {
    root.str_at("kind").is_some_and(|kind| ["List", "HookPolicyList", "HookExceptionList"].contains(&kind))
}

impl Documents {
    fn take(&mut self, part: &Part<'_>) -> Result<(), Error> {
        match part.root.str_at("kind") {
            Some("HookPolicy") => {
                let Written { metadata: WrittenMetadata { name, .. }, spec, .. } = typed::<Settings>(part)?;
                self.policies.push(Named { name, settings: spec, is_base: true });
            }
            Some("HookException") => {
                let written = typed::<ExceptionSpec>(part)?;
                let (WrittenMetadata { name, generation }, spec) = (written.metadata, written.spec);
                let exception = match exception::usable(&name, &spec) {
                    Ok(exception) => exception,
                    Err(error) => {
                        return Err(part.at(&error.pointer(), Problem::Exception { name, error }));
                    }
                };
                match generation.map(|generation| written.status.verify(&spec, generation)) {
                    Some(Err(why)) => self.unapproved.push((name, why)),
                    _ => self.exceptions.push(exception),
                }
            }
            _ => return Err(part.at("/kind", Problem::Kind)),
        }
        Ok(())
    }
}

impl<'t> Part<'t> {
    /// An item of a list.
    fn item(file: &'t str, root: &'t Node<'t>) -> Self {
        let (start, end) = (root.span.start as usize, root.span.end as usize);
        let offset = file[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = " ".repeat(file[offset..start].chars().count());
        Self { file, root, text: Cow::Owned(indent + &file[start..end]), offset }
    }

    fn at(&self, field: &str, problem: Problem) -> Error {
        at(self.file, self.root.nearest(field).0, problem)
    }
}

/// Where a policy file says something about a policy: the field of its spec at this JSON pointer if it is there, or else the policy's
/// name.
#[must_use]
pub fn place(text: &str, policy: &str, pointer: &str) -> Option<(usize, usize)> {
    let documents = manifest::read(text, Interest::Everything, &Limits::default());
    let is_policy = |root: &Node<'_>| root.at(&["metadata", "name"]).and_then(Node::as_str) == Some(policy);
    let named = || {
        documents.iter().flatten().flat_map(|manifest| objects(&manifest.root)).filter(|root| is_policy(root))
    };
    let pointer = format!("/spec{pointer}");
    let field = named().find_map(|root| match root.nearest(&pointer) {
        (_, Some(member), true) => Some(member.name_span),
        _ => None,
    });
    let name = || named().find_map(|root| root.at(&["metadata", "name"]));
    let span = field.or_else(|| name().map(|name| name.span))?;
    Some(manifest::line_column(text, span.start as usize))
}

fn at(text: &str, node: &Node<'_>, problem: Problem) -> Error {
    let (line, column) = manifest::line_column(text, node.span.start as usize);
    Error { line, column, problem }
}

fn typed<T: DeserializeOwned>(part: &Part<'_>) -> Result<Written<T>, Error> {
    let Part { file, root, text, offset } = part;
    let written: Written<T> = serde_saphyr::from_str(text).map_err(|error| {
        let (mut line, mut column) = manifest::line_column(file, *offset);
        if let Some(found) = error.location() {
            let within = usize::try_from(found.column()).unwrap_or(1);
            column = if found.line() == 1 { column + within - 1 } else { within };
            line += usize::try_from(found.line()).unwrap_or(1) - 1;
        }
        let rule = rule_at(file, root, line).map_or_else(String::new, |rule| format!("rule {rule}: "));
        let said = error.without_snippet().to_string();
        let said = WORDS.plainly(&said, root.field_at(file, line, column));
        Error { line, column, problem: Problem::Unreadable(format!("{rule}{said}")) }
    })?;
    if written.api_version == API_VERSION {
        return Ok(written);
    }
    let problem = Problem::Version { name: written.metadata.name, written: written.api_version };
    Err(part.at("/apiVersion", problem))
}

/// The rule whose settings stand in this line.
fn rule_at<'n>(text: &str, root: &'n Node<'_>, line: usize) -> Option<&'n str> {
    let line_of = |offset: u32| manifest::line_column(text, offset as usize).0;
    let rules = root.at(&["spec", "rules"])?.members();
    let holds =
        |rule: &&Member<'_>| (line_of(rule.name_span.start)..=line_of(rule.node.span.end)).contains(&line);
    rules.iter().find(holds).map(|rule| &*rule.name)
}

#[cfg(test)]
mod tests;
