//! Values that something would refuse later, when half of the release is there: refused before anything is, with a sentence.

use serde_json::Value;
use tests::rig::Helm;

use super::{
    render::{NAMESPACE, Offline, chart, find},
    values::{all_leaves, defaults},
};

/// What is set, and what must be said of it.
const REFUSED: &[(&str, &str)] = &[
    ("clientCertificates.names={apiserver}", "clientCertificates.names without"),
    ("port=8080", "port and adminPort are both 8080"),
    (r"labels.app\.kubernetes\.io/name=shop", "labels must not hold app.kubernetes.io/name"),
    (r"labels.helm\.sh/chart=shop", "labels must not hold helm.sh/chart"),
    (r"podLabels.app\.kubernetes\.io/instance=shop", "podLabels must not hold app.kubernetes.io/instance"),
    (r"podLabels.app\.kubernetes\.io/component=shop", "podLabels must not hold app.kubernetes.io/component"),
    ("labels.team=a,podLabels.team=b", "podLabels must not hold team"),
    ("labels.team=a,metrics.dashboard.labels.team=b", "metrics.dashboard.labels must not hold team"),
    (r"podAnnotations.checksum/configuration=x", "podAnnotations must not hold checksum/configuration"),
    (r"webhooks.annotations.hookward\.dev/registration=x", "webhooks.annotations must not hold"),
    ("labels.team=a b", "/labels/team"),
    ("podLabels.team=-a", "/podLabels/team"),
    ("labels.a/b/c=d", "a/b/c"),
    ("nodeSelector.disk=fast!", "/nodeSelector/disk"),
    ("podAnnotations.a b=c", "a b"),
    ("autoscaling.enabled=true,autoscaling.minReplicas=9", "autoscaling.minReplicas is 9, more than"),
    ("updateStrategy.type=Recreate", "updateStrategy.type Recreate needs"),
    ("updateStrategy.rollingUpdate.maxSurge=0", "no replica could ever be replaced"),
    (
        "updateStrategy.rollingUpdate.maxSurge=0%,updateStrategy.rollingUpdate.maxUnavailable=0%",
        "no replica could ever",
    ),
    ("updateStrategy.rollingUpdate.maxUnavailable=101%", "101%"),
    ("updateStrategy.rollingUpdate.maxSurge=-1", "maxSurge"),
    ("podDisruptionBudget.maxUnavailable=200%", "200%"),
    ("podDisruptionBudget.maxUnavailable=0", "podDisruptionBudget.maxUnavailable is 0: no node"),
    ("podDisruptionBudget.maxUnavailable=00%", "podDisruptionBudget.maxUnavailable is 00%: no node"),
    ("certificates.self.overlap=20d", "certificates.self.leafLife, 90d, must be six times"),
    ("certificates.self.authorityLife=4319h", "certificates.self.authorityLife, 4319h, must be twice"),
    ("fullnameOverride=shop.guard", "fullnameOverride"),
    ("fullnameOverride=true", "fullnameOverride"),
    ("nameOverride=null,fullnameOverride=n", r#""n" is no text in YAML"#),
    ("extraArgs={--drain-delay=1s}", "extraArgs must not hold --drain-delay, which is set already"),
    ("extraArgs={--tls12,--listen}", "extraArgs must not hold --listen, which is set already"),
    ("extraArgs={--tls12,--tls12}", "extraArgs must not hold --tls12, which is set already"),
    (
        "networkPolicy.enabled=false,networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/8",
        "networkPolicy.metricsFrom keeps nobody out with networkPolicy.enabled false",
    ),
    (
        "hostNetwork=true,port=9443,adminPort=9444,networkPolicy.webhookFrom[0].ipBlock.cidr=10.0.0.0/8",
        "networkPolicy.webhookFrom keeps nobody out with hostNetwork",
    ),
    ("rules.job-ttl-too-low.options.minimum=1", "minimum"),
    ("rules.job-ttl-too-low.options.min=soon", "/options/min"),
    ("rules.job-ttl-too-low.options.min=0", "/options/min"),
    ("rules.job-suspended.options.misspelt=1", "misspelt"),
    ("rules.job-suspended.fix=true", "fix"),
    ("rules.job-ttl-missing.fix=perhaps", "fix"),
    ("rules.job-ttl-missing.options.default=59", "/options/default"),
    ("rules.job-ttl-missing.options=1", "options"),
    ("resources.limits.memory=abc", "/resources/limits/memory"),
    ("resources.limits.memory=-1", "/resources/limits/memory"),
    ("resources.requests.cpu=10 m", "/resources/requests/cpu"),
    ("resources.requests.cpu=10mm", "/resources/requests/cpu"),
    ("resources.claims[0].name=gpu", "claims"),
    ("resources.requests.memory=129Mi", "resources.requests.memory is 129Mi, more than"),
    ("resources.requests.memory=0.2G", "resources.requests.memory is 0.2G, more than"),
    ("resources.limits.cpu=9m", "resources.requests.cpu is 10m, more than resources.limits.cpu, 9m"),
    ("resources.requests.cpu=3e0,resources.limits.cpu=2", "resources.requests.cpu is 3e0, more than"),
    ("autoscaling.enabled=true,resources=null", "autoscaling.enabled needs resources.requests.cpu"),
    ("autoscaling.enabled=true,resources.requests=null", "autoscaling.enabled needs"),
    ("autoscaling.enabled=true,resources.requests.cpu=null", "autoscaling.enabled needs"),
    ("extraEnv[0].name=A=B", "/extraEnv/0/name"),
    ("extraEnv[0].name=1A", "/extraEnv/0/name"),
    ("extraEnv[0].name=A,extraEnv[1].name=A", "extraEnv must not hold A, which is set already"),
    (
        "extraEnv[0].name=A,extraEnv[0].value=b,extraEnv[0].valueFrom.fieldRef.fieldPath=spec.nodeName",
        "extraEnv",
    ),
    ("networkPolicy.apiServerPorts=null", "apiServerPorts"),
    ("networkPolicy.apiServerPorts={}", "apiServerPorts"),
    ("networkPolicy.webhookFrom[0].ipBlock.cidr=10.0.0.0", "webhookFrom/0/ipBlock/cidr"),
    ("networkPolicy.webhookFrom[0].ipBlock.cidr=10.0.0.0/33", "webhookFrom/0/ipBlock/cidr"),
    ("networkPolicy.webhookFrom[0].ipBlock.cidr=10.0.0.256/8", "webhookFrom/0/ipBlock/cidr"),
    ("networkPolicy.webhookFrom[0].ipBlock.cidr=010.0.0.0/8", "webhookFrom/0/ipBlock/cidr"),
    ("networkPolicy.webhookFrom[0].ipBlock.cidr=fd00::/129", "webhookFrom/0/ipBlock/cidr"),
    ("networkPolicy.webhookFrom[0].ipBlock.except={10.0.0.0/8}", "cidr"),
    (
        "networkPolicy.metricsFrom[0].ipBlock.cidr=10.0.0.0/8,networkPolicy.metricsFrom[0].ipBlock.except={x}",
        "metricsFrom/0/ipBlock/except/0",
    ),
    (
        "networkPolicy.webhookFrom[0].ipBlock.cidr=::/0,networkPolicy.webhookFrom[0].podSelector.matchLabels.a=b",
        "webhookFrom/0",
    ),
    ("networkPolicy.webhookFrom[0].podSelector.labels.a=b", "labels"),
    ("flowSchema.priorityLevel=Workload High", "/flowSchema/priorityLevel"),
    ("certificates.mode=certManager,certificates.certManager.renewBefore=2160h", "must be shorter than"),
    ("certificates.mode=certManager,certificates.certManager.renewBefore=2159h60m", "must be shorter than"),
    (
        "certificates.mode=certManager,certificates.certManager.duration=59.9m",
        "59.9m, must be an hour or more",
    ),
    (
        "certificates.mode=certManager,certificates.certManager.renewBefore=4m59s",
        "must be five minutes or more",
    ),
    ("certificates.self.authorityLife=365001d", "365001d, must be 1000 years of 365 days or less"),
    ("certificates.self.overlap=99999999999999999999d", "/certificates/self/overlap"),
    ("image.repository=Foo Bar", r#"make "docker.io/Foo Bar", which is no name of an image"#),
    ("image.repository=guard//hookward", "which is no name of an image"),
    ("image.registry=https://registry.example.com", "which is no name of an image"),
    ("imagePullSecrets[0].name=,replicas=2", "/imagePullSecrets/0/name"),
    ("imagePullSecrets[0].name=My Secret", "/imagePullSecrets/0/name"),
    ("listenAddress=127.0.0.1", "listenAddress is 127.0.0.1, where neither"),
    ("listenAddress=[0:0::1]", "listenAddress is [0:0::1], where neither"),
    ("listenAddress=10.0.0", "/listenAddress"),
    ("port=443,hostNetwork=true", "port is 443: with hostNetwork it must be 1024 or more"),
    ("adminPort=1023,hostNetwork=true", "adminPort is 1023: with hostNetwork it must be"),
    ("metrics.serviceMonitor.interval=0s", "/metrics/serviceMonitor/interval"),
    ("metrics.serviceMonitor.interval=1.5h", "/metrics/serviceMonitor/interval"),
    ("metrics.mode=local,metrics.prometheusRule.enabled=true", "metrics.prometheusRule needs metrics.mode"),
    (
        "resources.limits.memory=1Mi,resources.requests.memory=null",
        "resources.limits.memory is 1Mi: with less than 32Mi",
    ),
];

#[test]
fn what_something_would_refuse_later_is_refused_before_anything_is_changed() {
    let Some(helm) = Offline::find() else { return };
    for &(set, because) in REFUSED {
        for version in Helm::ALL {
            let error = helm.template(version, &["--set", set]).expect_err(set);
            assert!(error.contains(because), "{set}: {error}");
        }
    }
}

#[test]
fn what_only_looks_like_a_contradiction_is_taken() {
    let Some(helm) = Offline::find() else { return };
    for set in [
        "updateStrategy.type=Recreate,updateStrategy.rollingUpdate=null",
        "updateStrategy.rollingUpdate.maxSurge=0,updateStrategy.rollingUpdate.maxUnavailable=1",
        "updateStrategy.rollingUpdate.maxSurge=200%",
        "autoscaling.minReplicas=9",
        "podDisruptionBudget.enabled=false,podDisruptionBudget.maxUnavailable=0",
        "podDisruptionBudget.maxUnavailable=1%",
        "extraArgs={--tls12,--max-concurrency=512}",
        "extraArgs={--client-ca=/etc/hookward-other/ca.crt}",
        "hostNetwork=true,port=9443,adminPort=9444,networkPolicy.enabled=false",
        "labels.example\\.com/team=a_b.c",
        "podLabels.empty=",
        "certificates.self.overlap=15d,certificates.self.authorityLife=180d",
        "certificates.mode=certManager,certificates.self.overlap=365d",
        "certificates.mode=certManager,certificates.certManager.renewBefore=2159h59m59.9s",
        "certificates.mode=certManager,certificates.certManager.duration=1h,certificates.certManager.renewBefore=300000ms",
        "certificates.certManager.renewBefore=9000h",
        "resources=null",
        "resources.limits=null",
        "resources.requests.memory=128Mi",
        "resources.requests.memory=0.1G",
        "resources.requests.cpu=2,resources.limits.cpu=2000m",
        "resources.limits.memory=2e8",
        "resources.limits.memory=134217728",
        "resources.limits.ephemeral-storage=1Gi",
        "autoscaling.enabled=true,resources.limits.cpu=1,resources.requests.cpu=null",
        "extraEnv[0].name=A,extraEnv[0].valueFrom.fieldRef.fieldPath=spec.nodeName",
        "extraEnv[0].name=A.b-c_D,extraEnv[0].value=",
        "networkPolicy.webhookFrom[0].ipBlock.cidr=0.0.0.0/0,networkPolicy.webhookFrom[0].ipBlock.except={10.0.0.0/8}",
        "networkPolicy.webhookFrom[0].ipBlock.cidr=fd00:10:96::/112",
        "networkPolicy.webhookFrom[0].podSelector.matchLabels.a=b,networkPolicy.webhookFrom[0].namespaceSelector.matchLabels.c=d",
        "affinity=null,tolerations=null,labels=null,podLabels=null,extraArgs=null,extraEnv=null,image.tag=null",
        "webhooks.excludedNamespaces=null",
        "certificates.self.authorityLife=365000d",
        "image.repository=guard/the_hook--ward.2",
        "image.registry=[fd00::1]:5000/mirror/docker.io",
        "image.registry=,image.repository=localhost:5000/hookward",
        "image.registry=,image.repository=hookward",
        "listenAddress=[::]",
        "port=443,adminPort=80",
        "port=1024,adminPort=1025,hostNetwork=true",
        "metrics.serviceMonitor.interval=1h30m",
        "resources.limits.memory=32Mi",
        "rules.job-ttl-too-low.options.min=90,rules.job-ttl-missing.options.skipEvents={test}",
    ] {
        for version in Helm::ALL {
            let rendered = helm.template(version, &["--set", set]);
            assert!(rendered.is_ok(), "{set}: {rendered:?}");
        }
    }
}

fn value<'v>(defaults: &'v Value, path: &str) -> &'v Value {
    defaults.pointer(&format!("/{}", path.replace('.', "/"))).unwrap()
}

/// `null` takes the default away, and left `ports:` empty, which lets everything out.
#[test]
fn a_value_whose_default_was_taken_away_is_refused() {
    let Some(helm) = Offline::find() else { return };
    let defaults = defaults();
    let filled = all_leaves().into_iter().filter(|path| match value(&defaults, path) {
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        // What is in maps that are not ours may go.
        value => !value.is_object(),
    });
    let mut tried = 0;
    for path in filled {
        let error = helm.template(Helm::V4, &["--set", &format!("{path}=null")]).expect_err(&path);
        let name = path.rsplit('.').next().unwrap();
        assert!(error.contains("missing propert") && error.contains(name), "{path}: {error}");
        tried += 1;
    }
    assert!(tried > 50, "{tried} were tried");
}

#[test]
fn a_variable_that_the_chart_sets_is_no_further_one() {
    let Some(helm) = Offline::find() else { return };
    for mode in ["self", "certManager"] {
        let objects = helm.objects(&["--set", &format!("certificates.mode={mode}")]);
        let pod = &find(&objects, "Deployment", "hookward")["spec"]["template"]["spec"];
        let set = pod["containers"][0]["env"].as_array().unwrap();
        assert!(set.len() >= 2);
        for name in set.iter().map(|variable| variable["name"].as_str().unwrap()) {
            let error = helm.template(Helm::V4, &["--set", &format!("extraEnv[0].name={name}")]);
            let wanted = format!("extraEnv must not hold {name}, which is set already");
            assert!(error.clone().is_err_and(|error| error.contains(&wanted)), "{error:?}");
        }
    }
}

#[test]
fn a_release_whose_name_no_service_can_have_is_refused_or_named_otherwise() {
    let Some(helm) = Offline::find() else { return };
    let refused = |name: &str, flags: &[&str]| {
        let mut args = vec!["template", name, "--namespace", NAMESPACE];
        args.extend(flags);
        Helm::ALL.map(|version| helm.run(version, &args, &chart()).err())
    };
    for name in ["guard.eu", "1guard"] {
        for error in refused(name, &[]) {
            assert!(error.unwrap().contains("cannot be the name of a Service"), "{name}");
        }
        assert_eq!(refused(name, &["--set", "fullnameOverride=guard"]), [None, None], "{name}");
    }
}

#[test]
fn two_that_make_a_secret_of_the_certificate_do_not_make_the_same_one() {
    let Some(helm) = Offline::find() else { return };
    let own = helm.template(Helm::V4, &[] as &[&str]).unwrap();
    let theirs = helm.template(Helm::V4, &["--set", "certificates.mode=certManager"]).unwrap();
    let made = |text: &str| {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix("secretName: "));
        lines.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    assert!(own.contains("kind: Secret\nmetadata:\n  name: hookward-certificate\n"));
    assert_eq!(made(&theirs), ["hookward-authority", "hookward-cert-manager"].map(str::to_owned).into());
    assert!(!theirs.contains(": hookward-certificate\n"), "what the other mode makes is still named");
}
