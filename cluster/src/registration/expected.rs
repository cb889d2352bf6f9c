//! What was installed: the configurations as the chart rendered them.

use std::collections::BTreeMap;

use hooks::{Interest, manifest, yaml};
use serde_json::Value;

use super::{Configuration, ours::Target};

/// Why a file says nothing of what was installed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpectedError {
    /// No YAML.
    #[error("the expected webhook configurations cannot be read: {0}")]
    NotYaml(String),
    /// Nothing in it.
    #[error("there is no webhook configuration among the expected ones")]
    Nothing,
    /// One kind twice.
    #[error("there is more than one {0} among the expected webhook configurations")]
    Twice(&'static str),
}

/// The configurations as they were installed; one that was not installed is not looked after.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected(BTreeMap<Configuration, Value>);

impl Expected {
    /// Reads YAML or JSON, one or more documents or a `List`; documents of other kinds are left out.
    ///
    /// # Errors
    /// When it cannot be read, or holds no configuration, or one kind twice.
    pub fn parse(text: &str) -> Result<Self, ExpectedError> {
        let mut expected = Self::default();
        for document in manifest::read(text, Interest::Everything, &yaml::Limits::default()) {
            let document = document.map_err(|error| ExpectedError::NotYaml(error.to_string()))?;
            expected.take(document.root.to_json())?;
        }
        if expected.0.is_empty() { Err(ExpectedError::Nothing) } else { Ok(expected) }
    }

    /// One configuration.
    #[must_use]
    pub fn configuration(&self, configuration: Configuration) -> Option<&Value> {
        self.0.get(&configuration)
    }

    /// Where the webhooks lead.
    pub(super) fn targets(&self) -> Vec<Target<'_>> {
        let webhooks = self.0.values().filter_map(|one| one["webhooks"].as_array()).flatten();
        webhooks.filter_map(Target::of).collect()
    }

    fn take(&mut self, mut object: Value) -> Result<(), ExpectedError> {
        if object["kind"] == "List" {
            let Value::Array(items) = object["items"].take() else { return Ok(()) };
            return items.into_iter().try_for_each(|item| self.take(item));
        }
        let configuration = Configuration::ALL.into_iter().find(|one| object["kind"] == one.kind());
        let Some(configuration) = configuration else { return Ok(()) };
        match self.0.insert(configuration, object) {
            Some(_) => Err(ExpectedError::Twice(configuration.kind())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str =
        "kind: MutatingWebhookConfiguration\n---\nkind: Service\n---\nkind: ValidatingWebhookConfiguration\n";

    #[test]
    fn documents_and_lists_are_read() {
        let documents = Expected::parse(BOTH).unwrap();
        assert!(Configuration::ALL.into_iter().all(|one| documents.configuration(one).is_some()));
        let list = r#"{"kind": "List", "items": [{"kind": "ValidatingWebhookConfiguration"}]}"#;
        let list = Expected::parse(list).unwrap();
        assert!(list.configuration(Configuration::Mutating).is_none());
        assert!(list.configuration(Configuration::Validating).is_some());
    }

    #[test]
    fn a_file_that_says_nothing_is_an_error() {
        assert_eq!(Expected::parse(""), Err(ExpectedError::Nothing));
        assert_eq!(Expected::parse("kind: Service"), Err(ExpectedError::Nothing));
        assert!(matches!(Expected::parse("a: [1"), Err(ExpectedError::NotYaml(_))));
        let twice = format!("{BOTH}---\n{BOTH}");
        assert_eq!(Expected::parse(&twice), Err(ExpectedError::Twice("MutatingWebhookConfiguration")));
    }
}
