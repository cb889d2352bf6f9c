//! The five actions as they are written, with Helm's own flags.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::words::{self, OneOrMore, Span, Wait};

/// `helm install`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct Install {
    /// A chart (folder or archive), or manifests that are rendered already; relative to this file.
    pub(in crate::scenario) chart: PathBuf,
    /// Files of values; relative to this file.
    #[serde(default)]
    pub(in crate::scenario) values: OneOrMore<PathBuf>,
    /// Values, as in `replicas=2`.
    #[serde(default, deserialize_with = "words::set")]
    #[schemars(with = "OneOrMore<String>")]
    pub(in crate::scenario) set: OneOrMore<String>,
    /// Values that are text.
    #[serde(default, deserialize_with = "words::set_string")]
    #[schemars(with = "OneOrMore<String>")]
    pub(in crate::scenario) set_string: OneOrMore<String>,
    /// Of each wait, as in `5m`.
    pub(in crate::scenario) timeout: Option<Span>,
    /// Whether Helm waits for the ordinary resources, or how: `watcher`, `hookOnly`, `legacy`.
    #[serde(default)]
    pub(in crate::scenario) wait: Wait,
    /// Whether it waits for ordinary Jobs too.
    pub(in crate::scenario) wait_for_jobs: Option<bool>,
    /// Whether a failure is undone.
    #[serde(default)]
    pub(in crate::scenario) rollback_on_failure: bool,
    /// Helm 3's word for `rollbackOnFailure`.
    #[serde(default)]
    pub(in crate::scenario) atomic: bool,
    /// Whether hooks are left out.
    #[serde(default)]
    pub(in crate::scenario) no_hooks: bool,
    /// Whether objects are sent by server-side apply; Helm decides when nothing is said.
    pub(in crate::scenario) server_side: Option<bool>,
}

/// `helm upgrade`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub(in crate::scenario) struct Upgrade {
    /// A chart (folder or archive), or manifests that are rendered already; relative to this file.
    pub(in crate::scenario) chart: PathBuf,
    /// Files of values; relative to this file.
    #[serde(default)]
    pub(in crate::scenario) values: OneOrMore<PathBuf>,
    /// Values, as in `replicas=2`.
    #[serde(default, deserialize_with = "words::set")]
    #[schemars(with = "OneOrMore<String>")]
    pub(in crate::scenario) set: OneOrMore<String>,
    /// Values that are text.
    #[serde(default, deserialize_with = "words::set_string")]
    #[schemars(with = "OneOrMore<String>")]
    pub(in crate::scenario) set_string: OneOrMore<String>,
    /// Of each wait, as in `5m`.
    pub(in crate::scenario) timeout: Option<Span>,
    /// Whether Helm waits for the ordinary resources, or how: `watcher`, `hookOnly`, `legacy`.
    #[serde(default)]
    pub(in crate::scenario) wait: Wait,
    /// Whether it waits for ordinary Jobs too.
    pub(in crate::scenario) wait_for_jobs: Option<bool>,
    /// Whether a failure is undone.
    #[serde(default)]
    pub(in crate::scenario) rollback_on_failure: bool,
    /// Helm 3's word for `rollbackOnFailure`.
    #[serde(default)]
    pub(in crate::scenario) atomic: bool,
    /// Whether hooks are left out.
    #[serde(default)]
    pub(in crate::scenario) no_hooks: bool,
    /// Whether objects are sent by server-side apply; Helm decides when nothing is said.
    pub(in crate::scenario) server_side: Option<bool>,
    /// Whether it installs where there is no release.
    #[serde(default)]
    pub(in crate::scenario) install: bool,
    /// Whether new ordinary resources are deleted when it fails.
    #[serde(default)]
    pub(in crate::scenario) cleanup_on_fail: bool,
}

/// `helm rollback`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct Rollback {
    /// The revision; the one before the last when nothing is said.
    pub(in crate::scenario) to: Option<u32>,
    /// Of each wait, as in `5m`.
    pub(in crate::scenario) timeout: Option<Span>,
    /// Whether Helm waits for the ordinary resources, or how: `watcher`, `hookOnly`, `legacy`.
    #[serde(default)]
    pub(in crate::scenario) wait: Wait,
    /// Whether it waits for ordinary Jobs too.
    pub(in crate::scenario) wait_for_jobs: Option<bool>,
    /// Whether hooks are left out.
    #[serde(default)]
    pub(in crate::scenario) no_hooks: bool,
    /// Whether objects are sent by server-side apply; Helm decides when nothing is said.
    pub(in crate::scenario) server_side: Option<bool>,
    /// Whether new ordinary resources are deleted when it fails.
    #[serde(default)]
    pub(in crate::scenario) cleanup_on_fail: bool,
}

/// `helm test`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct Test {
    /// Which tests, as in `name=a` or `!name=a`.
    #[serde(default)]
    pub(in crate::scenario) filter: OneOrMore<String>,
    /// Whether their logs are printed.
    #[serde(default)]
    pub(in crate::scenario) logs: bool,
    /// Of each wait, as in `5m`.
    pub(in crate::scenario) timeout: Option<Span>,
}

/// `helm uninstall`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct Uninstall {
    /// Whether hooks are left out.
    #[serde(default)]
    pub(in crate::scenario) no_hooks: bool,
    /// Whether the revisions stay stored.
    #[serde(default)]
    pub(in crate::scenario) keep_history: bool,
    /// Whether Helm waits until the ordinary resources are gone, or how: `watcher`, `hookOnly`, `legacy`.
    #[serde(default)]
    pub(in crate::scenario) wait: Wait,
    /// Of each wait, as in `5m`.
    pub(in crate::scenario) timeout: Option<Span>,
}
