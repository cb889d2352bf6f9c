//! Hooks and pods that the API server does not take.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, hook_job, job_with_policy, settings, suspended_job},
    diagnosed::Diagnosed,
    rig::Helm,
};

use super::{
    super::{OBJECTS, Place, SOON, with_both_helms},
    BRIEFLY, failed_install, failed_upgrade, migrate, until_the_next_second,
};

with_both_helms! {
    a_quota_without_room
    a_service_account_that_is_not_there
    a_job_of_an_earlier_run_in_the_way
    a_webhook_that_says_no
    a_kind_that_nobody_knows
}

fn a_quota_without_room(helm: Helm) {
    let place = Place::unguarded("diagnose-quota");
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": {"pods": "0"}}});
    let _ = place.create(&quota).expect_ok();
    // A quota counts as soon as the controller has counted.
    place.rig.wait_for("the quota", SOON, || {
        place.find("resourcequota", "team")?["status"]["used"]["pods"].as_str().map(drop)
    });
    let ran = place.helm(helm, "upgrade", Some(Chart::new(&[migrate()]).path()), BRIEFLY);
    assert!(!ran.ok(), "{ran:?}");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first(
        "quota",
        &[
            "shop revision 2 is failed since",
            "revision 1 is still deployed and serving",
            "Job/migrate (pre-upgrade, weight 0) could not have its pod: the quota \"team\" leaves no room for it",
            "is forbidden: exceeded quota: team",
            "Helm waited its whole timeout",
            "for a pod that was never created",
            "The Job has no deadline and keeps trying",
            "# stops the retries",
            "# revision 2 does not block it",
        ],
    );
    assert_eq!(said.causes(), ["quota", "timeout"]);
    assert_eq!(said.commands()[0], format!("kubectl -n {} delete job migrate", place.namespace));
}

fn a_service_account_that_is_not_there(helm: Helm) {
    let place = Place::unguarded("diagnose-account");
    let job = changed(migrate(), "/spec/template/spec", "serviceAccountName", json!("migrator"));
    failed_install(&place, helm, &[job]).assert_first(
        "service-account",
        &[
            "could not have its pod: there is no ServiceAccount \"migrator\"",
            "error looking up service account",
            "create serviceaccount migrator",
            "no other revision is deployed",
            &format!("helm uninstall shop -n {}", place.namespace),
        ],
    );
}

fn a_job_of_an_earlier_run_in_the_way(helm: Helm) {
    let place = Place::unguarded("diagnose-stale");
    let job = || job_with_policy("migrate", "pre-install,pre-upgrade", "hook-failed");
    let _ = place.install(helm, &Chart::new(&[job()])).expect_ok();
    let changed = changed(job(), "/spec/template/spec/containers/0", "image", json!("shop:2"));
    let ran = place.helm(helm, "upgrade", Some(Chart::new(&[changed]).path()), BRIEFLY);
    assert!(!ran.ok(), "{ran:?}");
    let words = match helm {
        Helm::V3 => ["Helm does not replace it", "already exists"],
        Helm::V4 => ["its pods cannot be changed", "field is immutable"],
    };
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first("stale-rerun", &words);
    assert!(said.commands().contains(&&*format!("kubectl -n {} delete job migrate", place.namespace)));
    assert!(said.text.contains("hook-policy-no-before-creation"), "{}", said.text);
}

/// Helm 4 calls it deployed.
#[test]
fn a_hook_that_did_not_run_although_all_seems_well() {
    let place = Place::unguarded("diagnose-not-run");
    let chart = |value| {
        Chart::new(&[job_with_policy("migrate", "pre-install,pre-upgrade", "hook-failed"), settings(value)])
    };
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let well = Diagnosed::of(place.rig, &place.namespace);
    assert_eq!((well.code, well.causes()), (0, vec![]), "{}", well.text);
    until_the_next_second(&place, "migrate");
    let _ = place.upgrade(Helm::V4, &chart("2")).expect_ok();
    Diagnosed::of(place.rig, &place.namespace).assert_first(
        "stale-rerun",
        &["is deployed since", "was not run: Helm took the Job of an earlier run for this one"],
    );
}

fn a_webhook_that_says_no(helm: Helm) {
    let place = Place::unguarded("diagnose-webhook").guard("", &OBJECTS);
    failed_upgrade(&place, helm, &[suspended_job("migrate", "pre-upgrade")]).assert_first(
        "admission",
        &[
            "was refused by the webhook \"validate.hookward.dev\"",
            "`job-suspended`",
            "Helm was refused when it created the hook, and stopped at once.",
        ],
    );
}

fn a_kind_that_nobody_knows(helm: Helm) {
    let place = Place::unguarded("diagnose-kind");
    let widget = json!({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "w", "annotations": {"helm.sh/hook": "pre-upgrade"}}});
    failed_upgrade(&place, helm, &[widget]).assert_first(
        "unbuildable",
        &[
            "Widget/w (pre-upgrade, weight 0) could not be created: the cluster does not know its kind",
            "no matches for kind \"Widget\"",
        ],
    );
}

#[test]
fn pods_that_pod_security_refuses() {
    let place = Place::unguarded("diagnose-security");
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, label]).expect_ok();
    failed_install(&place, Helm::V4, &[migrate()]).assert_first(
        "pod-security",
        &[
            "Pod Security admits only \"restricted\" in the namespace",
            "allowPrivilegeEscalation != false",
            "get namespace",
        ],
    );
}

/// Of a Pod, Helm itself hears it.
#[test]
fn a_pod_that_pod_security_refuses() {
    let place = Place::unguarded("diagnose-security-pod");
    let label = "pod-security.kubernetes.io/enforce=restricted";
    let _ = place.rig.kubectl(&["label", "namespace", &place.namespace, label]).expect_ok();
    failed_install(&place, Helm::V3, &[pod("check", "pre-install")]).assert_first(
        "pod-security",
        &["Pod/check (pre-install, weight 0) could not have it", "Helm was refused"],
    );
}

fn pod(name: &str, events: &str) -> Value {
    let template = hook_job(name, events);
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"],
        "spec": template["spec"]["template"]["spec"],
    })
}

#[test]
fn a_limit_range_that_allows_less() {
    let place = Place::unguarded("diagnose-range");
    let range = json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"},
        "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]},
    });
    let _ = place.create(&range).expect_ok();
    let resources = json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}});
    let job = changed(migrate(), "/spec/template/spec/containers/0", "resources", resources);
    failed_install(&place, Helm::V4, &[job]).assert_first(
        "limit-range",
        &["a LimitRange refuses what it asks for", "maximum memory usage per Container is 64Mi"],
    );
}

#[test]
fn a_namespace_that_is_not_there() {
    let place = Place::unguarded("diagnose-nowhere");
    let job = changed(migrate(), "/metadata", "namespace", json!("nowhere-at-all"));
    failed_install(&place, Helm::V4, &[job])
        .assert_first("namespace", &["could not be created: there is no namespace \"nowhere-at-all\""]);
}

#[test]
fn a_user_of_helm_who_may_not_create_jobs() {
    let place = Place::unguarded("diagnose-rights");
    let namespace = &place.namespace;
    let _ = place.kubectl(&["create", "serviceaccount", "deployer"], "").expect_ok();
    let role = ["create", "role", "deployer", "--verb=*", "--resource=secrets,configmaps,jobs.batch"];
    let _ = place.kubectl(&role, "").expect_ok();
    let account = format!("--serviceaccount={namespace}:deployer");
    let _ =
        place.kubectl(&["create", "rolebinding", "deployer", "--role=deployer", &account], "").expect_ok();
    let patch = r#"[{"op":"replace","path":"/rules","value":[{"apiGroups":[""],"resources":["secrets","configmaps"],"verbs":["*"]},{"apiGroups":["batch"],"resources":["jobs"],"verbs":["get","list","watch","delete"]}]}]"#;
    let _ = place.kubectl(&["patch", "role", "deployer", "--type=json", "--patch", patch], "").expect_ok();
    let user = format!("system:serviceaccount:{namespace}:deployer");
    let flags = ["--timeout=6s", "--kube-as-user", &user];
    let ran = place.helm(Helm::V3, "install", Some(Chart::new(&[migrate()]).path()), &flags);
    assert!(!ran.ok(), "{ran:?}");
    Diagnosed::of(place.rig, namespace).assert_first(
        "rbac",
        &[
            "could not be handled: ServiceAccount \"deployer\" of namespace",
            "may not create jobs.batch",
            "kubectl auth can-i create jobs.batch",
        ],
    );
}

#[test]
fn an_object_of_the_last_run_that_does_not_go() {
    let place = Place::unguarded("diagnose-held");
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "lock", "finalizers": ["example.org/keep"], "annotations": {"helm.sh/hook": "pre-install,pre-upgrade"}},
    });
    let chart = Chart::new(&[map]);
    let _ = place.install(Helm::V3, &chart).expect_ok();
    let ran = place.helm(Helm::V3, "upgrade", Some(chart.path()), BRIEFLY);
    let said = Diagnosed::of(place.rig, &place.namespace);
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    let _ = place.kubectl(&["patch", "configmap", "lock", "--type=merge", "--patch", patch], "");
    assert!(!ran.ok(), "{ran:?}");
    said.assert_first(
        "deletion-blocked",
        &[
            "ConfigMap/lock (pre-upgrade, weight 0) was not begun",
            "\"example.org/keep\" keeps it",
            "Helm stopped before it had begun with this hook",
        ],
    );
}
