//! Exceptions take two people: who asks and who changes it is written down here, and somebody else approves exactly what it says.
//!
//! # Invariants
//! - Everything is compared with the stored object: in a write to the status, the spec of the new one is only what the caller sent.
//! - An object on its way out is held to the same: a finalizer would keep it, and what it excepts, alive.
//! - An approval names the generation, and may name the uid, as the command that is printed does: together they are one text, since
//!   a name can be given up and taken again.
//! - What says the same as before is never refused, so that labels, finalizers and conditions can always be written.

use json_patch::{PatchOperation, RemoveOperation, jsonptr::PointerBuf};
use policies::{
    exception::{Approval, ExceptionSpec, MOST_AUTHORS, Terms, Unapproved, seconds, timestamp},
    patch,
};
use serde_json::Value;

use super::{Accepted, Stored};
use crate::{metrics::Path, response::Wrong, review::now};

/// The fields of the spec that are ours to write.
const REQUESTED_BY: &str = "requestedBy";
const CHANGED_BY: &str = "changedBy";
const AUTHORS: &str = "authors";
/// Seconds between the writing and the judging of one request, at most.
const SKEW: i64 = 5 * 60;

/// A write to an exception.
pub(super) struct Asked<'a> {
    path: Path,
    user: &'a str,
    name: &'a str,
    stored: &'a Stored,
    now: i64,
}

impl<'a> Asked<'a> {
    pub(super) fn new(path: Path, user: &'a str, name: &'a str, stored: &'a Stored) -> Self {
        Self { path, user, name, stored, now: now() }
    }

    /// A write to the exception itself.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn main(&self) -> Result<Accepted, Wrong> {
        let (old, new) = (self.stored.old.get("spec"), self.stored.new.get("spec"));
        let is_changed = self.stored.old.is_null() || without_stamps(old) != without_stamps(new);
        if is_changed && self.user.is_empty() {
            return Err(Wrong::forbidden("", "the request does not say who makes it"));
        }
        let field = |name: &str| old.and_then(|old| old.get(name)).cloned();
        let user = || Some(self.user.into());
        let requested_by = if self.stored.old.is_null() { user() } else { field(REQUESTED_BY) };
        let changed_by = if is_changed { user() } else { field(CHANGED_BY) };
        let authors = if is_changed { Some(self.authors()?.into()) } else { field(AUTHORS) };
        let stamps = [
            ("/spec", REQUESTED_BY, requested_by),
            ("/spec", CHANGED_BY, changed_by),
            ("/spec", AUTHORS, authors),
        ];
        let signed = self.sign(&stamps, Vec::new())?;
        if self.path == Path::Stamp || !is_changed {
            return Ok(signed);
        }
        let spec = read(new)?;
        let before = old.and_then(|old| read(Some(old)).ok());
        Terms { now: self.now, old: before.as_ref() }
            .verify(self.name, &spec)
            .map_err(|broken| Wrong::invalid(broken.pointer(), broken.to_string()))?;
        Ok(Accepted { warnings: self.what_is_next(&spec), ..Accepted::default() })
    }

    /// Everybody who has said any of it, this user among them. Of an exception from before all were kept at least two are known.
    fn authors(&self) -> Result<Vec<&str>, Wrong> {
        let old = self.stored.old.get("spec");
        let signed = [REQUESTED_BY, CHANGED_BY].into_iter().filter_map(|name| old?.get(name));
        let kept = old.and_then(|old| old.get(AUTHORS)?.as_array()).into_iter().flatten();
        let mut authors = Vec::new();
        for author in signed.chain(kept).filter_map(Value::as_str).chain([self.user]) {
            if !authors.contains(&author) {
                authors.push(author);
            }
        }
        if authors.len() > MOST_AUTHORS {
            let said = format!("{MOST_AUTHORS} people have changed it, and no more can: make a new one");
            return Err(Wrong::forbidden("/spec", said));
        }
        Ok(authors)
    }

    /// A write to its status, where the approval is.
    ///
    /// # Errors
    /// Why it is no approval.
    pub(super) fn status(&self) -> Result<Accepted, Wrong> {
        let (old, new) = (approval(&self.stored.old).unwrap_or_default(), approval(&self.stored.new)?);
        if old == new {
            return Ok(Accepted::default());
        }
        let Some(generation) = new.approved_generation else {
            // Taken back, which anybody may who may approve.
            let stamps = ["approvedUID", "approvedBy", "approvedAt"].map(|name| ("/status", name, None));
            return self.sign(&stamps, Vec::new());
        };
        let spec = self.approvable(generation, new.approved_uid.as_deref())?;
        let is_now = |at: &String| seconds(at).is_some_and(|at| at.abs_diff(self.now) <= SKEW.unsigned_abs());
        let approved_at = new.approved_at.filter(is_now).unwrap_or_else(|| timestamp(self.now));
        let stamps = [
            ("/status", "approvedBy", Some(self.user.into())),
            ("/status", "approvedAt", Some(approved_at.into())),
        ];
        let asker = spec.requested_by.as_deref().unwrap_or_default();
        let (rules, places) = (spec.rules.join(", "), spec.namespaces.join(", "));
        let said = format!("approved until {}: {rules} in {places}, as {asker} asked", spec.expires_at);
        let unnamed = "the approval names no status.approvedUID, so an exception that was made anew under this name counts, too";
        let unnamed = new.approved_uid.is_none().then(|| unnamed.to_owned());
        self.sign(&stamps, [said].into_iter().chain(unnamed).collect())
    }

    /// What would be approved, if this user may approve it at this generation and under this uid.
    fn approvable(&self, generation: i64, uid: Option<&str>) -> Result<ExceptionSpec, Wrong> {
        let stored = &self.stored.old;
        let spec = read(stored.get("spec"))?;
        // Without a generation there is nothing that could be approved.
        let current = stored.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(-1);
        let approval = Approval {
            approved_generation: Some(generation),
            approved_by: Some(self.user.to_owned()),
            ..Approval::default()
        };
        approval.verify(&spec, current).map_err(|error| match error {
            Unapproved::Voided { .. } => {
                let said =
                    format!("it is at generation {current} now; look at what it says and approve that");
                Wrong::forbidden("/status/approvedGeneration", said)
            }
            Unapproved::Missing => Wrong::forbidden("", "the request does not say who makes it"),
            Unapproved::NoRequester | Unapproved::SamePerson { .. } => {
                Wrong::forbidden("/status/approvedGeneration", error.to_string())
            }
        })?;
        let is_meant = |uid| stored.pointer("/metadata/uid").and_then(Value::as_str) == Some(uid);
        if !uid.is_none_or(is_meant) {
            let said = "there is another exception of this name now; look at what it says and approve that";
            return Err(Wrong::forbidden("/status/approvedUID", said));
        }
        // It may be older than the guard, or have waited too long.
        Terms { now: self.now, old: None }
            .verify(self.name, &spec)
            .map_err(|broken| Wrong::invalid(broken.pointer(), broken.to_string()))?;
        Ok(spec)
    }

    /// Writes the stamps where that is asked for, and else holds the object to them.
    fn sign(&self, stamps: &[Stamp], warnings: Vec<String>) -> Result<Accepted, Wrong> {
        if self.path == Path::Stamp {
            return Ok(Accepted { operations: self.written(stamps), ..Accepted::default() });
        }
        self.signed(stamps)?;
        Ok(Accepted { warnings, ..Accepted::default() })
    }

    /// The operations that write what is not written yet.
    fn written(&self, stamps: &[Stamp]) -> Vec<PatchOperation> {
        let mut operations = Vec::new();
        for (parent, name, wanted) in stamps {
            let Some(parent_object) = self.stored.new.pointer(parent).and_then(Value::as_object) else {
                continue;
            };
            let pointer = format!("{parent}/{name}");
            match (parent_object.get(*name), wanted) {
                (found, Some(wanted)) if found != Some(wanted) => {
                    operations.push(patch::set(&pointer, wanted.clone()));
                }
                (Some(_), None) => {
                    let path = PointerBuf::parse(pointer).expect("the names of our fields need no escape");
                    operations.push(PatchOperation::Remove(RemoveOperation { path }));
                }
                _ => {}
            }
        }
        operations
    }

    /// Refuses what is not written as it should be: somebody changed it afterwards, or nobody was asked to write it.
    fn signed(&self, stamps: &[Stamp]) -> Result<(), Wrong> {
        for (parent, name, wanted) in stamps {
            let found = self.stored.new.pointer(parent).and_then(|parent| parent.get(*name));
            if found == wanted.as_ref() {
                continue;
            }
            let said = match wanted {
                Some(wanted) => format!("it must say {wanted}, and Hookward writes that itself"),
                None => "only Hookward writes it, and here it did not".to_owned(),
            };
            let why = "another webhook changed it, or the mutating webhook of Hookward is not registered";
            return Err(Wrong::forbidden(format!("{parent}/{name}"), format!("{said}: {why}")));
        }
        Ok(())
    }

    /// What the author should know: that it waits, and how wide it is.
    fn what_is_next(&self, spec: &ExceptionSpec) -> Vec<String> {
        let generation = self.stored.new.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(1);
        // The one that was generated, where the request has none.
        let name = self.stored.new.pointer("/metadata/name").and_then(Value::as_str).unwrap_or(self.name);
        let uid = self.stored.new.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
        let mut warnings = vec![format!(
            "not in force until somebody else approves generation {generation}: kubectl patch hookexception {name} \
             --subresource=status --type=merge \
             -p '{{\"status\":{{\"approvedGeneration\":{generation},\"approvedUID\":\"{uid}\"}}}}'"
        )];
        let is_all =
            |patterns: &[String]| patterns.iter().any(|pattern| pattern.chars().all(|one| one == '*'));
        if is_all(&spec.rules) && is_all(&spec.namespaces) && spec.kinds.is_empty() && spec.names.is_empty() {
            warnings.push("this exception is about every rule in every namespace".to_owned());
        }
        warnings
    }
}

/// Parent, name and wanted value of a field that is ours to write; `None` for one that must not be there.
type Stamp = (&'static str, &'static str, Option<Value>);

/// What an exception says, but for who said it.
fn without_stamps(spec: Option<&Value>) -> Option<Value> {
    let mut spec = spec?.clone();
    if let Some(fields) = spec.as_object_mut() {
        for stamp in [REQUESTED_BY, CHANGED_BY, AUTHORS] {
            fields.remove(stamp);
        }
    }
    Some(spec)
}

fn read(spec: Option<&Value>) -> Result<ExceptionSpec, Wrong> {
    let spec = spec.ok_or_else(|| Wrong::invalid("/spec", "it is missing"))?;
    serde_json::from_value(spec.clone()).map_err(|error| Wrong::invalid("/spec", error.to_string()))
}

fn approval(object: &Value) -> Result<Approval, Wrong> {
    let Some(status) = object.get("status").filter(|status| !status.is_null()) else {
        return Ok(Approval::default());
    };
    serde_json::from_value(status.clone()).map_err(|error| Wrong::invalid("/status", error.to_string()))
}

#[cfg(test)]
mod tests;
