//! A cluster in virtual time: what becomes of objects that are created and deleted in it. It knows nothing of Helm.

use std::sync::Arc;

use crate::{
    Outcome,
    answer::ObjectId,
    chart::{Definition, Need, Object},
};

mod admit;
mod change;
#[cfg(test)]
mod example;
mod go;
mod job;
mod lives;
mod namespace;
mod run;

use lives::Lives;

/// Those that Kubernetes makes itself.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Milliseconds since the first action.
pub type Millis = u64;

/// Nothing happens after this: some million years are left until no number can tell the time any more.
const END: Millis = Millis::MAX / 4;

/// The cluster.
#[derive(Debug, Clone)]
pub struct World {
    now: Millis,
    nodes: Nodes,
    lives: Lives,
    /// Pods whose owner is gone.
    orphans: Vec<Orphan>,
    /// Kinds that are simply there.
    definitions: Vec<Definition>,
    uids: u64,
}

/// Who runs the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nodes {
    /// Kubelets.
    #[default]
    Real,
    /// kwok with the stages of the test cluster: pods start whatever they mount, stop at once, have no deadline of their own, and
    /// fail instead of being restarted; nobody binds volume claims.
    Kwok,
}

/// Where an object came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was there before everything else.
    Outside,
    /// A hook.
    Hook,
    /// An ordinary resource.
    Resource {
        /// The release that owns it.
        release: Arc<str>,
    },
}

/// An object in the cluster.
#[derive(Debug, Clone)]
pub struct Live {
    /// As it was sent last.
    pub object: Arc<Object>,
    /// Who sent it last.
    pub origin: Origin,
    /// Never used twice.
    pub uid: u64,
    /// When it was created.
    pub created: Millis,
    /// Whether it is on its way out.
    pub state: State,
    /// What its pods do.
    pub run: RunState,
    /// Whether there may be more in it than what was sent last: somebody made it by hand, or a key of a Secret has stayed.
    may_hold_more: bool,
    outcome: Outcome,
    /// Since when the deadline of a Job runs.
    began: Millis,
    /// Since when its pods run.
    started: Millis,
    /// What its pods will have done, and when.
    end: Option<(Millis, RunState)>,
    /// When it goes unless something holds it.
    goes: Option<Millis>,
}

/// Whether an object is on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not.
    Present,
    /// Somebody asked for its deletion, and something holds it.
    Terminating {
        /// When that was asked.
        since: Millis,
    },
}

/// What the pods of an object do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// It has none.
    None,
    /// A Job that is suspended, or a Deployment that is paused.
    Suspended,
    /// They cannot start without this.
    Waiting(Need),
    /// They are up but not ready, and perhaps never will be.
    Starting,
    /// They run.
    Running,
    /// They have ended well.
    Complete {
        /// When.
        at: Millis,
    },
    /// They have failed for good.
    Failed {
        /// When.
        at: Millis,
        /// Why.
        reason: Reason,
        /// How many pods failed: `status.failed` of a Job.
        failed: u32,
        /// How many should have ended well: `spec.completions` of a Job.
        completions: u32,
    },
}

/// Why pods have failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A Job that has tried often enough.
    BackoffLimitExceeded,
    /// A Job whose `podFailurePolicy` fails it.
    PodFailurePolicy,
    /// A Job or a Pod that took too long.
    DeadlineExceeded,
    /// A Pod that ended badly.
    Ended,
    /// A Pod that was stopped since somebody deleted it.
    Stopped,
}

/// What of a Job has failed so far, and is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// So many pods.
    Pods(u32),
    /// The containers of its pods, so many times.
    Containers(u32),
}

/// Why the API server, or the client before it, refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is one of this name.
    AlreadyExists {
        /// And it is on its way out.
        terminating: bool,
    },
    /// Fields that nobody can change would change, such as `spec.template`.
    Immutable(Vec<&'static str>),
    /// It cannot be valid: the words after `… is invalid: `.
    Invalid(String),
    /// Members that do not fit the schema, which an apply holds everything against: each with its path, and what is wrong.
    Untyped(Vec<String>),
    /// A member that fits the schema, and of which Kubernetes cannot make its own type: what is wrong.
    Unconverted(String),
    /// A body that nobody can read: what is wrong.
    Undecoded(String),
    /// Its namespace does not exist.
    NamespaceMissing,
    /// Its namespace is being deleted.
    NamespaceTerminating,
    /// The `CustomResourceDefinition` of its kind is being deleted.
    DefinitionTerminating,
    /// A Pod whose `ServiceAccount` does not exist.
    ServiceAccountMissing {
        /// Its name.
        name: String,
    },
    /// Nothing serves this kind; a `CustomResourceDefinition` is missing.
    NoMatch,
    /// A kind of Kubernetes in small letters, which Helm finds and the API server cannot read.
    Unregistered {
        /// The kind that it finds.
        kind: &'static str,
    },
    /// It has no name.
    NoName,
}

/// What an apply did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// There was none.
    Created,
    /// Something is different now.
    Changed,
    /// Nothing is.
    Unchanged,
}

/// What a deletion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// There was nothing to delete.
    Absent,
    /// It goes, now or later.
    Asked,
}

/// Pods that outlive the object that made them.
#[derive(Debug, Clone)]
struct Orphan {
    namespace: Option<String>,
    needs: Vec<Need>,
    goes: Millis,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A cluster with real nodes and nothing but the namespaces that Kubernetes makes itself.
    #[must_use]
    pub fn new() -> Self {
        Self::on(Nodes::Real)
    }

    /// A cluster with nothing but the namespaces that Kubernetes makes itself.
    #[must_use]
    pub fn on(nodes: Nodes) -> Self {
        let mut world = Self {
            now: 0,
            nodes,
            lives: Lives::default(),
            orphans: Vec::new(),
            definitions: Vec::new(),
            uids: 0,
        };
        for name in NAMESPACES {
            world.assume_namespace(name);
        }
        world
    }

    /// Says that a namespace is there without any object of a release having made it.
    pub fn assume_namespace(&mut self, name: &str) {
        self.assume(Object::made_by_hand("Namespace", None, name));
    }

    /// Says that what pods in a namespace need is there without any object of a release having made it.
    pub fn assume_need(&mut self, need: &Need, namespace: &str) {
        self.assume(Object::made_by_hand(need.kind, Some(namespace), &need.name));
    }

    fn assume(&mut self, object: Object) {
        if self.live(&object.id).is_none() {
            self.create(&Arc::new(object), Origin::Outside, Outcome::Hangs);
        }
    }

    /// Says that a kind is served without any object of a release having brought it.
    pub fn assume_kind(&mut self, definition: Definition) {
        if !self.definitions.contains(&definition) {
            self.definitions.push(definition);
        }
    }

    /// The time.
    #[must_use]
    pub const fn now(&self) -> Millis {
        self.now
    }

    /// What is there under this id, on its way out or not; the newest where names are made up.
    #[must_use]
    pub fn live(&self, id: &ObjectId) -> Option<&Live> {
        self.lives.newest(id)
    }

    /// What is there with this uid.
    #[must_use]
    pub fn with_uid(&self, uid: u64) -> Option<&Live> {
        self.lives.get(uid)
    }

    /// All that is there, in the order of creation.
    #[must_use]
    pub fn lives(&self) -> impl DoubleEndedIterator<Item = &Live> {
        self.lives.all()
    }

    /// The namespace of this name, on its way out or not.
    #[must_use]
    pub fn namespace(&self, name: &str) -> Option<&Live> {
        self.lives.core("Namespace", None, name).next()
    }

    /// The objects of hooks that are there, on their way out or not, by kind, namespace and name.
    #[must_use]
    pub fn leftovers(&self) -> Vec<ObjectId> {
        let mut left: Vec<_> = self
            .lives()
            .filter(|live| live.origin == Origin::Hook)
            .map(|live| live.object.id.clone())
            .collect();
        left.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        left
    }

    fn uid(&self, id: &ObjectId) -> Option<u64> {
        self.live(id).map(|live| live.uid)
    }
}

impl Live {
    /// Whether somebody asked for its deletion.
    #[must_use]
    pub const fn is_terminating(&self) -> bool {
        matches!(self.state, State::Terminating { .. })
    }

    /// Whether Helm's `--wait` would call it ready: its pods are ready or have ended well, or it has none.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        matches!(self.run, RunState::None | RunState::Running | RunState::Complete { .. })
    }
}

#[cfg(test)]
mod tests;
