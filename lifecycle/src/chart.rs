//! One version of a chart as Helm sees it after rendering: hooks in Helm's order, and ordinary resources.

use hooks::{DeletePolicy, Event};

use crate::answer::ObjectId;

/// What one rendering gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chart {
    /// The hooks, by kind, path and document: the order in which Helm stores them.
    pub hooks: Vec<Hook>,
    /// The ordinary resources, in the order in which Helm creates them.
    pub resources: Vec<Object>,
}

/// One hook: a document with the annotation.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// The template, as in `shop/templates/migrate.yaml`.
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
    pub objects: Vec<Object>,
    /// Why Helm cannot build the object, such as an annotation that is a number: its words after the prefix.
    pub unbuildable: Option<String>,
}

/// One object as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which; the namespace is `None` as long as nothing is written.
    pub id: ObjectId,
    /// Changes when anything changes that Kubernetes lets nobody change on a Job or Pod.
    pub frozen: u64,
    /// Changes when anything changes.
    pub digest: u64,
    /// How it ends, if it is a Job or a Pod.
    pub run: Option<Run>,
    /// What its pods cannot start without.
    pub needs: Vec<Need>,
    /// Finalizers that somebody must take away before it goes.
    pub finalizers: bool,
}

/// How a Job or Pod runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// What the annotation of its pods says; `None` without one.
    pub outcome: Option<crate::Outcome>,
    /// `spec.backoffLimit`, 6 for Kubernetes.
    pub backoff_limit: u32,
    /// `spec.completions`, 1 for Kubernetes.
    pub completions: u32,
    /// `spec.activeDeadlineSeconds`.
    pub deadline: Option<u64>,
    /// `spec.ttlSecondsAfterFinished`.
    pub ttl: Option<u64>,
    /// `spec.suspend`.
    pub suspended: bool,
    /// `spec.restartPolicy` of the pods is `Always`, so that they never end.
    pub restarts: bool,
    /// `terminationGracePeriodSeconds` of the pods, 30 for Kubernetes.
    pub grace: u64,
}

/// Another object that pods cannot start without.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Need {
    /// `Secret`, `ConfigMap`, `ServiceAccount` or `PersistentVolumeClaim`.
    pub kind: &'static str,
    /// Its name, in the namespace of the pods.
    pub name: String,
}
