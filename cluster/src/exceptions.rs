//! The `HookException` objects of the cluster: which of them count, until when, and why the others do not.

use std::collections::BTreeMap;

use kube::{ResourceExt as _, api::DynamicObject};
use policies::exception::{Exception, ExceptionSpec, Unapproved};
use serde::Deserialize as _;

use crate::{
    guard::guarded,
    status::{Condition, ExceptionStatus, Wanted},
};

pub(crate) mod expiring;

/// Seconds by which the clock of a replica may be behind without an exception outliving its day: it ends that much early.
pub(crate) const SKEW: i64 = 30;

/// All `HookException` objects, by name.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    objects: BTreeMap<String, Object>,
}

/// One object, as it was seen last.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) uid: Option<String>,
    generation: i64,
    /// What it says, or why that makes no sense.
    pub(crate) exception: Result<Exception, String>,
    status: ExceptionStatus,
}

/// Whether an exception counts, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It counts.
    Approved,
    /// It is not approved, or not any more.
    NotApproved(Unapproved),
    /// Its day has come.
    Expired,
    /// It says something that cannot be put in force.
    Invalid(String),
}

impl Exceptions {
    /// Takes note of an object. Whether what counts has changed.
    pub(crate) fn apply(&mut self, object: &DynamicObject) -> bool {
        let new = Object::read(object);
        let before = self.objects.get(&object.name_any()).and_then(Object::approved);
        let changed = before != new.approved();
        self.objects.insert(object.name_any(), new);
        changed
    }

    /// Forgets an object. Whether it was approved.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.objects.remove(name).is_some_and(|object| object.approved().is_some())
    }

    /// All objects, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Object)> {
        self.objects.iter().map(|(name, object)| (name.as_str(), object))
    }

    /// The condition to write into the status of one at `now`, in seconds since 1970; `None` when it is there.
    pub(crate) fn condition(&self, name: &str, now: i64) -> Option<Condition> {
        let object = self.objects.get(name)?;
        object.active(now).change(&object.status.conditions, now)
    }

    /// The exceptions that are approved. Those whose day has come are among them: whoever judges has a clock.
    pub(crate) fn approved(&self) -> impl Iterator<Item = Exception> {
        self.objects.values().filter_map(Object::approved).cloned()
    }
}

impl Object {
    fn read(object: &DynamicObject) -> Self {
        let status = object.data.get("status").map(ExceptionStatus::deserialize);
        let status = status.and_then(Result::ok).unwrap_or_default();
        let generation = object.metadata.generation.unwrap_or_default();
        Self { uid: object.uid(), generation, exception: guarded(|| exception(object)), status }
    }

    /// Whether it counts at `now`, in seconds since 1970.
    pub(crate) fn standing(&self, now: i64) -> Standing {
        match (&self.exception, self.approval()) {
            (Err(problem), _) => Standing::Invalid(problem.clone()),
            (_, Err(why)) => Standing::NotApproved(why),
            (Ok(exception), Ok(())) if now >= exception.expires_at => Standing::Expired,
            _ => Standing::Approved,
        }
    }

    /// What it says, if it is approved.
    fn approved(&self) -> Option<&Exception> {
        self.exception.as_ref().ok().filter(|_| self.approval().is_ok())
    }

    fn approval(&self) -> Result<(), Unapproved> {
        let exception = self.exception.as_ref().map_err(|_| Unapproved::Missing)?;
        self.status.approval.verify(&exception.spec, self.generation)
    }

    /// What the condition should say at `now`.
    fn active(&self, now: i64) -> Wanted {
        let standing = self.standing(now);
        let (reason, message) = match &standing {
            Standing::Approved => ("Approved", format!("counts until {}", self.end())),
            Standing::NotApproved(why @ Unapproved::Voided { .. }) => {
                ("Voided", format!("does not count: {why}"))
            }
            Standing::NotApproved(why) => ("NotApproved", format!("does not count: {why}")),
            Standing::Expired => ("Expired", format!("counts no more: it ended at {}", self.end())),
            Standing::Invalid(problem) => ("Invalid", format!("does not count: {problem}")),
        };
        let status = Some(standing == Standing::Approved);
        Wanted { kind: "Active", status, reason, message, generation: self.generation }
    }

    /// Its last day, as written.
    fn end(&self) -> &str {
        self.exception.as_ref().map_or("", |exception| exception.spec.expires_at.as_str())
    }
}

fn exception(object: &DynamicObject) -> Result<Exception, String> {
    let spec = object.data.get("spec").ok_or("there is no spec")?;
    let spec = ExceptionSpec::deserialize(spec).map_err(|error| error.to_string())?;
    let mut exception = Exception::new(object.name_any(), spec).map_err(|error| error.to_string())?;
    exception.expires_at -= SKEW;
    Ok(exception)
}

#[cfg(test)]
mod tests;
