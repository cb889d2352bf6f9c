//! Helm 3 (3.19 to 3.21.4).

use super::{Completion, Deletion, Engine, Profile, Waiter};

/// Source: Helm 3.21.4 `pkg/kube/client.go`, `watchUntilReady`; `pkg/kube/wait.go`, `waitForDeletedResources`.
pub(super) const WAITER: Waiter = Waiter { completion: Completion::Legacy, deletion: Deletion::Poll };

pub(super) const PROFILE: Profile = Profile {
    version: "3.21.4",
    shown: "Helm 3.21",
    engine: Engine::Helm3,
    awaits: false,
    applies: false,
    waits: [WAITER, WAITER],
};
