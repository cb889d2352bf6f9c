//! A cluster that knows our own kinds, and objects of them.

use std::{sync::OnceLock, time::Duration};

use serde_json::{Value, json};

use crate::{
    cluster::Cluster,
    rig::{Programs, Rig},
};

/// Longer than a definition takes to be served.
const SOON: Duration = Duration::from_secs(60);

/// A control plane that knows the definitions, shared by the tests of this process that need them.
///
/// # Panics
/// When there are no programs for one, or it does not start.
#[must_use]
pub fn rig() -> &'static Rig {
    static SHARED: OnceLock<Rig> = OnceLock::new();
    SHARED.get_or_init(|| {
        let rig = own_rig();
        define(&rig);
        rig
    })
}

/// A control plane of its own, which does not know the definitions yet.
///
/// # Panics
/// When there are no programs for one, or it does not start.
#[must_use]
pub fn own_rig() -> Rig {
    let programs = Programs::find().expect("cargo xtask rig has built the programs");
    Rig::start(&programs).expect("the control plane starts")
}

/// Brings the definitions, and returns when they are served; as often as anybody likes.
///
/// # Panics
/// When the API server refuses them.
#[track_caller]
pub fn define(cluster: &Cluster) {
    for text in ::cluster::crd::texts() {
        // By the server, since several tests may begin at once.
        let apply = ["apply", "--server-side", "--force-conflicts", "--filename=-"];
        let _ = cluster.kubectl_with(&apply, &text).expect_ok();
    }
    cluster.wait_for("our kinds", SOON, || {
        cluster.kubectl(&["get", "hookpolicies,hookexceptions"]).ok().then_some(())
    });
}

/// A `HookPolicy`.
#[must_use]
pub fn policy(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "hookward.dev/v1alpha1", "kind": "HookPolicy", "metadata": {"name": name}, "spec": spec})
}

/// A `HookException`.
#[must_use]
pub fn exception(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "hookward.dev/v1alpha1", "kind": "HookException", "metadata": {"name": name}, "spec": spec})
}

/// What an exception says that alice asked for.
#[must_use]
pub fn exception_spec(expires_at: &str) -> Value {
    json!({
        "rules": ["job-suspended"], "namespaces": ["shop"], "reason": "ticket 7",
        "expiresAt": expires_at, "requestedBy": "alice",
    })
}
