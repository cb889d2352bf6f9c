//! The file as it is written: what serde reads, and the JSON schema that editors check it with.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Deserializer};

use super::{Expect, expect::Newest};

mod actions;
mod words;

pub(super) use actions::{Install, Rollback, Test, Uninstall, Upgrade};
use words::{Ending, Helm, Kind, Name};
pub(super) use words::{OneOrMore, Span};

/// One rollout: commands in order, and what is expected of each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "RolloutScenario, hookward.dev/v1alpha1")]
pub(super) struct Document {
    /// `hookward.dev/v1alpha1`.
    #[serde(rename = "apiVersion")]
    _api_version: String,
    /// `RolloutScenario`.
    #[serde(rename = "kind")]
    _kind: Kind,
    /// Its name.
    pub(super) metadata: Metadata,
    /// What it does.
    pub(super) spec: Spec,
}

/// What is read of `metadata`; labels and annotations are the user's own business.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Metadata {
    /// The name.
    pub(super) name: String,
}

/// What the rollout does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Spec {
    /// The name of the release.
    pub(super) release: String,
    /// The namespace of the release.
    #[serde(default = "default_namespace")]
    pub(super) namespace: String,
    /// Which tool plays it.
    #[serde(default)]
    pub(super) helm: Helm,
    /// The commands, in order.
    pub(super) steps: Vec<Step>,
}

fn default_namespace() -> String {
    "default".to_owned()
}

/// One command, and what is expected of it. Exactly one of the five actions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Step {
    /// `helm install`.
    #[serde(default)]
    #[schemars(with = "Install")]
    pub(super) install: Option<Install>,
    /// `helm upgrade`.
    #[serde(default)]
    #[schemars(with = "Upgrade")]
    pub(super) upgrade: Option<Upgrade>,
    /// `helm rollback`.
    #[serde(default, deserialize_with = "present")]
    pub(super) rollback: Option<Rollback>,
    /// `helm test`.
    #[serde(default, deserialize_with = "present")]
    pub(super) test: Option<Test>,
    /// `helm uninstall`.
    #[serde(default, deserialize_with = "present")]
    pub(super) uninstall: Option<Uninstall>,
    /// How much time passes before it, as in `5m`.
    #[serde(default)]
    pub(super) after: Option<Span>,
    /// What the pods of hooks do, by `Kind/name` or `Kind/namespace/name`: `ok`, `fail`, `hang`, or how long they take to succeed, as in `90s`.
    #[serde(default)]
    pub(super) outcomes: BTreeMap<Name, Ending>,
    /// What must come of it; without it, it must exit with 0.
    #[serde(default)]
    #[schemars(with = "WrittenExpect")]
    pub(super) expect: Option<WrittenExpect>,
}

/// An action that needs nothing more may be written without anything.
fn present<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(reader).map(|read| Some(read.unwrap_or_default()))
}

/// What must come of a step; what is not named may be anything.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Expect", extend("minProperties" = 1), transform = without_defaults)]
pub(super) struct WrittenExpect {
    /// Helm's exit code.
    #[serde(default)]
    #[schemars(with = "u8")]
    exit: Option<i32>,
    /// What the error says somewhere.
    #[serde(default)]
    #[schemars(with = "String", length(min = 1))]
    error: Option<String>,
    /// The status of the newest revision; null when none may be stored.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "Option<String>")]
    status: Option<Newest>,
    /// The hooks that Helm sends, in order, as `Job/migrate`.
    #[serde(default)]
    #[schemars(with = "Vec<Name>")]
    hooks: Option<Vec<Name>>,
    /// The hook objects that are alive afterwards, in any order, as `Job/migrate`.
    #[serde(default)]
    #[schemars(with = "Vec<Name>")]
    leftovers: Option<Vec<Name>>,
}

/// What is left out is null to us, and may not be written so.
fn without_defaults(schema: &mut Schema) {
    let properties = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut);
    for property in properties.into_iter().flat_map(|properties| properties.values_mut()) {
        if let Some(property) = property.as_object_mut() {
            property.remove("default");
        }
    }
}

/// A null is something else than nothing.
fn given<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Newest>, D::Error> {
    let written = Option::<String>::deserialize(reader)?;
    Ok(Some(written.map_or(Newest::Absent, Newest::Status)))
}

impl From<WrittenExpect> for Expect {
    fn from(written: WrittenExpect) -> Self {
        let names = |names: Vec<Name>| names.into_iter().map(|name| name.0).collect();
        Self {
            exit: written.exit,
            error: written.error,
            status: written.status,
            hooks: written.hooks.map(names),
            leftovers: written.leftovers.map(names),
        }
    }
}
