//! The first week, as the page about installation tells it: a cluster that is only observed, and one namespace after the other that is not.

use std::fs;

use serde_json::{Value, json};
use tests::{kinds, registration::LABEL, rig::Ran, server::Setup};

use super::{Place, SOON};

/// What the chart mounts with `profile=audit`; its name comes before and after those of objects.
const BASE: &str = "apiVersion: hookward.dev/v1alpha1\nkind: HookPolicy\nmetadata: {name: chart-values}\nspec: {profile: audit}\n";

/// The policy that the page shows, with names that no other test has.
fn policy_of_the_page(name: &str) -> Value {
    let page = crate::architecture::root().join("docs/installation.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let block = rest.split("```").next().unwrap();
    let mut policy: Value = serde_saphyr::from_str(block).unwrap();
    assert_eq!(policy["spec"]["namespaceSelector"]["matchLabels"], json!({"hooks": "enforced"}));
    policy["metadata"]["name"] = json!(name);
    policy["spec"]["namespaceSelector"]["matchLabels"]["hooks"] = json!(name);
    policy
}

/// Whether the claim of `examples/geo` could be created here.
fn creates_the_claim(place: &Place) -> Ran {
    let file = crate::architecture::root().join("examples/geo/templates/data.yaml");
    place.kubectl(&["create", "--dry-run=server", "--filename=-"], &fs::read_to_string(file).unwrap())
}

#[test]
fn the_policy_of_the_page_enforces_where_the_label_is_and_nowhere_else() {
    let place = Place::unguarded("first-week");
    kinds::define(place.rig);
    let setup = Setup::new("audit", BASE);
    let server = setup.in_cluster(&place.rig.kubeconfig(), &place.namespace, "replica-0").start();
    let place = place.guard_by(server, &["validate"]);
    // `a…` sorts before the name of the file's policy, `z…` after it: neither may matter.
    for letter in ["a", "z"] {
        let name = format!("{letter}-{}", place.namespace);
        let _ = creates_the_claim(&place).expect_ok();
        let mut policy = policy_of_the_page(&name);
        policy["metadata"]["labels"] = json!({LABEL: place.namespace});
        place.rig.apply(&policy.to_string());
        let _ = creates_the_claim(&place).expect_ok();
        let label = format!("hooks={name}");
        let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, &label]).expect_ok();
        place.rig.wait_for("the claim to be denied", SOON, || {
            let ran = creates_the_claim(&place);
            ran.stderr.contains("`hook-data-kind-recreated`").then_some(())
        });
        let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, "hooks-"]).expect_ok();
        place.rig.wait_for("the claim to pass again", SOON, || creates_the_claim(&place).ok().then_some(()));
        let _ = place.rig.kubectl(&["delete", "hookpolicy", &name]).expect_ok();
    }
}
