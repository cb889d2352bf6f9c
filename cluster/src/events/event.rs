//! One Event as the API server takes it, whoever has something to tell.

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use policies::decision::Identity;

use super::text::cut;

/// Who reports, as Events name it: people filter by this word.
const CONTROLLER: &str = "hookward.dev/webhook";
/// The longest text of an Event.
///
/// Source: Kubernetes `pkg/apis/core/validation/events.go`, `NoteLengthLimit`.
const NOTE: usize = 1024;
/// The longest name of who reports; the same place, `ReportingInstanceLengthLimit`.
const INSTANCE: usize = 128;
/// Where Events about objects without a namespace go.
///
/// Source: Kubernetes `pkg/apis/core/validation/events.go`, `legacyValidateEvent`: nowhere else but `kube-system`.
const CLUSTER: &str = "default";

/// The namespace of Events about an object.
pub(crate) fn namespace(about: &Identity) -> &str {
    about.namespace.as_deref().unwrap_or(CLUSTER)
}

/// A warning by the replica `instance`, with a name that the API server makes up.
pub(crate) fn warning(about: &Identity, reason: &str, action: &str, text: &str, instance: &str) -> Event {
    Event {
        metadata: ObjectMeta {
            generate_name: Some("hookward-".into()),
            namespace: Some(namespace(about).into()),
            ..ObjectMeta::default()
        },
        action: Some(action.into()),
        event_time: Some(MicroTime(Timestamp::now())),
        note: Some(cut(text, NOTE)),
        reason: Some(reason.into()),
        regarding: Some(ObjectReference {
            api_version: Some(about.api_version.clone()),
            kind: Some(about.kind.clone()),
            namespace: about.namespace.clone(),
            name: Some(about.name.clone()),
            uid: about.uid.clone(),
            ..ObjectReference::default()
        }),
        reporting_controller: Some(CONTROLLER.into()),
        reporting_instance: Some(cut(instance, INSTANCE)),
        type_: Some("Warning".into()),
        ..Event::default()
    }
}
