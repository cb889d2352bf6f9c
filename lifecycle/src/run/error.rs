//! Why a rollout is not played, or not to its end, each in one sentence.

use std::{error::Error as Cause, iter::successors, path::PathBuf, time::Duration};

use kube::client::AuthError;

/// Why a rollout cannot be played on a cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster refuses, or does not answer.
    #[error("cannot {what}")]
    Cluster {
        /// What was asked of it.
        what: String,
        /// What it said.
        #[source]
        source: Refusal,
    },
    /// There is a namespace of this name, and it is not ours.
    #[error(
        "namespace {0:?} is there already, and what this rollout leaves in it could not be told from what is somebody's; give the \
         scenario another namespace, or say --into-existing-namespace"
    )]
    Occupied(String),
    /// There is a namespace of this name, and a rollout has made it.
    #[error("namespace {namespace:?} is there already: {why}")]
    Made {
        /// Its name.
        namespace: String,
        /// What is known of that rollout, and what to do.
        why: String,
    },
    /// The namespace is on its way out.
    #[error(
        "namespace {0:?} is still being deleted; play when it is gone, or give the scenario another namespace"
    )]
    Leaving(String),
    /// The namespace could be made, and not removed.
    #[error(
        "namespace {0:?} would be left behind: the cluster does not let you delete namespaces; get the right to, or say --keep"
    )]
    Undeletable(String),
    /// Pods cannot be made in the namespace.
    #[error("namespace {namespace:?} is not ready: after {} s it has no service account \"default\"", after.as_secs())]
    Unready {
        /// Its name.
        namespace: String,
        /// How long that was waited for.
        after: Duration,
    },
    /// There is such a release.
    #[error("there is a release {release:?} in namespace {namespace:?} already")]
    Taken {
        /// Its name.
        release: String,
        /// Its namespace.
        namespace: String,
    },
    /// Helm cannot be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Helm is not where programs are.
    #[error("there is no {0:?} on the PATH; install Helm, or name it with --helm-bin")]
    NoHelm(PathBuf),
    /// No Helm of the version that is asked for.
    #[error("the scenario wants Helm {wanted}, and {}", none(found))]
    Version {
        /// `3` or `4`.
        wanted: String,
        /// Each program, and what it is.
        found: Vec<String>,
    },
    /// A file could not be written.
    #[error("cannot write a file for Helm")]
    Write(#[source] std::io::Error),
    /// It was interrupted.
    #[error("interrupted; {0}")]
    Interrupted(String),
    /// It did not become as it was before.
    #[error("cannot clean up: {0}")]
    LeftBehind(String),
    /// It failed, and it did not become as it was before.
    #[error("cannot clean up: {what}; and before that it failed")]
    LeftAfter {
        /// What is left.
        what: String,
        /// Why it failed.
        #[source]
        source: Box<Self>,
    },
}

fn none(found: &[String]) -> String {
    if found.is_empty() { "there is none; name it with --helm-bin".to_owned() } else { found.join(", ") }
}

impl Error {
    /// All of it in one sentence, the cause last.
    #[must_use]
    pub fn sentence(&self) -> String {
        causes(self)
            .fold(self.to_string(), |sentence, cause| format!("{sentence}: {}", plain(&cause.to_string())))
    }
}

/// What a cluster said when it did not do what it was asked for, once and without how the answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(String);

impl Refusal {
    pub(super) fn of(error: &kube::Error) -> Self {
        if let kube::Error::Api(status) = error {
            let said = if status.message.is_empty() { &status.reason } else { &status.message };
            return Self(if said.is_empty() {
                format!("it answered with {}", status.code)
            } else {
                said.clone()
            });
        }
        if causes(error).any(<dyn Cause>::is::<AuthError>) {
            return Self("whoever should log in for the kubeconfig failed".to_owned());
        }
        let last = causes(error).last();
        Self(plain(&last.map_or_else(|| error.to_string(), ToString::to_string)).to_owned())
    }

    pub(super) fn silent(limit: Duration) -> Self {
        Self(format!("it did not answer within {} s", limit.as_secs()))
    }
}

fn causes<'e>(error: &'e (dyn Cause + 'static)) -> impl Iterator<Item = &'e (dyn Cause + 'static)> {
    successors(error.source(), |cause| <dyn Cause>::source(*cause))
}

/// Without the number that an operating system has for it.
fn plain(text: &str) -> &str {
    text.split_once(" (os error ").map_or(text, |(words, _)| words)
}

/// The error for what the cluster did not do.
pub(super) fn asked(what: impl Into<String>, error: &kube::Error) -> Error {
    Error::Cluster { what: what.into(), source: Refusal::of(error) }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn what_a_cluster_refuses_is_said_once() {
        let said = "namespaces is forbidden: User \"dev\" cannot create resource \"namespaces\"";
        let status = Status::failure(said, "Forbidden").with_code(403);
        let error = asked("make namespace \"demo\"", &kube::Error::Api(Box::new(status)));
        assert_eq!(error.sentence(), format!("cannot make namespace \"demo\": {said}"));
    }

    #[test]
    fn a_closed_port_is_a_refused_connection_and_nothing_else() {
        let refused = std::io::Error::from_raw_os_error(111);
        let error = asked("reach the cluster", &kube::Error::ReadEvents(refused));
        assert_eq!(error.sentence(), "cannot reach the cluster: Connection refused");
    }

    #[test]
    fn a_namespace_that_was_not_ready_was_a_failure_to_clean_up() {
        let error = Error::Unready { namespace: "demo".to_owned(), after: Duration::from_secs(90) };
        let said = "namespace \"demo\" is not ready: after 90 s it has no service account \"default\"";
        assert_eq!(error.sentence(), said);
    }

    #[test]
    fn what_is_left_after_a_failure_does_not_hide_it() {
        let source = Box::new(Error::Write(std::io::Error::other("disk full")));
        let error = Error::LeftAfter { what: "namespace \"demo\" is still there".to_owned(), source };
        let said = error.sentence();
        assert!(
            said.starts_with("cannot clean up: namespace") && said.ends_with("for Helm: disk full"),
            "{said}"
        );
    }
}
