//! Reads everything there is to see of a hook; what may not be read is noted, and the rest goes on.

use hooks::{
    Mask, name,
    release::{Phase, Status},
};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Namespace, ResourceQuota},
    networking::v1::NetworkPolicy,
};
use kube::{Api, Client, Resource, api::ListParams};
use serde::de::DeserializeOwned;

use super::{
    Question,
    evidence::{Evidence, HookFacts, Seen},
    history::History,
    suspect,
};

mod logs;
mod needs;
mod object;
mod pods;
mod references;
mod rights;

/// The most Jobs that are looked at because their hooks may not have run.
const MOST_STALE: usize = 20;
/// Where Pod Security keeps its level.
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// Somebody who looks, and notes what cannot be looked at.
pub(super) struct Look<'l> {
    client: &'l Client,
    namespace: &'l str,
    notes: &'l mut Vec<String>,
}

impl Look<'_> {
    fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// What was read, or a note that says what was not.
    fn noted<T>(&mut self, result: Result<T, kube::Error>, what: &str) -> Option<T> {
        let note = match result {
            Ok(found) => return Some(found),
            Err(error) if crate::client::is_status(&error, 403) => {
                format!(
                    "may not {what} in namespace {:?}: what they would tell is not judged",
                    self.namespace
                )
            }
            Err(error) => {
                format!("could not {what}: {}", super::words::shown(&crate::client::one_line(&error), 200))
            }
        };
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        None
    }

    async fn one<K>(&mut self, name: &str, what: &str) -> Seen<K>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        if !name::is_subdomain(name) {
            return Seen::Unknown;
        }
        let found = self.api::<K>().get_opt(name).await;
        match self.noted(found, what) {
            Some(Some(object)) => Seen::There(Box::new(object)),
            Some(None) => Seen::Gone,
            None => Seen::Unknown,
        }
    }

    /// `None` where it may not be looked at, which is not the same as that there are none.
    async fn all<K>(&mut self, params: &ListParams, what: &str) -> Option<Vec<K>>
    where
        K: Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + std::fmt::Debug,
    {
        let found = self.api::<K>().list(params).await;
        self.noted(found, what).map(|list| list.items)
    }
}

/// Everything about the hook, and what must not be shown of it.
pub(super) async fn gather(
    client: &Client,
    history: &History,
    hook: &HookFacts,
    question: &Question<'_>,
    notes: &mut Vec<String>,
) -> (Evidence, Mask) {
    let mut seen =
        Evidence { release: history.facts(), hook: hook.clone(), now: question.now, ..Evidence::default() };
    if !name::is_subdomain(&hook.namespace) || !name::is_subdomain(&hook.name) {
        notes
            .push("the hook has no name that Kubernetes could have: nothing of it was looked for".to_owned());
        return (seen, Mask::default());
    }
    let look = &mut Look { client, namespace: &hook.namespace, notes };
    let is_job = hook.kind == "Job" && hook.api_version.starts_with("batch/");
    if is_job {
        seen.job = look.one(&hook.name, "read Jobs").await;
    } else {
        seen.object = object::read(look, hook).await;
    }
    if is_job || hook.kind == "Pod" {
        let pods = pods::read(look, &seen).await;
        (seen.knows_pods, seen.pods) = (pods.is_some(), pods.unwrap_or_default());
    }
    let events = pods::events(look, &seen).await;
    (seen.knows_events, seen.events) = (events.is_some(), events.unwrap_or_default());
    let limited = ListParams::default().limit(100);
    seen.quotas = look.all::<ResourceQuota>(&limited, "list ResourceQuotas").await.unwrap_or_default();
    let policies = look.all::<NetworkPolicy>(&limited, "list NetworkPolicies").await;
    seen.network_policies = policies.unwrap_or_default();
    seen.pod_security = pod_security(look).await;
    let wants = seen.pod_spec().map(references::of).unwrap_or_default();
    let known = needs::read(look, &wants, &history.record).await;
    let mask = Mask::of_pod(known.values, seen.pod_spec().into_iter().flat_map(references::environment));
    seen.needs = known.needs;
    let raw = logs::read(look, &seen).await;
    seen.refusals = rights::refused(look, &raw).await;
    seen.logs = logs::shown(raw, &mask, &known.unknown, look.notes);
    (seen, mask)
}

async fn pod_security(look: &mut Look<'_>) -> Option<String> {
    let found = Api::<Namespace>::all(look.client.clone()).get_metadata_opt(look.namespace).await;
    // Without that right the level is in the refusal itself.
    let metadata = found.ok()??.metadata;
    metadata.labels?.remove(ENFORCE)
}

/// The hook of a release that seems well whose Job is older than the run that it is taken for.
pub(super) async fn stale(client: &Client, history: &History, notes: &mut Vec<String>) -> Option<HookFacts> {
    let record = &history.record;
    let (Status::Deployed, Some(stored_at)) = (record.status, history.stored_at) else { return None };
    let began = super::words::seconds(&history.told.deployed_at);
    let hooks = record.hooks.iter().filter(|hook| hook.phase == Some(Phase::Succeeded) && hook.kind == "Job");
    let facts = hooks.map(|hook| suspect::facts(record, &history.told, hook));
    let is_candidate = |facts: &HookFacts| {
        let is_of_this_run = facts.began.zip(began).is_some_and(|(ran, began)| ran >= began - 1);
        !facts.deletes_before_creation && is_of_this_run && facts.event != Some(hooks::Event::Test)
    };
    for facts in facts.filter(is_candidate).take(MOST_STALE) {
        if !name::is_subdomain(&facts.namespace) {
            continue;
        }
        let look = &mut Look { client, namespace: &facts.namespace, notes };
        let job = look.one::<Job>(&facts.name, "read Jobs").await;
        let created = job.there().and_then(|job| job.metadata.creation_timestamp.as_ref());
        if created.is_some_and(|created| created.0.as_second() < stored_at) {
            return Some(facts);
        }
    }
    None
}
