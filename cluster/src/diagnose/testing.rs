//! Evidence for tests, written as JSON.

use hooks::{
    Event,
    release::{Phase, Status},
};
use serde_json::{Value, json};

use super::evidence::{Evidence, HookFacts, Need, ReleaseFacts, Said, Seen};

/// When the release was stored, and the hook begun.
pub(super) const BEGAN: i64 = 1_000_000;

/// Evidence about `Job/migrate` of `shop` in `demo`, which failed before an upgrade, with what `given` says: `status`, `phase`,
/// `description`, `kind`, `hook` (its manifest), `job` (`null`: gone), `pods`, `events` as `[kind, name, reason, message]`,
/// `quotas`, `networkPolicies`, `podSecurity`, `missing` as `[kind, name]`, `ended` (seconds after the beginning).
pub(super) fn evidence(given: &Value) -> Evidence {
    let text = |name: &str, default: &str| given[name].as_str().unwrap_or(default).to_owned();
    let list = |name: &str| given[name].as_array().cloned().unwrap_or_default();
    let read = |value: &Value| serde_json::from_value(value.clone()).unwrap();
    let kind = text("kind", "Job");
    let job = given["hook"].is_object().then(|| read(&given["hook"]));
    let hook = HookFacts {
        api_version: if kind == "Job" { "batch/v1" } else { "v1" }.to_owned(),
        namespace: "demo".into(),
        name: "migrate".into(),
        path: "shop/templates/migrate.yaml".into(),
        event: Some(Event::PreUpgrade),
        deletes_before_creation: given["policy"].is_null(),
        deletes_when_failed: given["policy"] == "hook-failed",
        phase: Phase::parse(&text("phase", "Failed")),
        began: Some(BEGAN),
        ended: given["ended"].as_i64().map(|seconds| BEGAN + seconds),
        pod: given["spec"].is_object().then(|| serde_json::from_value(given["spec"].clone()).unwrap()),
        job,
        kind,
        ..HookFacts::default()
    };
    let status = Status::parse(&text("status", "failed"));
    let release = ReleaseFacts {
        name: "shop".into(),
        namespace: "demo".into(),
        revision: 2,
        status,
        newest: (2, status),
        deployed: Some(1),
        good: Some(1),
        description: text("description", ""),
        stored_at: Some(BEGAN),
    };
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
        release,
        hook,
        job: match &given["job"] {
            Value::Object(_) => Seen::There(Box::new(serde_json::from_value(given["job"].clone()).unwrap())),
            Value::Null if given.get("job").is_some() => Seen::Gone,
            _ => Seen::Unknown,
        },
        pods: list("pods").iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect(),
        events: list("events").iter().map(said).collect(),
        needs: list("missing").iter().map(need).collect(),
        quotas: list("quotas").iter().map(|one| serde_json::from_value(one.clone()).unwrap()).collect(),
        network_policies: list("networkPolicies")
            .iter()
            .map(|one| serde_json::from_value(one.clone()).unwrap())
            .collect(),
        pod_security: given["podSecurity"].as_str().map(str::to_owned),
        now: BEGAN + 400,
        ..Evidence::default()
    }
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
