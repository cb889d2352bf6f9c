//! Helm 4: without `--wait` it forgets what it deletes, with it it watches.

use super::{Completion, Deletion, Engine, Profile, Waiter};

/// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `hookOnlyWaiter`.
pub(super) const HOOK_ONLY: Waiter = Waiter { completion: Completion::Status, deletion: Deletion::Forget };
/// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `statusWaiter`.
const WATCHER: Waiter = Waiter { completion: Completion::Status, deletion: Deletion::Watch };

pub(super) const PROFILE: Profile = Profile {
    version: "4.2.4",
    shown: "Helm 4.2",
    engine: Engine::Helm4,
    awaits: false,
    applies: true,
    waits: [HOOK_ONLY, WATCHER],
};
