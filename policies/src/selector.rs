//! Label selectors, as Kubernetes evaluates them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Selects by labels; all requirements must hold, and an empty selector selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LabelSelector {
    /// Labels that must have these values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub match_expressions: Vec<Requirement>,
}

/// One requirement on one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The label.
    pub key: String,
    /// How its value is compared.
    pub operator: Operator,
    /// The values, for `In` and `NotIn`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// Present, with one of the values.
    In,
    /// Absent, or with none of the values.
    NotIn,
    /// Present.
    Exists,
    /// Absent.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether labels satisfy every requirement; `label` says the value of one, if it is there.
    #[must_use]
    pub fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.match_labels.iter().all(|(key, value)| label(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(label(&requirement.key)))
    }

    /// The labels that it asks for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let expressions = self.match_expressions.iter().map(|requirement| requirement.key.as_str());
        self.match_labels.keys().map(String::as_str).chain(expressions)
    }
}

impl Requirement {
    fn matches(&self, value: Option<&str>) -> bool {
        let is_listed = |value: &str| self.values.iter().any(|listed| listed == value);
        match self.operator {
            Operator::In => value.is_some_and(is_listed),
            Operator::NotIn => !value.is_some_and(is_listed),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: serde_json::Value, labels: &[(&str, &str)]) -> bool {
        let selector: LabelSelector = serde_json::from_value(selector).unwrap();
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        selector.matches(|key| labels.get(key).copied())
    }

    #[test]
    fn requirements_are_joined_by_and() {
        let selector = serde_json::json!({
            "matchLabels": {"team": "shop"},
            "matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}],
        });
        assert!(selects(selector.clone(), &[("team", "shop")]));
        assert!(!selects(selector.clone(), &[("team", "shop"), ("env", "dev")]));
        assert!(!selects(selector, &[("env", "prod")]));
    }

    #[test]
    fn presence_can_be_asked_for() {
        assert!(selects(
            serde_json::json!({"matchExpressions": [{"key": "a", "operator": "Exists"}]}),
            &[("a", "")]
        ));
        assert!(selects(
            serde_json::json!({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}),
            &[]
        ));
        assert!(!selects(
            serde_json::json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}),
            &[]
        ));
    }

    #[test]
    fn an_empty_selector_selects_everything() {
        assert!(selects(serde_json::json!({}), &[]));
    }
}
