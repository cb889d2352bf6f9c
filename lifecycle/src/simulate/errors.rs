//! The words in which Helm, and the API server behind it, say what went wrong.

use super::Play;
use crate::{
    answer::ObjectId,
    chart::Object,
    profile::Engine,
    world::{Reason, Refusal},
};

/// What the client says of a request for an object without a name.
///
/// Source: client-go 0.36 `rest/request.go`, `Name`.
pub(super) const NO_NAME: &str = "resource name may not be empty";

/// Why Helm gives up: all it prints after `Error: `.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure(pub(super) String);

impl Failure {
    /// With words before it, and a colon between.
    pub(super) fn after(self, words: impl std::fmt::Display) -> Self {
        Self(format!("{words}: {}", self.0))
    }

    /// What of it fits into one line.
    pub(super) fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }
}

/// What a request wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// A POST.
    Create,
    /// A server-side apply.
    Apply,
    /// A patch that Helm made from what it stored.
    Patch,
    /// A DELETE.
    Delete,
}

impl Play<'_> {
    /// Several errors of one call as one.
    ///
    /// Source: Helm 3.21.4 `pkg/kube/client.go`, `perform` (hashicorp/go-multierror); Helm 4.2.4 the same place (`errors.Join`).
    pub(super) fn joined(&self, errors: &[String]) -> Failure {
        if self.profile.engine != Engine::Helm3 {
            return Failure(errors.join("\n"));
        }
        let count = match errors.len() {
            1 => "1 error".to_owned(),
            many => format!("{many} errors"),
        };
        Failure(format!("{count} occurred:\n\t* {}\n\n", errors.join("\n\t* ")))
    }
}

/// What Helm says when the object of a request is refused.
///
/// Source: Helm 4.2.4 `pkg/kube/client.go`, `patchResourceServerSide` and `patchResourceClientSide`.
pub(super) fn refused(request: Request, object: &Object, refusal: &Refusal) -> String {
    let id = &object.id;
    let cause = cause(request, id, refusal);
    match request {
        Request::Apply => format!("server-side apply failed for object {}: {cause}", applied(object)),
        Request::Patch => format!("cannot patch \"{}\" with kind {}: {cause}", id.name, id.kind),
        Request::Create | Request::Delete => cause,
    }
}

/// What Helm says when an apply would take fields from another manager; which fields those are is left out.
pub(super) fn conflict(object: &Object) -> String {
    format!(
        "conflict occurred while applying object {}: Apply failed with … conflict… with \"helm\" using {}:…",
        applied(object),
        object.id.api_version
    )
}

/// An object as Helm names it where it applies.
fn applied(object: &Object) -> String {
    let id = &object.id;
    let namespace = id.namespace.as_deref().unwrap_or_default();
    let name = if object.generates_name { "" } else { &id.name };
    format!("{namespace}/{name} {}", group_version_kind(id))
}

/// An object as the API server names it where it holds it against its schema.
fn typed(id: &ObjectId) -> String {
    format!("{}/{}; {}", id.namespace.as_deref().unwrap_or_default(), id.name, group_version_kind(id))
}

/// Go's words for a kind, as in `batch/v1, Kind=Job` and `/v1, Kind=Pod`.
fn group_version_kind(id: &ObjectId) -> String {
    let core = if id.group().is_empty() { "/" } else { "" };
    format!("{core}{}, Kind={}", id.api_version, id.kind)
}

/// What the API server says, or the client before it asks.
///
/// Source: Kubernetes 1.36 `staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go`; client-go `rest/request.go` for the name.
pub(super) fn cause(request: Request, id: &ObjectId, refusal: &Refusal) -> String {
    let ObjectId { name, kind, .. } = id;
    let resource = resource(id);
    let qualified = match id.group() {
        "" => kind.clone(),
        group => format!("{kind}.{group}"),
    };
    match refusal {
        Refusal::AlreadyExists { terminating: false } => format!("{resource} \"{name}\" already exists"),
        Refusal::AlreadyExists { terminating: true } => {
            format!("object is being deleted: {resource} \"{name}\" already exists")
        }
        Refusal::Immutable(fields) => format!("{qualified} \"{name}\" is invalid: {}", immutable(id, fields)),
        Refusal::Invalid(words) => format!("{qualified} \"{name}\" is invalid: {words}"),
        Refusal::Untyped(errors) => {
            let errors = match &errors[..] {
                [one] => one.clone(),
                many => format!("errors:\n  {}", many.join("\n  ")),
            };
            format!("failed to create typed patch object ({}): {errors}", typed(id))
        }
        Refusal::Unconverted(words) => format!(
            "failed to convert new object ({}) to proper version: unable to convert unstructured object to {}: {words}",
            typed(id),
            group_version_kind(id)
        ),
        Refusal::Undecoded(words) if request == Request::Patch => {
            format!(" \"\" is invalid: patch: Invalid value: …: {words}")
        }
        Refusal::Undecoded(words) => {
            let version = id.api_version.rsplit('/').next().unwrap_or_default();
            format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {words}")
        }
        Refusal::NamespaceMissing => {
            format!("namespaces \"{}\" not found", id.namespace.as_deref().unwrap_or_default())
        }
        Refusal::NamespaceTerminating => format!(
            "{resource} \"{name}\" is forbidden: unable to create new content in namespace {} because it is being terminated",
            id.namespace.as_deref().unwrap_or_default()
        ),
        Refusal::DefinitionTerminating => {
            "create not allowed while custom resource definition is terminating".to_owned()
        }
        Refusal::ServiceAccountMissing { name: account } => format!(
            "{resource} \"{name}\" is forbidden: error looking up service account {}/{account}: serviceaccount \"{account}\" not found",
            id.namespace.as_deref().unwrap_or_default()
        ),
        Refusal::NoMatch => unmapped(id, ""),
        Refusal::Unregistered { .. } if request == Request::Apply => {
            format!("invalid object type: {}", group_version_kind(id))
        }
        Refusal::Unregistered { kind: read } => unregistered(id, read),
        Refusal::NoName if request == Request::Create => {
            format!(
                "{qualified} \"\" is invalid: metadata.name: Required value: name or generateName is required"
            )
        }
        Refusal::NoName => NO_NAME.to_owned(),
    }
}

/// The words of a kind that cannot be read, since it is written in small letters.
fn unregistered(id: &ObjectId, kind: &str) -> String {
    let ObjectId { kind: written, api_version, .. } = id;
    let version = api_version.rsplit('/').next().unwrap_or_default();
    format!(
        "{written} in version \"{version}\" cannot be handled as a {kind}: no kind \"{written}\" is registered for version \
         \"{api_version}\" in scheme …"
    )
}

/// The words of fields that cannot change.
fn immutable(id: &ObjectId, fields: &[&str]) -> String {
    match fields {
        [field] => unchanging(id, field),
        many => {
            let errors: Vec<_> = many.iter().map(|field| unchanging(id, field)).collect();
            format!("[{}]", errors.join(", "))
        }
    }
}

/// The words of one of them; what the API server prints of its value, or in lines of its own of what differs, is left
/// out.
///
/// Source: Kubernetes 1.36 `pkg/apis/core/validation/validation.go`, `ValidatePodUpdate` and `ValidatePersistentVolumeClaimUpdate`;
/// `apimachinery/pkg/api/validation/objectmeta.go`, `FieldImmutableErrorMsg`.
fn unchanging(id: &ObjectId, field: &str) -> String {
    match (id.kind.as_str(), field) {
        ("Pod", "spec") => "spec: Forbidden: pod updates may not change fields other than \
             `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
             `spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` \
             (allow it to be set to 1 if it was previously negative)\n…"
            .to_owned(),
        ("PersistentVolumeClaim", "spec") => "spec: Forbidden: spec is immutable after creation except \
             resources.requests and volumeAttributesClassName for bound claims\n…"
            .to_owned(),
        ("StatefulSet", "spec") => "spec: Forbidden: updates to statefulset spec for fields other than \
             'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', \
             'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            .to_owned(),
        ("ConfigMap", _) | ("Secret", "immutable" | "data") => {
            format!("{field}: Forbidden: field is immutable when `immutable` is set")
        }
        (_, "roleRef") => "roleRef: Invalid value: …: cannot change roleRef".to_owned(),
        ("StorageClass", _) => format!("{field}: Forbidden: updates to {field} are forbidden."),
        _ => format!("{field}: Invalid value: …: field is immutable"),
    }
}

/// What Helm says of a kind that nobody serves.
///
/// Source: cli-runtime 0.36 `pkg/resource/mapper.go`, `infoForData`.
pub(super) fn unmapped(id: &ObjectId, namespace: &str) -> String {
    format!(
        "resource mapping not found for name: \"{}\" namespace: \"{namespace}\" from \"\": no matches for kind \"{}\" in version \
         \"{}\"\nensure CRDs are installed first",
        id.name, id.kind, id.api_version
    )
}

/// The plural that Kubernetes uses in its messages, with its group.
///
/// Source: apimachinery 0.36 `pkg/api/meta/restmapper.go`, `UnsafeGuessKindToResource`.
fn resource(id: &ObjectId) -> String {
    let kind = id.kind.to_lowercase();
    let plural = if kind.ends_with("endpoints") {
        kind
    } else if kind.ends_with('s') {
        format!("{kind}es")
    } else if let Some(stem) = kind.strip_suffix('y') {
        format!("{stem}ies")
    } else {
        format!("{kind}s")
    };
    match id.group() {
        "" => plural,
        group => format!("{plural}.{group}"),
    }
}

impl Reason {
    /// Kubernetes' word in the condition of a Job, ours for a Pod.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::BackoffLimitExceeded => "BackoffLimitExceeded",
            Self::PodFailurePolicy => "PodFailurePolicy",
            Self::DeadlineExceeded => "DeadlineExceeded",
            Self::Ended => "its pod failed",
            Self::Stopped => "its pod was stopped by a deletion",
        }
    }
}
