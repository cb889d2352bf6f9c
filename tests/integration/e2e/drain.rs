//! A server that leaves while requests come in: nobody notices.

use tests::{
    chart::{Chart, hook_job, settings},
    load::{Load, Protocol},
    rig::Helm,
    server::Server,
};

use super::{ALL, Place, SOON, review};

/// Under load, as when a rolling update replaces the server: new connections go to the next one, then the old one is told to end.
fn a_drain_loses_nothing(protocol: Protocol, connections: usize) {
    let place = Place::unguarded("drain");
    let (mut old, new) = (Server::start("baseline", ""), Server::start("baseline", ""));
    let load =
        Load::start(&old, protocol, connections, "/validate", &review(&hook_job("migrate", "pre-install")));
    let wait_for = |answers: u64| {
        let more = load.answered() + answers;
        place.rig.wait_for("answers", SOON, || (load.answered() >= more).then_some(()));
    };
    wait_for(200);
    load.turn_to(&new);
    old.terminate();
    assert!(old.wait().success(), "{}", old.log());
    wait_for(200);
    assert_eq!(load.finish(), Vec::<String>::new());
    assert!(new.count("hookward_admission_requests_total", &["path=\"validate\""]) >= 200);
}

#[test]
fn a_drain_under_load_loses_nothing_on_http1() {
    a_drain_loses_nothing(Protocol::Http1, 8);
}

#[test]
fn a_drain_under_load_loses_nothing_on_http2() {
    a_drain_loses_nothing(Protocol::Http2, 2);
}

/// The same as the API server sees it: its configuration moves on, and every hook is judged although failures would refuse it.
#[test]
fn helm_does_not_notice_that_a_server_is_replaced() {
    let mut place = Place::guarded("drain-helm");
    let chart = |value: &str| Chart::new(&[hook_job("migrate", "pre-install,pre-upgrade"), settings(value)]);
    let _ = place.install(Helm::V4, &chart("1")).expect_ok();
    let next = Server::start("baseline", "");
    let namespace = place.namespace.clone();
    place.registration.as_ref().unwrap().turn_to(&next, &namespace, &ALL);
    place.server().terminate();
    for value in ["2", "3"] {
        let _ = place.upgrade(Helm::V4, &chart(value)).expect_ok();
        assert_eq!(place.job("migrate")["spec"]["ttlSecondsAfterFinished"], 300);
    }
    assert!(place.server().wait().success());
    let _ = place.upgrade(Helm::V3, &chart("4")).expect_ok();
    assert_eq!(place.job("migrate")["spec"]["ttlSecondsAfterFinished"], 300);
}
