//! What Helm does where reading its source does not settle it: the rows of `docs/helm-facts.md` and `docs/common-lessons.md`.

use std::thread;

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed},
    rig::{Helm, Ran},
};

use super::{Place, SOON, assert_refused, assert_says, atomic, revisions, uid, with_both_helms};

mod deletions;
mod endings;
mod kindless;
mod lessons;
mod logs;
mod order;
mod ordinary;
mod refused;
mod stored;
mod streams;
mod two_roles;

/// Events of a hook that comes with every revision.
const EACH_TIME: &str = "pre-install,pre-upgrade";

/// An object with nothing but a name, and a hook if there are events.
fn object(kind: &str, name: &str, events: &str) -> Value {
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}});
    if !events.is_empty() {
        object["metadata"]["annotations"] = json!({"helm.sh/hook": events});
    }
    object
}

/// A pod that is a hook, with these members of its specification.
fn pod(name: &str, events: &str, specification: Value) -> Value {
    let mut spec = json!({"restartPolicy": "Never", "containers": [{"name": "main", "image": "shop:1"}]});
    if let (Some(spec), Value::Object(more)) = (spec.as_object_mut(), specification) {
        spec.extend(more);
    }
    changed(object("Pod", name, events), "", "spec", spec)
}

/// The object with a finalizer that nobody removes.
fn held(object: Value) -> Value {
    changed(object, "/metadata", "finalizers", json!(["example.com/hold"]))
}

/// Lets go what was held.
fn let_go(place: &Place, kind: &str, name: &str) {
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let _ = place.kubectl(&["patch", kind, name, "--type=merge", "--patch", patch], "");
}

/// Whether somebody has asked for the deletion of the object.
fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// A command with at most so much patience.
fn within(place: &Place, helm: Helm, command: &str, chart: &Chart, flags: &[&str]) -> Ran {
    place.helm(helm, command, Some(chart.path()), flags)
}

/// Runs a command, and does something meanwhile.
#[track_caller]
fn meanwhile(
    place: &Place,
    helm: Helm,
    command: &str,
    chart: &Chart,
    timeout: &str,
    act: impl FnOnce(),
) -> Ran {
    let (rig, namespace) = (place.rig, place.namespace.as_str());
    thread::scope(|scope| {
        let command = rig.helm(helm).args([command, "shop"]).path(chart.path());
        let command = command.namespace(namespace).args(["--timeout", timeout]);
        let ran = scope.spawn(|| command.run());
        act();
        ran.join().unwrap()
    })
}
