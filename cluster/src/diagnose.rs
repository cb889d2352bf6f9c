//! Why a hook of a release failed: what there is to see is read once, and judged by functions that see nothing else.

use hooks::{
    Event, name,
    release::{self, Record, Status},
};
use kube::Client;

mod account;
mod causes;
mod evidence;
mod gather;
mod history;
mod refusal;
mod repair;
mod suspect;
#[cfg(test)]
mod testing;
mod words;

pub use causes::TIMEOUT;
pub use evidence::Log;
pub use refusal::Refusal;
pub use repair::Repair;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The name of the release.
    pub release: &'q str,
    /// Its namespace.
    pub namespace: &'q str,
    /// The revision; else the last one, or the one before when Helm has rolled that back.
    pub revision: Option<i64>,
    /// The lines of each log to show.
    pub log_lines: usize,
    /// Seconds since 1970.
    pub now: i64,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that no release or namespace has.
    #[error("{name:?} is no name of a {what}")]
    BadName {
        /// What it should be the name of.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// The releases could not be read.
    #[error("cannot read the releases of namespace {namespace:?}")]
    Releases {
        /// The namespace.
        namespace: String,
        /// Why.
        #[source]
        source: Refusal,
    },
    /// There is no such namespace.
    #[error("there is no namespace {namespace:?}, and so no release {release:?} in it{near}")]
    NoNamespace {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
        /// Where there is one of that name.
        near: String,
    },
    /// There is none.
    #[error(
        "there is no release {release:?} in namespace {namespace:?}{near}; one that was uninstalled, also by --atomic or --rollback-on-failure, leaves no record"
    )]
    NoRelease {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
        /// Those that are there.
        near: String,
    },
    /// There is no such revision.
    #[error("release {release:?} has no revision {revision}; there are {known}")]
    NoRevision {
        /// The release.
        release: String,
        /// The revision.
        revision: i64,
        /// Those that are there.
        known: String,
    },
    /// The record of the revision cannot be read.
    #[error("the record of revision {revision} cannot be read; Helm calls it {status}")]
    Undecodable {
        /// The revision.
        revision: i64,
        /// What its label says.
        status: Status,
        /// Why.
        #[source]
        source: release::Error,
    },
}

/// What is known about a release and its hooks.
#[derive(Debug)]
pub struct Diagnosis {
    /// The name of the release.
    pub release: String,
    /// Its namespace.
    pub namespace: String,
    /// The revision that this is about.
    pub revision: i64,
    /// Where it stands.
    pub status: Status,
    /// Since when, in seconds since 1970.
    pub since: Option<i64>,
    /// All revisions, oldest first.
    pub history: Vec<Revision>,
    /// One sentence on where the release stands.
    pub state: String,
    /// Helm's own words after a failure, as far as they may be shown.
    pub said: Option<String>,
    /// The hook that failed, or is about to.
    pub hook: Option<Hook>,
    /// What mends it, in this order.
    pub repair: Vec<Repair>,
    /// What could not be looked at, one sentence each.
    pub notes: Vec<String>,
    /// What the release consists of.
    pub record: Record,
}

/// One revision of the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number.
    pub revision: i64,
    /// Where it stands.
    pub status: Status,
}

/// A hook that failed, or is about to.
#[derive(Debug)]
pub struct Hook {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`, or that of the release.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// The event that it ran for, if that is known.
    pub event: Option<Event>,
    /// Its weight.
    pub weight: i64,
    /// The template that it was rendered from.
    pub path: String,
    /// When Helm began with it, in seconds since 1970.
    pub began: Option<i64>,
    /// When Helm had done with it, in seconds since 1970.
    pub ended: Option<i64>,
    /// Why it failed, the first one above all; never empty.
    pub causes: Vec<Cause>,
    /// What Helm did meanwhile: one sentence.
    pub helm: String,
    /// What became of the object: one sentence.
    pub now: String,
    /// What its containers said last, as far as it may be shown.
    pub logs: Vec<Log>,
}

/// One reason why a hook failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What programs may call it: `image-pull`.
    pub id: &'static str,
    /// What happened: follows the name of the hook in a sentence.
    pub what: String,
    /// The words of Kubernetes, as far as they may be shown.
    pub said: Option<String>,
    /// What to do about it.
    pub repair: Vec<Repair>,
    /// Rules that find such a thing before it happens.
    pub rules: &'static [&'static str],
}

impl Diagnosis {
    /// Whether nothing is wrong: the release is at rest and whole. One that Helm refuses to touch is not, whether or not a Helm is at
    /// work on it, which nobody can see.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.hook.is_none()
            && matches!(self.status, Status::Deployed | Status::Superseded | Status::Uninstalled)
    }
}

/// Looks at a release, and at the hook of it that failed.
///
/// # Errors
/// When its record cannot be read; whatever else cannot be looked at is noted, and the rest is judged.
pub async fn diagnose(client: &Client, question: &Question<'_>) -> Result<Diagnosis, Error> {
    for (what, name) in [("release", question.release), ("namespace", question.namespace)] {
        if !name::is_subdomain(name) {
            return Err(Error::BadName { what, name: words::shown(name, 80) });
        }
    }
    let client = crate::client::hasty(client);
    let history = history::read(&client, question).await?;
    let mut notes = Vec::new();
    let suspect = match suspect::of_record(&history.record, &history.told) {
        Some(suspect) => Some(suspect),
        None => gather::stale(&client, &history, &mut notes).await,
    };
    let Some(suspect) = suspect else { return Ok(history.without_hook(question.now, notes)) };
    let (evidence, mask) = gather::gather(&client, &history, &suspect, question, &mut notes).await;
    let hook = account::hook(&evidence, &mask, question.log_lines);
    let repair = repair::all(&evidence, &hook);
    let diagnosis = history.without_hook(question.now, notes);
    // Helm writes a revision down after its hook has failed, and maybe again later.
    let failed_at = hook.ended.filter(|_| diagnosis.status == Status::Failed);
    let since = failed_at.or(diagnosis.since);
    let state = repair::state(&evidence.release, hook.event, since, question.now);
    let said = diagnosis.said.map(|said| mask.text(&said));
    Ok(Diagnosis { hook: Some(hook), repair, state, since, said, ..diagnosis })
}
