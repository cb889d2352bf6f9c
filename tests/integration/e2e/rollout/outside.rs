//! What a chart makes outside of the namespace of a rollout.

use std::fs;

use tests::rig::Helm;

use super::{Rollout, SETTINGS, with_both_helms};

with_both_helms! {
    what_is_of_no_namespace_goes_and_a_definition_that_helm_leaves_is_named
}

fn what_is_of_no_namespace_goes_and_a_definition_that_helm_leaves_is_named(helm: Helm) {
    let steps = "  - install: {chart: chart, timeout: 20s}\n  - upgrade: {chart: chart, timeout: 20s}\n";
    let rollout = Rollout::new(helm, "outside", steps, &[]);
    let word = &rollout.namespace;
    let role = |name: &str, annotations: &str| {
        format!(
            "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: {word}-{name}\n  annotations: {{{annotations}}}\nrules: []\n"
        )
    };
    let definition = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: things.{word}.example.com}}\nspec:\n  group: {word}.example.com\n  \
         names: {{kind: Thing, plural: things, singular: thing, listKind: ThingList}}\n  scope: Namespaced\n  versions:\n  - name: v1\n    served: true\n    \
         storage: true\n    schema: {{openAPIV3Schema: {{type: object}}}}\n"
    );
    let roles = [
        role("plain", ""),
        role("kept", "helm.sh/resource-policy: keep"),
        role("hook", "helm.sh/hook: 'pre-install,pre-upgrade'"),
    ];
    let chart = rollout.folder.path().join("chart");
    for folder in ["templates", "crds"] {
        fs::create_dir_all(chart.join(folder)).unwrap();
    }
    fs::write(chart.join("Chart.yaml"), "{apiVersion: v2, name: chart, version: 0.1.0}\n").unwrap();
    fs::write(chart.join("crds/things.yaml"), definition).unwrap();
    fs::write(chart.join("templates/all.yaml"), roles.concat() + SETTINGS).unwrap();
    let told = rollout.run(&[]);
    let definition = format!("things.{word}.example.com");
    let is_left = rollout.rig.get_json("customresourcedefinition", "", &definition).is_some();
    let _ = rollout
        .rig
        .kubectl(&["delete", "customresourcedefinition", &definition, "--ignore-not-found"])
        .expect_ok();
    assert_eq!(told.code, 0, "{}\n{}", told.stdout, told.stderr);
    assert!(is_left && !rollout.is_there());
    let named = format!("CustomResourceDefinition/{definition} stays, as Helm leaves it");
    assert!(told.stderr.contains(&named), "{}", told.stderr);
    for name in ["plain", "kept", "hook"] {
        assert_eq!(rollout.rig.get_json("clusterrole", "", &format!("{word}-{name}")), None);
    }
}
