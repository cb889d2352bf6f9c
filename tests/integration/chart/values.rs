//! The values of the chart: each is told, does something, and is checked.

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use tests::rig::Helm;

use super::render::{Offline, chart, objects};

/// Maps and lists whose insides are not ours: what they hold is told where they begin.
const FREE: [&str; 4] = ["resources", "updateStrategy", "nodeSelector", "metrics.dashboard.labels"];

/// Something else for each value, after what must be set for it to mean something.
const CHANGES: &[&str] = &[
    "profile=strict",
    "rules.job-suspended.mode=warn",
    "engine.helmVersion=4",
    "recoveryEvents=enforce",
    "webhooks.timeoutSeconds=7",
    "webhooks.annotations.a=b",
    "webhooks.excludedNamespaces={a}",
    "webhooks.failurePolicy.mutate=Fail",
    "webhooks.failurePolicy.validate=Ignore",
    "webhooks.failurePolicy.release=Fail",
    "webhooks.failurePolicy.policy=Ignore",
    "releaseGate.enabled=false",
    "releaseLookup=true",
    "drift.repair=true",
    "events.enabled=false",
    "certificates.mode=certManager",
    "certificates.self.authorityLife=900d",
    "certificates.self.leafLife=9d",
    "certificates.self.overlap=9s",
    "certificates.mode=certManager certificates.certManager.issuerRef.name=x",
    "certificates.mode=certManager certificates.certManager.duration=9000h",
    "certificates.mode=certManager certificates.certManager.renewBefore=9h",
    "certificates.mode=existingSecret,certificates.existingSecret=x certificates.existingSecret=y",
    "clientCertificates.authorityConfigMap=x",
    "clientCertificates.authorityConfigMap=x clientCertificates.names={y}",
    "replicas=3",
    "autoscaling.enabled=true",
    "autoscaling.enabled=true autoscaling.minReplicas=3",
    "autoscaling.enabled=true autoscaling.maxReplicas=9",
    "autoscaling.enabled=true autoscaling.targetCPUUtilizationPercentage=80",
    "podDisruptionBudget.enabled=false",
    "podDisruptionBudget.maxUnavailable=50%",
    "updateStrategy.rollingUpdate.maxSurge=2",
    "drain.delay=9",
    "drain.timeout=9",
    "resources.limits.memory=1Gi",
    "priorityClass.create=false",
    "priorityClass.create=false priorityClass.name=x",
    "antiAffinity=hard",
    "topologySpread=hard",
    "affinity.podAffinity.x=y",
    "nodeSelector.disk=fast",
    "tolerations[0].operator=Exists",
    "image.registry=x",
    "image.repository=x",
    "image.tag=x",
    "image.digest=sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "image.pullPolicy=Always",
    "imagePullSecrets[0].name=x",
    "extraEnv[0].name=X",
    "extraArgs={--tls12}",
    "log.level=debug",
    "log.format=text",
    "port=9443",
    "adminPort=9080",
    "listenAddress=[::]",
    "hostNetwork=true",
    "dnsPolicy=Default",
    "service.port=8443",
    "service.annotations.a=b",
    "networkPolicy.enabled=false",
    "networkPolicy.webhookFrom[0].ipBlock.cidr=10.0.0.0/8",
    "networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/8",
    "networkPolicy.apiServerPorts={16443}",
    "metrics.mode=local",
    "metrics.mode=token,metrics.token.secretName=x metrics.token.secretName=y",
    "metrics.mode=token,metrics.token.secretName=x metrics.token.key=y",
    "metrics.serviceMonitor.enabled=true",
    "metrics.serviceMonitor.enabled=true metrics.serviceMonitor.interval=9s",
    "metrics.serviceMonitor.enabled=true metrics.serviceMonitor.labels.a=b",
    "metrics.prometheusRule.enabled=true",
    "metrics.prometheusRule.enabled=true metrics.prometheusRule.labels.a=b",
    "metrics.dashboard.enabled=true",
    "metrics.dashboard.enabled=true metrics.dashboard.labels.a=b",
    "serviceAccount.create=false",
    "serviceAccount.name=x",
    "serviceAccount.annotations.a=b",
    "rbac.create=false",
    "rbac.people=false",
    "flowSchema.enabled=false",
    "flowSchema.priorityLevel=global-default",
    "crds.install=false",
    "nameOverride=x",
    "fullnameOverride=x",
    "labels.a=b",
    "podLabels.a=b",
    "podAnnotations.a=b",
];

fn text() -> String {
    fs::read_to_string(chart().join("values.yaml")).unwrap()
}

/// The path of each value; maps that are empty or not ours count as one.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value.as_object().filter(|members| !members.is_empty() && !FREE.contains(&path)) {
        Some(members) => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                leaves(member, &path, found);
            }
        }
        None => found.push(path.to_owned()),
    }
}

pub(super) fn defaults() -> Value {
    objects(&text()).remove(0)
}

pub(super) fn all_leaves() -> Vec<String> {
    let mut found = Vec::new();
    leaves(&defaults(), "", &mut found);
    found
}

#[test]
fn every_value_changes_what_is_rendered() {
    let Some(helm) = Offline::find() else { return };
    let render = |set: &str| {
        let flags = ["--set", set];
        let rendered = helm.template(Helm::V4, if set.is_empty() { &[] } else { &flags });
        rendered.unwrap_or_else(|error| panic!("{set}: {error}"))
    };
    let mut unchanged: BTreeSet<_> = all_leaves().into_iter().collect();
    let plain = render("");
    for change in CHANGES {
        let (context, change) = change.split_once(' ').unwrap_or(("", change));
        let before = if context.is_empty() { plain.clone() } else { render(context) };
        let both = if context.is_empty() { change.to_owned() } else { format!("{context},{change}") };
        assert_ne!(render(&both), before, "{change} changes nothing");
        let path = change.split(['=', '[']).next().unwrap();
        unchanged.retain(|leaf| path != leaf && !path.starts_with(&format!("{leaf}.")));
    }
    assert!(unchanged.is_empty(), "no change is tried for {unchanged:?}");
}

#[test]
fn every_value_is_told() {
    let (mut above, mut told_until) = ("", None);
    for line in text().lines() {
        let indent = line.len() - line.trim_start().len();
        let name = line.trim_start().split(':').next().unwrap_or_default();
        let is_value = line.contains(':') && !line.trim_start().starts_with(['#', '-']);
        if is_value {
            // What is below a map that is not ours is told above it.
            let is_free = told_until.is_some_and(|outer| indent > outer);
            let is_told = above.trim_start().starts_with("# ") && !above.starts_with("# --");
            let holds_others = line.ends_with(':');
            assert!(is_told || is_free || holds_others, "{name} is not told in values.yaml");
            if !is_free {
                told_until =
                    FREE.iter().any(|path| path.split('.').next_back() == Some(name)).then_some(indent);
            }
        }
        above = line;
    }
}

#[test]
fn a_misspelt_value_is_refused_at_every_level() {
    let Some(helm) = Offline::find() else { return };
    let mut levels: BTreeSet<String> = BTreeSet::from([String::new()]);
    for leaf in all_leaves() {
        let parts: Vec<_> = leaf.split('.').collect();
        levels.extend((1..parts.len()).map(|count| format!("{}.", parts[..count].join("."))));
    }
    levels.extend(
        ["rules.job-suspended.", "engine.", "certificates.certManager.issuerRef."].map(str::to_owned),
    );
    for level in levels {
        let refused = helm.template(Helm::V4, &["--set".to_owned(), format!("{level}misspelt=1")]);
        let error = refused.expect_err(&format!("{level}misspelt is taken"));
        assert!(error.contains("misspelt"), "{error}");
    }
}

#[test]
fn values_that_mean_nothing_are_refused() {
    let Some(helm) = Offline::find() else { return };
    for (set, because) in [
        ("profile=loud", "profile"),
        ("rules.job-suspend.mode=warn", "job-suspend"),
        ("rules.job-suspended.mode=loud", "mode"),
        ("webhooks.failurePolicy.validate=Maybe", "failurePolicy"),
        ("webhooks.timeoutSeconds=31", "timeoutSeconds"),
        ("certificates.self.leafLife=1.5d", "leafLife"),
        ("port=70000", "port"),
        ("image.digest=latest", "digest"),
        ("extraArgs={serve}", "extraArgs"),
        ("drain.delay=5s", "drain"),
        ("certificates.mode=existingSecret", "certificates.existingSecret must name"),
        ("metrics.mode=token", "metrics.token.secretName must name"),
        ("metrics.mode=local,metrics.serviceMonitor.enabled=true", "metrics.serviceMonitor needs"),
    ] {
        for version in Helm::ALL {
            let error = helm.template(version, &["--set", set]).expect_err(set);
            assert!(error.contains(because), "{set}: {error}");
        }
    }
}

#[test]
fn templates_use_no_value_that_is_not_there() {
    let values = &objects(&text())[0];
    let mut files: Vec<_> =
        fs::read_dir(chart().join("templates")).unwrap().map(|file| file.unwrap().path()).collect();
    files.push(chart().join("templates/tests/probe.yaml"));
    for file in files.into_iter().filter(|file| file.is_file()) {
        let template = fs::read_to_string(&file).unwrap();
        for rest in template.split(".Values.").skip(1) {
            let end =
                rest.find(|letter: char| !letter.is_alphanumeric() && letter != '.').unwrap_or(rest.len());
            let pointer = format!("/{}", rest[..end].trim_end_matches('.').replace('.', "/"));
            assert!(values.pointer(&pointer).is_some(), "{} uses {pointer}", file.display());
        }
    }
}
