//! How objects go, and what holds them.

use super::super::{
    Applied, Deleted, Nodes, Origin, Refusal,
    example::{FAIL, HANG, MOUNTS_CLAIM, OK, demo, job, kwok, object, plain, pod},
};
use super::*;

const CRD: &str = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}, scope: Namespaced, versions: [{name: v1, served: true}]}}";
const WIDGET: &str = "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}";

#[test]
fn what_nothing_holds_goes_at_once() {
    let mut world = demo();
    for kind in ["Secret", "ConfigMap", "ServiceAccount", "Service"] {
        let object = plain(kind, "x");
        world.put(&object, OK);
        world.take(&object);
        assert!(world.live(&object.id).is_none(), "{kind}");
    }
}

#[test]
fn what_is_not_there_is_absent() {
    assert_eq!(demo().delete(&plain("Secret", "x").id), Ok(Deleted::Absent));
}

#[test]
fn a_job_goes_at_once_whatever_its_pods_do() {
    let (mut world, job) = (demo(), job("", ""));
    world.put(&job, HANG);
    world.take(&job);
    assert!(world.live(&job.id).is_none());
}

#[test]
fn a_finished_job_goes_when_it_says_so() {
    for (outcome, end) in [(OK, 1_000), (FAIL, 1_000)] {
        let (mut world, job) = (demo(), job("ttlSecondsAfterFinished: 9, backoffLimit: 0,", ""));
        world.put(&job, outcome);
        assert_eq!(world.gone_at(&job.id), Some(end + 9_000 + REACTION));
    }
}

#[test]
fn a_job_that_goes_at_its_end_is_seen_finished_first() {
    let (mut world, job) = (demo(), job("ttlSecondsAfterFinished: 0,", ""));
    world.put(&job, OK);
    assert!(world.ends(&job.id).is_some());
    assert_eq!(world.gone_at(&job.id), Some(1_000 + REACTION));
}

#[test]
fn a_finished_job_without_a_time_to_go_stays() {
    let (mut world, job) = (demo(), job("", ""));
    world.put(&job, OK);
    assert_eq!(world.gone_at(&job.id), None);
}

#[test]
fn a_finished_job_that_gets_a_time_to_go_later_goes_too() {
    let mut world = demo();
    world.put(&job("", ""), OK);
    world.advance(5_000);
    let changed = job("ttlSecondsAfterFinished: 60,", "");
    assert_eq!(world.apply(&changed, Origin::Hook, OK), Ok(Applied::Changed));
    assert_eq!(world.gone_at(&changed.id), Some(61_000 + REACTION));
}

#[test]
fn a_running_pod_goes_after_its_grace_period_and_has_failed_by_then() {
    let (mut world, pod) = (demo(), pod("restartPolicy: Never, terminationGracePeriodSeconds: 7"));
    world.put(&pod, HANG);
    world.take(&pod);
    assert_eq!(world.live(&pod.id).unwrap().state, State::Terminating { since: 0 });
    assert!(matches!(world.ends(&pod.id), Some(RunState::Failed { at: 7_000, reason: Reason::Stopped, .. })));
    assert_eq!(world.gone_at(&pod.id), Some(7_000 + REACTION));
}

#[test]
fn thirty_seconds_of_grace_are_usual() {
    let (mut world, pod) = (demo(), pod("restartPolicy: Never"));
    world.put(&pod, HANG);
    world.take(&pod);
    assert_eq!(world.gone_at(&pod.id), Some(30_000 + REACTION));
}

#[test]
fn a_pod_that_ends_by_itself_meanwhile_goes_then() {
    let (mut world, pod) = (demo(), pod("restartPolicy: Never"));
    world.put(&pod, OK);
    world.take(&pod);
    assert_eq!(world.ends(&pod.id), Some(RunState::Complete { at: 1_000 }));
    assert_eq!(world.gone_at(&pod.id), Some(1_000 + REACTION));
}

#[test]
fn an_ended_pod_goes_at_once() {
    let (mut world, pod) = (demo(), pod("restartPolicy: Never"));
    world.put(&pod, OK);
    world.advance(1_000);
    world.take(&pod);
    assert!(world.live(&pod.id).is_none());
}

#[test]
fn kwok_stops_pods_at_once() {
    let (mut world, pod) = (kwok(), pod("restartPolicy: Never"));
    world.put(&pod, HANG);
    world.take(&pod);
    assert!(world.live(&pod.id).is_none());
}

#[test]
fn a_claim_goes_when_no_pod_mounts_it() {
    let (mut world, claim) = (demo(), plain("PersistentVolumeClaim", "data"));
    world.put(&claim, OK);
    world.take(&claim);
    assert!(world.live(&claim.id).is_none());
}

#[test]
fn even_an_ended_pod_holds_its_claim() {
    let mut world = demo();
    let (claim, job) = (plain("PersistentVolumeClaim", "data"), job("", MOUNTS_CLAIM));
    world.put(&claim, OK);
    world.put(&job, OK);
    world.take(&claim);
    world.advance(600_000);
    assert!(world.live(&claim.id).unwrap().is_terminating());
    world.take(&job);
    assert!(world.live(&claim.id).is_none());
}

#[test]
fn pods_that_outlive_their_job_hold_their_claim() {
    let mut world = demo();
    let (claim, job) = (plain("PersistentVolumeClaim", "data"), job("", MOUNTS_CLAIM));
    world.put(&claim, OK);
    world.put(&job, HANG);
    world.take(&job);
    world.take(&claim);
    assert_eq!(world.gone_at(&claim.id), Some(30_000));
}

#[test]
fn a_finalizer_holds_for_ever() {
    let mut world = demo();
    let held = object("{apiVersion: v1, kind: Secret, metadata: {name: x, finalizers: [example.com/hold]}}");
    world.put(&held, OK);
    world.take(&held);
    assert_eq!(world.gone_at(&held.id), None);
    world.take(&held);
}

#[test]
fn without_its_finalizer_it_goes() {
    let mut world = demo();
    let held = object("{apiVersion: v1, kind: Secret, metadata: {name: x, finalizers: [example.com/hold]}}");
    world.put(&held, OK);
    world.take(&held);
    let free = plain("Secret", "x");
    assert_eq!(world.apply(&free, Origin::Hook, OK), Ok(Applied::Changed));
    assert!(world.live(&free.id).is_none());
}

#[test]
fn a_namespace_takes_everything_in_it_and_then_goes() {
    let mut world = demo();
    let space = plain("Namespace", "side");
    world.put(&space, OK);
    let inside = object("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: side}}");
    world.put(&inside, OK);
    let outside = plain("Secret", "x");
    world.put(&outside, OK);
    world.take(&space);
    assert!(world.live(&inside.id).is_some());
    assert_eq!(world.gone_at(&space.id), Some(LOOK));
    assert!(world.live(&inside.id).is_none() && world.live(&outside.id).is_some());
}

#[test]
fn a_namespace_waits_for_the_pods_in_it() {
    let mut world = demo();
    let space = plain("Namespace", "side");
    world.put(&space, OK);
    world.put(
        &object("{apiVersion: batch/v1, kind: Job, metadata: {name: x, namespace: side}, spec: {template: {spec: {restartPolicy: Never}}}}"),
        HANG,
    );
    world.take(&space);
    // It looks after 5 and 10 seconds, and then after half the grace period each time.
    assert_eq!(world.gone_at(&space.id), Some(42_000));
}

#[test]
fn a_namespace_looks_for_its_claims_a_second_time() {
    for mut world in [demo(), kwok()] {
        let space = plain("Namespace", "side");
        world.put(&space, OK);
        world.put(
            &object("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: x, namespace: side}}"),
            OK,
        );
        world.take(&space);
        assert_eq!(world.gone_at(&space.id), Some(2 * LOOK));
    }
}

#[test]
fn under_kwok_too_a_namespace_looks_for_its_pods_a_second_time() {
    let mut world = kwok();
    let space = plain("Namespace", "side");
    world.put(&space, OK);
    world.put(&object("{apiVersion: v1, kind: Pod, metadata: {name: x, namespace: side}}"), HANG);
    world.take(&space);
    assert_eq!(world.gone_at(&space.id), Some(2 * LOOK));
}

#[test]
fn a_finalizer_in_a_namespace_holds_it() {
    let mut world = demo();
    let space = plain("Namespace", "side");
    world.put(&space, OK);
    world.put(
        &object("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: side, finalizers: [example.com/hold]}}"),
        OK,
    );
    world.take(&space);
    assert_eq!(world.gone_at(&space.id), None);
}

#[test]
fn a_definition_takes_its_objects_with_it() {
    let mut world = demo();
    let (definition, widget) = (object(CRD), object(WIDGET));
    world.put(&definition, OK);
    world.put(&widget, OK);
    world.take(&definition);
    assert!(world.live(&widget.id).is_none());
    assert!(world.live(&definition.id).is_none());
    assert_eq!(world.refuses(&widget), Refusal::NoMatch);
}

#[test]
fn a_definition_waits_for_an_object_that_something_holds() {
    let mut world = demo();
    let (definition, widget) = (object(CRD), object(WIDGET));
    let held = object(
        "{apiVersion: example.com/v1, kind: Widget, metadata: {name: h, finalizers: [example.com/hold]}}",
    );
    world.put(&definition, OK);
    world.put(&held, OK);
    world.take(&definition);
    assert_eq!(world.gone_at(&definition.id), None);
    assert_eq!(world.refuses(&widget), Refusal::DefinitionTerminating);
}

#[test]
fn leftovers_are_what_hooks_left_by_kind_and_name() {
    let mut world = World::on(Nodes::Kwok);
    world.assume_namespace("demo");
    for (kind, name) in [("Secret", "b"), ("Secret", "a"), ("ConfigMap", "z")] {
        world.put(&plain(kind, name), OK);
    }
    world.post(&plain("Secret", "c"), Origin::Resource { release: "demo".into() }, OK).unwrap();
    let left = world.leftovers();
    let shown: Vec<_> = left.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["ConfigMap/z", "Secret/a", "Secret/b"]);
}
