//! The objects of a hook are sent, by a POST or a server-side apply.

use std::sync::Arc;

use hooks::Event;

use super::{
    Play,
    errors::{Failure, Request, conflict, refused, unmapped},
};
use crate::{
    answer::{ONTO, SAME, StepResult, Verb},
    chart::{Hook, Object, checked},
    profile::Engine,
    world::{Applied, Millis, Origin, RunState},
};

/// An object of a hook that has been sent.
pub(super) struct Sent<'a> {
    pub(super) object: &'a Object,
    pub(super) uid: u64,
    /// When an earlier run ended, if its end is still there.
    pub(super) stale: Option<Millis>,
}

impl Play<'_> {
    /// Whether Helm can make requests of what the hook says.
    ///
    /// Source: cli-runtime 0.36 `pkg/resource/mapper.go`, behind Helm's `KubeClient.Build`.
    pub(super) fn build(&self, hook: &Hook) -> Result<(), Failure> {
        if let Some(words) = &hook.unbuildable {
            return Err(Failure(words.clone()));
        }
        self.map(hook.objects.iter())
    }

    /// Whether the cluster serves the kinds of these objects.
    pub(super) fn map<'o>(&self, mut objects: impl Iterator<Item = &'o Arc<Object>>) -> Result<(), Failure> {
        let unserved = objects.find(|object| self.world.check_kind(&object.id).is_err());
        unserved.map_or(Ok(()), |object| {
            let namespace = object.id.namespace.as_deref().filter(|_| object.names_namespace);
            Err(Failure(unmapped(&object.id, namespace.unwrap_or_default())))
        })
    }

    /// Sends the objects of a hook; all are tried, whatever becomes of one.
    ///
    /// Source: Helm 4.2.4 `pkg/kube/client.go`, `Create` and `perform`.
    pub(super) fn create_hook<'h>(&mut self, event: Event, hook: &'h Hook) -> Result<Vec<Sent<'h>>, Failure> {
        if hook.objects.is_empty() {
            return Err(Failure("no objects visited".to_owned()));
        }
        let mut errors = Vec::new();
        let mut all = Vec::new();
        for object in &hook.objects {
            match self.send(event, object) {
                Ok(sent) => all.push(sent),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(all) } else { Err(self.joined(&errors)) }
    }

    pub(super) fn send<'h>(&mut self, event: Event, object: &'h Arc<Object>) -> Result<Sent<'h>, String> {
        let outcome = self.outcome(object);
        let before =
            self.world.live(&object.id).map(|live| (live.uid, ended(&live.run), live.is_terminating()));
        let (verb, request) =
            if self.applies { (Verb::Apply, Request::Apply) } else { (Verb::Create, Request::Create) };
        // Argo CD makes up another name each time, and so meets nothing.
        let is_new = object.generates_name && self.profile.engine == Engine::ArgoCd;
        if self.applies && !is_new && self.conflicts(object) {
            let words = conflict(object);
            let step = self.step(Some(event), verb, Some(&object.id), StepResult::Failed);
            self.explain(step, "the fields that change belong to an earlier POST");
            return Err(words);
        }
        let applied = if self.applies && !is_new {
            self.world.apply(object, Origin::Hook, outcome)
        } else {
            self.world.post(object, Origin::Hook, outcome).map(|()| Applied::Created)
        };
        match applied {
            Err(refusal) => {
                let step = self.step(Some(event), verb, Some(&object.id), StepResult::Failed);
                let words = super::errors::cause(request, &object.id, &refusal);
                self.explain(step, words.lines().next().unwrap_or_default());
                Err(refused(request, object, &refusal))
            }
            Ok(applied) => {
                let step = self.step(Some(event), verb, Some(&object.id), StepResult::Ok);
                let is_terminating = before.is_some_and(|(.., is_terminating)| is_terminating);
                match applied {
                    Applied::Created => {}
                    _ if is_terminating => self.explain(step, format!("{ONTO}is being deleted")),
                    Applied::Changed => self.explain(step, "changed the one that was there"),
                    Applied::Unchanged => self.explain(step, SAME),
                }
                let uid = self.world.live(&object.id).map_or(0, |live| live.uid);
                if !self.applies {
                    self.posted.insert(uid);
                }
                let stale = before.filter(|(was, ..)| *was == uid).and_then(|(_, ended, _)| ended);
                Ok(Sent { object, uid, stale })
            }
        }
    }

    /// Whether an apply would change what an earlier POST has written: to Kubernetes that is another manager of the same name.
    fn conflicts(&self, object: &Object) -> bool {
        let live = self.world.live(&object.id).filter(|live| live.origin == Origin::Hook);
        live.is_some_and(|live| self.posted.contains(&live.uid) && live.object.digest != object.digest)
    }
}

/// Whether an object says its kind, and the items of a list are what Kubernetes wants: of all else the API server is asked, but a list
/// it does not know, so that Helm looks itself.
pub(super) fn validate(hook: &Hook) -> Result<(), Failure> {
    if let Some(words) = &hook.unsaid {
        return Err(Failure(words.clone()));
    }
    let objects = hook.objects.iter().filter(|_| hook.kind == "List");
    checked(objects).map_or(Ok(()), |words| Err(Failure(words)))
}

/// When pods have ended for good.
pub(super) fn ended(run: &RunState) -> Option<Millis> {
    match run {
        RunState::Complete { at } | RunState::Failed { at, .. } => Some(*at),
        _ => None,
    }
}
