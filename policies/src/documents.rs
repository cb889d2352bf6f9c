//! Policies and exceptions as people write them: YAML documents of the group `hookward.dev`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use hooks::{
    Interest, Node,
    manifest::{self, Manifest},
    node::Member,
    yaml::{self, Limits},
};

use crate::{
    exception::{self, Exception, ExceptionSpec},
    policy_set::Named,
    settings::Settings,
};

/// The API group of our own kinds.
pub const GROUP: &str = "hookward.dev";
/// Their version.
pub const VERSION: &str = "v1alpha1";
/// Both, as objects say it.
pub const API_VERSION: &str = "hookward.dev/v1alpha1";

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
    /// The exceptions, in the order they were written. A file is under its owner's control, so they count as approved.
    pub exceptions: Vec<Exception>,
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
        error: exception::Error,
    },
}

/// An object of ours with the kind that it was told apart by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written<T> {
    api_version: String,
    #[serde(rename = "kind")]
    _kind: String,
    metadata: Metadata,
    spec: T,
}

/// Reads a policy file.
///
/// # Errors
///
/// The first document that cannot be read.
pub fn read(text: &str) -> Result<Documents, Error> {
    let mut documents = Documents::default();
    for document in manifest::read(text, Interest::Everything, &Limits::default()) {
        let manifest = document.map_err(|error| {
            let yaml::Error { message, line, column, .. } = error;
            Error { line, column, problem: Problem::Unreadable(message) }
        })?;
        let at = |field: &str, problem| at(text, manifest.root.nearest(field).0, problem);
        match manifest.root.str_at("kind") {
            Some("HookPolicy") => {
                let policy = typed::<Settings>(text, &manifest)?;
                documents.policies.push(Named {
                    name: policy.metadata.name,
                    settings: policy.spec,
                    is_base: true,
                });
            }
            Some("HookException") => {
                let Written { metadata: Metadata { name }, spec, .. } =
                    typed::<ExceptionSpec>(text, &manifest)?;
                let exception = Exception::new(name.clone(), spec)
                    .map_err(|error| at(error.pointer(), Problem::Exception { name, error }))?;
                documents.exceptions.push(exception);
            }
            _ => return Err(at("/kind", Problem::Kind)),
        }
    }
    Ok(documents)
}

/// Where a policy file says something about a policy: the settings of one rule if it is named and there, or else the policy's name.
#[must_use]
pub fn place(text: &str, policy: &str, rule: Option<&str>) -> Option<(usize, usize)> {
    let documents = manifest::read(text, Interest::Everything, &Limits::default());
    let is_policy = |root: &Node<'_>| root.at(&["metadata", "name"]).and_then(Node::as_str) == Some(policy);
    let named = || documents.iter().flatten().map(|manifest| &manifest.root).filter(|root| is_policy(root));
    let settings = rule.and_then(|rule| named().find_map(|root| root.at(&["spec", "rules"])?.member(rule)));
    let name = || named().find_map(|root| root.at(&["metadata", "name"]));
    let span = settings.map(|settings| settings.name_span).or_else(|| name().map(|name| name.span))?;
    Some(manifest::line_column(text, span.start as usize))
}

fn at(text: &str, node: &Node<'_>, problem: Problem) -> Error {
    let (line, column) = manifest::line_column(text, node.span.start as usize);
    Error { line, column, problem }
}

fn typed<T: DeserializeOwned>(text: &str, manifest: &Manifest<'_>) -> Result<Written<T>, Error> {
    let Manifest { document, root } = manifest;
    let written: Written<T> = serde_saphyr::from_str(document.text).map_err(|error| {
        let (mut line, mut column) = manifest::line_column(text, document.offset);
        if let Some(found) = error.location() {
            let within = usize::try_from(found.column()).unwrap_or(1);
            column = if found.line() == 1 { column + within - 1 } else { within };
            line += usize::try_from(found.line()).unwrap_or(1) - 1;
        }
        let rule = rule_at(text, root, line).map_or_else(String::new, |rule| format!("rule {rule}: "));
        let said = error.without_snippet().to_string();
        Error { line, column, problem: Problem::Unreadable(format!("{rule}{}", plainly(&said))) }
    })?;
    if written.api_version == API_VERSION {
        return Ok(written);
    }
    let problem = Problem::Version { name: written.metadata.name, written: written.api_version };
    Err(at(text, root.nearest("/apiVersion").0, problem))
}

/// The rule whose settings stand in this line.
fn rule_at<'n>(text: &str, root: &'n Node<'_>, line: usize) -> Option<&'n str> {
    let line_of = |offset: u32| manifest::line_column(text, offset as usize).0;
    let rules = root.at(&["spec", "rules"])?.members();
    let holds =
        |rule: &&Member<'_>| (line_of(rule.name_span.start)..=line_of(rule.node.span.end)).contains(&line);
    rules.iter().find(holds).map(|rule| &*rule.name)
}

/// What serde says, without the place, which stands elsewhere, and without the words of programmers.
fn plainly(said: &str) -> String {
    const WORDS: [(&str, &str); 7] = [
        (", set DuplicateKeyPolicy in Options if acceptable", ""),
        ("duplicate mapping key: ", "written twice: "),
        ("expected sequence start", "a list is wanted here"),
        ("expected mapping start", "a map is wanted here"),
        ("invalid boolean", "true or false is wanted here"),
        ("unknown variant", "unknown word"),
        ("missing field", "there is no"),
    ];
    let said = said.rfind(" at line ").map_or(said, |end| &said[..end]);
    if said.strip_prefix("invalid ").is_some_and(|kind| kind.starts_with(['i', 'u']) && kind.len() <= 5) {
        return "a whole number is wanted here, and not a larger one than makes sense".to_owned();
    }
    WORDS.iter().fold(said.to_owned(), |said, (word, plain)| said.replace(word, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_policies_and_exceptions() {
        let documents = read(
            "apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: team, labels: {owner: platform}}
spec: {profile: strict, rules: {job-suspended: {mode: warn}}}
---
# nothing here
---
apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: legacy}
spec: {rules: [job-suspended], namespaces: [legacy-*], reason: moves in May, expiresAt: '2027-05-01T00:00:00Z'}
",
        )
        .unwrap();
        assert_eq!(documents.policies[0].name, "team");
        assert_eq!(documents.exceptions[0].name, "legacy");
    }

    #[test]
    fn a_misspelt_field_is_refused_with_its_document() {
        let error = read("apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: x}\nspec: {profil: strict}\n")
            .unwrap_err();
        let text = error.to_string();
        assert!((error.line, error.column) == (4, 8) && text.contains("profil"), "{text}");
    }

    #[test]
    fn an_object_says_group_and_version() {
        assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
    }

    #[test]
    fn another_version_is_refused() {
        let error = read("apiVersion: hookward.dev/v9\nkind: HookPolicy\nmetadata: {name: x}\nspec: {}\n")
            .unwrap_err();
        assert!(matches!(error.problem, Problem::Version { .. }), "{error}");
    }
}
