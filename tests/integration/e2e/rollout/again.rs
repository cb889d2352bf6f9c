//! What an earlier step has left is seen to go, and to stay.

use tests::rig::Helm;

use super::{Rollout, SETTINGS, job, with_both_helms};

with_both_helms! {
    the_example_of_a_release_is_played_twice_as_simulated
    a_release_that_was_undone_and_uninstalled_is_played_again_as_simulated
}

/// Its hooks have the policy that they have without an annotation: each deletes what it left.
fn the_example_of_a_release_is_played_twice_as_simulated(helm: Helm) {
    let steps = "  - install: {chart: shop.yaml, timeout: 40s}
  - upgrade: {chart: shop.yaml, timeout: 40s}
    expect: {leftovers: [Job/shop-migrate, Job/shop-warm-cache]}
  - test: {timeout: 40s}
  - test: {timeout: 40s}
    expect: {leftovers: [Job/shop-migrate, Job/shop-warm-cache, Pod/shop-reachable]}
  - uninstall: {timeout: 40s}
";
    let shop = include_str!("../../../../examples/shop.yaml");
    let played = Rollout::new(helm, "twice", steps, &[("shop.yaml", shop)]).passes();
    for (action, event) in [(1, "pre-upgrade"), (1, "post-upgrade"), (3, "test")] {
        let steps = played["actions"][action]["steps"].as_array().unwrap();
        let deletes = |step: &serde_json::Value| step["event"] == event && step["verb"] == "delete";
        assert!(steps.iter().any(|step| deletes(step) && step["result"] == "ok"), "{event}: {steps:#?}");
    }
}

fn a_release_that_was_undone_and_uninstalled_is_played_again_as_simulated(helm: Helm) {
    let fails = job("fails", "helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-failed", "fail");
    let list = "---\napiVersion: v1\nkind: List\nmetadata: {annotations: {helm.sh/hook: pre-install}}\nitems:\n- {apiVersion: v1, kind: \
                ConfigMap, metadata: {name: item}}\n";
    let steps = "  - install: {chart: bad.yaml, timeout: 40s, rollbackOnFailure: true}
    expect: {exit: 1, status: null, leftovers: []}
  - install: {chart: good.yaml, timeout: 40s}
    expect: {leftovers: [ConfigMap/item]}
  - uninstall: {keepHistory: true, timeout: 40s}
  - uninstall: {timeout: 40s}
    expect: {leftovers: [ConfigMap/item]}
";
    let files = [("bad.yaml", &*(fails + SETTINGS)), ("good.yaml", &*format!("{list}{SETTINGS}"))];
    let played = Rollout::new(helm, "again", steps, &files).passes();
    assert_eq!(played["actions"][3]["steps"], serde_json::json!([]), "nothing but the history goes");
}
