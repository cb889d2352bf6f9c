//! All there is to see of a hook that failed: plain data, so that judging it needs no cluster.

use hooks::{
    Event,
    release::{Phase, Status},
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Container, ContainerState, ContainerStatus, Pod, PodSpec, ResourceQuota},
    networking::v1::NetworkPolicy,
};
use serde_json::Value;

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub(super) release: ReleaseFacts,
    pub(super) hook: HookFacts,
    /// The Job of the hook as it is now.
    pub(super) job: Seen<Job>,
    /// Another kind of hook object as it is now.
    pub(super) object: Seen<Value>,
    /// The pods of this run, newest first.
    pub(super) pods: Vec<Pod>,
    /// Whether these are all there are; else somebody may not look.
    pub(super) knows_pods: bool,
    /// What was said about the Job and its pods in this run, oldest first.
    pub(super) events: Vec<Said>,
    /// Whether events could be looked at.
    pub(super) knows_events: bool,
    /// What containers printed, masked.
    pub(super) logs: Vec<Log>,
    /// Requests of the hook's pods that the API server refused, as their logs say.
    pub(super) refusals: Vec<Refusal>,
    /// What the pod needs to start.
    pub(super) needs: Vec<Need>,
    pub(super) quotas: Vec<ResourceQuota>,
    pub(super) network_policies: Vec<NetworkPolicy>,
    /// The Pod Security level that the namespace enforces.
    pub(super) pod_security: Option<String>,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// What the records say of the release.
#[derive(Debug, Clone)]
pub(super) struct ReleaseFacts {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) revision: i64,
    pub(super) status: Status,
    /// The newest revision, and where it stands.
    pub(super) newest: (i64, Status),
    /// The newest other revision that is deployed.
    pub(super) deployed: Option<i64>,
    /// The newest other revision that is deployed or was.
    pub(super) good: Option<i64>,
    /// Helm's own words.
    pub(super) description: String,
    /// When the API server stored the revision first, in seconds since 1970.
    pub(super) stored_at: Option<i64>,
}

impl Default for ReleaseFacts {
    fn default() -> Self {
        Self {
            name: String::new(),
            namespace: String::new(),
            revision: 0,
            status: Status::Other,
            newest: (0, Status::Other),
            deployed: None,
            good: None,
            description: String::new(),
            stored_at: None,
        }
    }
}

/// What the record says of the hook.
#[derive(Debug, Clone, Default)]
pub(super) struct HookFacts {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) path: String,
    pub(super) event: Option<Event>,
    pub(super) weight: i64,
    pub(super) deletes_before_creation: bool,
    pub(super) deletes_when_failed: bool,
    pub(super) phase: Option<Phase>,
    /// By the clock of whoever ran Helm.
    pub(super) began: Option<i64>,
    pub(super) ended: Option<i64>,
    /// The pod as the chart describes it.
    pub(super) pod: Option<PodSpec>,
    /// The Job as the chart describes it.
    pub(super) job: Option<Job>,
}

/// Whether an object is there.
#[derive(Debug, Clone, Default)]
pub(super) enum Seen<T> {
    /// It is.
    There(Box<T>),
    /// It is not.
    Gone,
    /// It could not be looked at, or there is no such object.
    #[default]
    Unknown,
}

/// What an Event says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) reason: String,
    /// As Kubernetes wrote it: mask it before it is shown.
    pub(super) message: String,
    pub(super) at: Option<i64>,
}

/// The end of what one container printed, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Log {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Its last lines, masked, without control characters.
    pub lines: Vec<String>,
    /// Whether it has more lines before these.
    pub is_cut: bool,
}

/// A request that the API server refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Refusal {
    pub(super) user: String,
    pub(super) verb: String,
    pub(super) resource: String,
    pub(super) group: String,
    /// `None` for the whole cluster.
    pub(super) namespace: Option<String>,
    /// Whether it would be allowed now.
    pub(super) is_allowed_now: Option<bool>,
}

/// An object that a pod needs to start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Need {
    /// `ConfigMap`, `Secret`, `ServiceAccount` or `PersistentVolumeClaim`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// The keys that are asked for.
    pub(super) keys: Vec<String>,
    /// Whether it is there; `None` if that is not known.
    pub(super) is_there: Option<bool>,
    /// Those of the keys that it has not.
    pub(super) missing_keys: Vec<String>,
}

impl<T> Seen<T> {
    pub(super) fn there(&self) -> Option<&T> {
        match self {
            Self::There(object) => Some(object),
            Self::Gone | Self::Unknown => None,
        }
    }

    pub(super) const fn is_gone(&self) -> bool {
        matches!(self, Self::Gone)
    }
}

/// A container with how it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing<'e> {
    pub(super) pod: &'e Pod,
    pub(super) status: &'e ContainerStatus,
    pub(super) is_init: bool,
}

impl<'e> Standing<'e> {
    pub(super) fn pod_name(&self) -> &'e str {
        self.pod.metadata.name.as_deref().unwrap_or("")
    }

    /// The states to look at: the present one, and the last one of a container that was started again.
    pub(super) fn states(&self) -> impl Iterator<Item = &'e ContainerState> {
        [&self.status.state, &self.status.last_state].into_iter().filter_map(Option::as_ref)
    }

    /// Reason and message where it waits to be started.
    pub(super) fn waiting(&self) -> Option<(&'e str, &'e str)> {
        let waiting = self.status.state.as_ref()?.waiting.as_ref()?;
        Some((waiting.reason.as_deref().unwrap_or(""), waiting.message.as_deref().unwrap_or("")))
    }

    /// Whether it runs beside the others for as long as they run: such a container holds nobody up.
    fn is_native_sidecar(&self) -> bool {
        let spec = self.pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
        let own = spec.into_iter().flatten().find(|container| container.name == self.status.name);
        own.is_some_and(|container| container.restart_policy.as_deref() == Some("Always"))
    }
}

impl Evidence {
    /// All containers of all pods, newest pod first, init containers first.
    pub(super) fn containers(&self) -> impl Iterator<Item = Standing<'_>> {
        self.pods.iter().flat_map(|pod| {
            let status = pod.status.as_ref();
            let init = status.and_then(|status| status.init_container_statuses.as_ref());
            let main = status.and_then(|status| status.container_statuses.as_ref());
            let stand = move |is_init| move |status| Standing { pod, status, is_init };
            let init = init.into_iter().flatten().map(stand(true));
            init.chain(main.into_iter().flatten().map(stand(false)))
        })
    }

    /// The same without sidecars that are declared as such.
    pub(super) fn own_containers(&self) -> impl Iterator<Item = Standing<'_>> {
        self.containers().filter(|container| !container.is_native_sidecar())
    }

    /// The events about the Job, or the Pod, itself.
    pub(super) fn of_hook(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.events.iter().filter(|said| said.kind == self.hook.kind && said.name == self.hook.name)
    }

    /// The events about pods.
    pub(super) fn of_pods(&self) -> impl DoubleEndedIterator<Item = &Said> {
        self.events.iter().filter(|said| said.kind == "Pod")
    }

    /// Why the API server refused the object of the hook, or the last of its pods: Helm's words, or those of the Job controller.
    pub(super) fn refused(&self) -> impl Iterator<Item = &str> {
        let created = self.of_hook().rev().filter(|said| said.reason == "FailedCreate");
        // Once there was a pod, Helm's words are about something else.
        let told = Some(self.release.description.as_str()).filter(|_| !self.is_past());
        told.into_iter().chain(created.map(|said| said.message.as_str()))
    }

    /// Whether Helm has gone on since: then its words are not about this hook.
    fn is_past(&self) -> bool {
        !matches!(self.release.status, Status::Failed)
    }

    /// The spec of its pods: as they are, else as the Job or the chart has it.
    pub(super) fn pod_spec(&self) -> Option<&PodSpec> {
        let live = self.pods.first().and_then(|pod| pod.spec.as_ref());
        live.or_else(|| self.job.there()?.spec.as_ref()?.template.spec.as_ref()).or(self.hook.pod.as_ref())
    }

    /// The Job as it is, else as the chart has it.
    pub(super) fn any_job(&self) -> Option<&Job> {
        self.job.there().or(self.hook.job.as_ref())
    }

    /// The condition of the Job that ended it, as `Failed` or `Complete`, and its reason. One that has failed waits until its pods
    /// have stopped before it says so.
    ///
    /// Source: Kubernetes 1.36 `staging/src/k8s.io/api/batch/v1/types.go`, `JobFailureTarget`.
    pub(super) fn job_end(&self) -> Option<(&str, &str)> {
        let conditions = self.job.there()?.status.as_ref()?.conditions.as_ref()?;
        conditions.iter().filter(|one| one.status == "True").find_map(|one| {
            let kind = match one.type_.as_str() {
                "Failed" | "FailureTarget" => "Failed",
                "Complete" => "Complete",
                _ => return None,
            };
            Some((kind, one.reason.as_deref().unwrap_or("")))
        })
    }

    /// Whether the Job gave up for this reason, as it says itself or did before it was deleted.
    pub(super) fn gave_up(&self, reason: &str) -> bool {
        self.job_end().is_some_and(|(kind, why)| kind == "Failed" && why == reason)
            || (self.job.is_gone() && self.of_hook().any(|said| said.reason == reason))
    }

    /// Whether the Job goes on, with or without Helm.
    pub(super) fn is_job_active(&self) -> bool {
        self.job.there().is_some() && self.job_end().is_none()
    }

    /// Whether a run of the hook is there that Helm will not take away before the next one.
    pub(super) fn is_in_the_way(&self) -> bool {
        let is_there = match self.hook.kind.as_str() {
            "Job" => self.job.there().is_some(),
            "Pod" => !self.pods.is_empty(),
            _ => false,
        };
        is_there && !self.hook.deletes_before_creation
    }

    /// Whether such a run may be there, although nobody may look.
    pub(super) const fn may_be_in_the_way(&self) -> bool {
        !self.hook.deletes_before_creation && self.hook.job.is_some() && matches!(self.job, Seen::Unknown)
    }

    /// Whether what is there was there before its revision was stored, so that this revision has not run it:
    /// both times are the API server's, so that no clock can deceive. A test and an uninstall have no revision of their own.
    pub(super) fn is_of_an_earlier_run(&self) -> bool {
        let pod = || self.pods.first().filter(|_| self.hook.kind == "Pod").map(|pod| &pod.metadata);
        let live = self.job.there().map(|job| &job.metadata).or_else(pod);
        let created = live.and_then(|live| live.creation_timestamp.as_ref()).map(|at| at.0.as_second());
        let has_revision = self.hook.event != Some(Event::Test)
            && !matches!(self.release.status, Status::Uninstalling | Status::Uninstalled);
        has_revision
            && self.is_in_the_way()
            && created.zip(self.release.stored_at).is_some_and(|(created, stored)| created < stored)
    }

    /// Whether the Job tries again and again: a try failed, or it gets no pod.
    pub(super) fn is_retrying(&self) -> bool {
        let failed = self.job.there().and_then(|job| job.status.as_ref()?.failed).unwrap_or_default();
        self.is_job_active() && (failed > 0 || (self.knows_pods && self.pods.is_empty()))
    }

    /// Whether the Job waits for somebody to resume it.
    pub(super) fn is_suspended(&self) -> bool {
        self.is_job_active()
            && self
                .job
                .there()
                .and_then(|job| job.spec.as_ref())
                .is_some_and(|spec| spec.suspend == Some(true))
    }

    /// Whether Helm was refused when it created the hook.
    pub(super) fn is_refused(&self) -> bool {
        self.release.description.contains("warning: Hook ")
    }

    /// Whether Helm says that it waited in vain.
    pub(super) fn timed_out(&self) -> bool {
        ["timed out waiting for the condition", "context deadline exceeded"]
            .iter()
            .any(|text| self.release.description.contains(text))
    }

    /// For how long Helm has been waiting, or did.
    pub(super) fn waited(&self) -> Option<i64> {
        let began = self.hook.began?;
        Some(self.hook.ended.unwrap_or(self.now).saturating_sub(began))
    }

    /// Whether the record says that Helm has not done with the hook.
    pub(super) fn is_running(&self) -> bool {
        self.hook.phase == Some(Phase::Running)
    }

    /// The containers that the chart asks for.
    pub(super) fn written_containers(&self) -> Vec<&Container> {
        let Some(spec) = self.hook.pod.as_ref() else { return Vec::new() };
        spec.init_containers.iter().flatten().chain(&spec.containers).collect()
    }
}
