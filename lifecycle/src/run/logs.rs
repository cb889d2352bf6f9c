//! What the pods of hooks say last, kept before Helm deletes them, and what Kubernetes warns of; masked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt as _;
use hooks::{Mask, release::is_type};
use k8s_openapi::api::core::v1::{Container, ContainerState, ContainerStatus, Event, Pod, Secret};
use kube::{
    Api, Client, ResourceExt as _,
    api::{ListParams, LogParams},
    runtime::{WatchStreamExt as _, watcher},
};
use tokio::task::JoinHandle;

use crate::answer::ObjectId;

/// Lines of one container that are kept.
const LINES: i64 = 20;

/// The logs of one namespace, until dropped.
#[derive(Debug)]
pub(super) struct Logs {
    reader: Reader,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Reader {
    pods: Api<Pod>,
    secrets: Api<Secret>,
    events: Api<Event>,
    /// By uid of the pod.
    kept: Arc<Mutex<BTreeMap<String, Kept>>>,
}

#[derive(Debug, Clone)]
struct Kept {
    owner: String,
    lines: Vec<String>,
}

impl Logs {
    /// Keeps what pods say that fail from now on.
    pub(super) fn start(client: &Client, namespace: &str) -> Self {
        let reader = Reader {
            pods: Api::namespaced(client.clone(), namespace),
            secrets: Api::namespaced(client.clone(), namespace),
            events: Api::namespaced(client.clone(), namespace),
            kept: Arc::default(),
        };
        let task = tokio::spawn(reader.clone().run());
        Self { reader, task }
    }

    /// What the pods of a hook have said, those that go on running too.
    pub(super) async fn of(&self, hook: &ObjectId) -> Vec<String> {
        let owner = hook.to_string();
        if let Ok(pods) = self.reader.pods.list(&ListParams::default()).await {
            for pod in pods.items.iter().filter(|pod| owner_of(pod) == owner) {
                self.reader.keep(pod).await;
            }
        }
        let kept = self.reader.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept.values().filter(|kept| kept.owner == owner);
        let lines: Vec<_> = own.flat_map(|kept| kept.lines.clone()).collect();
        let first = lines.len().saturating_sub(usize::try_from(LINES).unwrap_or_default());
        lines[first..].to_vec()
    }
}

impl Logs {
    /// What Kubernetes warned of last about a hook or its pods.
    pub(super) async fn warning(&self, hook: &ObjectId) -> Option<String> {
        let warnings = ListParams::default().fields("type=Warning");
        let events = self.reader.events.list(&warnings).await.ok()?.items;
        let pods = format!("{}-", hook.name);
        let is_meant = |event: &Event| {
            let (kind, name) = (event.involved_object.kind.as_deref(), event.involved_object.name.as_deref());
            let is_it = kind == Some(&hook.kind) && name == Some(&hook.name);
            is_it
                || (hook.kind == "Job"
                    && kind == Some("Pod")
                    && name.is_some_and(|name| name.starts_with(&pods)))
        };
        // They are numbered as all else is.
        let number = |event: &Event| event.resource_version().and_then(|version| version.parse::<u64>().ok());
        let last = events.into_iter().filter(is_meant).max_by_key(number)?;
        let mask = self.reader.mask(&Pod::default()).await?;
        let said = last.message.unwrap_or_default();
        let said = mask.text(said.lines().next().unwrap_or_default());
        Some(format!("{}: {said}", last.reason.unwrap_or_default()))
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reader {
    async fn run(self) {
        let mut stream = watcher(self.pods.clone(), watcher::Config::default())
            .default_backoff()
            .applied_objects()
            .boxed();
        while let Some(event) = stream.next().await {
            if let Ok(pod) = event
                && has_failed(&pod)
            {
                self.keep(&pod).await;
            }
        }
    }

    async fn keep(&self, pod: &Pod) {
        let Some(mask) = self.mask(pod).await else { return };
        let mut lines = Vec::new();
        for container in containers(pod) {
            let params = LogParams {
                container: Some(container.name.clone()),
                tail_lines: Some(LINES),
                previous: statuses(pod).any(|status| status.name == container.name && runs_again(status)),
                ..LogParams::default()
            };
            let Ok(text) = self.pods.logs(&pod.name_any(), &params).await else { continue };
            lines.extend(mask.lines(&text));
        }
        let uid = pod.uid().unwrap_or_default();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.is_empty() {
            kept.insert(uid, Kept { owner: owner_of(pod), lines });
        }
    }

    /// What must not be read; `None` when nobody knows, and then nothing is kept.
    async fn mask(&self, pod: &Pod) -> Option<Mask> {
        let secrets = self.secrets.list(&ListParams::default()).await.ok()?;
        // What Helm stores is no secret of the pods.
        let own = secrets.items.iter().filter(|secret| !secret.type_.as_deref().is_some_and(is_type));
        let data = own.flat_map(|secret| secret.data.iter().flatten());
        let values = data.map(|(_, value)| String::from_utf8_lossy(&value.0).into_owned());
        let environment = containers(pod).flat_map(|container| container.env.iter().flatten());
        let written =
            environment.filter_map(|variable| Some((variable.name.as_str(), variable.value.as_deref()?)));
        Some(Mask::of_pod(values, written))
    }
}

/// `Job/migrate` for the pods of a Job, `Pod/check` for a Pod itself.
fn owner_of(pod: &Pod) -> String {
    let owner = pod.owner_references().iter().find(|owner| owner.kind == "Job");
    owner.map_or_else(|| format!("Pod/{}", pod.name_any()), |job| format!("Job/{}", job.name))
}

/// All of them, in the order in which they run.
fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let first = pod.spec.iter().flat_map(|spec| spec.init_containers.iter().flatten());
    first.chain(pod.spec.iter().flat_map(|spec| &spec.containers))
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let first = pod.status.iter().flat_map(|status| status.init_container_statuses.iter().flatten());
    first.chain(pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten()))
}

const fn has_ended(state: Option<&ContainerState>) -> Option<i32> {
    match state {
        Some(ContainerState { terminated: Some(ended), .. }) => Some(ended.exit_code),
        _ => None,
    }
}

/// Whether it ended and was started once more, so that what it said is the log of before.
const fn runs_again(status: &ContainerStatus) -> bool {
    has_ended(status.state.as_ref()).is_none() && has_ended(status.last_state.as_ref()).is_some()
}

fn has_failed(pod: &Pod) -> bool {
    let is_bad = |state: &Option<ContainerState>| has_ended(state.as_ref()).is_some_and(|code| code != 0);
    statuses(pod).any(|status| is_bad(&status.state) || is_bad(&status.last_state))
}
