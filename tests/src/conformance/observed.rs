//! What one command did, as far as it can be seen from outside.

use std::fmt;

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Observed {
    /// Helm's exit code.
    pub(super) exit: i32,
    /// The first line after `Error: `.
    pub(super) error: Option<String>,
    /// Every stored revision and its status, oldest first.
    pub(super) history: Vec<(u32, String)>,
    /// The objects of hooks that are there when all that moves has come to rest, as `Kind/namespace/name`.
    pub(super) leftovers: Vec<String>,
    /// What was asked of the API server and changes something, or is about logs, in order; without release records.
    pub(super) requests: Vec<Request>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    pub(super) verb: Verb,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) result: Outcome,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verb {
    /// A POST.
    Create,
    /// A PATCH: a server-side apply, or what Helm 3 makes of a change.
    Patch,
    /// A DELETE.
    Delete,
    /// A PUT.
    Update,
    /// A look for the pods of a Job, to print their logs.
    Log,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It is there now.
    Made,
    /// It was there and is changed, perhaps in nothing.
    Changed,
    /// It goes.
    Deleted,
    /// It was not there.
    Absent,
    /// No.
    Refused,
}

impl Request {
    /// `Kind/namespace/name`.
    pub(super) fn object(&self) -> String {
        object(&self.kind, &self.namespace, &self.name)
    }
}

/// `Kind/namespace/name`.
pub(super) fn object(kind: &str, namespace: &str, name: &str) -> String {
    format!("{kind}/{namespace}/{name}")
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = format!("{:?} {} {:?}", self.verb, self.object(), self.result);
        formatter.write_str(&words)
    }
}
