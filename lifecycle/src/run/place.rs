//! Where a rollout is played: a namespace, the watches on it, and the way back to how it was before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{
    Api, ResourceExt as _,
    api::{
        ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, PostParams, Preconditions,
    },
    discovery::{Scope, pinned_kind},
};

use super::{
    Cluster, Error, Order, Real, Tell, Told,
    cluster::asked,
    journal::Journal,
    logs::Logs,
    sight::{Change, Sight, What},
    watch::{Subject, Watch},
};
use crate::{answer::ObjectId, command::Flags, scenario::Step};

/// Marks a namespace that a rollout made.
const LABEL: &str = "hookward.dev/rollout";
/// How long a namespace may take to be ready, and to be gone.
const SOON: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);

/// A namespace while a rollout is played in it.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    pub(super) journal: Arc<Journal>,
    pub(super) watches: Vec<Watch>,
    pub(super) logs: Option<Logs>,
    /// Kinds and namespaces that are watched already.
    watched: BTreeSet<(String, String, Option<String>)>,
    /// The uid of the namespace that we made; `None` when it is somebody's.
    made: Option<String>,
    tell: Tell,
}

impl Place {
    /// Makes the namespace, or finds it where that is allowed.
    pub(super) async fn make(cluster: &Cluster, order: &Order<'_>, tell: Tell) -> Result<Self, Error> {
        let api: Api<Namespace> = Api::all(cluster.client.clone());
        let mut namespace = Namespace::default();
        namespace.metadata.name = Some(order.namespace.to_owned());
        namespace.metadata.labels = Some(BTreeMap::from([(LABEL.to_owned(), order.release.to_owned())]));
        let made = match api.create(&PostParams::default(), &namespace).await {
            Ok(made) => made.uid(),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                if !order.into_existing {
                    return Err(Error::Occupied(order.namespace.to_owned()));
                }
                None
            }
            Err(error) => return Err(asked(format!("make namespace {:?}", order.namespace), error)),
        };
        Ok(Self {
            cluster: cluster.clone(),
            journal: Arc::new(Journal::new(Arc::clone(&tell))),
            watches: Vec::new(),
            logs: None,
            watched: BTreeSet::new(),
            made,
            tell,
        })
    }

    /// Plays every step.
    pub(super) async fn all(&mut self, order: &Order<'_>) -> Result<Vec<Real>, Error> {
        self.begin(order).await?;
        let mut reals = Vec::new();
        for (index, step) in order.steps.iter().enumerate() {
            tokio::time::sleep(step.after).await;
            (self.tell)(Told::Begins(index));
            let real = self.step(order, step).await?;
            (self.tell)(Told::Ends(index, real.played.exit));
            reals.push(real);
        }
        Ok(reals)
    }

    async fn begin(&mut self, order: &Order<'_>) -> Result<(), Error> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.cluster.client.clone(), order.namespace);
        let start = Instant::now();
        while accounts
            .get_opt("default")
            .await
            .map_err(|error| asked("look at the namespace", error))?
            .is_none()
        {
            if start.elapsed() > SOON {
                return Err(Error::LeftBehind(format!("namespace {:?} is not ready", order.namespace)));
            }
            tokio::time::sleep(PAUSE).await;
        }
        let secrets = ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&());
        let labels = format!("owner=helm,name={}", order.release);
        let api = Api::namespaced_with(self.cluster.client.clone(), order.namespace, &secrets);
        let subject =
            Subject { number: 0, resource: secrets, labels: Some(labels), ids: Arc::new(Vec::new()) };
        self.watches.push(Watch::start(api, subject, Change::Found, &self.journal).await?);
        if !self.journal.alive(0).is_empty() {
            self.watches.clear();
            let (release, namespace) = (order.release.to_owned(), order.namespace.to_owned());
            return Err(Error::Taken { release, namespace });
        }
        self.logs = Some(Logs::start(&self.cluster.client, order.namespace));
        self.watch_kinds(order, Change::Found).await
    }

    /// Watches all kinds of the charts; those that nothing serves yet are tried again with each step; what is there then is `first` seen.
    pub(super) async fn watch_kinds(&mut self, order: &Order<'_>, first: Change) -> Result<(), Error> {
        let ids = Arc::new(order.objects.to_vec());
        for id in order.objects {
            let key = (id.group().to_owned(), id.kind.clone(), id.namespace.clone());
            if self.watched.contains(&key) {
                continue;
            }
            let version = id.api_version.rsplit('/').next().unwrap_or_default();
            let kind = GroupVersionKind::gvk(id.group(), version, &id.kind);
            let Ok((resource, capabilities)) = pinned_kind(&self.cluster.client, &kind).await else {
                continue;
            };
            let client = self.cluster.client.clone();
            let api: Api<DynamicObject> = match (&id.namespace, capabilities.scope) {
                (Some(namespace), Scope::Namespaced) => Api::namespaced_with(client, namespace, &resource),
                _ => Api::all_with(client, &resource),
            };
            let subject =
                Subject { number: self.watches.len(), resource, labels: None, ids: Arc::clone(&ids) };
            self.watches.push(Watch::start(api, subject, first, &self.journal).await?);
            self.watched.insert(key);
        }
        Ok(())
    }

    /// Takes away what was made.
    pub(super) async fn clean(&mut self, order: &Order<'_>) -> Result<(), Error> {
        let mut left = Vec::new();
        let is_taken = self.watches.is_empty();
        let is_outside = |id: &ObjectId| id.namespace.as_deref() != Some(order.namespace);
        let is_stored = !self.journal.alive(0).is_empty();
        if !is_taken && is_stored && (self.made.is_none() || order.objects.iter().any(is_outside)) {
            let ran = self.uninstall(order).await?;
            left.extend(ran);
        }
        for (number, sight) in self.ours() {
            if self.made.is_none() || is_outside(&sight.id) {
                left.extend(self.delete(number, &sight).await);
            }
        }
        self.watches.clear();
        self.logs = None;
        if let Some(uid) = self.made.take() {
            left.extend(self.delete_namespace(order.namespace, uid).await);
        }
        if left.is_empty() { Ok(()) } else { Err(Error::LeftBehind(left.join("; "))) }
    }

    async fn uninstall(&self, order: &Order<'_>) -> Result<Option<String>, Error> {
        let step = Step {
            action: crate::answer::Action::Uninstall,
            chart: None,
            flags: Flags { no_hooks: true, timeout: SOON, ..Flags::default() },
            after: Duration::ZERO,
            outcomes: crate::Outcomes::new(),
            expect: None,
            place: (0, 0),
        };
        let args = order.helm.args(&step, order.release);
        let ran = order.helm.run(args, &self.cluster.target, order.namespace, 2 * SOON).await?;
        Ok(ran.error())
    }

    /// The objects of hooks that came into being while we looked, and are there.
    fn ours(&self) -> Vec<(usize, Sight)> {
        let seen = self.journal.read();
        let mut ours: BTreeMap<String, Sight> = BTreeMap::new();
        for seen in &seen {
            let What::Object(sight) = &seen.what else { continue };
            if sight.change == Change::Deleted {
                ours.remove(&sight.uid);
            } else if sight.is_hook && (sight.change == Change::Added || ours.contains_key(&sight.uid)) {
                ours.insert(sight.uid.clone(), sight.clone());
            }
        }
        let number = |sight: &Sight| {
            let alive = |number: &usize| self.journal.alive(*number).contains_key(&sight.uid);
            (1..self.watches.len()).find(alive)
        };
        ours.into_values().filter_map(|sight| Some((number(&sight)?, sight))).collect()
    }

    async fn delete(&self, number: usize, sight: &Sight) -> Option<String> {
        let api = &self.watches[number].api;
        let name = api.list(&ListParams::default()).await.ok()?.items.into_iter();
        let name = name
            .filter(|object| object.metadata.uid.as_ref() == Some(&sight.uid))
            .find_map(|one| one.metadata.name);
        let only = Preconditions { uid: Some(sight.uid.clone()), resource_version: None };
        let params = DeleteParams { preconditions: Some(only), ..DeleteParams::background() };
        match api.delete(&name?, &params).await {
            Ok(_) => None,
            Err(kube::Error::Api(status)) if status.is_not_found() => None,
            Err(_) => Some(format!("{} could not be deleted", sight.id)),
        }
    }

    async fn delete_namespace(&self, name: &str, uid: String) -> Option<String> {
        let api: Api<Namespace> = Api::all(self.cluster.client.clone());
        let only = Preconditions { uid: Some(uid.clone()), resource_version: None };
        let params = DeleteParams { preconditions: Some(only), ..DeleteParams::background() };
        let start = Instant::now();
        let mut is_asked = false;
        loop {
            if !is_asked {
                is_asked = match api.delete(name, &params).await {
                    Err(kube::Error::Api(status)) if status.is_not_found() => return None,
                    result => result.is_ok(),
                };
            }
            if let Ok(found) = api.get_opt(name).await
                && found.is_none_or(|found| found.uid().as_ref() != Some(&uid))
            {
                return None;
            }
            if start.elapsed() > SOON {
                let what = if is_asked { "is still being deleted" } else { "could not be deleted" };
                return Some(format!("namespace {name:?} {what}"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
