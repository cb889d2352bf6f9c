//! The chart on a real cluster, from `helm install` to `helm uninstall`, by both Helms.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tests::{
    image,
    installed::{Installed, NAME, NAMESPACE},
    node::Node,
    rig::{AuditEvent, Helm},
};

use super::SOON;

/// What `helm uninstall` leaves: the definitions with what the API server makes of them, and the pod of `helm test`, for its log.
const STAYS: [&str; 4] = [
    "APIService /v1alpha1.hookward.dev",
    "CustomResourceDefinition /hookexceptions.hookward.dev",
    "CustomResourceDefinition /hookpolicies.hookward.dev",
    "Pod hookward-system/hookward-test",
];
/// Kinds that come and go by themselves.
const PASSING: [&str; 2] = ["events", "events.events.k8s.io"];
/// Where the node says that it lives, some time after its start.
const HEARTBEATS: &str = " kube-node-lease/";

/// A cluster of its own, since what is installed concerns all of it.
#[track_caller]
fn node() -> Node {
    let node = Node::start().unwrap_or_else(|error| panic!("no node: {error}: {error:?}"));
    node.import_image(image::archive());
    let _ = node.kubectl(&["create", "namespace", NAMESPACE]).expect_ok();
    node.wait_for("the namespace", SOON, || node.get_json("configmap", NAMESPACE, "kube-root-ca.crt"));
    node
}

/// Every object there is.
#[track_caller]
fn inventory(node: &Node) -> BTreeSet<String> {
    let kinds = node
        .kubectl(&["api-resources", "--verbs=list", "--output=name", "--cached=false"])
        .expect_ok()
        .stdout;
    let kinds: Vec<_> = kinds.lines().filter(|kind| !PASSING.contains(kind)).collect();
    let line = r#"-o=jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\n"}{end}"#;
    let list = node.kubectl(&["get", &kinds.join(","), "--all-namespaces", line]).expect_ok().stdout;
    list.lines().filter(|line| !line.contains(HEARTBEATS)).map(str::to_owned).collect()
}

/// Waits until there are these objects and no others.
#[track_caller]
fn wait_until_there_is(node: &Node, wanted: &BTreeSet<String>) {
    let began = Instant::now();
    loop {
        let found = inventory(node);
        let differ: Vec<_> = found.symmetric_difference(wanted).collect();
        if differ.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "more or less than there should be: {differ:#?}");
    }
}

/// What the server's service account was refused.
fn refused(events: &[AuditEvent]) -> Vec<&AuditEvent> {
    let account = format!("system:serviceaccount:{NAMESPACE}:{NAME}");
    events.iter().filter(|event| event.user == account && matches!(event.code, 401 | 403)).collect()
}

/// How many requests the API server has let through by the chart's `FlowSchema`.
#[track_caller]
fn requests_with_our_place(node: &Node) -> u64 {
    let metrics = node.kubectl(&["get", "--raw", "/metrics"]).expect_ok().stdout;
    let is_ours = |line: &&str| {
        line.starts_with("apiserver_flowcontrol_dispatched_requests_total{")
            && line.contains(&format!(r#"flow_schema="{NAME}""#))
    };
    let counts =
        metrics.lines().filter(is_ours).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    counts.sum()
}

/// The bundle that the API server trusts.
#[track_caller]
fn bundle(node: &Node) -> String {
    let configuration = node.get_json("validatingwebhookconfiguration", "", NAME).unwrap();
    configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn lives_and_leaves_nothing(helm: Helm) {
    let node = node();
    // As careful platforms have it; the API server then refuses pods that could do more than they need.
    let restricted = ["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"];
    let _ = node.kubectl(&restricted).expect_ok();
    let hookward = Installed::new(&node, helm);
    let (before, marker) = (inventory(&node), node.audit_marker());

    hookward.install(&[]);
    hookward.wait_until_judging();
    let tested = hookward.helm(&["test", NAME, "--logs"]).expect_ok();
    assert!(tested.stdout.contains("answers as hookward.hookward-system.svc"), "{}", tested.stdout);
    let trusted = bundle(&node);
    assert!(!trusted.is_empty());

    hookward.upgrade(&["profile=strict", "replicas=3"]);
    assert_eq!(hookward.pods().len(), 3);
    assert_eq!(bundle(&node), trusted, "the upgrade took the bundle away");
    hookward.wait_until_judging();

    let _ = hookward.helm(&["rollback", NAME, "1", "--wait", "--timeout=110s"]).expect_ok();
    assert_eq!(hookward.pods().len(), 2);
    assert_eq!(bundle(&node), trusted, "the rollback took the bundle away");
    hookward.wait_until_judging();

    assert_eq!(
        refused(&node.audit_since(marker)),
        Vec::<&AuditEvent>::new(),
        "the chart's rights are not enough"
    );
    assert!(requests_with_our_place(&node) > 0, "the FlowSchema takes none of our requests");
    hookward.uninstall();
    let wanted: BTreeSet<_> = before.into_iter().chain(STAYS.map(str::to_owned)).collect();
    wait_until_there_is(&node, &wanted);
    let events = node.audit_since(marker);
    let removed = |resource: &str| {
        let is_it = |event: &AuditEvent| {
            event.is_from_helm()
                && event.verb == "delete"
                && (event.resource.as_str(), event.name.as_str()) == (resource, NAME)
        };
        events.iter().position(is_it).unwrap_or_else(|| panic!("nobody removed {resource}"))
    };
    // As deploy/README.md says: with Helm 3 there is a moment in which webhooks are registered and nobody answers.
    let webhooks_go_first = removed("validatingwebhookconfigurations") < removed("deployments");
    assert_eq!(webhooks_go_first, helm == Helm::V4);
}

#[test]
fn helm_3_installs_upgrades_rolls_back_and_leaves_nothing() {
    lives_and_leaves_nothing(Helm::V3);
}

#[test]
fn helm_4_installs_upgrades_rolls_back_and_leaves_nothing() {
    lives_and_leaves_nothing(Helm::V4);
}

#[test]
fn a_release_moves_from_helm_3_to_helm_4() {
    let node = node();
    let hookward = Installed::new(&node, Helm::V3);
    hookward.install(&[]);
    let trusted = bundle(&node);
    let hookward = hookward.with(Helm::V4);
    hookward.upgrade(&["replicas=1"]);
    assert_eq!((bundle(&node), hookward.pods().len()), (trusted, 1));
    hookward.wait_until_judging();
    hookward.uninstall();
}

/// The failure policy decides over hooks, and over nothing else; there are two ways out.
#[test]
fn a_cluster_without_replicas_goes_on_and_hookward_can_be_switched_off() {
    let node = node();
    let hookward = Installed::new(&node, Helm::V4);
    hookward.install(&[]);
    hookward.wait_until_judging();
    hookward.scale(0);

    let refused = hookward.suspended_hook("pre-install");
    assert!(refused.stderr.contains(r#"failed calling webhook "validate.hookward.dev""#), "{refused:?}");
    let _ = hookward.suspended_hook("pre-delete").expect_ok();
    node.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: shop, namespace: default}, data: {a: b}}");
    let _ = node.kubectl(&["create", "deployment", "shop", "--image=pause", "--dry-run=server"]).expect_ok();

    // Nothing that the chart holds is judged by what it installs.
    hookward.upgrade(&["replicas=1"]);
    hookward.wait_until_judging();

    hookward.scale(0);
    let switch_off = ["delete", "validatingwebhookconfigurations,mutatingwebhookconfigurations", NAME];
    let _ = node.kubectl(&switch_off).expect_ok();
    node.wait_for("the API server to forget us", SOON, || {
        hookward.suspended_hook("pre-install").ok().then_some(())
    });
    hookward.upgrade(&[]);
    hookward.wait_until_judging();
}

/// The metrics of one pod, as the API server reads them: from somewhere else.
fn metrics(node: &Node, pod: &str) -> tests::rig::Ran {
    node.kubectl(&["get", "--raw", &format!("/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8080/proxy/metrics")])
}

#[test]
fn everything_that_can_be_switched_on_works_with_the_rights_it_brings() {
    let node = node();
    let token =
        ["create", "secret", "generic", "metrics-token", "--from-literal=token=a", "--namespace", NAMESPACE];
    let _ = node.kubectl(&token).expect_ok();
    let hookward = Installed::new(&node, Helm::V4);
    let marker = node.audit_marker();
    let token = "metrics.mode=token,metrics.token.secretName=metrics-token";
    hookward.install(&["drift.repair=true", "releaseLookup=true", token]);
    hookward.wait_until_judging();

    node.apply("{apiVersion: hookward.dev/v1alpha1, kind: HookPolicy, metadata: {name: shop}, spec: {profile: strict}}");
    node.wait_for("both replicas to serve the policy", SOON, || {
        let policy = node.get_json("hookpolicy", "", "shop")?;
        (policy["status"]["replicas"].as_array()?.len() == 2).then_some(())
    });
    for kind in ["validatingwebhookconfiguration", "mutatingwebhookconfiguration"] {
        let _ = node.kubectl(&["delete", kind, NAME]).expect_ok();
        node.wait_for("the configuration to come back", SOON, || {
            let made = node.get_json(kind, "", NAME)?;
            made["webhooks"][0]["clientConfig"]["caBundle"].is_string().then_some(())
        });
    }
    hookward.wait_until_judging();
    let pod = &hookward.pods()[0];
    assert!(metrics(&node, pod).stderr.contains("must be logged in"));

    hookward.upgrade(&["metrics.mode=local"]);
    let pod = &hookward.pods()[0];
    assert!(metrics(&node, pod).stderr.contains("Forbidden"));

    hookward.upgrade(&["metrics.mode=service"]);
    let pod = &hookward.pods()[0];
    assert!(metrics(&node, pod).expect_ok().stdout.contains("hookward_ready 1"));
    assert_eq!(
        refused(&node.audit_since(marker)),
        Vec::<&AuditEvent>::new(),
        "the chart's rights are not enough"
    );
}

#[test]
fn a_certificate_of_our_own_and_the_network_of_the_node_do_as_well() {
    let node = node();
    let folder = tempfile::tempdir().unwrap();
    let name = format!("{NAME}.{NAMESPACE}.svc");
    let made = std::process::Command::new(tests::server::program())
        .args(["certs", "make", "--name", &name, "--dir"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let from = |file: &str| format!("--from-file={}", folder.path().join(file).display());
    let files = [from("tls.crt"), from("tls.key"), from("ca.crt")];
    let create =
        ["create", "secret", "generic", "own", "--namespace", NAMESPACE, &files[0], &files[1], &files[2]];
    let _ = node.kubectl(&create).expect_ok();
    let hookward = Installed::new(&node, Helm::V4);
    // One node has each port once.
    let network = "hostNetwork=true,port=10443,adminPort=10444,replicas=1";
    hookward.install(&[network, "certificates.mode=existingSecret,certificates.existingSecret=own"]);
    hookward.wait_until_judging();
    let tested = hookward.helm(&["test", NAME]);
    assert!(tested.ok(), "{tested:?}");
}

/// The API server's way to the pods is often open at 443 alone. Who is not root was not allowed to listen there.
#[test]
fn replicas_listen_below_1024_where_pods_may_do_no_more_than_they_need() {
    let node = node();
    let restricted = ["label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted"];
    let _ = node.kubectl(&restricted).expect_ok();
    let hookward = Installed::new(&node, Helm::V4);
    hookward.install(&["port=443,adminPort=80,replicas=1"]);
    hookward.wait_until_judging();
    let tested = hookward.helm(&["test", NAME, "--logs"]).expect_ok();
    assert!(tested.stdout.contains("answers as hookward.hookward-system.svc"), "{}", tested.stdout);
}
