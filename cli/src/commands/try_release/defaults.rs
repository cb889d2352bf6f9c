//! What the API server fills in before it asks a webhook, as far as rules look at it.

use serde_json::{Map, Value, json};

/// Fills in what the author left out; what is written stays.
///
/// Source: Kubernetes 1.36 `pkg/apis/batch/v1/defaults.go` and `pkg/apis/core/v1/defaults.go`.
pub(super) fn apply(object: &mut Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    match (version.as_str(), kind.as_str()) {
        ("v1", "Pod") => {
            set(spec, "enableServiceLinks", json!(true));
            pod(spec);
        }
        ("batch/v1", "Job") => job(spec),
        ("batch/v1", "CronJob") => {
            set(spec, "concurrencyPolicy", json!("Allow"));
            set(spec, "suspend", json!(false));
            set(spec, "successfulJobsHistoryLimit", json!(3));
            set(spec, "failedJobsHistoryLimit", json!(1));
            if let Some(spec) =
                spec.get_mut("jobTemplate").and_then(|template| template.get_mut("spec")?.as_object_mut())
            {
                job(spec);
            }
        }
        ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") => template(spec),
        _ => {}
    }
}

fn job(spec: &mut Map<String, Value>) {
    // With parallelism alone, the number of completions is left open.
    if !spec.contains_key("parallelism") {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    let per_index = spec.contains_key("backoffLimitPerIndex");
    set(spec, "backoffLimit", if per_index { json!(i32::MAX) } else { json!(6) });
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    let replacement = if spec.contains_key("podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    set(spec, "podReplacementPolicy", json!(replacement));
    template(spec);
}

fn template(spec: &mut Map<String, Value>) {
    if let Some(spec) =
        spec.get_mut("template").and_then(|template| template.get_mut("spec")?.as_object_mut())
    {
        pod(spec);
    }
}

fn pod(spec: &mut Map<String, Value>) {
    set(spec, "restartPolicy", json!("Always"));
    set(spec, "dnsPolicy", json!("ClusterFirst"));
    set(spec, "terminationGracePeriodSeconds", json!(30));
    set(spec, "schedulerName", json!("default-scheduler"));
    set(spec, "securityContext", json!({}));
    for list in ["initContainers", "containers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        containers.filter_map(Value::as_object_mut).for_each(container);
    }
}

fn container(container: &mut Map<String, Value>) {
    set(container, "resources", json!({}));
    set(container, "terminationMessagePath", json!("/dev/termination-log"));
    set(container, "terminationMessagePolicy", json!("File"));
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !image.contains('@') && name.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    set(container, "imagePullPolicy", json!(if is_latest { "Always" } else { "IfNotPresent" }));
}

/// Null counts as absent.
fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    let entry = map.entry(name).or_insert(Value::Null);
    if entry.is_null() {
        *entry = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(spec: &Value) -> Value {
        let mut job = json!({"apiVersion": "batch/v1", "kind": "Job", "spec": spec});
        apply(&mut job);
        job["spec"].take()
    }

    #[test]
    fn a_job_gets_what_the_api_server_gives_it() {
        let spec =
            job(&json!({"template": {"spec": {"containers": [{"image": "r:5000/a"}, {"image": "a:1"}]}}}));
        assert_eq!(
            (&spec["backoffLimit"], &spec["completions"], &spec["parallelism"]),
            (&json!(6), &json!(1), &json!(1))
        );
        assert_eq!((&spec["suspend"], &spec["completionMode"]), (&json!(false), &json!("NonIndexed")));
        let pod = &spec["template"]["spec"];
        assert_eq!((&pod["restartPolicy"], &pod["dnsPolicy"]), (&json!("Always"), &json!("ClusterFirst")));
        assert_eq!(pod["containers"][0]["imagePullPolicy"], "Always");
        assert_eq!(pod["containers"][1]["imagePullPolicy"], "IfNotPresent");
        assert_eq!(spec["ttlSecondsAfterFinished"], Value::Null);
    }

    #[test]
    fn what_is_written_stays() {
        let spec = job(
            &json!({"backoffLimit": 0, "suspend": true, "parallelism": 2, "template": {"spec": {"restartPolicy": "Never"}}}),
        );
        assert_eq!(
            (&spec["backoffLimit"], &spec["suspend"], &spec["completions"]),
            (&json!(0), &json!(true), &Value::Null)
        );
        assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    }
}
