//! Events about exceptions that will soon count no more: seven days and one day before.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::{
    api::{core::v1::ObjectReference, events::v1::Event},
    apimachinery::pkg::apis::meta::v1::MicroTime,
    jiff::Timestamp,
};
use kube::{Api, Client, api::PostParams, core::ObjectMeta};
use policies::exception::Exception;

use super::{Exceptions, Object, Standing};
use crate::{
    client::{hasty, is_status, one_line},
    set::resource::{self, Kind},
    status::now,
};

/// Events about objects without a namespace live here; Kubernetes `k8s.io/client-go/tools/events`, `makeEvent`.
const NAMESPACE: &str = "default";

const DAY: i64 = 24 * 60 * 60;

/// Days before the end at which people are told.
const DAYS: [i64; 2] = [1, 7];

/// In seconds: when a warning that could not be written is due again.
const AGAIN: i64 = 60;

/// What has been told already or is being told, by this process; the names of the Events keep others from telling it again. Clones
/// share what they know.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told(Arc<Mutex<BTreeMap<String, i64>>>);

/// One warning that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    /// Name of the Event, the same for every replica.
    event: String,
    exception: String,
    uid: String,
    note: String,
}

impl Told {
    /// The warnings that are due at `now`, in seconds since 1970, and have not been told; they count as told unless somebody says
    /// that it failed.
    pub(crate) fn due(&self, exceptions: &Exceptions, now: i64) -> Vec<Warning> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = exceptions.iter().filter_map(|(name, object)| Warning::due(name, object, now));
        let due = due.filter(|warning| told.get(&warning.event).is_none_or(|again| *again <= now));
        let due: Vec<_> = due.collect();
        told.extend(due.iter().map(|warning| (warning.event.clone(), i64::MAX)));
        due
    }

    /// A warning could not be written at `now`.
    fn failed(&self, event: String, now: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(event, now.saturating_add(AGAIN));
    }
}

impl Warning {
    fn due(name: &str, object: &Object, now: i64) -> Option<Self> {
        let exception =
            object.exception.as_ref().ok().filter(|_| object.standing(now) == Standing::Approved)?;
        let days = DAYS.into_iter().find(|days| exception.expires_at - now <= days * DAY)?;
        let uid = object.uid.clone().unwrap_or_default();
        Some(Self {
            event: format!("{}.{:x}.{days}d", shortened(name), exception.expires_at),
            exception: name.to_owned(),
            uid,
            note: note(exception, days),
        })
    }

    /// Writes the Event; that it is there already is as good. What cannot be written is due again later, and `told` knows.
    pub(crate) async fn tell(self, client: Client, pod: String, told: Told) {
        let events = Api::<Event>::namespaced(hasty(&client), NAMESPACE);
        let (exception, event) = (self.exception.clone(), self.event.clone());
        match events.create(&PostParams::default(), &self.event(pod)).await {
            Err(error) if !is_status(&error, 409) => {
                tracing::warn!(exception, error = one_line(&error), "cannot write an Event");
                told.failed(event, now());
            }
            _ => tracing::warn!(exception, "an exception ends soon"),
        }
    }

    fn event(self, pod: String) -> Event {
        Event {
            metadata: ObjectMeta {
                name: Some(self.event),
                namespace: Some(NAMESPACE.to_owned()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(Timestamp::now())),
            type_: Some("Warning".to_owned()),
            reason: Some("ExceptionExpiring".to_owned()),
            action: Some("Expire".to_owned()),
            note: Some(self.note),
            regarding: Some(ObjectReference {
                api_version: Some(format!("{}/{}", resource::GROUP, resource::VERSION)),
                kind: Some(Kind::HookException.name().to_owned()),
                name: Some(self.exception),
                uid: Some(self.uid),
                ..ObjectReference::default()
            }),
            reporting_controller: Some("hookward.dev/hookward".to_owned()),
            reporting_instance: Some(pod),
            ..Event::default()
        }
    }
}

/// Room for the rest of the name of an Event, which may have 253 characters.
fn shortened(name: &str) -> &str {
    name.get(..200).map_or(name, |start| start.trim_end_matches(['.', '-']))
}

fn note(exception: &Exception, days: i64) -> String {
    let left = if days == 1 { "a day" } else { "seven days" };
    let text = format!(
        "ends at {}, in less than {left}: then findings of {} in {} count again",
        exception.spec.expires_at,
        exception.spec.rules.join(", "),
        exception.spec.namespaces.join(", "),
    );
    text.chars().take(1000).collect()
}
