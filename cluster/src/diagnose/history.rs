//! The revisions of a release: which there are, and the records of those that matter.

use std::collections::BTreeSet;

use hooks::release::{self, Limits, Record, Status, Told};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::{
    Api, Client,
    api::{ListParams, ObjectMeta},
};

use super::{Diagnosis, Error, Question, Refusal, Revision, evidence::ReleaseFacts, repair, words};

/// The most names of other releases in an error.
const NEAR: usize = 5;

/// What is known of the release before anything else is looked at.
pub(super) struct History {
    /// Oldest first.
    pub(super) revisions: Vec<Stored>,
    /// The revision that this is about.
    pub(super) record: Record,
    pub(super) told: Told,
    /// When the API server stored it first.
    pub(super) stored_at: Option<i64>,
}

/// One revision as its labels tell.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    name: String,
    pub(super) revision: i64,
    pub(super) status: Status,
    created_at: Option<i64>,
    modified_at: Option<i64>,
}

/// Where Helm keeps its records: `HELM_DRIVER`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    Secrets,
    ConfigMaps,
}

/// Reads which revisions there are, and the one that is asked for.
pub(super) async fn read(client: &Client, question: &Question<'_>) -> Result<History, Error> {
    let refused = |error| Error::Releases {
        namespace: question.namespace.to_owned(),
        source: Refusal::new("list", &error),
    };
    let selector = format!("owner=helm,name={}", question.release);
    let mut driver = Driver::Secrets;
    let mut metas = list(client, question.namespace, driver, &selector).await.map_err(refused)?;
    if metas.is_empty() {
        driver = Driver::ConfigMaps;
        // Whoever may not read these has none of them to read either.
        metas = list(client, question.namespace, driver, &selector).await.unwrap_or_default();
    }
    let mut revisions: Vec<Stored> = metas.iter().filter_map(Stored::of).collect();
    revisions.sort_by_key(|one| one.revision);
    let Some(newest) = revisions.last().cloned() else {
        return Err(no_release(client, question).await);
    };
    let wanted = match question.revision {
        None => newest,
        Some(revision) => {
            find(&revisions, revision).cloned().ok_or_else(|| no_revision(question, revision, &revisions))?
        }
    };
    let (mut record, mut told) = record(client, question.namespace, driver, &wanted).await?;
    let mut subject = wanted;
    if question.revision.is_none()
        && let Some(failed) = rolled_back(&told, &subject, &revisions)
    {
        (record, told) = self::record(client, question.namespace, driver, failed).await?;
        subject = failed.clone();
    }
    Ok(History { record, told, stored_at: subject.created_at, revisions })
}

/// The revision before a rollback, if it had failed: somebody wants to know why.
///
/// Source: Helm 4.2.4 `pkg/action/rollback.go`, `prepareRollback`, for the words.
fn rolled_back<'s>(told: &Told, newest: &Stored, revisions: &'s [Stored]) -> Option<&'s Stored> {
    let is_rollback = newest.status == Status::Deployed && told.description.starts_with("Rollback ");
    let before = find(revisions, newest.revision - 1)?;
    (is_rollback && before.status == Status::Failed).then_some(before)
}

fn find(revisions: &[Stored], revision: i64) -> Option<&Stored> {
    revisions.iter().find(|one| one.revision == revision)
}

async fn list(
    client: &Client,
    namespace: &str,
    driver: Driver,
    selector: &str,
) -> Result<Vec<ObjectMeta>, kube::Error> {
    let params = ListParams::default().labels(selector);
    Ok(match driver {
        Driver::Secrets => {
            let found = Api::<Secret>::namespaced(client.clone(), namespace).list_metadata(&params).await?;
            found.items.into_iter().map(|one| one.metadata).collect()
        }
        Driver::ConfigMaps => {
            let found =
                Api::<ConfigMap>::namespaced(client.clone(), namespace).list_metadata(&params).await?;
            found.items.into_iter().map(|one| one.metadata).collect()
        }
    })
}

async fn record(
    client: &Client,
    namespace: &str,
    driver: Driver,
    stored: &Stored,
) -> Result<(Record, Told), Error> {
    let refused =
        |error| Error::Releases { namespace: namespace.to_owned(), source: Refusal::new("get", &error) };
    let limits = Limits::default();
    let bytes = match driver {
        Driver::Secrets => {
            let secret = Api::<Secret>::namespaced(client.clone(), namespace).get(&stored.name).await;
            let data = secret.map_err(refused)?.data.and_then(|mut data| data.remove("release"));
            data.map(|data| data.0).unwrap_or_default()
        }
        Driver::ConfigMaps => {
            let map = Api::<ConfigMap>::namespaced(client.clone(), namespace).get(&stored.name).await;
            let data = map.map_err(refused)?.data.and_then(|mut data| data.remove("release"));
            data.map(String::into_bytes).unwrap_or_default()
        }
    };
    // Either is one base64 less than the JSON of a Secret.
    let decode = || -> Result<_, release::Error> {
        Ok((Record::decode_stored(&bytes, &limits)?, Told::decode_stored(&bytes, &limits)?))
    };
    let undecodable =
        |source| Error::Undecodable { revision: stored.revision, status: stored.status, source };
    decode().map_err(undecodable)
}

/// Why there is no such release, and where there is one: what may not be read for that is left out.
async fn no_release(client: &Client, question: &Question<'_>) -> Error {
    let Question { release, namespace, .. } = *question;
    let all = list(client, namespace, Driver::Secrets, "owner=helm").await.unwrap_or_default();
    let here = distinct(all.iter().filter_map(|meta| label(meta, "name")));
    let params = ListParams::default().labels(&format!("owner=helm,name={release}"));
    let elsewhere = Api::<Secret>::all(client.clone()).list_metadata(&params).await.map(|found| found.items);
    let elsewhere = elsewhere.unwrap_or_default();
    let there = distinct(elsewhere.iter().filter_map(|found| found.metadata.namespace.as_deref()));
    let near = match (there.as_slice(), here.as_slice()) {
        ([], []) => String::new(),
        ([], here) => format!(", but there is {}", listed(here, release)),
        (there, _) => format!(", but in namespace {}", listed(there, namespace)),
    };
    let (release, namespace) = (release.to_owned(), namespace.to_owned());
    let found = Api::<Namespace>::all(client.clone()).get_metadata_opt(&namespace).await;
    match found {
        Ok(None) => Error::NoNamespace { release, namespace, near },
        Ok(Some(_)) | Err(_) => Error::NoRelease { release, namespace, near },
    }
}

fn distinct<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Some of the names, those first that begin as the one that was asked for.
fn listed(names: &[String], asked: &str) -> String {
    let alike = |name: &str| name.bytes().zip(asked.bytes()).take_while(|(one, other)| one == other).count();
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(alike(name)));
    let shown: Vec<String> = names.iter().take(NEAR).map(|name| words::shown(name, 60)).collect();
    let more = if names.len() > NEAR { " and others" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn no_revision(question: &Question<'_>, revision: i64, revisions: &[Stored]) -> Error {
    let known: Vec<String> = revisions.iter().map(|one| one.revision.to_string()).collect();
    Error::NoRevision { release: question.release.to_owned(), revision, known: known.join(", ") }
}

fn label<'m>(meta: &'m ObjectMeta, name: &str) -> Option<&'m str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

/// When the API server stored it last.
fn written_at(meta: &ObjectMeta) -> Option<i64> {
    meta.managed_fields.iter().flatten().filter_map(|fields| Some(fields.time.as_ref()?.0.as_second())).max()
}

impl Stored {
    /// Source: Helm 4.2.4 `pkg/storage/driver/secrets.go`, `newSecretsObject`, for the labels; those with times may come from the
    /// revision before, so that the API server's own words go first.
    fn of(meta: &ObjectMeta) -> Option<Self> {
        let seconds = |name| label(meta, name).and_then(|text| text.parse::<i64>().ok());
        Some(Self {
            name: meta.name.clone()?,
            revision: label(meta, "version")?.parse().ok()?,
            status: Status::parse(label(meta, "status").unwrap_or_default()),
            created_at: meta.creation_timestamp.as_ref().map(|at| at.0.as_second()),
            modified_at: written_at(meta).or_else(|| seconds("modifiedAt")).or_else(|| seconds("createdAt")),
        })
    }
}

impl Stored {
    /// Since when it stands as it does: while it is pending Helm writes again and again.
    fn since(&self) -> Option<i64> {
        let (first, last) = (self.created_at, self.modified_at);
        if self.status.is_pending() { first.or(last) } else { last.or(first) }
    }
}

impl History {
    /// What the evidence holds of all this.
    pub(super) fn facts(&self) -> ReleaseFacts {
        let Record { name, namespace, version, status, .. } = &self.record;
        let newest = self.revisions.last();
        ReleaseFacts {
            name: name.clone(),
            namespace: namespace.clone(),
            revision: *version,
            status: *status,
            newest: newest.map_or((*version, *status), |newest| (newest.revision, newest.status)),
            deployed: self.other(Status::Deployed),
            good: self.other(Status::Deployed).or_else(|| self.other(Status::Superseded)),
            description: self.told.description.clone(),
            stored_at: self.stored_at,
        }
    }

    /// The newest other revision that stands like this.
    fn other(&self, status: Status) -> Option<i64> {
        let mut others = self.revisions.iter().rev().filter(|one| one.revision != self.record.version);
        others.find(|one| one.status == status).map(|one| one.revision)
    }

    /// The answer as far as the records go.
    pub(super) fn without_hook(self, now: i64, notes: Vec<String>) -> Diagnosis {
        let Record { version, status, .. } = self.record;
        let since = find(&self.revisions, version).and_then(Stored::since);
        let is_bad = status == Status::Failed;
        let facts = self.facts();
        let state = repair::state(&facts, None, since, now);
        Diagnosis {
            release: facts.name.clone(),
            namespace: facts.namespace.clone(),
            revision: version,
            status,
            since,
            history: self
                .revisions
                .iter()
                .map(|one| Revision { revision: one.revision, status: one.status })
                .collect(),
            state,
            said: Some(hooks::Mask::default().text(&self.told.description))
                .filter(|said| is_bad && !said.is_empty()),
            hook: None,
            repair: repair::of_release(&facts, None),
            notes,
            record: self.record,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_revision_was_said_to_have_failed_when_the_one_before_it_began() {
        let since = |status: &str| {
            let labels =
                json!({"owner": "helm", "name": "shop", "version": "3", "status": status, "modifiedAt": "5"});
            let fields = json!([{"manager": "helm", "time": "1970-01-01T00:01:10Z"}]);
            let meta = json!({
                "name": "sh.helm.release.v1.shop.v3", "labels": labels, "managedFields": fields,
                "creationTimestamp": "1970-01-01T00:01:00Z",
            });
            Stored::of(&serde_json::from_value(meta).unwrap()).unwrap().since()
        };
        assert_eq!((since("failed"), since("pending-rollback")), (Some(70), Some(60)));
    }
}
