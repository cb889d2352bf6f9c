//! Why a hook has failed, or has not ended when nobody waits any longer.

use std::sync::Arc;

use hooks::Event;

use super::{Play, create::Sent, storage::Stored};
use crate::{
    answer::{ObjectId, Step, StepResult, Verb},
    chart::{Hook, Need, Object},
    profile::{Completion, Engine},
    world::{Live, Millis, Reason, RunState, Tried},
};

impl Play<'_> {
    /// Why it has failed.
    pub(super) fn why_failed(&self, sent: &Sent<'_>) -> Option<String> {
        let live = self.world.with_uid(sent.uid)?;
        let RunState::Failed { reason, failed, .. } = live.run else { return None };
        let is_job = live.object.id.kind == "Job";
        Some(match failed {
            1 if is_job => format!("{} after 1 failed pod", reason.word()),
            many if is_job => format!("{} after {many} failed pods", reason.word()),
            _ => reason.word().to_owned(),
        })
    }

    /// What it still lacks.
    pub(super) fn why_open(&self, event: Event, sent: &Sent<'_>, stored: &Stored) -> String {
        let Some(live) = self.world.with_uid(sent.uid) else {
            return "it is gone, and Helm waits for an end that nobody will see".to_owned();
        };
        match &live.run {
            RunState::Waiting(need) => {
                let namespace = sent.object.id.namespace.as_deref();
                format!("its pods cannot start without {need}{}", self.whence(event, need, namespace, stored))
            }
            RunState::Suspended => "it is suspended".to_owned(),
            _ if live.is_terminating() => "it is being deleted, and no other one runs".to_owned(),
            _ if self.profile.engine == Engine::ArgoCd => {
                "it goes on running, and Argo CD waits for ever".to_owned()
            }
            _ if self.waiter.completion == Completion::Legacy && self.flags.timeout.is_zero() => {
                "Helm waits for ever, since its timeout is 0".to_owned()
            }
            _ => {
                let retries = self.retries(live);
                retries.unwrap_or_else(|| "it goes on running when Helm has given up".to_owned())
            }
        }
    }

    /// What has failed of a Job that is not at its end, since it may try again.
    fn retries(&self, live: &Live) -> Option<String> {
        let (tried, end) = self.world.tried(live)?;
        let failed = match tried {
            Tried::Pods(0) | Tried::Containers(0) => return None,
            Tried::Pods(1) => "1 pod has failed".to_owned(),
            Tried::Pods(many) => format!("{many} pods have failed"),
            Tried::Containers(1) => "its containers have failed once".to_owned(),
            Tried::Containers(many) => format!("its containers have failed {many} times"),
        };
        let limit = live.object.run.as_ref().map_or(0, |run| run.backoff_limit);
        let still = |at: Millis| at.saturating_sub(self.world.now()).div_ceil(1000);
        let then = match end {
            Some((at, Reason::BackoffLimitExceeded)) => {
                format!("backoffLimit {limit} lets it try for {}s more", still(at))
            }
            Some((at, _)) => format!("its deadline lets it try for {}s more", still(at)),
            None => "it tries again without end".to_owned(),
        };
        Some(format!("{failed}, and {then}"))
    }

    /// Why what pods need is not there, if the release itself brings it at another time.
    fn whence(&self, event: Event, need: &Need, namespace: Option<&str>, stored: &Stored) -> &'static str {
        let is_it = |id: &ObjectId| {
            id.group().is_empty()
                && id.kind == need.kind
                && id.name == need.name
                && id.namespace.as_deref() == namespace
        };
        let is_deletion =
            |step: &Step| step.verb == Verb::Delete && step.result == StepResult::Ok && need.keys.is_empty();
        let brings =
            |object: &Arc<Object>| is_it(&object.id) && need.keys.iter().all(|key| object.has_key(key));
        let is_resource = stored.chart.resources.iter().any(brings);
        let is_hook = |hook: &Hook| hook.events.contains(&event) && hook.objects.iter().any(brings);
        match event {
            _ if self
                .steps
                .iter()
                .any(|step| is_deletion(step) && step.object.as_ref().is_some_and(is_it)) =>
            {
                ", which a delete policy has deleted before"
            }
            Event::PostDelete if is_resource => ", which this uninstall has deleted",
            Event::PreInstall | Event::PreUpgrade | Event::PreRollback if is_resource => {
                ", which this release makes only later"
            }
            _ if stored.hooks().any(is_hook) => ", which this release makes only later",
            _ => "",
        }
    }
}
