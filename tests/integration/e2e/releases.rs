//! Which release a hook belongs to, by the records that real Helm stores.

use std::{sync::Arc, thread};

use cluster::releases::{Memory, Releases};
use policies::{HookKey, Membership, context::Moment};
use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, ending, hook_job, settings, suspended_job},
    kinds,
    rig::Helm,
    server::Setup,
};
use tokio::sync::Semaphore;

use super::{OBJECTS, Place, SOON, assert_refused, assert_says, replica::Replica, rig, with_both_helms};

with_both_helms! {
    a_running_hook_is_known_with_its_moment
}

/// Counts records that could not be read.
const LEFT_OUT: &str = "hookward_release_records_left_out_total";

/// What a server within the chart's limit has for one record at a time, in KiB.
const RECORD: u32 = 32 << 10;

pub(super) fn memory() -> Memory {
    Memory { kib: Arc::new(Semaphore::new(RECORD as usize)), record: RECORD }
}

fn start(replica: &Replica) -> Releases {
    let releases = replica.within(|| Releases::start(&replica.client, &replica.metrics, memory()));
    rig().wait_for("the first list", SOON, || releases.synced().borrow().then_some(()));
    releases
}

fn key(namespace: &str, name: &str) -> HookKey {
    HookKey {
        group: "batch".into(),
        kind: "Job".into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    }
}

/// Ends the pod of a Job that hangs.
fn end(place: &Place, job: &str) {
    let selector = format!("job-name={job}");
    let pod = rig().wait_for("a running pod", SOON, || {
        let args = [
            "get",
            "pods",
            "--selector",
            &selector,
            "--output=jsonpath={.items[?(@.status.phase==\"Running\")].metadata.name}",
        ];
        let name = place.kubectl(&args, "").stdout;
        name.split_whitespace().next().map(str::to_owned)
    });
    let patch = r#"{"status": {"phase": "Succeeded"}}"#;
    let _ = place
        .kubectl(&["patch", "pod", &pod, "--subresource=status", "--type=merge", "--patch", patch], "")
        .expect_ok();
}

fn a_running_hook_is_known_with_its_moment(helm: Helm) {
    let (place, replica) = (Place::unguarded("releases"), Replica::new(rig()));
    let releases = start(&replica);
    let events = ["pre-install", "pre-upgrade", "pre-rollback", "test", "pre-delete"];
    let jobs = events.map(|event| ending(hook_job(event, event), "hang"));
    let chart = Chart::new(&[jobs.as_slice(), &[settings("1")]].concat());
    let path = Some(chart.path());
    let steps = [
        ("install", path, "pre-install", Moment::Install, 1),
        ("upgrade", path, "pre-upgrade", Moment::Upgrade, 2),
        ("rollback", None, "pre-rollback", Moment::Rollback, 3),
        ("test", None, "test", Moment::Test, 3),
        ("uninstall", None, "pre-delete", Moment::Uninstall, 3),
    ];
    for (command, chart, hook, moment, revision) in steps {
        thread::scope(|scope| {
            let ran = scope.spawn(|| place.helm(helm, command, chart, &[]));
            let known = rig().wait_for(hook, SOON, || releases.membership(&key(&place.namespace, hook)));
            let namespace = place.namespace.clone();
            assert_eq!(
                known,
                Membership { release: "shop".into(), namespace, revision, moment },
                "{command}"
            );
            end(&place, hook);
            let _ = ran.join().unwrap().expect_ok();
        });
        let forgotten = || releases.membership(&key(&place.namespace, hook)).is_none().then_some(());
        rig().wait_for("the end to be seen", SOON, forgotten);
    }
    drop(chart);
}

#[test]
fn a_record_that_is_none_is_left_out_and_the_others_are_read() {
    let (namespace, replica) = (rig().namespace("releases"), Replica::new(rig()));
    let releases = start(&replica);
    let secret = |name: &str, status: &str, data: &str| {
        format!(
            "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, labels: {{owner: helm, status: {status}}}}}\ntype: helm.sh/release.v1\nstringData: {{{data}}}\n"
        )
    };
    let before = replica.value(LEFT_OUT);
    let secrets = ["broken", "empty"].map(|name| {
        let data = if name == "broken" { "release: '!!!'" } else { "other: x" };
        secret(name, "pending-install", data)
    });
    let _ = rig()
        .kubectl_with(&["create", "--namespace", &namespace, "--filename=-"], &secrets.concat())
        .expect_ok();
    // Other tests may store such Secrets in this cluster too, so it may be more.
    rig().wait_for("the count", SOON, || (replica.value(LEFT_OUT) >= before + 2.0).then_some(()));
    let record = serde_json::json!({
        "name": "shop", "namespace": namespace, "version": 1, "info": {"status": "pending-install"},
        "hooks": [{"kind": "Job", "name": "migrate", "manifest": hook_job("migrate", "pre-install").to_string()}],
    });
    // The outer layer is the API server's.
    let encoded = hooks::release::encode(record.to_string().as_bytes());
    let sound = secret("sound", "pending-install", "")
        .replace("stringData: {}", &format!("data: {{release: {encoded}}}"));
    let _ = rig().kubectl_with(&["create", "--namespace", &namespace, "--filename=-"], &sound).expect_ok();
    let known = rig().wait_for("the release", SOON, || releases.membership(&key(&namespace, "migrate")));
    assert_eq!((known.release.as_str(), known.moment), ("shop", Moment::Install));
}

/// The Secret in namespace `place` of a release that says it is in `namespace` and runs this hook there now.
fn record(place: &str, namespace: &str, release: &str, status: &str, hook: &Value) -> String {
    let run = json!({"phase": "Running", "started_at": "2026-01-01T00:00:00Z"});
    let hook = json!({
        "kind": "Job", "name": hook["metadata"]["name"], "manifest": hook.to_string(), "last_run": run,
    });
    let record = json!({
        "name": release, "namespace": namespace, "version": 7, "info": {"status": status}, "hooks": [hook],
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {
            "name": format!("sh.helm.release.v1.{release}.v7"), "namespace": place,
            "labels": {"owner": "helm", "status": status, "name": release, "version": "7"},
        },
        "data": {"release": hooks::release::encode(record.to_string().as_bytes())},
    })
    .to_string()
}

#[test]
fn a_release_secret_of_another_namespace_let_a_hook_pass_and_blocked_another() {
    const PRIVILEGED: &str = "
apiVersion: hookward.dev/v1alpha1
kind: HookPolicy
metadata: {name: privileged}
spec: {rules: {sec-privileged: {mode: deny}}}
";
    let place = Place::unguarded("foreign-record");
    kinds::define(place.rig);
    let elsewhere = place.rig.namespace("elsewhere");
    let setup = Setup::new("baseline", PRIVILEGED).flag("--release-lookup");
    let pod = format!("{}-0", place.namespace);
    let server = setup.in_cluster(&place.rig.kubeconfig(), &place.namespace, &pod).start();
    let place = place.guard_by(server, &OBJECTS);
    let takeover = hook_job("takeover", "pre-install,pre-rollback");
    let container = "/spec/template/spec/containers/0";
    let takeover = changed(takeover, container, "securityContext", json!({"privileged": true}));
    let way_back = suspended_job("way-back", "pre-upgrade,pre-rollback");
    let home = place.namespace.as_str();
    // Where an upgrade is proven, the way back is held up; where a rollback is, security rules are softened.
    place.rig.apply(&record(&elsewhere, home, "blocks", "pending-upgrade", &way_back));
    place.rig.apply(&record(&elsewhere, home, "softens", "pending-rollback", &takeover));
    let create =
        |job: &Value| place.kubectl(&["create", "--dry-run=server", "--filename=-"], &job.to_string());
    // The record is known by its name, and both were read in their order.
    let refused = place.rig.wait_for("the record that softens", SOON, || {
        Some(create(&takeover)).filter(|ran| ran.stderr.contains("in release \"softens\""))
    });
    assert_refused(&refused, &["`sec-privileged`"]);
    assert_says(&create(&way_back).expect_ok(), &["Warning: `job-suspended`"]);
    // Whoever may write the release's own Secrets has always decided about its hooks.
    place.rig.apply(&record(home, home, "own", "pending-rollback", &takeover));
    place.rig.apply(&record(home, home, "own-upgrade", "pending-upgrade", &way_back));
    place.rig.wait_for("the way back that is proven", SOON, || create(&takeover).ok().then_some(()));
    place.rig.wait_for("the upgrade that is proven", SOON, || (!create(&way_back).ok()).then_some(()));
}
