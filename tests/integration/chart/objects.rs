//! The objects of the chart: what the API server, our own rules and the program itself say of them.

use clap::Parser as _;
use serde_json::Value;
use tests::{
    openapi::{MINORS, Schemas},
    rig::{Helm, Rig},
};

use super::render::{NAMESPACE, Offline, UNTESTED, chart, find, objects, sets};

/// Groups of other people's operators: their kinds are not served here, so only the frame of their objects is looked at.
const FOREIGN: [&str; 2] = ["cert-manager.io/v1", "monitoring.coreos.com/v1"];

fn is_foreign(object: &Value) -> bool {
    FOREIGN.iter().any(|version| object["apiVersion"] == *version)
}

#[test]
fn both_helms_lint_it_strictly() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        for version in Helm::ALL {
            let mut args = vec!["lint", "--strict"];
            args.extend(flags.iter().map(String::as_str));
            helm.run(version, &args, &chart())
                .unwrap_or_else(|error| panic!("{version:?} on {name}: {error}"));
        }
    }
}

#[test]
fn a_real_api_server_takes_every_object_without_a_warning() {
    let (Some(rig), Some(helm)) = (Rig::shared(), Offline::find()) else { return };
    rig.apply(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n  labels:\n    \
         pod-security.kubernetes.io/enforce: restricted\n    pod-security.kubernetes.io/warn: restricted\n"
    ));
    for (name, flags) in sets() {
        let ours: Vec<_> = helm.objects(&flags).into_iter().filter(|object| !is_foreign(object)).collect();
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": ours}).to_string();
        let args = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        let ran = rig.kubectl_with(&args, &list).expect_ok();
        assert_eq!(ran.stdout.lines().count(), ours.len(), "{name}: {}", ran.stdout);
        // The node's network is not for everyone, and the warning says so.
        let is_expected = name == "host-network" && ran.stderr.contains("hostNetwork=true");
        assert!(is_expected || ran.stderr.is_empty(), "{name}: {}", ran.stderr);
    }
}

/// A label that is a number is refused by the API server.
#[test]
fn names_that_yaml_reads_as_numbers_stay_texts() {
    let Some(helm) = Offline::find() else { return };
    for name in ["2024", "1e3", "007", "yes"] {
        for version in Helm::ALL {
            let set =
                "fullnameOverride=hookward,serviceAccount.name=1,clientCertificates.authorityConfigMap=1";
            let args = ["template", name, "--namespace", name, "--set-string", set];
            for object in objects(&helm.run(version, &args, &chart()).unwrap()) {
                let problems = Schemas::of(MINORS[0].1).problems(&object);
                assert_eq!(problems.unwrap_or_default(), [""; 0], "{} of {name}", object["kind"]);
                assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/instance"], name);
            }
        }
    }
}

#[test]
fn the_api_of_every_supported_minor_version_has_every_field() {
    let Some(helm) = Offline::find() else { return };
    for (minor, module) in MINORS {
        let schemas = Schemas::of(module);
        for (name, flags) in sets() {
            for object in helm.objects(&flags) {
                let problems = schemas.problems(&object);
                assert_eq!(problems.is_none(), is_foreign(&object), "{}: no schema", object["kind"]);
                assert_eq!(problems.unwrap_or_default(), [""; 0], "{} {name} {minor}", object["kind"]);
            }
        }
    }
}

#[test]
fn objects_of_operators_have_a_frame_and_point_to_what_is_there() {
    let Some(helm) = Offline::find() else { return };
    let most = chart().join("ci/most-values.yaml").display().to_string();
    // With the usual timeout, for which the alerts are written.
    let objects = helm.objects(&["--values", &most, "--set", "webhooks.timeoutSeconds=10"]);
    let foreign: Vec<_> = objects.iter().filter(|object| is_foreign(object)).collect();
    assert_eq!(foreign.len(), 2, "ServiceMonitor and PrometheusRule");
    for object in foreign {
        assert!(object["metadata"]["name"] == "hookward" && object["spec"].is_object(), "{object}");
    }
    let monitor = find(&objects, "ServiceMonitor", "hookward");
    let service = find(&objects, "Service", "hookward-metrics");
    for (label, value) in monitor["spec"]["selector"]["matchLabels"].as_object().unwrap() {
        assert_eq!(service["metadata"]["labels"][label], *value);
    }
    assert_eq!(service["spec"]["ports"][0]["name"], monitor["spec"]["endpoints"][0]["port"]);
    let alerts = std::fs::read_to_string(chart().join("files/alerts.yaml")).unwrap();
    let wanted = &super::render::objects(&alerts)[0];
    assert_eq!(find(&objects, "PrometheusRule", "hookward")["spec"], *wanted);
    let dashboard = std::fs::read_to_string(chart().join("files/dashboard.json")).unwrap();
    let rendered =
        find(&objects, "ConfigMap", "hookward-dashboard")["data"]["hookward.json"].as_str().unwrap();
    assert_eq!(rendered.trim(), dashboard.trim());
}

#[test]
fn our_own_strict_profile_finds_nothing() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        let text = helm.template(Helm::V4, &flags).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rendered.yaml");
        std::fs::write(&file, text).unwrap();
        let output = std::process::Command::new(tests::server::program())
            .args(["check", "--profile=strict", "--fail-on=audit", "--format=json"])
            .arg(&file)
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["findings"], serde_json::json!([]), "{name}");
        assert_eq!(
            (output.status.code(), &report["summary"]["hooks"]),
            (Some(0), &Value::from(usize::from(name != UNTESTED))),
            "{name}"
        );
    }
}

#[test]
fn a_packaged_chart_is_the_same_chart() {
    let Some(helm) = Offline::find() else { return };
    for version in Helm::ALL {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().to_str().unwrap();
        let _ = helm.run(version, &["package", "--destination", to], &chart()).unwrap();
        let packaged = std::fs::read_dir(to).unwrap().next().unwrap().unwrap().path();
        let args = ["template", "hookward", "--namespace", NAMESPACE];
        let rendered = helm.run(version, &args, &packaged).unwrap();
        assert!(rendered == helm.template(version, &[] as &[&str]).unwrap(), "{version:?}");
    }
}

#[test]
fn the_only_hook_is_a_test() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        let objects = helm.objects(&flags);
        let hooks: Vec<_> = objects
            .iter()
            .filter_map(|object| object["metadata"]["annotations"]["helm.sh/hook"].as_str())
            .collect();
        let wanted: &[_] = if name == UNTESTED { &[] } else { &["test"] };
        assert_eq!(hooks, wanted, "{name}");
    }
}

#[test]
fn custom_resources_are_kept_and_equal_the_generated_ones() {
    let Some(helm) = Offline::find() else { return };
    let objects = helm.objects(&[] as &[&str]);
    for file in ["deploy/crds/hookpolicies.yaml", "deploy/crds/hookexceptions.yaml"] {
        let text = std::fs::read_to_string(crate::architecture::root().join(file)).unwrap();
        let plain = &super::render::objects(&text)[0];
        let rendered =
            find(&objects, "CustomResourceDefinition", plain["metadata"]["name"].as_str().unwrap());
        assert_eq!(rendered["spec"], plain["spec"]);
        assert_eq!(rendered["metadata"]["annotations"]["helm.sh/resource-policy"], "keep");
    }
}

/// The arguments of the one container of a pod's spec.
fn arguments(spec: &Value) -> Vec<&str> {
    let arguments = spec["containers"][0]["args"].as_array().unwrap();
    arguments.iter().map(|argument| argument.as_str().unwrap()).collect()
}

#[test]
fn the_program_knows_every_flag_that_it_is_given() {
    let Some(helm) = Offline::find() else { return };
    for (name, flags) in sets() {
        let objects = helm.objects(&flags);
        let server = &find(&objects, "Deployment", "hookward")["spec"]["template"]["spec"];
        let test = (name != UNTESTED).then(|| &find(&objects, "Pod", "hookward-test")["spec"]);
        for spec in [server].into_iter().chain(test) {
            let line = ["hookward"].into_iter().chain(arguments(spec));
            let parsed = cli::args::Args::try_parse_from(line);
            assert!(parsed.is_ok(), "{name}: {}", parsed.unwrap_err());
        }
    }
}

#[test]
fn a_pod_has_time_for_its_drain() {
    let Some(helm) = Offline::find() else { return };
    let objects = helm.objects(&["--set", "drain.delay=30,drain.timeout=60"]);
    let spec = &find(&objects, "Deployment", "hookward")["spec"]["template"]["spec"];
    assert!(
        arguments(spec).contains(&"--drain-delay=30s") && arguments(spec).contains(&"--drain-timeout=60s")
    );
    assert_eq!(spec["terminationGracePeriodSeconds"], 95);
}

#[test]
fn kubernetes_before_1_33_is_refused() {
    let Some(helm) = Offline::find() else { return };
    for version in Helm::ALL {
        for (kubernetes, is_good) in [
            ("1.32.9", false),
            ("1.33.0", true),
            ("1.33.4-gke.1000", true),
            ("1.36.0", true),
            ("1.37.0", true),
        ] {
            let rendered = helm.template(version, &["--kube-version", kubernetes]);
            assert_eq!(rendered.is_ok(), is_good, "{version:?} {kubernetes}: {rendered:?}");
        }
    }
}

#[test]
fn every_object_is_in_our_namespace_or_in_none_and_says_whose_it_is() {
    let (Some(rig), Some(helm)) = (Rig::shared(), Offline::find()) else { return };
    let cluster_wide =
        rig.kubectl(&["api-resources", "--namespaced=false", "--no-headers"]).expect_ok().stdout;
    let is_cluster_wide =
        |kind: &str| cluster_wide.lines().any(|line| line.split_whitespace().next_back() == Some(kind));
    for (name, flags) in sets() {
        for object in objects(&helm.template(Helm::V4, &flags).unwrap()) {
            let kind = object["kind"].as_str().unwrap();
            let wanted = (!is_cluster_wide(kind)).then_some(NAMESPACE);
            assert_eq!(object["metadata"]["namespace"].as_str(), wanted, "{kind} in {name}");
            assert_eq!(
                object["metadata"]["labels"]["app.kubernetes.io/instance"], "hookward",
                "{kind} in {name}"
            );
        }
    }
}

/// The way in that a firewall leaves open is most often 443, and the pods were not allowed to listen there.
#[test]
fn only_a_port_below_1024_asks_for_the_right_to_listen_there() {
    let Some(helm) = Offline::find() else { return };
    for (ports, is_asked) in [("port=1024", false), ("port=443", true), ("adminPort=1023", true)] {
        let objects = helm.objects(&["--set", ports]);
        let spec = &find(&objects, "Deployment", "hookward")["spec"]["template"]["spec"];
        let wanted = is_asked
            .then(|| serde_json::json!([{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]));
        assert_eq!(spec["securityContext"].get("sysctls"), wanted.as_ref(), "{ports}");
    }
}
