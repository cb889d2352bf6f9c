//! The `HookPolicy` objects of the cluster: each is read alone, and keeps its last good version in force, as long as the process lives.

use std::{collections::BTreeMap, sync::Arc};

use kube::{ResourceExt as _, api::DynamicObject};
use policies::{Policy, Profile, Settings, policy_set::Named};
use serde::Deserialize as _;

use crate::{
    guard::guarded,
    status::{PolicyStatus, Replica, Wanted},
};

/// The type of the condition on policies.
const ACCEPTED: &str = "Accepted";
const IN_FORCE: &str = "InForce";
const INVALID: &str = "Invalid";

/// All `HookPolicy` objects, by name.
#[derive(Debug)]
pub(crate) struct Policies {
    profile: Profile,
    objects: BTreeMap<String, Object>,
    /// How those without a selector contradict each other; they are in force all the same.
    contradiction: Option<String>,
}

/// One object, as it was seen last.
#[derive(Debug)]
struct Object {
    uid: Option<String>,
    generation: i64,
    /// Why this generation cannot be put in force.
    problem: Option<String>,
    in_force: Option<InForce>,
    status: PolicyStatus,
}

/// The last good version.
#[derive(Debug)]
struct InForce {
    generation: i64,
    settings: Settings,
}

impl Policies {
    /// None yet; `profile` is where those begin that name none.
    pub(crate) fn new(profile: Profile) -> Self {
        Self { profile, objects: BTreeMap::new(), contradiction: None }
    }

    /// Takes note of an object. Whether what is in force has changed.
    pub(crate) fn apply(&mut self, object: &DynamicObject) -> bool {
        let (name, uid) = (object.name_any(), object.uid());
        let generation = object.metadata.generation.unwrap_or_default();
        let status = object.data.get("status").map(PolicyStatus::deserialize);
        let status = status.and_then(Result::ok).unwrap_or_default();
        let known = self.objects.get_mut(&name);
        if let Some(known) = known.filter(|known| known.uid == uid && known.generation == generation) {
            known.status = status;
            return false;
        }
        let former = self.objects.remove(&name);
        let before = former.as_ref().and_then(Object::settings).cloned();
        let (problem, in_force) = match guarded(|| self.read(object)) {
            Ok(settings) => (None, Some(InForce { generation, settings })),
            // Another object of that name is no version of this one.
            Err(problem) => {
                (Some(problem), former.filter(|former| former.uid == uid).and_then(|it| it.in_force))
            }
        };
        let object = Object { uid, generation, problem, in_force, status };
        let changed = before.as_ref() != object.settings();
        self.objects.insert(name, object);
        changed
    }

    /// Forgets an object. Whether it was in force.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.objects.remove(name).is_some_and(|object| object.in_force.is_some())
    }

    /// The names of all objects.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    /// What is in force.
    pub(crate) fn in_force(&self) -> impl Iterator<Item = Named> {
        let named = |(name, object): (&String, &Object)| {
            Some(Named { name: name.clone(), settings: object.settings()?.clone(), is_base: false })
        };
        self.objects.iter().filter_map(named)
    }

    /// How many objects are not in force as they are written.
    pub(crate) fn refused(&self) -> usize {
        self.objects.values().filter(|object| object.problem.is_some()).count()
    }

    /// Takes note of how the policies without a selector contradict each other. Whether that is news.
    pub(crate) fn contradict(&mut self, contradiction: Option<String>) -> bool {
        let is_news = self.contradiction != contradiction;
        self.contradiction = contradiction;
        is_news
    }

    /// The entry that `pod` should write into the status of a policy at `now`; `None` when it is there.
    pub(crate) fn entry(&self, name: &str, pod: &str, now: i64) -> Option<Replica> {
        let object = self.objects.get(name)?;
        let written = object.status.replicas.iter().find(|replica| replica.pod == pod);
        let said = written.map_or(&[][..], |written| &written.conditions);
        let condition = self.accepted(object).change(said, now);
        let (generation, observed) = (object.in_force.as_ref().map(|it| it.generation), object.generation);
        let same =
            written.is_some_and(|it| (it.generation, it.observed_generation) == (generation, observed));
        if same && condition.is_none() {
            return None;
        }
        let conditions = condition.map_or_else(|| said.to_vec(), |condition| vec![condition]);
        Some(Replica { pod: pod.to_owned(), generation, observed_generation: observed, conditions })
    }

    /// What the leader should say of a policy for all replicas.
    pub(crate) fn summary(&self, name: &str) -> Option<(Wanted, &PolicyStatus)> {
        let object = self.objects.get(name)?;
        Some((object.summary(), &object.status))
    }

    /// The pods with an entry in the status of some policy, and those policies.
    pub(crate) fn pods(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut pods = BTreeMap::<&str, Vec<&str>>::new();
        for (name, object) in &self.objects {
            for replica in &object.status.replicas {
                pods.entry(&replica.pod).or_default().push(name);
            }
        }
        pods
    }

    fn read(&self, object: &DynamicObject) -> Result<Settings, String> {
        let spec = object.data.get("spec").ok_or("there is no spec")?;
        let settings = Settings::deserialize(spec).map_err(|error| error.to_string())?;
        Policy::resolve([&settings], self.profile, Arc::default()).map_err(|error| error.to_string())?;
        Ok(settings)
    }

    fn accepted(&self, object: &Object) -> Wanted {
        let contradiction = self
            .contradiction
            .as_ref()
            .filter(|_| object.settings().is_some_and(|settings| settings.namespace_selector.is_none()));
        let (status, reason, message) = match (&object.problem, &object.in_force, contradiction) {
            (Some(problem), Some(kept), _) => {
                (false, INVALID, format!("{problem}; generation {} stays in force", kept.generation))
            }
            (Some(problem), None, _) => (false, INVALID, format!("{problem}; the policy is not in force")),
            (None, _, Some(contradiction)) => {
                (true, "Contradiction", format!("in force, but together with other policies {contradiction}"))
            }
            (None, ..) => (true, IN_FORCE, "in force".to_owned()),
        };
        Wanted { kind: ACCEPTED, status: Some(status), reason, message, generation: object.generation }
    }
}

impl Object {
    fn settings(&self) -> Option<&Settings> {
        self.in_force.as_ref().map(|in_force| &in_force.settings)
    }

    fn summary(&self) -> Wanted {
        let replicas = &self.status.replicas;
        let current = replicas.iter().filter(|replica| replica.observed_generation == self.generation);
        let (current, all) = (current.count(), replicas.len());
        let said = replicas.iter().flat_map(|it| it.conditions.iter().map(|said| (it.generation, said)));
        let said = said.filter(|(_, condition)| condition.observed_generation == Some(self.generation));
        let refused = said.clone().filter(|(_, said)| said.status == "False");
        // The last good version ends with the process that has read it: where none is in force is worse than where an old one is.
        let worst = refused.clone().min_by_key(|(in_force, _)| *in_force);
        let other = || said.map(|(_, said)| said).find(|said| said.reason != IN_FORCE);
        let (status, reason, message) = match worst.map_or_else(|| other().map(|said| (None, said)), Some) {
            Some((in_force, said)) if said.status == "False" => {
                let count = refused.filter(|(other, _)| *other == in_force).count();
                let on = if all == 1 { String::new() } else { format!("on {count} of {all} replicas: ") };
                (Some(false), INVALID, format!("{on}{}", said.message))
            }
            _ if current < all || all == 0 => (
                None,
                "Pending",
                format!("{current} of {all} replicas have read generation {}", self.generation),
            ),
            Some((_, said)) => (Some(true), "Contradiction", said.message.clone()),
            None if all == 1 => (Some(true), IN_FORCE, "in force on 1 replica".to_owned()),
            None => (Some(true), IN_FORCE, format!("in force on {all} replicas")),
        };
        Wanted { kind: ACCEPTED, status, reason, message, generation: self.generation }
    }
}

#[cfg(test)]
mod tests;
