//! Flux's helm-controller 1.6.3, read from its source, not run.

use super::{Completion, Deletion, Engine, Profile, Waiter};

/// Source: fluxcd/helm-controller 1.6.3 `internal/action/wait.go`.
const WAITER: Waiter = Waiter { completion: Completion::Poll, deletion: Deletion::Poll };

pub(super) const PROFILE: Profile = Profile {
    version: "flux",
    shown: "Flux (helm-controller 1.6)",
    engine: Engine::Flux,
    applies: true,
    waits: [WAITER, WAITER],
};
