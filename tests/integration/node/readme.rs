//! The README's chapter about clusters, followed word for word, from the installation to the last `helm uninstall`.

use std::fs;

use tests::{
    image,
    node::Node,
    rig::Helm,
    walkthrough::{Reader, Step, named_commands, steps},
};

/// The chapter.
const HEADING: &str = "Install in a cluster";

fn page(path: &str) -> String {
    fs::read_to_string(crate::architecture::root().join(path)).unwrap()
}

fn chapter(path: &str, heading: &str) -> Vec<Step> {
    let steps = steps(&page(path), heading);
    assert!(!steps.is_empty(), "{path}: the chapter {heading:?} is not what it was");
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

const INSTALL: &str =
    "helm install hookward deploy/chart --namespace hookward-system --create-namespace --wait";

#[test]
fn what_the_operations_page_looks_at_is_there_to_be_seen() {
    let (_node, reader) = begin(Helm::V4);
    let _ = reader.run(INSTALL).expect_ok();
    assert!(!reader.run(INSTALL_GEO).ok());
    let commands = named_commands(&page("docs/operations.md"), "What runs");
    assert!(commands.len() > 4, "the table is not what it was: {commands:?}");
    for command in commands {
        let ran = reader.run(&command);
        assert!(ran.ok(), "{command}: {ran:?}");
        let tells_of_the_denial = ran.stdout.contains("hook-data-kind-recreated");
        let should = ["get events", "logs "].iter().any(|word| command.contains(word));
        assert!(tells_of_the_denial || !should, "{command}: {ran:?}");
    }
}

/// Who is registered.
const NAMES: &str = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations \
                     --output=jsonpath='{.items[*].webhooks[*].name}'";
const INSTALL_GEO: &str = "helm install geo examples/geo --namespace geo --create-namespace";
/// What somebody with both roles tries: to approve an exception as somebody else.
const FORGERY: &str = r#"
kubectl delete hookexception forged --ignore-not-found
kubectl create --filename=- <<EOF
apiVersion: hookward.dev/v1alpha1
kind: HookException
metadata: {name: forged}
spec:
  rules: [hook-data-kind-recreated]
  namespaces: [geo]
  reason: none
  requestedBy: alice
  changedBy: alice
  authors: [alice]
  expiresAt: "$(date --utc --date='+30 days' +%Y-%m-%dT%H:%M:%SZ)"
EOF
FORGED=$(kubectl get hookexception forged --output=jsonpath='{.metadata.uid}')
kubectl patch hookexception forged --subresource=status --type=merge --patch="{\"status\": {
  \"approvedGeneration\": 1, \"approvedUID\": \"$FORGED\", \"approvedBy\": \"bob\", \"approvedAt\": \"2026-11-01T00:00:00Z\"}}"
"#;
/// Whoever forges keeps what was forged from going.
const KEEP_FORGED: &str = r#"kubectl patch hookexception forged --type=merge --patch='{"metadata": {"finalizers": ["example.com/stays"]}}'"#;

#[test]
fn certificates_are_made_anew_and_we_are_switched_off_as_the_operations_page_says() {
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
    let steps = chapter("docs/operations.md", "Break-glass");
    let [milder, last_resort, afterwards] = &steps[..] else {
        panic!("the chapter is not what it was: {steps:?}")
    };
    reader.follow(milder);
    let names = reader.run(NAMES).expect_ok().stdout;
    assert_eq!(names.split_whitespace().collect::<Vec<_>>(), ["policy.hookward.dev"; 2]);
    let _ = reader.run(INSTALL_GEO).expect_ok();
    assert!(!reader.run(FORGERY).ok(), "a forged approval was taken although our own kinds are guarded");
    reader.follow(last_resort);
    assert_eq!(reader.run(HOOKS).expect_ok().stdout, "");
    let _ = reader.run(FORGERY).expect_ok();
    let _ = reader.run(KEEP_FORGED).expect_ok();
    reader.follow(afterwards);
    let left = reader.run("kubectl get hookexceptions --output=name").expect_ok().stdout;
    assert_eq!(left, "", "a forged exception is left, whose author can approve it");
    assert_eq!(reader.run(NAMES).expect_ok().stdout.split_whitespace().count(), 6);
}

/// Somebody changes what is registered, and deletes the Lease.
const TAMPER: &str = r#"
kubectl patch validatingwebhookconfiguration hookward --type=strategic \
  --patch='{"webhooks": [{"name": "validate.hookward.dev", "failurePolicy": "Ignore"}]}'
kubectl --namespace hookward-system delete lease hookward
"#;

#[track_caller]
fn drift_is_put_back_with(helm: Helm) {
    const POLICY: &str = "kubectl get validatingwebhookconfiguration hookward \
        --output=jsonpath='{.webhooks[?(@.name==\"validate.hookward.dev\")].failurePolicy}'";
    const HOLDER: &str =
        "kubectl --namespace hookward-system get lease hookward --output=jsonpath='{.spec.holderIdentity}'";
    const BUNDLES: &str = "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations hookward \
        --output=jsonpath='{.items[*].webhooks[*].clientConfig.caBundle}'";
    let (node, reader) = begin(helm);
    let _ = reader.run(INSTALL).expect_ok();
    assert_eq!(reader.run(POLICY).expect_ok().stdout, "Fail");
    let _ = reader.run(TAMPER).expect_ok();
    let steps = chapter("docs/operations.md", "Drift");
    let [Step::Commands(upgrade)] = &steps[..] else { panic!("the chapter is not what it was: {steps:?}") };
    let plain = upgrade.replace(" --force-conflicts", "");
    assert_ne!(&plain, upgrade);
    if helm == Helm::V4 {
        let ran = reader.run(&plain);
        assert!(!ran.ok() && ran.stderr.contains("kubectl-patch"), "Helm 4 needs no flag any more: {ran:?}");
        reader.follow(&steps[0]);
    } else {
        let _ = reader.run(&plain).expect_ok();
        let newer = Reader::new(&node, Helm::V4, &crate::architecture::root());
        let _ = reader.run(TAMPER).expect_ok();
        assert!(!newer.run(upgrade).ok(), "Helm 4 took the flag for a release of Helm 3");
        let _ = newer.run(&plain).expect_ok();
    }
    assert_eq!(reader.run(POLICY).expect_ok().stdout, "Fail");
    assert_eq!(
        reader.run(BUNDLES).expect_ok().stdout.split_whitespace().count(),
        6,
        "a bundle was taken away"
    );
    node.wait_for("a leader", super::SOON, || {
        (!reader.run(HOLDER).expect_ok().stdout.is_empty()).then_some(())
    });
}

#[test]
fn the_runbook_of_drift_named_an_upgrade_that_fails_with_helm_4() {
    drift_is_put_back_with(Helm::V4);
}

#[test]
fn the_runbook_of_drift_is_true_with_helm_3() {
    drift_is_put_back_with(Helm::V3);
}
