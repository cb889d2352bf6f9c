//! Evidence for tests, written as JSON.

use hooks::{
    Event,
    release::{Phase, Status},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::evidence::{Evidence, HookFacts, Need, ReleaseFacts, Said, Seen};

/// When the release was stored, and the hook begun.
pub(super) const BEGAN: i64 = 1_000_000;

/// Evidence about `Job/migrate` of `shop` in `demo`, which failed before an upgrade, with what `given` says: `status`, `phase`,
/// `description`, `kind`, `hook` (its manifest), `job` (`null`: gone), `pods`, `events` as `[kind, name, reason, message]`,
/// `quotas`, `networkPolicies`, `podSecurity`, `missing` as `[kind, name]`, `ended` (seconds after the beginning), `blind` (may not
/// look at pods and events).
pub(super) fn evidence(given: &Value) -> Evidence {
    let status = Status::parse(&text(given, "status", "failed"));
    let said = |event: &Value| {
        let text = |index: usize| event[index].as_str().unwrap_or_default().to_owned();
        Said { kind: text(0), name: text(1), reason: text(2), message: text(3), at: Some(BEGAN) }
    };
    let need = |need: &Value| Need {
        kind: ["ConfigMap", "Secret", "ServiceAccount", "PersistentVolumeClaim"]
            .into_iter()
            .find(|kind| need[0] == **kind)
            .unwrap(),
        name: need[1].as_str().unwrap().to_owned(),
        is_there: Some(need[2].is_string()),
        missing_keys: need[2].as_str().map(str::to_owned).into_iter().collect(),
        ..Need::default()
    };
    Evidence {
        release: ReleaseFacts {
            name: "shop".into(),
            namespace: "demo".into(),
            revision: 2,
            status,
            newest: (2, status),
            deployed: Some(1),
            good: Some(1),
            description: text(given, "description", ""),
            stored_at: Some(BEGAN),
        },
        hook: hook(given),
        job: match &given["job"] {
            Value::Object(_) => Seen::There(Box::new(read(&given["job"]))),
            Value::Null if given.get("job").is_some() => Seen::Gone,
            _ => Seen::Unknown,
        },
        pods: list(given, "pods").iter().map(read).collect(),
        knows_pods: given["blind"] != true,
        events: list(given, "events").iter().map(said).collect(),
        knows_events: given["blind"] != true,
        needs: list(given, "missing").iter().map(need).collect(),
        quotas: list(given, "quotas").iter().map(read).collect(),
        network_policies: list(given, "networkPolicies").iter().map(read).collect(),
        pod_security: given["podSecurity"].as_str().map(str::to_owned),
        now: BEGAN + 400,
        ..Evidence::default()
    }
}

fn hook(given: &Value) -> HookFacts {
    let kind = text(given, "kind", "Job");
    HookFacts {
        api_version: if kind == "Job" { "batch/v1" } else { "v1" }.to_owned(),
        namespace: "demo".into(),
        name: "migrate".into(),
        path: "shop/templates/migrate.yaml".into(),
        event: Some(Event::PreUpgrade),
        deletes_before_creation: given["policy"].is_null(),
        deletes_when_failed: given["policy"] == "hook-failed",
        phase: Phase::parse(&text(given, "phase", "Failed")),
        began: Some(BEGAN),
        ended: given["ended"].as_i64().map(|seconds| BEGAN + seconds),
        pod: given["spec"].is_object().then(|| read(&given["spec"])),
        job: given["hook"].is_object().then(|| read(&given["hook"])),
        kind,
        ..HookFacts::default()
    }
}

fn text(given: &Value, name: &str, default: &str) -> String {
    given[name].as_str().unwrap_or(default).to_owned()
}

fn list(given: &Value, name: &str) -> Vec<Value> {
    given[name].as_array().cloned().unwrap_or_default()
}

fn read<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

/// A Job that has ended like this; `""` for one that has not.
pub(super) fn job(reason: &str) -> Value {
    let conditions = match reason {
        "" => json!([]),
        "Complete" => json!([{"type": "Complete", "status": "True"}]),
        reason => json!([{"type": "Failed", "status": "True", "reason": reason}]),
    };
    json!({"metadata": {"name": "migrate", "uid": "1"}, "status": {"conditions": conditions}})
}

/// A pod whose only container stands like this.
pub(super) fn pod(state: &Value) -> Value {
    let container = json!({"name": "main", "image": "shop:1", "imageID": "", "ready": false, "restartCount": 0, "state": state});
    json!({
        "metadata": {"name": "migrate-x7k2p", "labels": {"job-name": "migrate"}},
        "spec": {"containers": [{"name": "main", "image": "shop:1"}], "restartPolicy": "Never"},
        "status": {"phase": "Pending", "containerStatuses": [container]},
    })
}

/// A state of a container: waiting for this reason.
pub(super) fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

/// A state of a container: ended like this.
pub(super) fn ended(reason: &str, code: i32) -> Value {
    json!({"terminated": {"reason": reason, "exitCode": code}})
}
