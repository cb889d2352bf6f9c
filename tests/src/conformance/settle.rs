//! Between two commands everything comes to rest, so that no result depends on who is faster.

use std::{
    thread,
    time::{Duration, Instant},
};

use hooks::annotations::HOOK;
use serde_json::Value;

use super::{
    api::Api,
    generate::{HELD, never_ends},
    observed::object,
    scenario::RELEASE,
};

/// What takes longer never comes to rest.
const LIMIT: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(150);

/// Where objects of a namespace are.
const COLLECTIONS: [(&str, &str); 6] = [
    ("Job", "/apis/batch/v1/namespaces/{}/jobs"),
    ("Pod", "/api/v1/namespaces/{}/pods"),
    ("ConfigMap", "/api/v1/namespaces/{}/configmaps"),
    ("Secret", "/api/v1/namespaces/{}/secrets"),
    ("ServiceAccount", "/api/v1/namespaces/{}/serviceaccounts"),
    ("PersistentVolumeClaim", "/api/v1/namespaces/{}/persistentvolumeclaims"),
];

/// Everything of one release.
pub(super) struct Snapshot {
    objects: Vec<(&'static str, Value)>,
    is_served: bool,
}

/// Looks again until nothing moves any more.
pub(super) fn settled(api: &Api, namespace: &str, defines: bool, others: bool) -> Snapshot {
    let start = Instant::now();
    loop {
        let snapshot = Snapshot::take(api, namespace, defines, others);
        if snapshot.is_at_rest() || start.elapsed() > LIMIT {
            return snapshot;
        }
        thread::sleep(PAUSE);
    }
}

impl Snapshot {
    fn take(api: &Api, namespace: &str, defines: bool, others: bool) -> Self {
        let mut snapshot = Self { objects: Vec::new(), is_served: true };
        let other = format!("{namespace}-x");
        snapshot.read_namespace(api, namespace);
        if others && let Some(found) = api.get(&format!("/api/v1/namespaces/{other}")) {
            snapshot.objects.push(("Namespace", found));
            snapshot.read_namespace(api, &other);
        }
        let group = format!("{namespace}.example.com");
        let definition = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{group}");
        let found = if defines { api.get(&definition) } else { None };
        if defines {
            let is_served = api.groups().to_string().contains(&format!(r#""{group}""#));
            snapshot.is_served = is_served == found.is_some();
        }
        if let Some(found) = found {
            snapshot.objects.push(("CustomResourceDefinition", found));
            let path = format!("/apis/{group}/v1/namespaces/{namespace}/widgets");
            match api.get(&path) {
                Some(list) => snapshot.read(&list, "Widget"),
                None => snapshot.is_served = false,
            }
        }
        snapshot
    }

    fn read_namespace(&mut self, api: &Api, namespace: &str) {
        for (kind, path) in COLLECTIONS {
            if let Some(list) = api.get(&path.replace("{}", namespace)) {
                self.read(&list, kind);
            }
        }
    }

    fn read(&mut self, list: &Value, kind: &'static str) {
        let items = list["items"].as_array().into_iter().flatten();
        // Items of a list leave unsaid what they are.
        self.objects.extend(items.cloned().map(|mut item| {
            item["kind"] = kind.into();
            (kind, item)
        }));
    }

    fn is_at_rest(&self) -> bool {
        self.is_served && !self.objects.iter().any(|(kind, object)| moves(kind, object))
    }

    /// The revisions of the release, oldest first.
    pub(super) fn history(&self) -> Vec<(u32, String)> {
        let labels = self.of("Secret").map(|secret| &secret["metadata"]["labels"]);
        let ours = labels.filter(|labels| labels["owner"] == "helm" && labels["name"] == RELEASE);
        let mut history: Vec<_> = ours
            .filter_map(|labels| {
                Some((labels["version"].as_str()?.parse().ok()?, labels["status"].as_str()?.to_owned()))
            })
            .collect();
        history.sort();
        history
    }

    /// All that is annotated as a hook.
    pub(super) fn leftovers(&self) -> Vec<String> {
        let annotated = |object: &Value| !object["metadata"]["annotations"][HOOK].is_null();
        let left = self.objects.iter().filter(|(_, object)| annotated(object));
        let mut left: Vec<_> = left
            .map(|(kind, found)| {
                let metadata = &found["metadata"];
                let text = |name: &str| metadata[name].as_str().unwrap_or_default();
                // The end of the name is the API server's.
                let name = if metadata["generateName"].is_null() {
                    text("name").to_owned()
                } else {
                    format!("{}*", text("generateName"))
                };
                object(kind, text("namespace"), &name)
            })
            .collect();
        left.sort();
        left
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |(of, _)| *of == kind).map(|(_, object)| object)
    }
}

/// Whether the object will soon be another.
fn moves(kind: &str, object: &Value) -> bool {
    let metadata = &object["metadata"];
    let held = metadata["finalizers"].as_array().is_some_and(|all| all.iter().any(|one| one == HELD));
    if !metadata["deletionTimestamp"].is_null() {
        return !held;
    }
    let is_true = |wanted: &[&str]| {
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        conditions
            .into_iter()
            .any(|one| one["status"] == "True" && wanted.iter().any(|wanted| one["type"] == *wanted))
    };
    match kind {
        "Job" if is_true(&["Complete", "Failed"]) => {
            object["spec"]["ttlSecondsAfterFinished"].as_u64().is_some_and(|ttl| ttl < 60)
        }
        "Job" => !never_ends(object),
        // Those of a Job that has hung go on.
        "Pod" if metadata["ownerReferences"].is_null() && !never_ends(object) => {
            !matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
        }
        "CustomResourceDefinition" => !is_true(&["Established"]),
        _ => false,
    }
}
