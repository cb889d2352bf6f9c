//! The README's chapter about clusters, followed word for word, from the installation to the last `helm uninstall`.

use std::fs;

use tests::{
    image,
    node::Node,
    rig::Helm,
    walkthrough::{Reader, Step, steps},
};

/// The chapter.
const HEADING: &str = "Install in a cluster";

fn chapter(page: &str, heading: &str) -> Vec<Step> {
    let text = fs::read_to_string(crate::architecture::root().join(page)).unwrap();
    let steps = steps(&text, heading);
    assert!(!steps.is_empty(), "{page}: the chapter {heading:?} is not what it was");
    steps
}

/// A cluster of its own, since it begins with none of our kinds, and somebody who reads.
#[track_caller]
fn begin(helm: Helm) -> (Node, Reader) {
    let node = Node::start().unwrap_or_else(|error| panic!("no node: {error}: {error:?}"));
    node.import_image(image::archive());
    let reader = Reader::new(&node, helm, &crate::architecture::root());
    (node, reader)
}

#[track_caller]
fn is_followed_with(helm: Helm) {
    let (node, reader) = begin(helm);
    let steps = chapter("README.md", HEADING);
    for step in &steps {
        reader.follow(step);
    }
    let left =
        node.kubectl(&["get", "clusterroles,clusterrolebindings,priorityclasses,crds", "--output=name"]);
    let webhooks = ["get", "validatingwebhookconfigurations,mutatingwebhookconfigurations", "--output=name"];
    let left = left.expect_ok().stdout + &node.kubectl(&webhooks).expect_ok().stdout;
    assert!(!left.contains("hookward"), "the cluster is not as it was:\n{left}");
}

#[test]
fn the_readme_is_true_with_helm_3() {
    is_followed_with(Helm::V3);
}

#[test]
fn the_readme_is_true_with_helm_4() {
    is_followed_with(Helm::V4);
}

#[test]
fn certificates_are_made_anew_and_we_are_switched_off_as_the_operations_page_says() {
    const INSTALL: &str =
        "helm install hookward deploy/chart --namespace hookward-system --create-namespace --wait";
    const BUNDLE: &str = "kubectl get validatingwebhookconfiguration hookward \
                          --output=jsonpath='{.webhooks[0].clientConfig.caBundle}'";
    const SETTLED: &str =
        "kubectl --namespace hookward-system rollout status deployment hookward --timeout=60s";
    const HOOKS: &str =
        "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations --output=name";
    let (_node, reader) = begin(Helm::V4);
    let _ = reader.run(INSTALL).expect_ok();
    let before = reader.run(BUNDLE).expect_ok().stdout;
    for step in &chapter("docs/operations.md", "Rotation") {
        reader.follow(step);
    }
    let _ = reader.run(SETTLED).expect_ok();
    let after = reader.run(BUNDLE).expect_ok().stdout;
    assert!(!after.is_empty() && !after.contains(&before), "the old authority is still trusted");
    let _ = reader.run("helm test hookward --namespace hookward-system").expect_ok();
    for step in &chapter("docs/operations.md", "Break-glass") {
        reader.follow(step);
    }
    assert_eq!(reader.run(HOOKS).expect_ok().stdout, "");
}
