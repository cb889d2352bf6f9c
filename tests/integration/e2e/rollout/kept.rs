//! What `helm.sh/resource-policy` keeps: real Helm, and the simulation beside it.

use tests::rig::Helm;

use super::{Rollout, SETTINGS, with_both_helms};

with_both_helms! {
    whatever_a_policy_says_and_wherever_it_stands
}

fn config_map(name: &str, policy: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{helm.sh/resource-policy: {policy}}}}}\n"
    )
}

fn list(name: &str, of_list: &str, of_item: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: List\nmetadata: {{{of_list}}}\nitems:\n- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, {of_item}}}}}\n"
    )
}

/// How many are deleted is compared.
fn whatever_a_policy_says_and_wherever_it_stands(helm: Helm) {
    let keep = "annotations: {helm.sh/resource-policy: keep}";
    let chart = SETTINGS.to_owned()
        + &config_map("kept", "keep")
        + &config_map("spelt", "' Keep '")
        + &config_map("odd", "delete")
        + &list("by-item", "", keep)
        + &list("by-list", keep, "");
    let steps = "  - install: {chart: v1.yaml, timeout: 20s}
  - upgrade: {chart: v2.yaml, timeout: 20s}
  - upgrade: {chart: v1.yaml, timeout: 20s}
  - uninstall: {timeout: 20s}
";
    let files = [("v1.yaml", chart.as_str()), ("v2.yaml", SETTINGS)];
    let played = Rollout::new(helm, "kept", steps, &files).passes();
    let told = |action: usize| played["actions"][action]["steps"][0]["message"].as_str().unwrap_or_default();
    // Of five that are no longer named, the upgrade keeps those whose policy is `keep`, also within a list.
    assert!(told(1).contains("3 deleted"), "{}", told(1));
    assert!(told(3).ends_with("2 deleted"), "{}", told(3));
}
