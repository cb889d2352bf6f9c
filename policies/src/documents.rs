//! Policies and exceptions as people write them: YAML documents of the group `hookward.dev`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    exception::{self, Exception, ExceptionSpec},
    policy_set::Named,
    settings::Settings,
};

/// The group and version of our own kinds.
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
#[derive(Debug, Default)]
pub struct Documents {
    /// The policies, in the order they were written.
    pub policies: Vec<Named>,
    /// The exceptions, in the order they were written. A file is under its owner's control, so they count as approved.
    pub exceptions: Vec<Exception>,
}

/// Why a policy file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A document is no policy and no exception, or says something that neither has.
    #[error("document {number} is not a HookPolicy or HookException of {API_VERSION}: {problem}")]
    Unreadable {
        /// Which document, from 1.
        number: usize,
        /// What is wrong, with its place in that document.
        problem: String,
    },
    /// Another version of our kinds.
    #[error("document {number} ({name}) has apiVersion {written:?}; use {API_VERSION}")]
    Version {
        /// Which document, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// As written.
        written: String,
    },
    /// An exception that cannot be put in force.
    #[error("HookException {name}")]
    Exception {
        /// Its name.
        name: String,
        /// Why.
        source: exception::Error,
    },
}

/// Reads a policy file.
///
/// # Errors
///
/// The first document that cannot be read.
pub fn read(text: &str) -> Result<Documents, Error> {
    let mut documents = Documents::default();
    for (index, document) in hooks::manifest::split(text).enumerate() {
        let number = index + 1;
        let document: Option<Document> = serde_saphyr::from_str(document.text)
            .map_err(|error| Error::Unreadable { number, problem: error.to_string() })?;
        match document {
            None => {}
            Some(Document::HookPolicy(policy)) => {
                verify_version(number, &policy.api_version, &policy.metadata)?;
                documents.policies.push(Named { name: policy.metadata.name, settings: policy.spec });
            }
            Some(Document::HookException(resource)) => {
                verify_version(number, &resource.api_version, &resource.metadata)?;
                let name = resource.metadata.name;
                let exception = Exception::new(name.clone(), resource.spec);
                documents.exceptions.push(exception.map_err(|source| Error::Exception { name, source })?);
            }
        }
    }
    Ok(documents)
}

fn verify_version(number: usize, written: &str, metadata: &Metadata) -> Result<(), Error> {
    if written == API_VERSION {
        return Ok(());
    }
    Err(Error::Version { number, name: metadata.name.clone(), written: written.to_owned() })
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
        assert!(text.contains("document 1") && text.contains("profil"), "{text}");
    }

    #[test]
    fn another_version_is_refused() {
        let error = read("apiVersion: hookward.dev/v9\nkind: HookPolicy\nmetadata: {name: x}\nspec: {}\n")
            .unwrap_err();
        assert!(matches!(error, Error::Version { .. }), "{error}");
    }
}
