//! Hooks that take their time to go, and whether Helm waits until they have gone.

use tests::chart::{hook_job, settings};

use super::{
    Chart, EACH_TIME, Helm, Place, SOON, assert_refused, held, is_going, json, let_go, meanwhile, object,
    pod, revisions, uid, within,
};

/// Nobody runs it and nobody says that it has stopped: the test does.
fn pod_without_a_kubelet() -> Chart {
    Chart::new(&[pod("warm", EACH_TIME, json!({"nodeName": "nowhere"}))])
}

/// As a kubelet ends a pod whose deletion was asked for, when Helm has had time for whatever it does meanwhile.
fn end_pod(place: &Place, and_then: impl Fn() -> bool) {
    place.rig.wait_for("a pod on its way out", SOON, || {
        place.find("pod", "warm").is_some_and(|pod| is_going(&pod)).then_some(())
    });
    place.rig.wait_for("what Helm does meanwhile", SOON, || and_then().then_some(()));
    let _ = place.kubectl(&["delete", "pod", "warm", "--force", "--grace-period=0"], "").expect_ok();
}

#[test]
fn helm_4_applies_onto_a_pod_that_is_going_and_waits_for_nobody() {
    let place = Place::unguarded("fact-pod-4");
    let chart = pod_without_a_kubelet();
    assert_refused(&within(&place, Helm::V4, "install", &chart, &["--timeout=3s"]), &["InProgress"]);
    let marker = place.rig.audit_marker();
    let ran = meanwhile(&place, Helm::V4, "upgrade", &chart, "8s", || {
        end_pod(&place, || place.helm_wrote(marker).iter().any(|event| event.verb == "patch"));
    });
    assert_refused(&ran, &["warm not ready. status: NotFound", "context deadline exceeded"]);
    assert_eq!(place.find("pod", "warm"), None, "nobody made another");
}

#[test]
fn helm_3_waits_until_a_pod_is_gone() {
    let place = Place::unguarded("fact-pod-3");
    let chart = pod_without_a_kubelet();
    let _ = within(&place, Helm::V3, "install", &chart, &["--timeout=3s"]);
    let before = place.find("pod", "warm").unwrap();
    let ran = meanwhile(&place, Helm::V3, "upgrade", &chart, "10s", || end_pod(&place, || true));
    assert_refused(&ran, &["timed out waiting for the condition"]);
    assert_ne!(uid(&place.find("pod", "warm").unwrap()), uid(&before));
}

/// A namespace that is a hook, and in it what makes its deletion take a while.
fn namespace_with_content(place: &Place, helm: Helm) -> (String, Chart) {
    let inner = format!("{}-inner", place.namespace);
    let chart = Chart::new(&[object("Namespace", &inner, EACH_TIME)]);
    let _ = place.install(helm, &chart).expect_ok();
    let precious = object("ConfigMap", "precious", "").to_string();
    let _ = place.rig.kubectl_with(&["create", "--namespace", &inner, "--filename=-"], &precious).expect_ok();
    (inner, chart)
}

#[test]
fn helm_3_deletes_a_namespace_with_its_content_and_makes_another() {
    let place = Place::unguarded("fact-ns-3");
    let (inner, chart) = namespace_with_content(&place, Helm::V3);
    let before = place.find("namespace", &inner).unwrap();
    let _ = within(&place, Helm::V3, "upgrade", &chart, &["--timeout=60s"]).expect_ok();
    let after = place.find("namespace", &inner).unwrap();
    assert_ne!(uid(&after), uid(&before));
    assert!(!is_going(&after));
    assert_eq!(place.rig.get_json("configmap", &inner, "precious"), None);
}

#[test]
fn helm_4_reports_a_namespace_that_is_going_as_deployed() {
    let place = Place::unguarded("fact-ns-4");
    let (inner, chart) = namespace_with_content(&place, Helm::V4);
    let _ = place.upgrade(Helm::V4, &chart).expect_ok();
    assert!(place.find("namespace", &inner).is_none_or(|namespace| is_going(&namespace)));
    assert_eq!(place.history(Helm::V4), revisions(&[(1, "superseded"), (2, "deployed")]));
    place
        .rig
        .wait_for("the namespace to go", SOON, || place.find("namespace", &inner).is_none().then_some(()));
}

/// A claim that is a hook, and a pod that is no part of the release and uses it.
fn claim_in_use(place: &Place, helm: Helm) -> Chart {
    let mut claim = object("PersistentVolumeClaim", "data", EACH_TIME);
    claim["spec"] = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let chart = Chart::new(&[claim]);
    let _ = place.install(helm, &chart).expect_ok();
    let volumes = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    let _ = place.create(&pod("user", "", json!({"nodeName": "nowhere", "volumes": volumes}))).expect_ok();
    chart
}

#[test]
fn helm_3_waits_in_vain_for_a_claim_in_use_and_leaves_it_on_its_way_out() {
    let place = Place::unguarded("fact-claim-3");
    let chart = claim_in_use(&place, Helm::V3);
    let ran = within(&place, Helm::V3, "upgrade", &chart, &["--timeout=3s"]);
    assert_refused(&ran, &["UPGRADE FAILED: pre-upgrade hooks failed: context deadline exceeded"]);
    assert!(is_going(&place.find("pvc", "data").unwrap()));
}

#[test]
fn helm_4_reports_a_claim_that_is_going_as_deployed() {
    let place = Place::unguarded("fact-claim-4");
    let chart = claim_in_use(&place, Helm::V4);
    let _ = within(&place, Helm::V4, "upgrade", &chart, &["--timeout=3s"]).expect_ok();
    assert!(is_going(&place.find("pvc", "data").unwrap()));
    assert_eq!(place.history(Helm::V4), revisions(&[(1, "superseded"), (2, "deployed")]));
}

#[test]
fn helm_4_takes_the_success_of_a_job_that_is_going_for_a_new_one() {
    let place = Place::unguarded("fact-held");
    let chart = Chart::new(&[held(hook_job("migrate", EACH_TIME)), settings("1")]);
    let _ = place.install(Helm::V4, &chart).expect_ok();
    let before = place.job("migrate");
    let _ = place.upgrade(Helm::V4, &chart).expect_ok();
    let after = place.job("migrate");
    assert!(is_going(&after));
    assert_eq!(uid(&after), uid(&before));
    // With --wait it does wait. Chance may make it stop at once, but not always.
    let waits = (0..5).any(|_| {
        let ran = within(&place, Helm::V4, "upgrade", &chart, &["--timeout=2s", "--wait"]);
        ran.stderr.contains("migrate still exists. status: Terminating")
    });
    let_go(&place, "job", "migrate");
    assert!(waits);
}

#[test]
fn helm_4_does_not_wait_for_what_was_never_there_to_go() {
    let place = Place::unguarded("fact-absent");
    let chart = Chart::new(&[hook_job("migrate", EACH_TIME)]);
    let _ = within(&place, Helm::V4, "install", &chart, &["--timeout=15s", "--wait"]).expect_ok();
}
