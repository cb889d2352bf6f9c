//! Hooks that are no Jobs with a name.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, hook_job, job_with_policy, settings, suspended_job},
    rig::Helm,
};

use super::{ALL, OBJECTS, Place, assert_refused, assert_says, with_both_helms};

with_both_helms! {
    a_list_that_is_a_hook_is_judged_item_by_item_at_the_gate
    a_cron_job_that_is_a_hook_is_judged_by_its_pod
    a_custom_resource_that_is_a_hook_is_judged
}

/// The Job with a name that the API server completes.
fn generated(mut job: Value) -> Value {
    let metadata = job["metadata"].as_object_mut().unwrap();
    metadata.remove("name");
    metadata.insert("generateName".to_owned(), json!("migrate-"));
    job
}

/// Names and lives of all Jobs: the time to live of each.
fn lives(place: &Place) -> Vec<Value> {
    let all = place.kubectl(&["get", "jobs", "--output=json"], "").expect_ok();
    let all: Value = serde_json::from_str(&all.stdout).unwrap();
    all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["spec"]["ttlSecondsAfterFinished"].clone())
        .collect()
}

#[test]
fn a_generated_name_changes_nothing_for_us() {
    let place = Place::guarded("kinds-generated");
    let refused = place.create(&generated(suspended_job("", "pre-install")));
    assert_refused(&refused, &["`job-suspended`: Job \"migrate-"]);
    for _ in 0..2 {
        let _ = place.create(&generated(hook_job("", "pre-install"))).expect_ok();
    }
    assert_eq!(lives(&place), [300, 300]);
}

#[test]
fn helm_3_runs_hooks_with_generated_names_and_each_gets_its_end() {
    let place = Place::guarded("kinds-generated-helm3");
    let chart = Chart::new(&[generated(job_with_policy("", "pre-install,pre-upgrade", "hook-failed"))]);
    let _ = place.install(Helm::V3, &chart).expect_ok();
    let _ = place.upgrade(Helm::V3, &chart).expect_ok();
    assert_eq!(lives(&place), [300, 300]);
}

#[test]
fn helm_4_cannot_run_hooks_with_generated_names_and_says_so_itself() {
    for place in [Place::unguarded("kinds-generated-helm4"), Place::guarded("kinds-generated-helm4")] {
        let chart = Chart::new(&[generated(job_with_policy("", "pre-install", "hook-failed"))]);
        assert_refused(&place.install(Helm::V4, &chart), &["resource name may not be empty"]);
    }
}

fn list(items: &[Value]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "List", "items": items,
        "metadata": {"annotations": {"helm.sh/hook": "pre-install,pre-upgrade"}},
    })
}

fn plain(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("annotations");
    object
}

fn a_list_that_is_a_hook_is_judged_item_by_item_at_the_gate(helm: Helm) {
    let place = Place::guarded("kinds-list");
    let bad = list(&[settings("1"), plain(suspended_job("migrate", "pre-install"))]);
    assert_refused(
        &place.install(helm, &Chart::new(&[bad])),
        &[
            "release \"shop\" revision 1 is refused",
            "`job-suspended`: Job \"migrate\" /items/1/spec/suspend: ",
        ],
    );
    let good = list(&[settings("1"), plain(hook_job("migrate", "pre-install"))]);
    let _ = place.install(helm, &Chart::new(&[good])).expect_ok();
    // Kubernetes gets the items one by one, without the annotation of the list: as single objects they are no hooks.
    let job = place.job("migrate");
    assert_eq!(job["status"]["succeeded"], 1);
    assert_eq!(job["spec"].get("ttlSecondsAfterFinished"), None);
}

#[test]
fn annotated_items_of_a_list_are_judged_one_by_one() {
    let place = Place::guarded("kinds-items");
    let items = [hook_job("good", "pre-install"), suspended_job("bad", "pre-install")];
    let all = json!({"apiVersion": "v1", "kind": "List", "items": items});
    assert_refused(&place.create(&all), &["denied the request: `job-suspended`: Job \"bad\""]);
    assert_eq!(place.job("good")["spec"]["ttlSecondsAfterFinished"], 300);
    assert!(place.find("job", "bad").is_none());
}

fn cron_job(privileged: bool) -> Value {
    let job = hook_job("nightly", "pre-install");
    let security = json!({"privileged": privileged});
    let job = changed(job, "/spec/template/spec/containers/0", "securityContext", security);
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": job["metadata"],
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": job["spec"]}},
    })
}

fn a_cron_job_that_is_a_hook_is_judged_by_its_pod(helm: Helm) {
    let place = Place::guarded("kinds-cron");
    let said = "`sec-privileged`: CronJob \"nightly\" /spec/jobTemplate/spec/template/spec/containers/0/securityContext/privileged: ";
    assert_refused(&place.install(helm, &Chart::new(&[cron_job(true)])), &["is refused", said]);
    assert_refused(&place.create(&cron_job(true)), &["\"validate.hookward.dev\" denied the request: ", said]);
    let _ = place.install(helm, &Chart::new(&[cron_job(false)])).expect_ok();
    assert!(place.find("cronjob", "nightly").is_some());
}

/// Everything that makes pods, with a pod that may do anything in a place where one has to look for it.
#[test]
fn pods_are_found_in_everything_that_makes_pods() {
    let place = Place::guarded("kinds-pods");
    let careful = json!({"name": "main", "image": "shop:1"});
    let bad = json!({"name": "bad", "image": "shop:1", "securityContext": {"privileged": true}});
    let kinds = [
        ("v1", "Pod", "", "Never"),
        ("v1", "ReplicationController", "/template", "Always"),
        ("batch/v1", "Job", "/template", "Never"),
        ("batch/v1", "CronJob", "/jobTemplate/spec/template", "Never"),
        ("apps/v1", "Deployment", "/template", "Always"),
        ("apps/v1", "StatefulSet", "/template", "Always"),
        ("apps/v1", "DaemonSet", "/template", "Always"),
        ("apps/v1", "ReplicaSet", "/template", "Always"),
    ];
    for (version, kind, template, restart_policy) in kinds {
        for list in ["initContainers", "containers"] {
            let containers = if list == "containers" { json!([careful, bad]) } else { json!([careful]) };
            let mut pods = json!({"restartPolicy": restart_policy, "containers": containers});
            if list == "initContainers" {
                pods[list] = json!([bad]);
            }
            let labels = json!({"app": "shop"});
            let spec = match kind {
                "Pod" => pods,
                "Job" => json!({"template": {"spec": pods}}),
                "CronJob" => {
                    json!({"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": pods}}}})
                }
                "ReplicationController" => {
                    json!({"template": {"metadata": {"labels": labels}, "spec": pods}})
                }
                _ => {
                    json!({"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pods}})
                }
            };
            let metadata = json!({"name": "shop", "annotations": {"helm.sh/hook": "pre-install"}});
            let object = json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec});
            let index = usize::from(list == "containers");
            let below =
                if template.is_empty() { "/spec".to_owned() } else { format!("/spec{template}/spec") };
            let said = format!(
                "`sec-privileged`: {kind} \"shop\" {below}/{list}/{index}/securityContext/privileged: "
            );
            assert_refused(&place.create(&object), &[&said]);
        }
    }
}

const STRICT: &str = "
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: strict}
spec:
  rules:
    hook-weight-invalid: {mode: deny}
";

/// Defines `Widget` in a group of its own, in two versions.
pub(super) fn define(place: &Place, group: &str) {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": schema},
                {"name": "v1beta1", "served": true, "storage": false, "schema": schema},
            ],
        },
    });
    place.rig.apply(&definition.to_string());
    let name = format!("crd/widgets.{group}");
    let _ = place.rig.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", &name]).expect_ok();
}

fn a_custom_resource_that_is_a_hook_is_judged(helm: Helm) {
    let place = Place::unguarded("kinds-custom");
    let group = format!("{}.example.com", place.namespace);
    define(&place, &group);
    let place = place.guard(STRICT, &ALL);
    let widget_of = |version: &str, weight: &str| {
        json!({
            "apiVersion": format!("{group}/{version}"), "kind": "Widget", "spec": {"size": 1},
            "metadata": {"name": "wheel", "annotations": {"helm.sh/hook": "pre-install", "helm.sh/hook-weight": weight}},
        })
    };
    let widget = |weight: &str| widget_of("v1", weight);
    let said = "`hook-weight-invalid`: Widget \"wheel\" ";
    let denied = ["\"validate.hookward.dev\" denied the request: ", said];
    assert_refused(&place.install(helm, &Chart::new(&[widget("1.5")])), &["is refused", said]);
    assert_refused(&place.create(&widget("1.5")), &denied);
    assert_refused(&place.create(&widget_of("v1beta1", "1.5")), &denied);
    let _ = place.install(helm, &Chart::new(&[widget("1")])).expect_ok();
    let stored = place.find(&format!("widgets.{group}"), "wheel").unwrap();
    assert_eq!(stored["spec"]["size"], 1);
}

/// Helm 3 and 4 both delete by kind and name only: nothing but the gate stands between a hook and a claim with data.
#[test]
fn a_claim_that_is_a_hook_is_refused_with_what_would_happen() {
    let place = Place::unguarded("kinds-claim").guard("", &OBJECTS);
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "annotations": {"helm.sh/hook": "pre-install,pre-upgrade"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let refused = place.create(&claim);
    assert_refused(&refused, &["`hook-data-kind-recreated`: PersistentVolumeClaim \"data\""]);
    assert_says(&refused, &["deleted"]);
}
