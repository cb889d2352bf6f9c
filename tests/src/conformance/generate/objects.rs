//! The objects themselves: valid ones, all of whose pods end soon or never.

use lifecycle::outcome::ANNOTATION;
use serde_json::{Value, json};

use super::{super::random::Random, NAMES};

/// What this finalizer is on stays.
pub(in super::super) const HELD: &str = "hookward.dev/hold";

/// Makes objects for one release.
pub(super) struct Objects {
    namespace: String,
    /// Whether a hook makes the other namespace.
    has_other: bool,
    /// Whether the chart has the definition in its `crds/` folder.
    pub(super) brings: bool,
}

impl Objects {
    pub(super) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), has_other: false, brings: false }
    }

    /// The definition, for the `crds/` folder; no hook makes it then.
    pub(super) fn bring(&mut self) -> Value {
        self.brings = true;
        definition(&self.group())
    }

    /// The object of a hook.
    pub(super) fn of_hook(&mut self, random: &mut Random, name: &str) -> Value {
        let kind = random.weighted(&[
            (46, "Job"),
            (15, "Pod"),
            (11, "ConfigMap"),
            (6, "Secret"),
            (4, "ServiceAccount"),
            (4, "PersistentVolumeClaim"),
            (2, "Namespace"),
            (4, "CustomResourceDefinition"),
            (4, "Widget"),
            (5, "List"),
        ]);
        if kind == "List" {
            let items: Vec<_> =
                (0..2 + random.below(2)).map(|place| self.item(random, name, place)).collect();
            return json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": name}, "items": items});
        }
        let mut object = self.of_kind(random, kind, name);
        if self.has_other && matches!(kind, "Job" | "ConfigMap") && random.percent(25) {
            object["metadata"]["namespace"] = json!(self.other());
        }
        if matches!(kind, "Job" | "ConfigMap") && random.percent(2) {
            object["metadata"] = if random.percent(70) { json!({"generateName": "gen-"}) } else { json!({}) };
        }
        if kind == "ConfigMap" && random.percent(3) {
            object["metadata"]["namespace"] = json!(format!("{}-none", self.namespace));
        }
        if kind == "ConfigMap" && random.percent(4) {
            object["metadata"]["finalizers"] = json!([HELD]);
        }
        object
    }

    fn item(&mut self, random: &mut Random, name: &str, place: usize) -> Value {
        let kind =
            random.weighted(&[(6, "Job"), (2, "Pod"), (4, "ConfigMap"), (1, "CustomResourceDefinition")]);
        self.of_kind(random, kind, &format!("{name}-item-{place}"))
    }

    /// An ordinary resource; seldom one that a hook makes as well.
    pub(super) fn resource(&mut self, random: &mut Random) -> Value {
        let kind = random.weighted(&[
            (12, "ConfigMap"),
            (5, "Secret"),
            (5, "Deployment"),
            (5, "Job"),
            (3, "ServiceAccount"),
            (2, "Service"),
            (2, "StatefulSet"),
            (1, "DaemonSet"),
            (1, "Pod"),
            (1, "PersistentVolumeClaim"),
        ]);
        let name = if random.percent(12) { random.pick(&NAMES) } else { random.pick(&["r-a", "r-b", "r-c"]) };
        let mut object = self.of_kind(random, kind, name);
        if kind == "Pod" {
            // One that has ended stays ready on the test cluster, and does not on a real node.
            object["spec"]["restartPolicy"] = json!("Always");
        }
        if random.percent(8) {
            object["metadata"]["annotations"] = json!({hooks::annotations::RESOURCE_POLICY: "keep"});
        }
        object
    }

    fn other(&self) -> String {
        format!("{}-x", self.namespace)
    }

    fn group(&self) -> String {
        format!("{}.example.com", self.namespace)
    }

    fn of_kind(&mut self, random: &mut Random, kind: &str, name: &str) -> Value {
        let metadata = json!({ "name": name });
        let kind = if kind == "CustomResourceDefinition" && self.brings { "Widget" } else { kind };
        match kind {
            "Job" => job(random, metadata),
            "Pod" => pod(random, &metadata),
            "ConfigMap" | "Secret" => {
                json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "data": {"value": "MQ=="}})
            }
            "PersistentVolumeClaim" => json!({
                "apiVersion": "v1", "kind": kind, "metadata": metadata,
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }),
            "Namespace" => {
                self.has_other = true;
                json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": self.other()}})
            }
            "CustomResourceDefinition" => definition(&self.group()),
            "Widget" => {
                json!({"apiVersion": format!("{}/v1", self.group()), "kind": kind, "metadata": metadata})
            }
            "Deployment" | "StatefulSet" | "DaemonSet" => json!({
                "apiVersion": "apps/v1", "kind": kind, "metadata": metadata,
                "spec": {"selector": {"matchLabels": {"app": name}}, "template": {
                    "metadata": {"labels": {"app": name}}, "spec": pod_spec("Always"),
                }},
            }),
            "Service" => json!({
                "apiVersion": "v1", "kind": kind, "metadata": metadata,
                "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
            }),
            _ => json!({"apiVersion": "v1", "kind": kind, "metadata": metadata}),
        }
    }
}

/// Something of the object is different.
pub(super) fn change(random: &mut Random, object: &mut Value) {
    if object["kind"] == "Job" || object["kind"] == "Pod" {
        match random.below(3) {
            0 => set_outcome(object, random.pick(&["ok", "fail"])),
            1 => {
                let container = if object["kind"] == "Job" {
                    &mut object["spec"]["template"]["spec"]["containers"][0]
                } else {
                    &mut object["spec"]["containers"][0]
                };
                container["image"] = json!("shop:2");
            }
            _ => object["metadata"]["labels"] = json!({"version": "2"}),
        }
    } else if object.get("data").is_some() {
        object["data"] = json!({"value": "Mg=="});
    } else if object["kind"] == "Deployment" && random.percent(30) {
        object["spec"]["selector"]["matchLabels"] = json!({"other": "1"});
        object["spec"]["template"]["metadata"]["labels"] = json!({"other": "1"});
    } else if object["kind"] == "PersistentVolumeClaim" && random.percent(50) {
        object["spec"]["accessModes"] = json!(["ReadWriteMany"]);
    } else if object["kind"] != "List" {
        object["metadata"]["labels"] = json!({"version": "2"});
    }
}

fn job(random: &mut Random, mut metadata: Value) -> Value {
    let outcome = random.weighted(&[(74, "ok"), (17, "fail"), (9, "hang")]);
    let mut job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "spec": {"backoffLimit": 0, "template": {
            "metadata": {"annotations": {ANNOTATION: outcome}},
            "spec": pod_spec("Never"),
        }},
    });
    let spec = &mut job["spec"];
    match random.below(100) {
        0..=2 => spec["template"]["spec"]["restartPolicy"] = json!("OnFailure"),
        3 => spec["template"]["spec"]["restartPolicy"] = json!("Always"),
        // A member that a Job has not: the API server drops it or refuses, as it is told.
        5 => spec["volumes"] = json!([]),
        6 => spec["template"]["spec"]["containers"][0]["imagePolicy"] = json!("Always"),
        // Counts that no Job can have, that none can be read from, and that make no pods.
        7 => spec["backoffLimit"] = json!(-1),
        8 => spec["backoffLimit"] = json!("3"),
        9 => spec["completions"] = json!(0),
        10 => spec["activeDeadlineSeconds"] = json!(0),
        // The second try comes later than Helm waits.
        4 if outcome == "fail" => spec["backoffLimit"] = json!(1),
        _ => {}
    }
    if outcome == "hang" && random.percent(60) {
        spec["activeDeadlineSeconds"] = json!(2);
    } else if random.percent(3) {
        spec["activeDeadlineSeconds"] = json!(600);
    }
    match random.below(100) {
        0..=4 => spec["ttlSecondsAfterFinished"] = json!(600),
        5..=8 => {
            spec["ttlSecondsAfterFinished"] = json!(1);
            // Who meets it later within a command meets it or not, by chance.
            let name = format!("expires-{}", metadata["name"].as_str().unwrap_or_default());
            metadata["name"] = json!(name);
        }
        9 => spec["suspend"] = json!(true),
        10 => spec["template"]["spec"]["serviceAccountName"] = json!("missing"),
        11 => {
            let claim = json!({"claimName": random.pick(&NAMES)});
            spec["template"]["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": claim}]);
        }
        12..=14 if outcome == "ok" => {
            spec["completions"] = json!(2);
            spec["parallelism"] = json!(2);
        }
        _ => {}
    }
    job["metadata"] = metadata;
    job
}

fn pod(random: &mut Random, metadata: &Value) -> Value {
    let outcome = random.weighted(&[(74, "ok"), (20, "fail"), (6, "hang")]);
    let restart = random.weighted(&[(40, "Never"), (1, "Always")]);
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(restart)});
    pod["metadata"]["annotations"] = json!({ ANNOTATION: outcome });
    if random.percent(6) {
        pod["spec"]["serviceAccountName"] = json!(random.pick(&NAMES));
    }
    pod
}

fn pod_spec(restart: &str) -> Value {
    json!({
        "restartPolicy": restart, "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "main", "image": "shop:1"}],
    })
}

fn definition(group: &str) -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Widget", "listKind": "WidgetList", "plural": "widgets", "singular": "widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

fn set_outcome(object: &mut Value, outcome: &str) {
    let metadata = if object["kind"] == "Job" { "/spec/template/metadata" } else { "/metadata" };
    if let Some(metadata) = object.pointer_mut(metadata) {
        metadata["annotations"][ANNOTATION] = json!(outcome);
    }
}

/// Whether Helm may wait for it until it gives up.
pub(super) fn may_hang(object: &Value, is_hook: bool) -> bool {
    never_ends(object)
        || !object["metadata"]["finalizers"].is_null()
        // Helm 4 may not see the end of one that goes as soon as it has ended.
        || object["spec"]["ttlSecondsAfterFinished"] == 1
        || object["spec"]["backoffLimit"] == 1
        // Helm 3 looks at an ordinary Job that has failed for a minute, and at a Pod that is not ready; nobody binds claims.
        || (!is_hook && object["kind"] == "Job" && outcome(object) != "ok")
        || (!is_hook && (object["kind"] == "Pod" || object["kind"] == "PersistentVolumeClaim"))
}

/// Whether its pods never end.
pub(in super::super) fn never_ends(object: &Value) -> bool {
    let spec = &object["spec"];
    match object["kind"].as_str() {
        Some("Job") => {
            let pods = &spec["template"]["spec"];
            let is_stopped = spec["activeDeadlineSeconds"].as_u64().is_some_and(|deadline| deadline < 60);
            let cannot_start = !pods["serviceAccountName"].is_null() || !pods["volumes"].is_null();
            spec["suspend"] == true || (!is_stopped && (outcome(object) == "hang" || cannot_start))
        }
        Some("Pod") => spec["restartPolicy"] == "Always" || outcome(object) == "hang",
        _ => false,
    }
}

/// What its pods do.
fn outcome(object: &Value) -> &str {
    let metadata = if object["kind"] == "Job" { "/spec/template/metadata" } else { "/metadata" };
    let annotations = object.pointer(metadata).map(|metadata| &metadata["annotations"]);
    annotations.and_then(|all| all[ANNOTATION].as_str()).unwrap_or("ok")
}
