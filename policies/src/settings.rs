//! What a policy may say: the spec of a `HookPolicy`, the one schema of settings there is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    mode::{Mode, Profile},
    selector::LabelSelector,
};

/// The spec of a `HookPolicy`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Where several policies select a namespace, the one with the higher priority wins, rule by rule.
    pub priority: i32,
    /// The namespaces that this policy is for; all when absent. Cluster-scoped hooks fall under the policies without a selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The modes to start from; `--profile` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The engine that runs the hooks here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// Whether hooks of rollback and delete events are denied like others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_events: Option<RecoveryEvents>,
    /// Settings of single rules, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, RuleSettings>,
}

/// The engine that runs the hooks: it decides which problems can strike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Engine {
    /// Major version of Helm; both when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 3, max = 4))]
    pub helm_version: Option<u8>,
    /// What applies the releases.
    pub gitops: Gitops,
    /// Helm's `--timeout`, in seconds.
    #[schemars(range(min = 1, max = 604_800))]
    pub timeout_seconds: i64,
}

impl Default for Engine {
    fn default() -> Self {
        Self { helm_version: None, gitops: Gitops::Helm, timeout_seconds: 300 }
    }
}

/// What applies the releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gitops {
    /// `helm` itself.
    #[default]
    Helm,
    /// Flux's helm-controller, which uses Helm 4.
    Flux,
    /// Argo CD, which renders with Helm and runs hooks in its own way.
    Argocd,
}

/// What becomes of findings about hooks that take something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecoveryEvents {
    /// They warn at most, so that no rollback and no uninstall is blocked.
    #[default]
    Warn,
    /// They are treated like all others.
    Enforce,
}

/// Settings of one rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleSettings {
    /// The mode, for releases and objects alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Whether the rule repairs what it finds; only for rules that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<bool>,
    /// The rule's own options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<serde_json::Value>,
}
