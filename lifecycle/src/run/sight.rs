//! One thing that a watch saw: what became of an object, or of a stored revision.

use std::{sync::Arc, time::Instant};

use hooks::{
    annotations,
    release::{Limits, Phase, Record, Status},
};
use k8s_openapi::{apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry, jiff::Timestamp};
use kube::api::DynamicObject;
use serde_json::Value;

use crate::answer::ObjectId;

/// Something that was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The place among all changes of the cluster, where they have one order.
    pub(super) version: u64,
    /// When it was heard of.
    pub(super) at: Instant,
    /// What.
    pub(super) what: What,
}

/// What was seen.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// Of an object.
    Object(Sight),
    /// Of a revision.
    Revision(Stored),
}

/// What became of an object.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    pub(super) id: ObjectId,
    pub(super) uid: String,
    pub(super) change: Change,
    /// Whether somebody asked for its deletion.
    pub(super) is_going: bool,
    /// How its pods have ended, if they have.
    pub(super) end: Option<End>,
    /// Whether Helm sent it by an apply; `None` when Helm did not send it.
    pub(super) applied: Option<bool>,
    /// When Helm changed it last, as Kubernetes notes it; `None` when it never did.
    pub(super) written: Option<Timestamp>,
    /// Whether it is annotated as a hook.
    pub(super) is_hook: bool,
}

/// How an object changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It was there before anybody looked.
    Found,
    /// It is new.
    Added,
    /// It is another.
    Modified,
    /// It is gone.
    Deleted,
}

/// How pods ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Well.
    Complete,
    /// For this reason not.
    Failed(String),
}

/// What is stored of a revision.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) revision: u32,
    pub(super) status: Status,
    pub(super) is_new: bool,
    pub(super) is_gone: bool,
    /// `None` when it cannot be read.
    pub(super) record: Option<Arc<Record>>,
}

/// The run of a hook, as a record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HookRun {
    pub(super) phase: Option<Phase>,
    pub(super) started: Option<String>,
}

impl Sight {
    /// What is seen of an object of this kind.
    pub(super) fn of(object: &DynamicObject, api_version: &str, kind: &str, change: Change) -> Self {
        let metadata = &object.metadata;
        let is_hook = metadata.annotations.as_ref().is_some_and(|all| all.contains_key(annotations::HOOK));
        // The end of the name is the API server's; what owns a pod made that name up too.
        let generated = metadata.generate_name.as_ref().filter(|_| is_hook);
        let name = generated.map_or_else(|| metadata.name.clone(), |prefix| Some(format!("{prefix}*")));
        Self {
            id: ObjectId {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                namespace: metadata.namespace.clone(),
                name: name.unwrap_or_default(),
            },
            uid: metadata.uid.clone().unwrap_or_default(),
            change,
            is_going: metadata.deletion_timestamp.is_some(),
            end: end(kind, &object.data["status"]),
            applied: applied(object),
            written: written(object),
            is_hook,
        }
    }

    /// Whether it is gone or on its way out.
    pub(super) fn leaves(&self) -> bool {
        self.is_going || self.change == Change::Deleted
    }
}

fn end(kind: &str, status: &Value) -> Option<End> {
    match kind {
        "Job" => status["conditions"].as_array()?.iter().find_map(|condition| {
            let is = |wanted: &str| condition["type"] == wanted && condition["status"] == "True";
            let reason = || condition["reason"].as_str().unwrap_or("Failed").to_owned();
            if is("Complete") { Some(End::Complete) } else { is("Failed").then(|| End::Failed(reason())) }
        }),
        "Pod" => match status["phase"].as_str()? {
            "Succeeded" => Some(End::Complete),
            "Failed" => Some(End::Failed(status["reason"].as_str().unwrap_or("Error").to_owned())),
            _ => None,
        },
        _ => None,
    }
}

/// Kubernetes notes who wrote the fields of an object, and how, and when.
fn by_helm(object: &DynamicObject) -> impl Iterator<Item = &ManagedFieldsEntry> {
    let managers = object.metadata.managed_fields.iter().flatten();
    managers.filter(|manager| manager.manager.as_deref().is_some_and(|name| name.starts_with("helm")))
}

fn applied(object: &DynamicObject) -> Option<bool> {
    by_helm(object).next().map(|manager| manager.operation.as_deref() == Some("Apply"))
}

fn written(object: &DynamicObject) -> Option<Timestamp> {
    by_helm(object).filter_map(|manager| Some(manager.time.as_ref()?.0)).max()
}

impl Stored {
    /// What is seen of a Secret that Helm stores a revision in.
    pub(super) fn of(secret: &DynamicObject, change: Change) -> Option<Self> {
        let labels = secret.metadata.labels.as_ref()?;
        let data = secret.data["data"]["release"].as_str();
        let record = data.and_then(|data| Record::decode(data.as_bytes(), &Limits::default()).ok());
        Some(Self {
            revision: labels.get("version")?.parse().ok()?,
            status: Status::parse(labels.get("status")?),
            is_new: change == Change::Added,
            is_gone: change == Change::Deleted,
            record: record.map(Arc::new),
        })
    }

    /// The runs of its hooks, by path, kind and name.
    pub(super) fn runs(&self) -> impl Iterator<Item = ((&str, &str, &str), HookRun)> {
        let hooks = self.record.iter().flat_map(|record| &record.hooks);
        hooks.map(|hook| {
            let run = HookRun { phase: hook.phase, started: hook.started_at.clone() };
            ((hook.path.as_str(), hook.kind.as_str(), hook.name.as_str()), run)
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_later_of_two_writes_within_a_second_was_taken_for_the_earlier_one() {
        let entry =
            |manager: &str, time: &str| json!({"manager": manager, "operation": "Apply", "time": time});
        let times = [
            entry("helm", "2026-01-01T10:00:05Z"),
            entry("helm", "2026-01-01T10:00:05.5Z"),
            entry("kubelet", "2026-01-01T10:00:06Z"),
        ];
        let text = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"managedFields": times}});
        let object: DynamicObject = serde_json::from_value(text).unwrap();
        let sight = Sight::of(&object, "v1", "ConfigMap", Change::Added);
        assert_eq!(sight.written, Some("2026-01-01T10:00:05.5Z".parse().unwrap()));
    }
}
