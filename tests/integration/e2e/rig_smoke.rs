//! The test cluster itself: real Helm installs, runs hooks to their end, and sees them fail.

use std::{fs, path::PathBuf, time::Duration};

use tests::rig::{Helm, Programs, Rig};

/// A chart with one `ConfigMap` and one `pre-install` Job that ends as `outcome` says.
fn chart(rig: &Rig, name: &str, outcome: &str) -> PathBuf {
    let chart = rig.folder().join("charts").join(name);
    fs::create_dir_all(chart.join("templates")).unwrap();
    fs::write(
        chart.join("Chart.yaml"),
        format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\nkubeVersion: '>=1.36'\n"),
    )
    .unwrap();
    let settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n";
    fs::write(chart.join("templates/settings.yaml"), settings).unwrap();
    let job = format!(
        "apiVersion: batch/v1
kind: Job
metadata:
  name: migrate
  annotations: {{helm.sh/hook: pre-install}}
spec:
  backoffLimit: 0
  template:
    metadata:
      annotations: {{hookward.dev/outcome: '{outcome}'}}
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: migrate}}]
"
    );
    fs::write(chart.join("templates/migrate.yaml"), job).unwrap();
    chart
}

#[test]
fn a_release_with_a_hook_is_deployed_and_uninstalled() {
    let Some(rig) = Rig::shared() else { return };
    let chart = chart(rig, "good", "ok");
    for helm in Helm::ALL {
        let namespace = rig.namespace("smoke-good");
        let marker = rig.audit_marker();
        let _ = rig
            .helm(helm)
            .args(["install", "demo"])
            .path(&chart)
            .namespace(&namespace)
            .briefly()
            .run()
            .expect_ok();
        let status =
            rig.helm(helm).args(["status", "demo", "-o", "json"]).namespace(&namespace).run().expect_ok();
        assert!(status.stdout.contains(r#""status":"deployed""#), "{helm:?}: {}", status.stdout);
        let job = rig.get_json("job", &namespace, "migrate").unwrap();
        assert_eq!(job["status"]["succeeded"], 1, "{helm:?}");
        let events = rig.audit_since(marker);
        let asked = |verb: &str, resource: &str, name: &str| {
            events.iter().position(|event| {
                event.is_from_helm()
                    && event.namespace == namespace
                    && (event.resource.as_str(), event.name.as_str()) == (resource, name)
                    && event.verb == verb
            })
        };
        let hook = asked("create", "jobs", "migrate").or_else(|| asked("patch", "jobs", "migrate"));
        let manifest =
            asked("create", "configmaps", "settings").or_else(|| asked("patch", "configmaps", "settings"));
        assert!(hook.is_some() && hook < manifest, "{helm:?}: {events:#?}");

        let _ = rig.helm(helm).args(["uninstall", "demo"]).namespace(&namespace).briefly().run().expect_ok();
        assert_eq!(rig.get_json("configmap", &namespace, "settings"), None, "{helm:?}");
    }
}

#[test]
fn a_hook_that_fails_fails_the_release() {
    let Some(rig) = Rig::shared() else { return };
    let chart = chart(rig, "bad", "fail");
    for helm in Helm::ALL {
        let namespace = rig.namespace("smoke-bad");
        let ran = rig.helm(helm).args(["install", "demo"]).path(&chart).namespace(&namespace).briefly().run();
        assert_eq!(ran.code, Some(1), "{helm:?}: {ran:?}");
        assert!(ran.stderr.contains("failed pre-install"), "{helm:?}: {ran:?}");
        assert_eq!(rig.get_json("configmap", &namespace, "settings"), None, "{helm:?}");
    }
}

#[test]
fn a_hook_that_hangs_hangs_until_the_timeout() {
    let Some(rig) = Rig::shared() else { return };
    let chart = chart(rig, "hanging", "hang");
    let namespace = rig.namespace("smoke-hang");
    let ran = rig
        .helm(Helm::V4)
        .args(["install", "demo", "--timeout", "3s"])
        .path(&chart)
        .namespace(&namespace)
        .run();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let job = rig.get_json("job", &namespace, "migrate").unwrap();
    assert_eq!(job["status"]["active"], 1);
}

#[test]
fn finished_jobs_with_a_ttl_are_removed_by_the_cluster() {
    let Some(rig) = Rig::shared() else { return };
    let namespace = rig.namespace("smoke-ttl");
    rig.apply(&format!(
        "apiVersion: batch/v1
kind: Job
metadata: {{name: short, namespace: {namespace}}}
spec:
  ttlSecondsAfterFinished: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{{name: main, image: short}}]
"
    ));
    rig.wait_for("the removal of the job", Duration::from_secs(30), || {
        rig.get_json("job", &namespace, "short").is_none().then_some(())
    });
    rig.wait_for("the removal of its pod", Duration::from_secs(30), || {
        let pods = rig.kubectl(&["get", "pods", "-o=name", "--namespace", &namespace]).expect_ok();
        pods.stdout.trim().is_empty().then_some(())
    });
}

#[test]
fn each_program_is_the_release_it_should_be() {
    let Some(rig) = Rig::shared() else { return };
    for (helm, release) in [(Helm::V3, "v3."), (Helm::V4, "v4.")] {
        let version = rig.helm(helm).args(["version", "--template", "{{.Version}}"]).run().expect_ok();
        assert!(version.stdout.starts_with(release), "{helm:?}: {}", version.stdout);
    }
    let version = rig.kubectl(&["get", "--raw", "/version"]).expect_ok();
    assert!(version.stdout.contains(r#""gitVersion": "v1.36."#), "{}", version.stdout);
}

#[test]
fn a_cluster_leaves_nothing_behind() {
    let Some(programs) = Programs::find() else { return };
    let rig = Rig::start(&programs).unwrap();
    let folder = rig.folder().to_owned();
    assert!(folder.join("etcd").is_dir());
    drop(rig);
    assert!(!folder.exists());
}
