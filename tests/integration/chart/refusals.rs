//! Values that something would refuse later, when half of the release is there: refused before anything is, with a sentence.

use tests::rig::Helm;

use super::render::{NAMESPACE, Offline, chart};

/// What is set, and what must be said of it.
const REFUSED: [(&str, &str); 33] = [
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
    ("certificates.self.overlap=20d", "certificates.self.leafLife, 90d, must be six times"),
    ("certificates.self.authorityLife=4319h", "certificates.self.authorityLife, 4319h, must be twice"),
    ("fullnameOverride=shop.guard", "fullnameOverride"),
    ("rules.job-ttl-too-low.options.minimum=1", "minimum"),
    ("rules.job-ttl-too-low.options.min=soon", "/options/min"),
    ("rules.job-ttl-too-low.options.min=0", "/options/min"),
    ("rules.job-suspended.options.misspelt=1", "misspelt"),
    ("rules.job-suspended.fix=true", "fix"),
    ("rules.job-ttl-missing.fix=perhaps", "fix"),
    ("rules.job-ttl-missing.options.default=59", "/options/default"),
    ("rules.job-ttl-missing.options=1", "options"),
];

#[test]
fn what_something_would_refuse_later_is_refused_before_anything_is_changed() {
    let Some(helm) = Offline::find() else { return };
    for (set, because) in REFUSED {
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
        "labels.example\\.com/team=a_b.c",
        "podLabels.empty=",
        "certificates.self.overlap=15d,certificates.self.authorityLife=180d",
        "certificates.mode=certManager,certificates.self.overlap=365d",
        "rules.job-ttl-too-low.options.min=90,rules.job-ttl-missing.options.skipEvents={test}",
    ] {
        for version in Helm::ALL {
            let rendered = helm.template(version, &["--set", set]);
            assert!(rendered.is_ok(), "{set}: {rendered:?}");
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
