//! Where the release stands, what gets it out of there, and who may look at all.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, ending, hook_job, settings},
    diagnosed::Diagnosed,
    rig::Helm,
    users::User,
};

use super::{
    super::{Place, SOON, atomic, with_both_helms},
    BRIEFLY, failed_upgrade, migrate, once,
};

with_both_helms! {
    an_uninstall_that_is_stuck
    a_rollback_that_is_stuck
    an_upgrade_that_was_rolled_back
}

fn failing(events: &str) -> Value {
    once(ending(hook_job("bye", events), "fail"))
}

fn an_uninstall_that_is_stuck(helm: Helm) {
    let place = Place::unguarded("diagnose-uninstall");
    let _ = place.install(helm, &Chart::new(&[failing("pre-delete"), settings("1")])).expect_ok();
    let ran = place.helm(helm, "uninstall", None, BRIEFLY);
    assert!(!ran.ok(), "{ran:?}");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first(
        "program",
        &["is uninstalling since", "Job/bye (pre-delete, weight 0)", "Helm leaves such a release as it is"],
    );
    let command = format!("helm uninstall shop --no-hooks -n {}", place.namespace);
    assert_eq!(said.commands().last(), Some(&command.as_str()));
    let _ = place.helm(helm, "uninstall", None, &["--no-hooks"]).expect_ok();
}

fn a_rollback_that_is_stuck(helm: Helm) {
    let place = Place::unguarded("diagnose-rollback");
    let _ = place.install(helm, &Chart::new(&[failing("pre-rollback"), settings("1")])).expect_ok();
    let _ = place.upgrade(helm, &Chart::new(&[settings("2")])).expect_ok();
    let ran = place.helm(helm, "rollback", None, &["1", "--timeout=6s"]);
    assert!(!ran.ok(), "{ran:?}");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first(
        "program",
        &["shop revision 3 is pending-rollback", "Job/bye (pre-rollback, weight 0)"],
    );
    let command = format!("helm rollback shop 2 -n {}", place.namespace);
    assert_eq!(said.commands().last(), Some(&command.as_str()));
    let _ = place.helm(helm, "rollback", None, &["2"]).expect_ok();
}

fn an_upgrade_that_was_rolled_back(helm: Helm) {
    let place = Place::unguarded("diagnose-atomic");
    let _ = place.install(helm, &Chart::new(&[settings("1")])).expect_ok();
    let chart = Chart::new(&[once(ending(migrate(), "fail")), settings("2")]);
    let ran = place.helm(helm, "upgrade", Some(chart.path()), &[atomic(helm)]);
    assert!(!ran.ok(), "{ran:?}");
    Diagnosed::of(place.rig, &place.namespace).assert_first(
        "program",
        &["shop revision 2 is failed since", "Helm rolled it back: revision 3 is deployed"],
    );
}

#[test]
fn a_release_that_is_well() {
    let place = Place::unguarded("diagnose-well");
    let _ = place.install(Helm::V4, &Chart::new(&[migrate(), settings("1")])).expect_ok();
    let said = Diagnosed::of(place.rig, &place.namespace);
    assert_eq!((said.code, said.commands()), (0, vec![]), "{}", said.text);
    assert!(said.text.contains("shop revision 1 is deployed since"), "{}", said.text);
    assert_eq!(said.json["release"]["healthy"], true);
    assert_eq!(said.json["errors"], json!([]));
}

#[test]
fn a_release_that_failed_without_a_hook() {
    let place = Place::unguarded("diagnose-no-hook");
    let bad = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "bad"}, "spec": {"ports": [{"port": 99_999}]}});
    let said = failed_upgrade(&place, Helm::V3, &[bad]);
    assert_eq!((said.code, said.causes()), (1, vec![]), "{}", said.text);
    assert!(said.text.contains("no hook of it failed; see what Helm says"), "{}", said.text);
}

#[test]
fn what_is_not_there_is_not_looked_at() {
    let place = Place::unguarded("diagnose-nothing");
    let _ = place.install(Helm::V4, &Chart::new(&[settings("1")])).expect_ok();
    let kubeconfig = place.rig.kubeconfig();
    let ask = |arguments: &[&str]| {
        let said = Diagnosed::by(&kubeconfig, &[arguments, &["--namespace", &place.namespace]].concat());
        assert_eq!((said.code, &said.json["release"]), (2, &Value::Null), "{}", said.stderr);
        said.json["errors"][0]["message"].as_str().unwrap().to_owned()
    };
    assert!(ask(&["shopp"]).contains("but there is shop"));
    assert!(ask(&["shop", "--revision=7"]).contains("has no revision 7; there are 1"));
    assert!(ask(&["a,owner=x"]).contains("Helm would refuse this name"));
}

/// Helm's own words for it are «release: not found», whether the namespace is there or not.
#[test]
fn a_release_in_another_namespace_and_a_namespace_that_is_not_there() {
    let place = Place::unguarded("diagnose-elsewhere");
    let empty = Place::unguarded("diagnose-empty");
    let chart = Chart::new(&[settings("1")]);
    let name = place.namespace.as_str();
    let install = place.rig.helm(Helm::V4).args(["install", name]).path(chart.path());
    let _ = install.namespace(name).briefly().run().expect_ok();
    let ask = |namespace: &str| {
        let said = Diagnosed::by(&place.rig.kubeconfig(), &[name, "--namespace", namespace]);
        assert_eq!((said.code, &said.json["release"]), (2, &Value::Null), "{}", said.stderr);
        said.stderr
    };
    let elsewhere =
        format!("there is no release {name:?} in namespace {:?}, but in namespace {name}; ", empty.namespace);
    assert!(ask(&empty.namespace).contains(&elsewhere));
    let gone = format!(
        "error: there is no namespace \"nobodys\", and so no release {name:?} in it, but in namespace {name}\n"
    );
    assert_eq!(ask("nobodys"), gone);
}

#[test]
fn a_record_that_cannot_be_read_is_an_error_and_not_the_end() {
    let place = Place::unguarded("diagnose-broken");
    for (index, data) in ["", "aGVsbG8=", "SDRzSUFBQUE="].into_iter().enumerate() {
        let name = format!("broken{index}");
        let labels = json!({"owner": "helm", "name": name, "version": "1", "status": "pending-upgrade"});
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1", "data": {"release": data},
            "metadata": {"name": format!("sh.helm.release.v1.{name}.v1"), "labels": labels},
        });
        let _ = place.create(&secret).expect_ok();
        let said = Diagnosed::by(&place.rig.kubeconfig(), &[&name, "--namespace", &place.namespace]);
        assert_eq!(said.code, 2);
        assert!(
            said.stderr.contains("the record of revision 1 cannot be read; Helm calls it pending-upgrade"),
            "{}",
            said.stderr
        );
    }
}

/// A pod that hangs is there, although whoever asks may read Secrets only.
#[test]
fn pods_that_nobody_may_look_at_were_never_created() {
    let place = Place::unguarded("diagnose-blind");
    let _ = failed_upgrade(&place, Helm::V4, &[ending(migrate(), "hang")]);
    let user = User::new(place.rig, &format!("{}-blind", place.namespace));
    let _ =
        place.kubectl(&["create", "role", "blind", "--verb=get,list", "--resource=secrets"], "").expect_ok();
    let binding = ["create", "rolebinding", "blind", "--role=blind", &format!("--user={}", user.name())];
    let _ = place.kubectl(&binding, "").expect_ok();
    let said = Diagnosed::by(user.kubeconfig(), &["shop", "--namespace", &place.namespace]);
    said.assert_first("timeout", &["What became of the Job could not be looked at."]);
    assert!(!said.text.contains("never"), "{}", said.text);
}

/// A pending release is one that Helm refuses to touch, whatever its hook does.
#[test]
fn a_hook_that_hangs_in_a_rollback_was_said_to_be_well() {
    let place = Place::unguarded("diagnose-pending");
    let hanging = ending(hook_job("bye", "pre-rollback"), "hang");
    let _ = place.install(Helm::V4, &Chart::new(&[hanging, settings("1")])).expect_ok();
    let _ = place.upgrade(Helm::V4, &Chart::new(&[settings("2")])).expect_ok();
    let ran = place.helm(Helm::V4, "rollback", None, &["1", "--timeout=6s"]);
    assert!(!ran.ok(), "{ran:?}");
    let said = Diagnosed::of(place.rig, &place.namespace);
    said.assert_first(
        "running",
        &["unless a Helm still waits for it, the release is stuck", "ends what still runs"],
    );
    assert_eq!(said.commands()[0], format!("kubectl -n {} delete job bye", place.namespace));
}

/// Whoever may read Secrets and Jobs only is told the rest that could not be looked at, each once.
#[test]
fn who_may_not_see_all_is_told_what_is_missing() {
    let place = Place::unguarded("diagnose-least");
    let full = failed_upgrade(&place, Helm::V4, &[once(ending(migrate(), "fail"))]);
    assert_eq!(full.stderr, "");
    let user = User::new(place.rig, &format!("{}-looker", place.namespace));
    let _ = place
        .kubectl(&["create", "role", "looker", "--verb=get,list", "--resource=secrets,jobs.batch"], "")
        .expect_ok();
    let binding = ["create", "rolebinding", "looker", "--role=looker", &format!("--user={}", user.name())];
    let _ = place.kubectl(&binding, "").expect_ok();
    let said = Diagnosed::by(user.kubeconfig(), &["shop", "--namespace", &place.namespace]);
    said.assert_first("back-off", &["gave up after 1 try"]);
    let notes: Vec<_> = said.json["release"]["notes"].as_array().unwrap().iter().collect();
    assert!(
        notes.iter().any(|note| note.as_str().unwrap().contains("may not list Pods in namespace")),
        "{notes:?}"
    );
    let mut once = notes.clone();
    once.dedup();
    assert_eq!(once.len(), notes.len());
    let _ = place.kubectl(&["delete", "rolebinding", "looker"], "").expect_ok();
    let none = place.rig.wait_for("the right to be gone", SOON, || {
        let none = Diagnosed::by(user.kubeconfig(), &["shop", "--namespace", &place.namespace]);
        (none.code == 2).then_some(none)
    });
    let wanted = format!(
        "error: cannot read the releases of namespace {:?}: you may not list Secrets there, which is where Helm keeps them; ask for the rights get and list\n",
        place.namespace
    );
    assert_eq!(none.stderr, wanted);
}
