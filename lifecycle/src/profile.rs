//! Which tool plays the release, as data: one file for each.

mod argocd;
mod flux;
mod helm3;
mod helm4;
mod lacks;

use hooks::DeletePolicy;

use crate::{
    chart::Hook,
    command::{Flags, Wait},
};

/// Everything in which one tool differs from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// The version, or the name of what is no Helm: what the answer says.
    pub version: &'static str,
    /// For people, as in `Helm 4.2`.
    pub shown: &'static str,
    /// Which algorithm runs the hooks.
    pub engine: Engine,
    /// Whether it waits for ordinary resources, Jobs among them, unless the user says otherwise.
    pub awaits: bool,
    /// Whether objects are sent by server-side apply unless the user says otherwise.
    pub applies: bool,
    /// How the tool waits without `--wait`, and with it.
    pub waits: [Waiter; 2],
}

/// Who runs the hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Helm 3, whose errors and waits differ from Helm 4's in words and order.
    Helm3,
    /// Helm 4, or what embeds it.
    Helm4,
    /// Flux's helm-controller: Helm 4 with a wait of its own.
    Flux,
    /// Argo CD, which renders and never runs Helm.
    ArgoCd,
}

impl Engine {
    /// Whether it deletes the objects of a hook by `policy`: Helm never a `CustomResourceDefinition`; to Argo CD words that say nothing are
    /// as good as none, which is the default, and where it makes up another name each time, there is none of that name before.
    ///
    /// Source: Helm 4.2.4 `pkg/action/hooks.go`, `deleteHookByPolicy`; argo-cd 3.5.1 `gitops-engine/pkg/sync/hook/delete_policy.go` and
    /// `sync_context.go`, `getSyncTasks`.
    #[must_use]
    pub fn deletes(self, hook: &Hook, policy: DeletePolicy) -> bool {
        let is_before = policy == DeletePolicy::BeforeHookCreation;
        let is_default = hook.delete_policies.is_empty() && is_before;
        match self {
            Self::ArgoCd => (is_default || hook.deletes(policy)) && !(is_before && hook.name.is_empty()),
            _ => hook.kind != "CustomResourceDefinition" && hook.deletes(policy),
        }
    }
}

/// How the end of a hook, and of a deletion, is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiter {
    /// Whether the end of a hook is read as Helm 3 does.
    pub completion: Completion,
    /// How a deletion by policy is awaited.
    pub deletion: Deletion,
}

/// How the end of a Job or Pod is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// A watch on the object: its deletion counts as success.
    Legacy,
    /// A watch on its whole kind: its deletion is no end.
    Status,
    /// Asked every five seconds.
    Poll,
}

/// How a deletion by policy is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// Asked at once and every two seconds until it is gone.
    Poll,
    /// Watched until it is gone.
    Watch,
    /// Not at all.
    Forget,
}

/// The Helm that is meant where nobody names a tool.
impl Default for Profile {
    fn default() -> Self {
        helm4::PROFILE
    }
}

impl Profile {
    /// All that can be chosen, by the word that chooses them.
    pub const ALL: [(&'static str, Self); 4] =
        [("3", helm3::PROFILE), ("4", helm4::PROFILE), ("argocd", argocd::PROFILE), ("flux", flux::PROFILE)];

    /// The one that `word` chooses: `3`, `4`, `argocd`, `flux`.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == word).map(|(_, profile)| profile)
    }

    /// What it does as long as nobody says otherwise.
    #[must_use]
    pub fn flags(&self) -> Flags {
        let wait = if self.awaits { Wait::Watcher } else { Wait::HookOnly };
        Flags { wait, wait_for_jobs: self.awaits, ..Flags::default() }
    }

    /// How it waits when asked so.
    #[must_use]
    pub const fn waiter(&self, wait: Wait) -> Waiter {
        match wait {
            Wait::HookOnly => self.waits[0],
            Wait::Watcher => self.waits[1],
            Wait::Legacy => helm3::WAITER,
        }
    }
}
