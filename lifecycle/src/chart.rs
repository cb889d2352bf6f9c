//! One version of a chart as Helm sees it after rendering: hooks in Helm's order, and ordinary resources.

use std::sync::Arc;

use hooks::{DeletePolicy, Event};

use crate::{Outcome, answer::ObjectId};

mod argocd;
mod digest;
mod failure_policy;
mod fields;
mod frozen;
mod needs;
mod object;
mod read;
mod typed;

pub use read::ReadError;
pub(crate) use typed::checked;

/// What one rendering gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// What stands in `crds/` folders, which Helm installs before anything else, and never touches again.
    pub crds: Vec<Arc<Object>>,
    /// The hooks, by kind, path and document: the order in which Helm stores them.
    pub hooks: Vec<Hook>,
    /// The ordinary resources, in the order in which Helm creates them; items of a list stand for themselves.
    pub resources: Vec<Arc<Object>>,
    /// What Helm drops, since its list of events holds an unknown one: it is neither a hook nor a resource.
    pub dropped: Vec<Dropped>,
    /// What of it is not played, and who leaves it out: lines for people.
    pub notes: Vec<String>,
    /// Why Helm cannot build the ordinary resources, which ends the command: its words after the prefix.
    pub unbuildable: Option<String>,
}

/// A document that vanishes on its way to the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// `Job/migrate`; the template where only that is known.
    pub name: String,
    /// The list of events, as written.
    pub events: String,
}

/// One hook: a document with the annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// The template, as in `shop/templates/migrate.yaml`; empty when nobody said.
    pub path: String,
    /// `kind` of the document; `List` for a list.
    pub kind: String,
    /// `metadata.name` of the document; empty with `generateName`.
    pub name: String,
    /// As written, duplicates included: Helm runs those twice.
    pub events: Vec<Event>,
    /// Lower runs first.
    pub weight: i64,
    /// Those it acts on; the default is among them where it applies.
    pub delete_policies: Vec<DeletePolicy>,
    /// When its logs are printed.
    pub log_policies: Vec<DeletePolicy>,
    /// What is sent: the document, or the items of a list.
    pub objects: Vec<Arc<Object>>,
    /// What Helm says when it is to create an object without a kind or its version: its words after the prefix.
    pub unsaid: Option<String>,
    /// Why Helm cannot build the object, such as an annotation that is a number: its words after the prefix.
    pub unbuildable: Option<String>,
}

/// One object as it is sent.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the text")]
pub struct Object {
    /// Which; the namespace is filled in, unless the object has none.
    pub id: ObjectId,
    /// Whether its text names its namespace.
    pub names_namespace: bool,
    /// Whether its label says that Helm manages it, as many charts write it also for hooks.
    pub is_labelled: bool,
    /// Whether the API server makes up the name, each time another one.
    pub generates_name: bool,
    /// Whether `generateName` stands beside a name, where Kubernetes passes over it.
    pub names_twice: bool,
    /// The parts that Kubernetes lets nobody change.
    pub frozen: Vec<Frozen>,
    /// Changes when anything changes.
    pub digest: u64,
    /// How its pods run, if it makes any.
    pub run: Option<Run>,
    /// What its pods cannot start without.
    pub needs: Vec<Need>,
    /// The keys of a Secret or `ConfigMap`, as numbers; `None` where nobody knows them.
    pub(crate) keys: Option<Vec<u64>>,
    /// Finalizers that somebody must take away before it goes.
    pub finalizers: bool,
    /// `helm.sh/resource-policy`, as written.
    pub resource_policy: Option<String>,
    /// That of its document: an uninstall reads what is written of a list, not of its items.
    pub document_policy: Option<String>,
    /// The kind it brings, if it is a `CustomResourceDefinition`.
    pub defines: Option<Definition>,
    /// Members that Kubernetes does not know, or that are not what it wants there, by path.
    pub misfits: Vec<Misfit>,
    /// Why the API server refuses it for sure: its words after `… is invalid: `.
    pub invalid: Option<String>,
}

/// A member that Kubernetes does not know, such as `spec.volumes` of a Job, or that is of another type than it wants; who sees it says
/// so in words of his own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfit {
    /// As a server-side apply names it, such as `.spec.volumes`.
    pub path: String,
    /// What a server-side apply says when it holds it against the schema.
    pub applied: Option<String>,
    /// What a server-side apply says when it makes Kubernetes' own type of it.
    pub converted: Option<String>,
    /// What whoever reads the body of a POST, or the result of a patch, says.
    pub decoded: Option<String>,
    /// What Helm says when it checks a list itself.
    pub checked: Option<String>,
}

/// A part of an object that nobody can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frozen {
    /// As the API server names it, such as `spec.template`.
    pub field: &'static str,
    /// Changes when the part changes.
    pub digest: u64,
    /// As long as what is there is so.
    pub holds: Holds,
}

/// When nobody can change a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holds {
    /// Whatever the object is.
    Always,
    /// Where the object that is there says `immutable: true`.
    Immutable,
    /// As long as a claim has no volume.
    Unbound,
}

/// How the pods of an object run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What it is.
    pub workload: Workload,
    /// What the annotation of its pods says; `None` without one.
    pub outcome: Option<Outcome>,
    /// `spec.backoffLimit`, 6 for Kubernetes.
    pub backoff_limit: u32,
    /// `spec.completions`, 1 for Kubernetes.
    pub completions: u32,
    /// `spec.parallelism`, 1 for Kubernetes.
    pub parallelism: u32,
    /// `spec.activeDeadlineSeconds` of a Job.
    pub deadline: Option<u64>,
    /// `activeDeadlineSeconds` of the pods.
    pub pod_deadline: Option<u64>,
    /// `spec.ttlSecondsAfterFinished`.
    pub ttl: Option<u64>,
    /// `spec.suspend` of a Job, `spec.paused` of a Deployment: no pods are made.
    pub suspended: bool,
    /// `spec.restartPolicy` of the pods.
    pub restart: Restart,
    /// `terminationGracePeriodSeconds` of the pods, 30 for Kubernetes.
    pub grace: u64,
    /// Whether `spec.podFailurePolicy` of a Job fails it as soon as a container exits with 1.
    pub fails_at_once: bool,
}

/// What makes the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Workload {
    /// A Job of the group `batch`.
    Job,
    /// The Pod itself.
    Pod,
    /// What keeps pods running: a Deployment, a `StatefulSet` …
    Lasting,
}

/// What becomes of a container that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Restart {
    /// It starts again, whatever it did: the pod never ends.
    Always,
    /// It starts again unless it ended well.
    OnFailure,
    /// It stays as it ended.
    Never,
}

/// Another object that pods cannot start without.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Need {
    /// `Secret`, `ConfigMap`, `ServiceAccount` or `PersistentVolumeClaim`.
    pub kind: &'static str,
    /// Its name, in the namespace of the pods.
    pub name: String,
    /// What must be in it, of a Secret or `ConfigMap`; of one that is there and lacks a key just this.
    pub keys: Vec<String>,
}

/// A kind that a `CustomResourceDefinition` brings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Definition {
    /// As in `example.com`.
    pub group: String,
    /// As in `Widget`.
    pub kind: String,
    /// The versions that are served.
    pub versions: Vec<String>,
    /// Whether its objects have no namespace.
    pub cluster_scoped: bool,
}

impl Hook {
    /// Whether `policy` is among those it acts on.
    #[must_use]
    pub fn deletes(&self, policy: DeletePolicy) -> bool {
        self.delete_policies.contains(&policy)
    }
}

impl Object {
    /// Whether its text says under which name to ask for it.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        !self.generates_name && !self.id.name.is_empty()
    }
}

/// `Secret "db"` or `key "password" of Secret "db"`, as messages name it.
impl std::fmt::Display for Need {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(key) = self.keys.first() {
            write!(formatter, "key \"{key}\" of ")?;
        }
        write!(formatter, "{} \"{}\"", self.kind, self.name)
    }
}
