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

fn readme() -> Vec<Step> {
    let text = fs::read_to_string(crate::architecture::root().join("README.md")).unwrap();
    steps(&text, HEADING)
}

/// On a cluster of its own, since it begins with none of our kinds and ends so.
#[track_caller]
fn is_followed_with(helm: Helm) {
    let node = Node::start().unwrap_or_else(|error| panic!("no node: {error}: {error:?}"));
    node.import_image(image::archive());
    let reader = Reader::new(&node, helm, &crate::architecture::root());
    let steps = readme();
    assert!(steps.len() >= 4, "the chapter {HEADING:?} is not what it was");
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
