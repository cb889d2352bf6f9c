//! The files of the repository that are generated from the code; a test compares them with what is committed.

use crate::output;

/// Path from the root of the repository, and text, of every generated file.
#[must_use]
pub fn files() -> Vec<(&'static str, String)> {
    let [policy, exception] = cluster::crd::texts();
    vec![
        ("docs/rules.md", output::rules::markdown()),
        ("docs/schemas/check-v1.json", pretty(&output::json_v1::schema().to_value())),
        ("docs/schemas/try-v1.json", pretty(&output::try_v1::schema().to_value())),
        ("docs/schemas/plan-v1.json", pretty(&output::plan_v1::schema().to_value())),
        ("docs/schemas/rollout-v1.json", pretty(&output::rollout_v1::schema().to_value())),
        ("docs/schemas/scenario-v1alpha1.json", pretty(&lifecycle::scenario::schema().to_value())),
        ("docs/schemas/diagnose-v1.json", pretty(&output::diagnose::json_v1::schema().to_value())),
        ("docs/schemas/policy-v1alpha1.json", pretty(&policies::schema::policy_file())),
        // Plain for `kubectl apply`, and once more where the chart can read them: a link would not survive its packaging.
        ("deploy/crds/hookpolicies.yaml", policy.clone()),
        ("deploy/crds/hookexceptions.yaml", exception.clone()),
        ("deploy/chart/files/crds/hookpolicies.yaml", policy),
        ("deploy/chart/files/crds/hookexceptions.yaml", exception),
        ("deploy/chart/values.schema.json", chart_values()),
    ]
}

/// The schema of the chart's values as it is committed, with the rules that there are and their options: pods with others would not start.
fn chart_values() -> String {
    let committed = include_str!("../../deploy/chart/values.schema.json");
    let mut schema: serde_json::Value =
        serde_json::from_str(committed).expect("the committed schema is JSON");
    schema["properties"]["rules"] = policies::schema::chart_rules();
    pretty(&schema)
}

fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
