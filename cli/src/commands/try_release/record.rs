//! The release record that Helm would store first, as the Secret that the release gate is asked about.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hooks::{annotations::RELEASE_TYPE, release::encode};
use serde_json::{Value, json};

/// What a record is made of.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) revision: i64,
    pub(super) is_upgrade: bool,
    /// Ordinary resources: documents under `# Source:` comments.
    pub(super) manifest: String,
    pub(super) hooks: Vec<Hook>,
    pub(super) chart: String,
    /// Path in the chart, and source.
    pub(super) templates: Vec<(String, String)>,
}

/// A hook as Helm records it.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) path: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) manifest: String,
}

/// The Secret.
///
/// Source: Helm 4.2.4 `pkg/storage/driver/secrets.go`, `newSecretsObject`.
pub(super) fn secret(parts: &Parts) -> Value {
    let status = if parts.is_upgrade { "pending-upgrade" } else { "pending-install" };
    let hook = |hook: &Hook| json!({"path": hook.path, "kind": hook.kind, "name": hook.name, "manifest": hook.manifest});
    let template =
        |(name, text): &(String, String)| json!({"name": name, "data": BASE64_STANDARD.encode(text)});
    let record = json!({
        "name": parts.name,
        "namespace": parts.namespace,
        "version": parts.revision,
        "info": {"status": status},
        "manifest": parts.manifest,
        "hooks": parts.hooks.iter().map(hook).collect::<Vec<_>>(),
        "chart": {
            "metadata": {"name": parts.chart, "version": "0.0.0"},
            "templates": parts.templates.iter().map(template).collect::<Vec<_>>(),
        },
    });
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": format!("sh.helm.release.v1.{}.v{}", parts.name, parts.revision),
            "namespace": parts.namespace,
            "labels": {"owner": "helm", "name": parts.name, "status": status, "version": parts.revision.to_string()},
        },
        "type": RELEASE_TYPE,
        "data": {"release": encode(record.to_string().as_bytes())},
    })
}
