//! Events about exceptions that will soon count no more: seven days and one day before.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use k8s_openapi::api::events::v1::Event;
use kube::{Api, Client, api::PostParams};
use policies::{decision::Identity, documents::API_VERSION, exception::Exception};

use super::{Exceptions, Object, Standing};
use crate::{
    client::{hasty, is_status, one_line},
    events::event,
    resource::Kind,
    status::now,
};

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
    about: Identity,
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
        Some(Self {
            event: format!("{}.{:x}.{days}d", shortened(name), exception.expires_at),
            about: Identity {
                api_version: API_VERSION.to_owned(),
                kind: Kind::HookException.name().to_owned(),
                namespace: None,
                name: name.to_owned(),
                uid: object.uid.clone(),
            },
            note: note(exception, days),
        })
    }

    /// Writes the Event; that it is there already is as good. What cannot be written is due again later, and `told` knows.
    pub(crate) async fn tell(self, client: Client, pod: String, told: Told) {
        let Self { event: name, about, note } = self;
        let mut event = event::warning(&about, "ExceptionExpiring", "Expire", &note, &pod);
        event.metadata.generate_name = None;
        event.metadata.name = Some(name.clone());
        let (api, exception) =
            (Api::<Event>::namespaced(hasty(&client), event::namespace(&about)), about.name);
        match api.create(&PostParams::default(), &event).await {
            Err(error) if !is_status(&error, 409) => {
                tracing::warn!(exception, error = one_line(&error), "cannot write an Event");
                told.failed(name, now());
            }
            _ => tracing::warn!(exception, "an exception ends soon"),
        }
    }
}

/// Room for the rest of the name of an Event, which may have 253 characters.
fn shortened(name: &str) -> &str {
    name.get(..200).map_or(name, |start| start.trim_end_matches(['.', '-']))
}

fn note(exception: &Exception, days: i64) -> String {
    let left = if days == 1 { "a day" } else { "seven days" };
    format!(
        "ends at {}, in less than {left}: then findings of {} in {} count again",
        exception.spec.expires_at,
        exception.spec.rules.join(", "),
        exception.spec.namespaces.join(", "),
    )
}
