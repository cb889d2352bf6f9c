//! Which release a hook belongs to, by the records that real Helm stores.

use std::thread;

use cluster::releases::Releases;
use policies::{HookKey, Membership, context::Moment};
use tests::{
    chart::{Chart, ending, hook_job, settings},
    rig::Helm,
};

use super::{Place, SOON, replica::Replica, rig, with_both_helms};

with_both_helms! {
    a_running_hook_is_known_with_its_moment
}

fn start(replica: &Replica) -> Releases {
    let releases = replica.within(|| Releases::start(&replica.client, &replica.metrics));
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
    let secrets = ["broken", "empty"].map(|name| {
        let data = if name == "broken" { "release: '!!!'" } else { "other: x" };
        secret(name, "pending-install", data)
    });
    let _ = rig()
        .kubectl_with(&["create", "--namespace", &namespace, "--filename=-"], &secrets.concat())
        .expect_ok();
    rig().wait_for("the count", SOON, || {
        replica.shows("hookward_release_records_left_out_total 2").then_some(())
    });
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
