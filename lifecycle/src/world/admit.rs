//! What the API server lets in.

use std::sync::Arc;

use hooks::scope;

use super::{Applied, Deleted, Live, Origin, Refusal, RunState, State, World};
use crate::{
    Outcome,
    answer::ObjectId,
    chart::{Definition, Frozen, Holds, Object, Workload},
};

/// The field that seals a `ConfigMap` or a Secret.
const SEAL: &str = "immutable";

impl World {
    /// Creates an object by a POST; its pods will do what `outcome` says.
    ///
    /// # Errors
    /// Whatever the API server, or Helm's client before it, refuses.
    pub fn post(&mut self, object: &Arc<Object>, origin: Origin, outcome: Outcome) -> Result<(), Refusal> {
        self.decode(object)?;
        self.admit_new(object)?;
        if let Some(live) = self.live(&object.id).filter(|_| !object.generates_name) {
            return Err(Refusal::AlreadyExists { terminating: live.is_terminating() });
        }
        self.create(object, origin, outcome);
        Ok(())
    }

    /// Creates an object or changes the one that is there, which may be on its way out.
    ///
    /// # Errors
    /// Whatever the API server, or Helm's client before it, refuses.
    pub fn apply(
        &mut self,
        object: &Arc<Object>,
        origin: Origin,
        outcome: Outcome,
    ) -> Result<Applied, Refusal> {
        self.check_kind(&object.id)?;
        if !object.is_named() {
            return Err(Refusal::NoName);
        }
        check_letters(&object.id)?;
        let misfits = object.misfits.iter();
        let untyped: Vec<_> = misfits
            .filter_map(|misfit| Some(format!("{}: {}", misfit.path, misfit.applied.as_ref()?)))
            .collect();
        if !untyped.is_empty() {
            return Err(Refusal::Untyped(untyped));
        }
        if let Some(words) = object.misfits.iter().find_map(|misfit| misfit.converted.clone()) {
            return Err(Refusal::Unconverted(words));
        }
        self.store(object, origin, outcome)
    }

    /// The same by a merge, which passes over what Kubernetes does not know.
    ///
    /// # Errors
    /// Whatever the API server, or Helm's client before it, refuses.
    pub fn patch(
        &mut self,
        object: &Arc<Object>,
        origin: Origin,
        outcome: Outcome,
    ) -> Result<Applied, Refusal> {
        self.decode(object)?;
        self.store(object, origin, outcome)
    }

    fn store(&mut self, object: &Arc<Object>, origin: Origin, outcome: Outcome) -> Result<Applied, Refusal> {
        let Some(uid) = self.uid(&object.id) else {
            self.admit_new(object)?;
            self.create(object, origin, outcome);
            return Ok(Applied::Created);
        };
        self.admit(object)?;
        let live = &mut self.lives[uid];
        let fields = live.frozen(object);
        if !fields.is_empty() {
            return Err(Refusal::Immutable(fields));
        }
        live.origin = origin;
        if live.object.digest == object.digest {
            return Ok(Applied::Unchanged);
        }
        live.may_hold_more |= live.object.keeps_keys_in(object);
        live.object = Arc::clone(object);
        self.changed(uid, outcome);
        Ok(Applied::Changed)
    }

    /// Asks for the deletion of an object, in the background: what it owns goes after it.
    ///
    /// # Errors
    /// A kind that nobody serves, an object without a name.
    pub fn delete(&mut self, id: &ObjectId) -> Result<Deleted, Refusal> {
        self.check_kind(id)?;
        if id.name.is_empty() || id.name.ends_with('*') {
            return Err(Refusal::NoName);
        }
        let Some(uid) = self.uid(id) else { return Ok(Deleted::Absent) };
        self.ask(uid);
        Ok(Deleted::Asked)
    }

    /// The same of the one object with this uid, whatever its name.
    pub fn delete_with_uid(&mut self, uid: u64) {
        if self.lives.get(uid).is_some() {
            self.ask(uid);
        }
    }

    /// Whether Helm can build objects of this kind.
    ///
    /// # Errors
    /// [`Refusal::NoMatch`].
    pub fn check_kind(&self, id: &ObjectId) -> Result<(), Refusal> {
        // To Helm's client any version is meant where none is said, of the core group.
        let api_version = if id.api_version.is_empty() { "v1" } else { &id.api_version };
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        let serves = |definition: &Definition| {
            definition.kind == id.kind
                && definition.group == group
                && definition.versions.iter().any(|served| served == version)
        };
        let brought = || self.lives.defining().filter_map(|live| live.object.defines.as_ref());
        let is_served = scope::built_in(api_version, &id.kind).is_some()
            || scope::in_small_letters(api_version, &id.kind).is_some()
            || self.definitions.iter().any(serves)
            || brought().any(serves);
        if is_served { Ok(()) } else { Err(Refusal::NoMatch) }
    }

    /// What is found out when a body is read, before anything else.
    fn decode(&self, object: &Object) -> Result<(), Refusal> {
        self.check_kind(&object.id)?;
        check_letters(&object.id)?;
        let words = object.misfits.iter().find_map(|misfit| misfit.decoded.clone());
        words.map_or(Ok(()), |words| Err(Refusal::Undecoded(words)))
    }

    /// What is checked of every object that is sent.
    fn admit(&self, object: &Object) -> Result<(), Refusal> {
        self.check_kind(&object.id)?;
        if object.id.name.is_empty() {
            return Err(Refusal::NoName);
        }
        object.invalid.clone().map_or(Ok(()), |words| Err(Refusal::Invalid(words)))
    }

    /// What is checked of an object that is not there yet.
    ///
    /// Source: Kubernetes 1.36 admission plugins `NamespaceLifecycle` and `ServiceAccount`, which come before validation.
    fn admit_new(&self, object: &Object) -> Result<(), Refusal> {
        let admitted = self.admit(object);
        if matches!(admitted, Err(Refusal::NoMatch | Refusal::NoName)) {
            return admitted;
        }
        if let Some(namespace) = &object.id.namespace {
            self.check_namespace(namespace)?;
        }
        let brings =
            |live: &Live| live.object.defines.as_ref().is_some_and(|defines| defines.covers(&object.id));
        if self.lives.going().any(brings) {
            return Err(Refusal::DefinitionTerminating);
        }
        let is_pod = object.run.as_ref().is_some_and(|run| run.workload == Workload::Pod);
        let account = object.needs.iter().find(|need| need.kind == "ServiceAccount");
        match account.filter(|account| is_pod && self.lack(account, object.id.namespace.as_deref()).is_some())
        {
            Some(account) => Err(Refusal::ServiceAccountMissing { name: account.name.clone() }),
            None => admitted,
        }
    }

    fn check_namespace(&self, name: &str) -> Result<(), Refusal> {
        match self.namespace(name) {
            Some(live) if live.is_terminating() => Err(Refusal::NamespaceTerminating),
            Some(_) => Ok(()),
            None => Err(Refusal::NamespaceMissing),
        }
    }

    /// It is there from now on.
    pub(super) fn create(&mut self, object: &Arc<Object>, origin: Origin, outcome: Outcome) {
        self.uids += 1;
        self.lives.add(Live {
            object: Arc::clone(object),
            may_hold_more: origin == Origin::Outside,
            origin,
            uid: self.uids,
            created: self.now,
            state: State::Present,
            run: RunState::None,
            outcome,
            began: self.now,
            started: self.now,
            end: None,
            goes: None,
        });
        self.begin(self.uids);
        self.settle();
    }
}

/// Whether the API server can read the kind.
fn check_letters(id: &ObjectId) -> Result<(), Refusal> {
    let kind = scope::in_small_letters(&id.api_version, &id.kind);
    kind.map_or(Ok(()), |kind| Err(Refusal::Unregistered { kind }))
}

impl Live {
    /// The fields that `object` would change and nobody can.
    fn frozen(&self, object: &Object) -> Vec<&'static str> {
        let is_sealed = self
            .object
            .frozen
            .iter()
            .any(|part| part.holds == Holds::Immutable && part.field == SEAL && part.is_written());
        let holds = |part: &Frozen| match part.holds {
            Holds::Always => true,
            Holds::Immutable => is_sealed,
            Holds::Unbound => self.run == RunState::Starting,
        };
        let pairs = self.object.frozen.iter().zip(&object.frozen);
        let changed = pairs.filter(|(before, after)| holds(before) && before.digest != after.digest);
        let mut fields: Vec<_> = changed.map(|(before, _)| before.field).collect();
        fields.dedup();
        // Completions of Jobs that are counted in two ways are not compared.
        if fields.contains(&"spec.completionMode") {
            fields.retain(|field| *field != "spec.completions");
        }
        fields
    }
}

#[cfg(test)]
mod tests;
