//! The webhook configurations: the leader keeps their CA bundle right, and every replica sees how they differ from what was installed.
//!
//! What was installed is a file, the same text that the chart renders. Where the two differ for longer than it takes to roll out
//! another version, the leader tells of it and, where it may, puts it right. The bundle is put right at once: every replica adds the
//! authorities that it needs, and only the leader removes any, those that it has not needed for long.

use std::{collections::BTreeMap, time::Duration};

use kube::Client;
use policies::decision::Identity;
use serde_json::Value;
use tokio::{
    sync::watch,
    task::{AbortHandle, JoinHandle},
};

use self::supervisor::Supervisor;
pub use self::{
    expected::{Expected, ExpectedError},
    ours::host,
};
use crate::{
    events::Recorder,
    metrics::{Metrics, Watch},
};

mod authorities;
mod compare;
mod condition;
mod deed;
mod expected;
mod farewell;
mod lasting;
mod ours;
mod supervisor;
mod write;

/// The API group of both configurations.
const GROUP: &str = "admissionregistration.k8s.io";
/// Its version.
const VERSION: &str = "v1";

/// Which of the two configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Configuration {
    /// `MutatingWebhookConfiguration`
    Mutating,
    /// `ValidatingWebhookConfiguration`
    Validating,
}

impl Configuration {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mutating, Self::Validating];

    /// Its kind.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }

    /// What an Event about the configuration of this name is about.
    #[must_use]
    pub fn identity(self, name: &str) -> Identity {
        Identity {
            api_version: format!("{GROUP}/{VERSION}"),
            kind: self.kind().to_owned(),
            name: name.to_owned(),
            ..Identity::default()
        }
    }

    /// The watch of it.
    const fn watch(self) -> Watch {
        match self {
            Self::Mutating => Watch::Mutating,
            Self::Validating => Watch::Validating,
        }
    }

    /// The plural name in paths.
    const fn plural(self) -> &'static str {
        match self {
            Self::Mutating => "mutatingwebhookconfigurations",
            Self::Validating => "validatingwebhookconfigurations",
        }
    }
}

/// In what way a configuration differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DriftKind {
    /// The configuration, or one of its webhooks, is not there.
    Gone,
    /// Other rules: something else is sent to us.
    Rule,
    /// Another failure policy.
    FailurePolicy,
    /// A CA bundle without an authority that is needed.
    CaBundle,
    /// Another selector of namespaces or objects.
    Selector,
    /// Other match conditions.
    Condition,
    /// Any other field, or a webhook too many.
    Other,
}

impl DriftKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Gone,
        Self::Rule,
        Self::FailurePolicy,
        Self::CaBundle,
        Self::Selector,
        Self::Condition,
        Self::Other,
    ];

    /// The word for the metric.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Rule => "rule",
            Self::FailurePolicy => "failure_policy",
            Self::CaBundle => "ca_bundle",
            Self::Selector => "selector",
            Self::Condition => "condition",
            Self::Other => "other",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Drift {
    /// Where.
    pub configuration: Configuration,
    /// The name of the webhook; `None` for the configuration as a whole.
    pub webhook: Option<String>,
    /// In what way.
    pub kind: DriftKind,
    /// The field, as in `failurePolicy`; empty where something is gone.
    pub field: String,
}

impl std::fmt::Display for Drift {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(webhook) = &self.webhook {
            write!(formatter, "webhook {webhook}: ")?;
        }
        match self.kind {
            DriftKind::Gone => formatter.write_str("it is gone"),
            DriftKind::Other if self.field.is_empty() => formatter.write_str("nobody installed it"),
            DriftKind::CaBundle => formatter.write_str("caBundle lacks an authority that is needed"),
            _ => write!(formatter, "{} is not what was installed", self.field),
        }
    }
}

/// What is registered, as this replica sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registered {
    /// The authorities, PEM, that all webhooks which lead to us have in their CA bundles; those that are not there or have none call
    /// nobody and do not count. `None` when none has any, or they were not seen yet.
    pub bundle: Option<String>,
    /// The DNS names and addresses at which all webhooks call that lead to us, each once; empty when nobody calls.
    pub hosts: Vec<String>,
    /// Every difference; empty before the configurations were seen.
    pub drift: Vec<Drift>,
}

/// What to look after, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of both configurations.
    pub name: String,
    /// What was installed, which may change; without it only the bundle is looked after.
    pub expected: watch::Receiver<Option<Expected>>,
    /// Whether differences are put right.
    pub repair: bool,
    /// How long a difference must last before it is told of, and before all that differ are put right: an upgrade replaces the configurations first and the
    /// replicas, which know what to expect, later.
    pub settle: Duration,
    /// How long at most a difference is taken for another release whose file has not reached this replica yet, where the configurations
    /// say that they are of another one.
    pub catch_up: Duration,
    /// How long an authority stays registered that the leader does not need, at least.
    pub farewell: Duration,
}

impl Options {
    /// Differences are told of after 30 seconds, or 3 minutes while another release is rolled out, and not put right; authorities leave
    /// after 10 minutes.
    #[must_use]
    pub fn new(name: &str, expected: Option<Expected>) -> Self {
        Self {
            name: name.into(),
            expected: watch::channel(expected).1,
            repair: false,
            settle: Duration::from_secs(30),
            catch_up: Duration::from_secs(180),
            farewell: Duration::from_secs(600),
        }
    }
}

/// A replica that looks after the configurations until it is dropped.
#[derive(Debug)]
pub struct Registration {
    registered: watch::Receiver<Registered>,
    task: JoinHandle<()>,
}

impl Registration {
    /// Begins to look after them: every replica watches and adds what it needs, and while `leader` is true this one writes the rest.
    /// `bundle` are the authorities, PEM, that this replica needs registered; nothing is written while it is `None`. Must be called
    /// within a runtime.
    #[must_use]
    pub fn start(
        client: &Client,
        options: Options,
        bundle: watch::Receiver<Option<String>>,
        leader: watch::Receiver<bool>,
        recorder: Option<Recorder>,
        metrics: &Metrics,
    ) -> Self {
        let (sender, registered) = watch::channel(Registered::default());
        let supervisor = Supervisor::new(client, options, recorder, metrics.clone(), sender);
        let task = tokio::spawn(supervisor.run(client.clone(), bundle, leader));
        Self { registered, task }
    }

    /// What does all this: it ends with the value only, or by a bug.
    #[must_use]
    pub fn task(&self) -> AbortHandle {
        self.task.abort_handle()
    }

    /// What is registered, on every replica and at any time.
    #[must_use]
    pub fn registered(&self) -> watch::Receiver<Registered> {
        self.registered.clone()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The configurations as the API server has them: absent from the map before they were seen, `None` when they are gone.
type Live = BTreeMap<Configuration, Option<Value>>;
