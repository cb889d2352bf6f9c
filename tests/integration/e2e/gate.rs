//! The release gate: what it refuses has touched nothing.

use serde_json::json;
use tests::{
    chart::{Chart, changed, hook_job, settings, suspended_job},
    rig::Helm,
};

use super::{Place, assert_refused, assert_says, atomic, revisions, uid, with_both_helms};

const EVENTS: &str = "pre-install,pre-upgrade";

with_both_helms! {
    the_gate_refuses_an_upgrade_before_the_old_job_is_deleted
    the_gate_refuses_an_install_and_leaves_no_release
    an_upgrade_that_would_roll_back_by_itself_has_nothing_to_roll_back
    rights_over_the_whole_cluster_are_refused_before_they_are_given
    a_hook_that_helm_dropped_is_warned_of
    nothing_of_a_secret_is_said
    a_release_kept_in_a_config_map_passes_the_gate_and_its_bad_hook_does_not
}

fn the_gate_refuses_an_upgrade_before_the_old_job_is_deleted(helm: Helm) {
    let place = Place::guarded("gate");
    let _ = place.install(helm, &Chart::new(&[hook_job("migrate", EVENTS), settings("1")])).expect_ok();
    let before = place.job("migrate");
    let marker = place.rig.audit_marker();

    let refused = place.upgrade(helm, &Chart::new(&[suspended_job("migrate", EVENTS), settings("2")]));
    assert_refused(
        &refused,
        &[
            "admission webhook \"release.hookward.dev\" denied the request: ",
            "release \"shop\" revision 2 is refused, no hook and no object was touched:",
            "`job-suspended`: Job \"migrate\" /spec/suspend: ",
            "explain: hookward rules job-suspended",
        ],
    );
    let wrote = place.helm_wrote(marker);
    let secrets =
        wrote.iter().all(|event| event.resource == "secrets" && event.verb == "create" && event.code == 403);
    assert!(secrets && !wrote.is_empty(), "{wrote:?}");
    assert_eq!(uid(&place.job("migrate")), uid(&before));
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "1");
    assert_eq!(place.history(helm), revisions(&[(1, "deployed")]));

    let _ = place.upgrade(helm, &Chart::new(&[hook_job("migrate", EVENTS), settings("3")])).expect_ok();
    assert_ne!(uid(&place.job("migrate")), uid(&before));
    assert_eq!(place.find("configmap", "settings").unwrap()["data"]["value"], "3");
    assert_eq!(place.history(helm), revisions(&[(1, "superseded"), (2, "deployed")]));
}

fn the_gate_refuses_an_install_and_leaves_no_release(helm: Helm) {
    let place = Place::guarded("gate-install");
    let refused = place.install(helm, &Chart::new(&[suspended_job("migrate", EVENTS), settings("1")]));
    assert_refused(&refused, &["INSTALLATION FAILED", "release \"shop\" revision 1 is refused"]);
    for kind in ["job", "secret"] {
        let all = place.kubectl(&["get", kind, "--output=name"], "").expect_ok();
        assert_eq!(all.stdout, "", "{kind}");
    }
    assert!(place.find("configmap", "settings").is_none());
    let _ = place.install(helm, &Chart::new(&[hook_job("migrate", EVENTS)])).expect_ok();
}

fn an_upgrade_that_would_roll_back_by_itself_has_nothing_to_roll_back(helm: Helm) {
    let place = Place::guarded("gate-atomic");
    let _ = place.install(helm, &Chart::new(&[hook_job("migrate", EVENTS), settings("1")])).expect_ok();
    let before = place.job("migrate");
    let bad = Chart::new(&[suspended_job("migrate", EVENTS), settings("2")]);
    let refused = place.helm(helm, "upgrade", Some(bad.path()), &[atomic(helm)]);
    assert_refused(&refused, &["release \"shop\" revision 2 is refused"]);
    assert_eq!(place.history(helm), revisions(&[(1, "deployed")]));
    assert_eq!(uid(&place.job("migrate")), uid(&before));
}

fn rights_over_the_whole_cluster_are_refused_before_they_are_given(helm: Helm) {
    let place = Place::guarded("gate-rights");
    let name = format!("{}-admin", place.namespace);
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "annotations": {"helm.sh/hook": "pre-install"}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": place.namespace}],
    });
    let said = format!("`sec-cluster-admin-binding`: ClusterRoleBinding \"{name}\"");
    assert_refused(&place.install(helm, &Chart::new(&[binding])), &["is refused", &said]);
    assert!(place.find("clusterrolebinding", &name).is_none());
}

fn a_hook_that_helm_dropped_is_warned_of(helm: Helm) {
    let place = Place::guarded("gate-dropped");
    let template = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-instal\n";
    let chart = Chart::new(&[settings("1")]).with("templates/migrate.yaml", template.as_bytes());
    let installed = place.install(helm, &chart).expect_ok();
    assert_says(&installed, &["`hook-unknown-event`", "shop/templates/migrate.yaml:6"]);
    assert!(place.find("job", "migrate").is_none());
}

/// Neither to the user nor into the log: values, environment, scripts, and data of Secrets.
fn nothing_of_a_secret_is_said(helm: Helm) {
    let place = Place::guarded("gate-secret");
    let annotations = json!({"helm.sh/hook": "pre-install", "helm.sh/hook-weight": "-1.5"});
    let metadata = json!({"name": "credentials", "annotations": annotations});
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": "hunter2"}});
    let job = |job| {
        let with_script =
            changed(job, "/spec/template/spec/containers/0", "args", json!(["login --password hunter2"]));
        let environment = json!([{"name": "PASSWORD", "value": "hunter2"}]);
        changed(with_script, "/spec/template/spec/containers/0", "env", environment)
    };
    let chart = |hook| Chart::new(&[secret.clone(), job(hook)]).with("values.yaml", b"password: hunter2");
    let refused = place.install(helm, &chart(suspended_job("migrate", "pre-install")));
    assert_refused(&refused, &["`job-suspended`"]);
    let allowed = place.install(helm, &chart(hook_job("migrate", "pre-install"))).expect_ok();
    assert_says(&allowed, &["`hook-weight-invalid`"]);
    let log = place.server.as_ref().unwrap().log();
    for said in [&refused.stderr, &allowed.stderr, &log] {
        assert!(!said.contains("hunter2") && !said.contains("aHVudGVyMg"), "{said}");
    }
}

/// The gate is asked about Secrets alone, where Helm keeps releases unless `HELM_DRIVER` says otherwise.
fn a_release_kept_in_a_config_map_passes_the_gate_and_its_bad_hook_does_not(helm: Helm) {
    let place = Place::guarded("gate-driver");
    let asked = place.answered(&[r#"path="release""#]);
    let chart = Chart::new(&[suspended_job("migrate", "pre-install"), settings("1")]);
    let command = place.rig.helm(helm).args(["install", "shop"]).path(chart.path());
    let refused = command.namespace(&place.namespace).briefly().env("HELM_DRIVER", "configmap").run();
    assert_refused(
        &refused,
        &["admission webhook \"validate.hookward.dev\" denied the request: ", "`job-suspended`"],
    );
    assert_eq!(place.answered(&[r#"path="release""#]), asked, "the gate was asked");
    // What the gate would have kept from being there at all.
    assert!(place.find("configmap", "sh.helm.release.v1.shop.v1").is_some());
    assert!(place.find("job", "migrate").is_none());
}
