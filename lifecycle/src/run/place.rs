//! Where a rollout is played: a namespace, the watches on it, and the way back to how it was before.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::{
        authorization::v1::{ResourceAttributes, SelfSubjectAccessReview},
        core::v1::{Namespace, ServiceAccount},
    },
    jiff::Timestamp,
};
use kube::{
    Api, ResourceExt as _,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, PostParams, Preconditions},
    discovery::{Scope, pinned_kind},
};

use super::{
    Cluster, Error, Order, Real, Tell, Told,
    error::asked,
    helm::{Ran, Running},
    journal::Journal,
    logs::Logs,
    mark::{self, Heartbeat, Maker},
    outside::Outcome,
    sight::Change,
    watch::{Subject, Watch, Watches},
};
use crate::{answer::ObjectId, command::Flags, scenario::Step};

/// How long a namespace may take to be ready, and to be gone.
const SOON: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);
/// How long an API server has for one answer at the end: less than at the beginning, since it has answered before, is asked again
/// where that helps, and somebody who has interrupted a rollout waits for it.
const ANSWER: Duration = Duration::from_secs(5);

/// Kinds that are of no namespace, by group and kind, as the cluster says.
pub(super) type ClusterScoped = BTreeSet<(String, String)>;

/// Whether an object is of no namespace, whatever a text says that knows nothing of its kind.
pub(super) fn is_cluster_scoped(cluster_scoped: &ClusterScoped, id: &ObjectId) -> bool {
    cluster_scoped.iter().any(|(group, kind)| group == id.group() && *kind == id.kind)
}

/// A namespace while a rollout is played in it.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    pub(super) journal: Arc<Journal>,
    pub(super) watches: Watches,
    pub(super) logs: Option<Logs>,
    /// Kinds and namespaces that are watched already.
    watched: BTreeSet<(String, String, Option<String>)>,
    /// Those of the kinds that are of no namespace.
    pub(super) cluster_scoped: ClusterScoped,
    /// The uid of the namespace that we made; `None` when it is somebody's.
    made: Option<String>,
    /// Says that we are there.
    heartbeat: Option<Heartbeat>,
    /// Helm, while it runs.
    helm: Option<Running>,
    tell: Tell,
}

impl Place {
    /// Makes the namespace, or finds it where that is allowed.
    pub(super) async fn make(cluster: &Cluster, order: &Order<'_>, tell: Tell) -> Result<Self, Error> {
        let api: Api<Namespace> = Api::all(cluster.client.clone());
        let is_there = order.into_existing && matches!(api.get_opt(order.namespace).await, Ok(Some(_)));
        if !is_there && !order.keep && !cluster.may_delete(order.namespace).await {
            return Err(Error::Undeletable(order.namespace.to_owned()));
        }
        let made = if is_there { None } else { cluster.make(&api, order).await? };
        if made.is_none() {
            cluster.refuse(&api, order).await?;
        }
        let heartbeat = |uid: &String| Heartbeat::start(api.clone(), order.namespace.to_owned(), uid.clone());
        Ok(Self {
            cluster: cluster.clone(),
            journal: Arc::new(Journal::new(Arc::clone(&tell))),
            watches: Watches::default(),
            logs: None,
            watched: BTreeSet::new(),
            cluster_scoped: ClusterScoped::new(),
            heartbeat: made.as_ref().map(heartbeat),
            made,
            helm: None,
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
            .map_err(|error| asked("look at the namespace", &error))?
            .is_none()
        {
            if start.elapsed() > SOON {
                return Err(Error::Unready { namespace: order.namespace.to_owned(), after: SOON });
            }
            tokio::time::sleep(PAUSE).await;
        }
        let secrets = ApiResource::erase::<k8s_openapi::api::core::v1::Secret>(&());
        let labels = format!("owner=helm,name={}", order.release);
        let api = Api::namespaced_with(self.cluster.client.clone(), order.namespace, &secrets);
        let records =
            Watch::start(api, secrets, Subject::Records(labels), Change::Found, &self.journal).await?;
        if !records.known().is_empty() {
            let (release, namespace) = (order.release.to_owned(), order.namespace.to_owned());
            return Err(Error::Taken { release, namespace });
        }
        self.watches.records = Some(records);
        self.logs = Some(Logs::start(&self.cluster.client, order.namespace));
        self.watch_kinds(order, Change::Found).await
    }

    /// Watches all kinds of the charts; those that nothing serves yet are tried again with each step; what is there then is `first` seen.
    pub(super) async fn watch_kinds(&mut self, order: &Order<'_>, first: Change) -> Result<(), Error> {
        for id in order.objects {
            let id = &self.really(id);
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
            let api: Api<DynamicObject> = match (&id.namespace, &capabilities.scope) {
                (Some(namespace), Scope::Namespaced) => Api::namespaced_with(client, namespace, &resource),
                _ => Api::all_with(client, &resource),
            };
            if capabilities.scope == Scope::Cluster {
                self.cluster_scoped.insert((id.group().to_owned(), id.kind.clone()));
            }
            let subject = Subject::Objects(order.objects.iter().map(|id| self.really(id)).collect());
            self.watches.objects.push(Watch::start(api, resource, subject, first, &self.journal).await?);
            self.watched.insert(key);
        }
        Ok(())
    }

    /// An object as the cluster names it.
    fn really(&self, id: &ObjectId) -> ObjectId {
        let namespace = id.namespace.clone().filter(|_| !is_cluster_scoped(&self.cluster_scoped, id));
        ObjectId { namespace, ..id.clone() }
    }

    /// Runs Helm for `limit` at most.
    pub(super) async fn run(
        &mut self,
        order: &Order<'_>,
        args: Vec<OsString>,
        limit: Duration,
    ) -> Result<Ran, Error> {
        let started = order.helm.start(args, &self.cluster.target, order.namespace)?;
        let ran = self.helm.insert(started).ran(limit).await;
        self.helm = None;
        ran
    }

    /// Ends Helm where nobody waits for it any more.
    pub(super) async fn end_helm(&mut self) {
        if let Some(helm) = self.helm.take() {
            helm.end().await;
        }
    }

    /// Takes away what was made, and says what stays as Helm leaves it.
    pub(super) async fn clean(&mut self, order: &Order<'_>) -> Result<Vec<String>, Error> {
        let (mut left, mut stays) = (Vec::new(), Vec::new());
        let is_outside = |id: &ObjectId| id.namespace.as_deref() != Some(order.namespace);
        let is_stored = self.watches.records.as_ref().is_some_and(|records| !records.known().is_empty());
        if is_stored && (self.made.is_none() || order.objects.iter().any(is_outside)) {
            let ran = self.uninstall(order).await?;
            left.extend(ran);
        }
        for ours in self.ours() {
            if self.made.is_none() || is_outside(&ours.sight.id) {
                match ours.remove(order).await {
                    Outcome::Gone => {}
                    Outcome::Stays(words) => stays.push(words),
                    Outcome::Left(words) => left.push(words),
                }
            }
        }
        self.watches = Watches::default();
        self.logs = None;
        if let Some(uid) = &self.made {
            left.extend(self.delete_namespace(order.namespace, uid).await);
        }
        self.heartbeat = None;
        if left.is_empty() { Ok(stays) } else { Err(Error::LeftBehind(left.join("; "))) }
    }

    /// Asks once for the end of the namespace, and waits for nothing.
    pub(super) async fn give_up(&mut self, order: &Order<'_>) -> Error {
        let name = order.namespace;
        self.watches = Watches::default();
        self.helm = None;
        self.heartbeat = None;
        let Some(uid) = &self.made else {
            return Error::LeftBehind(format!("what was played in namespace {name:?} is there still"));
        };
        let api: Api<Namespace> = Api::all(self.cluster.client.clone());
        let asked = tokio::time::timeout(ANSWER, api.delete(name, &only(uid))).await;
        let outside = order.objects.iter().filter(|id| id.namespace.as_deref() != Some(name));
        let outside: String = outside.flat_map(|id| [", ".to_owned(), id.to_string()]).collect();
        Error::LeftBehind(match asked {
            Ok(Ok(_)) => format!("namespace {name:?} is still being deleted{outside}"),
            Ok(Err(kube::Error::Api(status))) if status.is_not_found() => {
                format!("not all of it was waited for{outside}")
            }
            _ => format!("namespace {name:?} is there still{outside}"),
        })
    }

    async fn uninstall(&mut self, order: &Order<'_>) -> Result<Option<String>, Error> {
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
        let ran = self.run(order, args, 2 * SOON).await?;
        Ok(ran.error())
    }

    async fn delete_namespace(&self, name: &str, uid: &str) -> Option<String> {
        let api: Api<Namespace> = Api::all(self.cluster.client.clone());
        let start = Instant::now();
        let mut is_asked = false;
        loop {
            if !is_asked {
                is_asked = match tokio::time::timeout(ANSWER, api.delete(name, &only(uid))).await {
                    Ok(Err(kube::Error::Api(status))) if status.is_not_found() => return None,
                    Ok(Err(kube::Error::Api(status))) if status.is_forbidden() => {
                        return Some(format!("namespace {name:?} may not be deleted: {}", status.message));
                    }
                    result => result.is_ok_and(|answer| answer.is_ok()),
                };
            }
            if let Ok(Ok(found)) = tokio::time::timeout(ANSWER, api.get_opt(name)).await
                && found.is_none_or(|found| found.uid().as_deref() != Some(uid))
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

/// Only the namespace that we made, and no later one of its name.
fn only(uid: &str) -> DeleteParams {
    let only = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
    DeleteParams { preconditions: Some(only), ..DeleteParams::background() }
}

impl Cluster {
    /// Makes the namespace and says its uid; `None` when it is there already.
    async fn make(&self, api: &Api<Namespace>, order: &Order<'_>) -> Result<Option<String>, Error> {
        match api.create(&PostParams::default(), &mark::namespace(order)).await {
            Ok(made) => Ok(made.uid()),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(None),
            Err(error) => Err(asked(format!("make namespace {:?}", order.namespace), &error)),
        }
    }

    /// Whether namespaces may be deleted; where nobody says, we shall see.
    async fn may_delete(&self, namespace: &str) -> bool {
        let api: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let asked = ResourceAttributes {
            verb: Some("delete".to_owned()),
            resource: Some("namespaces".to_owned()),
            name: Some(namespace.to_owned()),
            ..ResourceAttributes::default()
        };
        let mut review = SelfSubjectAccessReview::default();
        review.spec.resource_attributes = Some(asked);
        let answer = api.create(&PostParams::default(), &review).await;
        answer.ok().and_then(|answer| answer.status).is_none_or(|status| status.allowed)
    }

    /// Says why a namespace that is there is not played in, unless it is.
    async fn refuse(&self, api: &Api<Namespace>, order: &Order<'_>) -> Result<(), Error> {
        let name = order.namespace.to_owned();
        let found = api.get_opt(&name).await;
        let Some(found) = found.map_err(|error| asked(format!("look at namespace {name:?}"), &error))? else {
            return Err(Error::Leaving(name));
        };
        if found.metadata.deletion_timestamp.is_some() {
            return Err(Error::Leaving(name));
        }
        if order.into_existing {
            return Ok(());
        }
        let why = match Maker::of(&found, Timestamp::now()) {
            Maker::Somebody => return Err(Error::Occupied(name)),
            Maker::Alive(ago) => format!(
                "a rollout made it that was heard of {} s ago; wait for its end, or give the scenario another namespace",
                ago.as_secs()
            ),
            Maker::Kept(remains) => {
                format!("a rollout left it for a look, as --keep says; remove it: {}", self.removal(&remains))
            }
            Maker::Gone(remains) => {
                format!(
                    "a rollout made it and ended without cleaning up; remove it: {}",
                    self.removal(&remains)
                )
            }
        };
        Err(Error::Made { namespace: name, why })
    }
}
