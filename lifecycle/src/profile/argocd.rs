//! Argo CD 3.5.1, read from its source, not run.

use super::{Completion, Deletion, Engine, Profile, Waiter};

/// Source: argoproj/argo-cd 3.5.1 `gitops-engine/pkg/sync/sync_context.go`.
const WAITER: Waiter = Waiter { completion: Completion::Legacy, deletion: Deletion::Watch };

pub(super) const PROFILE: Profile = Profile {
    version: "argocd",
    shown: "Argo CD 3.5",
    engine: Engine::ArgoCd,
    awaits: false,
    applies: true,
    waits: [WAITER, WAITER],
};
