//! A hook that is called a Job and is another group's: Helm 3 cannot read how it ends, and Helm 4 does not ask.

use serde_json::json;
use tests::rig::Helm;

use super::{Rollout, with_both_helms};

with_both_helms! {
    a_job_of_another_group_fails_helm_3_where_it_waits
}

fn a_job_of_another_group_fails_helm_3_where_it_waits(helm: Helm) {
    let group = format!("foreign-{}.example.com", if helm == Helm::V3 { 3 } else { 4 });
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("jobs.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": "Job", "listKind": "JobList", "plural": "jobs", "singular": "job"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    });
    let job = json!({
        "apiVersion": format!("{group}/v1"), "kind": "Job",
        "metadata": {"name": "x", "annotations": {"helm.sh/hook": "pre-upgrade"}},
    });
    let after = if helm == Helm::V3 {
        "{exit: 1, status: failed, leftovers: [Job/x]}"
    } else {
        "{exit: 0, status: deployed, leftovers: [Job/x]}"
    };
    let steps = format!(
        "  - install: {{chart: v1.yaml, timeout: 20s}}\n  - upgrade: {{chart: v2.yaml, timeout: 20s}}\n    expect: {after}\n"
    );
    let (first, second) = (format!("---\n{definition}\n"), format!("---\n{definition}\n---\n{job}\n"));
    let files = [("v1.yaml", first.as_str()), ("v2.yaml", second.as_str())];
    let played = Rollout::new(helm, "foreign", &steps, &files).passes();
    let waits =
        played["actions"][1]["steps"].as_array().unwrap().iter().filter(|step| step["verb"] == "wait");
    let results: Vec<_> = waits.map(|step| &step["result"]).collect();
    assert_eq!(results, if helm == Helm::V3 { vec!["failed"] } else { vec![] });
}
