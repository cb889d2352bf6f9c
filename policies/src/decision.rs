//! What was decided about one object or release: plain data for whoever tells people of it later.

use hooks::Object;

use crate::{context::Moment, mode::Mode};

/// One denial or warning that is worth telling people about. Holds nothing of the object but its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Seconds since 1970.
    pub at: i64,
    /// What it was about.
    pub occasion: Occasion,
    /// What was judged; for a release, the Secret that stores it.
    pub object: Identity,
    /// Whether the request was allowed.
    pub allowed: bool,
    /// The findings that denied or warned, the strictest first.
    pub findings: Vec<Told>,
    /// The release that the object belongs to, if that is known.
    pub membership: Option<Membership>,
}

/// What a decision was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// One hook object.
    Hook,
    /// A release as a whole, before Helm touched anything.
    Release,
    /// An update that made an ordinary object of a hook; allowed, and without findings.
    AnnotationRemoved,
}

/// Which object it was.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Identity {
    /// `batch/v1`.
    pub api_version: String,
    /// `Job`.
    pub kind: String,
    /// The namespace of the request; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// The name, or `generateName` where there is no name yet; may be empty.
    pub name: String,
    /// The uid, if it has one already.
    pub uid: Option<String>,
}

/// One finding as it was told to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Id of the rule.
    pub rule: &'static str,
    /// What the rule could do here.
    pub mode: Mode,
    /// The one line that the user was told, clean of anything secret.
    pub message: String,
}

/// Which release a hook belongs to, and what is being done to that release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Name of the release.
    pub release: String,
    /// The namespace of the release.
    pub namespace: String,
    /// Its revision.
    pub revision: u64,
    /// What is under way. `Unknown` where that was only seen to begin: a rollback may have followed.
    pub moment: Moment,
}

/// What tells one hook of a release from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HookKey {
    /// The API group without its version; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; the release's own where the manifest names none, `None` only where nobody knows.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl HookKey {
    /// That of a hook in this namespace; `None` for one without a name, which nobody can tell from others.
    #[must_use]
    pub fn of(hook: Object<'_>, namespace: Option<&str>) -> Option<Self> {
        Some(Self {
            group: hook.group().to_owned(),
            kind: hook.kind().to_owned(),
            namespace: namespace.map(str::to_owned),
            name: hook.name()?.to_owned(),
        })
    }
}
