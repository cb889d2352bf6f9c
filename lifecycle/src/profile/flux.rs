//! Flux's helm-controller 1.6.3, read from its source, not run.

use super::{Completion, Deletion, Engine, Profile, Waiter};

/// With `disableWait`: what is deleted by policy is not awaited either.
///
/// Source: fluxcd/helm-controller 1.6.3 `internal/action/wait.go`, `getWaitStrategy` and `WaitForDelete`.
const HOOK_ONLY: Waiter = Waiter { completion: Completion::Poll, deletion: Deletion::Forget };
/// Unless somebody says otherwise.
const POLLER: Waiter = Waiter { completion: Completion::Poll, deletion: Deletion::Poll };

pub(super) const PROFILE: Profile = Profile {
    version: "flux",
    shown: "Flux (helm-controller 1.6)",
    engine: Engine::Flux,
    awaits: true,
    applies: true,
    waits: [HOOK_ONLY, POLLER],
};
