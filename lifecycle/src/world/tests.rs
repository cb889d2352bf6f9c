//! What holds whatever is done to a cluster.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{
    example::{FAIL, HANG, OK, job, object},
    *,
};

/// Something that somebody does.
#[derive(Debug, Clone)]
enum Deed {
    Post(usize, Outcome),
    Apply(usize, Outcome),
    Delete(usize),
    Pass(Millis),
}

/// Objects that hold, need and contain each other.
fn objects() -> Vec<Arc<Object>> {
    let job = |name: &str, namespace: &str, spec: &str, pods: &str| {
        format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: {name}, namespace: {namespace}}}, spec: {{{spec} template: {{spec: {{restartPolicy: Never, {pods}}}}}}}}}"
        )
    };
    let claims = "volumes: [{persistentVolumeClaim: {claimName: data}}]";
    let texts = [
        job("a", "demo", "ttlSecondsAfterFinished: 5,", ""),
        job("a", "demo", "backoffLimit: 1,", "serviceAccountName: robot"),
        job("b", "demo", "activeDeadlineSeconds: 20, suspend: true,", claims),
        job("b", "demo", "activeDeadlineSeconds: 20,", claims),
        job("c", "side", "", ""),
        "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {restartPolicy: Never, terminationGracePeriodSeconds: 3, volumes: [{persistentVolumeClaim: {claimName: data}}]}}".to_owned(),
        "{apiVersion: v1, kind: Pod, metadata: {generateName: p-, namespace: side}}".to_owned(),
        "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}}".to_owned(),
        "{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot}}".to_owned(),
        "{apiVersion: v1, kind: Namespace, metadata: {name: side}}".to_owned(),
        "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: side}}".to_owned(),
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: side}, spec: {template: {spec: {}}}}".to_owned(),
        "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}, versions: [{name: v1, served: true}]}}".to_owned(),
        "{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}".to_owned(),
    ];
    texts.iter().map(|text| object(text)).collect()
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let outcome = || prop_oneof![Just(OK), Just(FAIL), Just(HANG)];
    let which = || 0..objects().len();
    let deed = prop_oneof![
        3 => (which(), outcome()).prop_map(|(which, outcome)| Deed::Post(which, outcome)),
        3 => (which(), outcome()).prop_map(|(which, outcome)| Deed::Apply(which, outcome)),
        3 => which().prop_map(Deed::Delete),
        2 => (0_u64..40_000).prop_map(Deed::Pass),
    ];
    prop::collection::vec(deed, 0..40)
}

fn do_it(world: &mut World, objects: &[Arc<Object>], deed: &Deed) {
    match *deed {
        Deed::Post(which, outcome) => {
            let _ = world.post(&objects[which], Origin::Hook, outcome);
        }
        Deed::Apply(which, outcome) => {
            let _ = world.apply(&objects[which], Origin::Hook, outcome);
        }
        Deed::Delete(which) => {
            let _ = world.delete(&objects[which].id);
        }
        Deed::Pass(time) => world.advance(world.now() + time),
    }
}

fn played(nodes: Nodes, objects: &[Arc<Object>], deeds: &[Deed]) -> World {
    let mut world = World::on(nodes);
    world.assume_namespace("demo");
    for deed in deeds {
        do_it(&mut world, objects, deed);
    }
    world
}

fn nodes() -> impl Strategy<Value = Nodes> {
    prop_oneof![Just(Nodes::Real), Just(Nodes::Kwok)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_object_has_its_own_uid_and_every_given_name_one_object(nodes in nodes(), deeds in deeds()) {
        let world = played(nodes, &objects(), &deeds);
        let mut uids = HashSet::new();
        let mut names = HashSet::new();
        for live in world.lives() {
            prop_assert!(uids.insert(live.uid));
            prop_assert!(live.object.generates_name || names.insert(live.object.id.clone()));
        }
    }

    #[test]
    fn what_is_in_a_namespace_is_never_there_without_it(nodes in nodes(), deeds in deeds()) {
        let world = played(nodes, &objects(), &deeds);
        let spaces: HashSet<_> = world.lives().filter(|live| live.object.id.kind == "Namespace").map(|live| live.object.id.name.as_str()).collect();
        for namespace in world.lives().filter_map(|live| live.object.id.namespace.as_deref()) {
            prop_assert!(spaces.contains(namespace), "{namespace}");
        }
    }

    #[test]
    fn no_change_is_left_behind(nodes in nodes(), deeds in deeds()) {
        let objects = objects();
        let mut world = played(nodes, &objects, &deeds);
        world.advance(world.now());
        prop_assert!(world.next_change().is_none_or(|next| next > world.now()));
    }

    #[test]
    fn it_does_not_matter_in_how_many_steps_time_passes(nodes in nodes(), deeds in deeds(), steps in prop::collection::vec(0_u64..20_000, 0..8)) {
        let objects = objects();
        let mut at_once = played(nodes, &objects, &deeds);
        let mut stepwise = at_once.clone();
        for step in &steps {
            stepwise.advance(stepwise.now() + step);
        }
        at_once.advance(at_once.now() + steps.iter().sum::<Millis>());
        prop_assert_eq!(format!("{at_once:?}"), format!("{stepwise:?}"));
    }

    #[test]
    fn waiting_for_nothing_is_letting_time_pass(nodes in nodes(), deeds in deeds(), time in 1_u64..60_000) {
        let objects = objects();
        let mut waiting = played(nodes, &objects, &deeds);
        let mut passing = waiting.clone();
        let deadline = waiting.now() + time;
        prop_assert_eq!(waiting.until(deadline, |_| None::<()>), None);
        passing.advance(deadline);
        waiting.advance(deadline);
        prop_assert_eq!(format!("{waiting:?}"), format!("{passing:?}"));
    }

    #[test]
    fn what_is_deleted_and_held_by_nothing_goes(nodes in nodes(), deeds in deeds()) {
        let objects = objects();
        let mut world = played(nodes, &objects, &deeds);
        for object in objects.iter().filter(|object| !object.generates_name) {
            let _ = world.delete(&object.id);
        }
        world.advance(world.now() + 120_000);
        prop_assert_eq!(world.leftovers(), []);
    }

    #[test]
    fn a_finished_run_never_begins_again(nodes in nodes(), before in deeds(), after in deeds()) {
        let objects = objects();
        let mut world = played(nodes, &objects, &before);
        let finished = |live: &Live| matches!(live.run, RunState::Complete { .. } | RunState::Failed { .. });
        let ended: Vec<_> = world.lives().filter(|live| finished(live)).map(|live| (live.uid, live.run.clone())).collect();
        for deed in &after {
            do_it(&mut world, &objects, deed);
        }
        for (uid, run) in ended {
            prop_assert!(world.with_uid(uid).is_none_or(|live| live.run == run));
        }
    }
}

#[test]
fn ten_thousand_jobs_that_run_at_once_took_minutes() {
    let (mut world, mut one) = (World::new(), job("", ""));
    world.assume_namespace("demo");
    for number in 0..10_000 {
        Arc::make_mut(&mut one).id.name = format!("x{number}");
        world.post(&one, Origin::Hook, OK).unwrap();
    }
    world.advance(1000);
    let is_complete = |live: &Live| live.run == RunState::Complete { at: 1000 };
    assert_eq!(world.lives().filter(|live| is_complete(live)).count(), 10_000);
    assert_eq!(world.next_change(), None);
}
