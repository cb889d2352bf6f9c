//! What the API server lets in, and what not.

use super::super::{
    example::{HANG, OK, demo, job, kwok, object, plain, pod},
    *,
};

#[track_caller]
fn apply(world: &mut World, object: &Arc<Object>) -> Result<Applied, Refusal> {
    world.apply(object, Origin::Hook, OK)
}

#[test]
fn a_name_is_taken_once() {
    let mut world = demo();
    world.put(&job("", ""), OK);
    assert_eq!(world.refuses(&job("backoffLimit: 1,", "")), Refusal::AlreadyExists { terminating: false });
}

#[test]
fn a_name_is_taken_until_its_holder_is_gone() {
    let (mut world, pod) = (demo(), pod("restartPolicy: Never"));
    world.put(&pod, HANG);
    world.take(&pod);
    assert_eq!(world.refuses(&pod), Refusal::AlreadyExists { terminating: true });
    world.gone_at(&pod.id);
    world.put(&pod, HANG);
}

#[test]
fn one_name_in_two_namespaces_is_two_objects() {
    let mut world = demo();
    world.put(&plain("Secret", "x"), OK);
    world.put(&object("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: default}}"), OK);
}

#[test]
fn two_versions_of_a_group_show_one_object() {
    let scaler = |version: &str| {
        object(&format!(
            "{{apiVersion: autoscaling/{version}, kind: HorizontalPodAutoscaler, metadata: {{name: x}}}}"
        ))
    };
    let mut world = demo();
    world.put(&scaler("v1"), OK);
    assert_eq!(world.refuses(&scaler("v2")), Refusal::AlreadyExists { terminating: false });
}

#[test]
fn made_up_names_never_clash_and_cannot_be_applied_or_deleted() {
    let mut world = demo();
    let made_up = object("{apiVersion: v1, kind: Secret, metadata: {generateName: x-}}");
    world.put(&made_up, OK);
    world.put(&made_up, OK);
    assert_eq!(world.leftovers().len(), 2);
    assert_eq!(apply(&mut world, &made_up), Err(Refusal::NoName));
    assert_eq!(world.delete(&made_up.id), Err(Refusal::NoName));
}

#[test]
fn what_has_no_name_is_refused() {
    let mut world = demo();
    let nameless = object("{apiVersion: v1, kind: Secret, metadata: {labels: {a: b}}}");
    assert_eq!(world.refuses(&nameless), Refusal::NoName);
    assert_eq!(world.delete(&nameless.id), Err(Refusal::NoName));
}

#[test]
fn a_namespace_must_be_there() {
    let mut world = demo();
    let inside = object("{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: side}}");
    assert_eq!(world.refuses(&inside), Refusal::NamespaceMissing);
    assert_eq!(world.delete(&inside.id), Ok(Deleted::Absent));
    world.put(&plain("Namespace", "side"), OK);
    world.put(&inside, OK);
    world.take(&plain("Namespace", "side"));
    assert_eq!(world.refuses(&inside), Refusal::NamespaceTerminating);
    let other = object("{apiVersion: v1, kind: Secret, metadata: {name: other, namespace: side}}");
    assert_eq!(world.refuses(&other), Refusal::NamespaceTerminating);
    assert_eq!(apply(&mut world, &inside), Ok(Applied::Unchanged));
}

#[test]
fn a_kind_must_be_served() {
    let widget = object("{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}}");
    let mut world = demo();
    assert_eq!(world.refuses(&widget), Refusal::NoMatch);
    assert_eq!(apply(&mut world, &widget), Err(Refusal::NoMatch));
    assert_eq!(world.delete(&widget.id), Err(Refusal::NoMatch));
    world.assume_kind(Definition {
        group: "example.com".to_owned(),
        kind: "Widget".to_owned(),
        versions: vec!["v1".to_owned()],
        cluster_scoped: false,
    });
    world.put(&widget, OK);
}

#[test]
fn a_pod_needs_its_account_at_once_and_a_job_does_not() {
    let mut world = demo();
    let account = || Refusal::ServiceAccountMissing { name: "robot".to_owned() };
    assert_eq!(world.refuses(&pod("serviceAccountName: robot")), account());
    world.put(&job("", "serviceAccountName: robot"), OK);
}

#[test]
fn a_job_says_whether_its_pods_are_restarted() {
    let silent =
        object("{apiVersion: batch/v1, kind: Job, metadata: {name: x}, spec: {template: {spec: {}}}}");
    assert!(matches!(demo().refuses(&silent), Refusal::Invalid(words) if words.starts_with("spec.template")));
}

#[test]
fn the_same_again_changes_nothing_and_keeps_the_end_of_the_old_run() {
    let (mut world, job) = (demo(), job("", ""));
    assert_eq!(apply(&mut world, &job), Ok(Applied::Created));
    world.advance(5_000);
    assert_eq!(apply(&mut world, &job), Ok(Applied::Unchanged));
    assert_eq!(world.run(&job.id), RunState::Complete { at: 1_000 });
    assert_eq!(world.live(&job.id).unwrap().uid, world.with_uid(world.uids).unwrap().uid);
}

#[test]
fn the_pods_of_a_job_cannot_be_others() {
    let mut world = demo();
    apply(&mut world, &job("", "")).unwrap();
    let changed = job("", "containers: [{image: b}]");
    assert_eq!(apply(&mut world, &changed), Err(Refusal::Immutable(vec!["spec.template"])));
}

#[test]
fn what_is_beside_the_pods_of_a_job_can_be() {
    let mut world = demo();
    apply(&mut world, &job("", "")).unwrap();
    assert_eq!(apply(&mut world, &job("backoffLimit: 1,", "")), Ok(Applied::Changed));
}

#[test]
fn only_the_image_of_a_pod_can_change() {
    let with = |image: &str, more: &str| pod(&format!("containers: [{{name: a, image: {image}{more}}}]"));
    let mut world = demo();
    apply(&mut world, &with("a", "")).unwrap();
    assert_eq!(apply(&mut world, &with("b", "")), Ok(Applied::Changed));
    assert_eq!(apply(&mut world, &with("b", ", tty: true")), Err(Refusal::Immutable(vec!["spec"])));
}

/// What an apply of `after` says where `before` is.
#[track_caller]
fn over(mut world: World, before: &str, after: &str) -> Result<Applied, Refusal> {
    apply(&mut world, &object(before)).unwrap();
    apply(&mut world, &object(after))
}

fn frozen(fields: &[&'static str]) -> Result<Applied, Refusal> {
    Err(Refusal::Immutable(fields.to_vec()))
}

#[test]
fn a_sealed_secret_could_be_changed_as_no_sealed_config_map_can() {
    for kind in ["ConfigMap", "Secret"] {
        let with = |more: &str| format!("{{apiVersion: v1, kind: {kind}, metadata: {{name: x}}, {more}}}");
        let sealed = with("immutable: true, data: {a: YQ==}");
        assert_eq!(over(demo(), &sealed, &with("immutable: true, data: {a: Yg==}")), frozen(&["data"]));
        assert_eq!(over(demo(), &sealed, &with("data: {a: YQ==}")), frozen(&["immutable"]));
        assert_eq!(over(demo(), &sealed, &with("data: {a: Yg==}")), frozen(&["immutable", "data"]));
        assert_eq!(over(demo(), &with("data: {a: YQ==}"), &sealed), Ok(Applied::Changed));
        let open = with("immutable: false, data: {a: YQ==}");
        assert_eq!(over(demo(), &open, &with("data: {a: Yg==}")), Ok(Applied::Changed));
    }
}

#[test]
fn a_claim_without_a_volume_could_grow() {
    let claim = |size: &str| {
        format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: x}}, spec: {{resources: {{requests: {{storage: {size}}}}}}}}}"
        )
    };
    assert_eq!(over(demo(), &claim("1Gi"), &claim("2Gi")), Ok(Applied::Changed));
    assert_eq!(over(kwok(), &claim("1Gi"), &claim("2Gi")), frozen(&["spec"]));
}

#[test]
fn the_addresses_of_an_endpoint_slice_could_become_others() {
    let slice = |kind: &str| {
        format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: x}}, addressType: {kind}}}"
        )
    };
    assert_eq!(over(demo(), &slice("IPv4"), &slice("IPv6")), frozen(&["addressType"]));
}

#[test]
fn of_two_fields_that_cannot_change_only_one_was_named() {
    let mut world = demo();
    apply(&mut world, &job("", "")).unwrap();
    let both = job("completions: 2,", "containers: [{image: b}]");
    assert_eq!(apply(&mut world, &both), frozen(&["spec.completions", "spec.template"]));
    let indexed = job("completions: 2, completionMode: Indexed,", "");
    assert_eq!(apply(&mut world, &indexed), frozen(&["spec.completionMode"]));
}

#[test]
fn an_apply_lands_on_what_is_on_its_way_out_and_goes_with_it() {
    let (mut world, space) = (demo(), plain("Namespace", "side"));
    apply(&mut world, &space).unwrap();
    world.take(&space);
    assert_eq!(apply(&mut world, &space), Ok(Applied::Unchanged));
    assert!(world.gone_at(&space.id).is_some());
}

#[test]
fn whoever_sent_it_last_owns_it() {
    let (mut world, secret) = (demo(), plain("Secret", "x"));
    world.put(&secret, OK);
    let origin = Origin::Resource { release: "demo".into() };
    world.apply(&secret, origin.clone(), OK).unwrap();
    assert_eq!(world.live(&secret.id).unwrap().origin, origin);
    assert!(world.leftovers().is_empty());
}

#[test]
fn what_is_assumed_serves_pods_and_is_nobodys_leftover() {
    let (mut world, job) = (demo(), job("", "volumes: [{name: v, secret: {secretName: db}}]"));
    world.assume_need(&job.needs[0], "demo");
    world.put(&job, OK);
    assert_eq!(world.run(&job.id), RunState::Running);
    assert_eq!(world.leftovers(), std::slice::from_ref(&job.id));
}
