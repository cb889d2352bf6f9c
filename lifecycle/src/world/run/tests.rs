//! How pods run and end.

use super::super::{
    Origin,
    example::{FAIL, HANG, MOUNTS_CLAIM, OK, demo, job, kwok, object, plain, pod},
};
use super::*;
use crate::world::Applied;

#[expect(clippy::unnecessary_wraps, reason = "as `ends` gives it")]
fn failed(at: Millis, reason: Reason, failed: u32, completions: u32) -> Option<RunState> {
    Some(RunState::Failed { at, reason, failed, completions })
}

/// How such a Job ends on real nodes.
fn job_ends(spec: &str, pods: &str, outcome: Outcome) -> Option<RunState> {
    let (mut world, job) = (demo(), job(spec, pods));
    world.put(&job, outcome);
    world.ends(&job.id)
}

/// How such a Pod ends in `world`.
fn pod_ends(mut world: World, spec: &str, outcome: Outcome) -> Option<RunState> {
    let pod = pod(spec);
    world.put(&pod, outcome);
    world.ends(&pod.id)
}

#[test]
fn a_job_runs_and_ends_well() {
    let (mut world, job) = (demo(), job("", ""));
    world.put(&job, OK);
    assert_eq!(world.run_at(999, &job.id), RunState::Running);
    assert_eq!(world.run_at(1_000, &job.id), RunState::Complete { at: 1_000 });
}

#[test]
fn completions_come_as_many_at_a_time_as_may_run() {
    assert_eq!(job_ends("completions: 5,", "", OK), Some(RunState::Complete { at: 5_000 }));
    assert_eq!(job_ends("completions: 5, parallelism: 2,", "", OK), Some(RunState::Complete { at: 3_000 }));
    assert_eq!(job_ends("parallelism: 0,", "", OK), None);
}

#[test]
fn a_failing_job_tries_again_ever_later() {
    for (limit, at) in [(0, 1_000), (1, 12_000), (2, 33_000), (6, 637_000), (8, 637_000 + 2 * 601_000)] {
        assert_eq!(
            job_ends(&format!("backoffLimit: {limit},"), "", FAIL),
            failed(at, Reason::BackoffLimitExceeded, limit + 1, 1),
            "{limit}"
        );
    }
}

#[test]
fn six_retries_are_usual() {
    assert_eq!(job_ends("", "", FAIL), job_ends("backoffLimit: 6,", "", FAIL));
}

#[test]
fn a_job_that_tries_for_months_has_no_end() {
    assert_eq!(job_ends("backoffLimit: 2147483647,", "", FAIL), None);
}

#[test]
fn a_hanging_job_has_no_end() {
    assert_eq!(job_ends("", "", HANG), None);
}

#[test]
fn the_deadline_stops_what_runs_and_counts_it_as_failed() {
    let spec = "activeDeadlineSeconds: 5,";
    let pods = "terminationGracePeriodSeconds: 2";
    assert_eq!(job_ends(spec, pods, HANG), failed(7_000, Reason::DeadlineExceeded, 1, 1));
    assert_eq!(job_ends(spec, "", OK), Some(RunState::Complete { at: 1_000 }));
}

#[test]
fn a_deadline_between_two_tries_finds_nothing_to_stop() {
    let spec = "activeDeadlineSeconds: 5,";
    assert_eq!(job_ends(spec, "", FAIL), failed(5_000, Reason::DeadlineExceeded, 1, 1));
}

#[test]
fn the_deadline_counts_while_pods_wait() {
    let secret = "volumes: [{name: v, secret: {secretName: db}}], terminationGracePeriodSeconds: 0";
    let spec = "activeDeadlineSeconds: 5,";
    assert_eq!(job_ends(spec, secret, OK), failed(5_000, Reason::DeadlineExceeded, 1, 1));
    let account = "serviceAccountName: robot";
    assert_eq!(job_ends(spec, account, OK), failed(5_000, Reason::DeadlineExceeded, 0, 1));
}

#[test]
fn a_job_of_which_nothing_has_to_end_is_complete_at_once() {
    let complete = Some(RunState::Complete { at: 0 });
    for spec in ["completions: 0,", "completions: 0, parallelism: 0,", "completions: 0, suspend: true,"] {
        assert_eq!(job_ends(spec, "", HANG), complete, "{spec}");
    }
    assert_eq!(job_ends("completions: 0,", "serviceAccountName: robot", OK), complete);
    let late = "completions: 0, activeDeadlineSeconds: 0,";
    assert_eq!(job_ends(late, "", OK), failed(0, Reason::DeadlineExceeded, 0, 0));
}

#[test]
fn a_deadline_of_nothing_comes_before_the_first_pod() {
    assert_eq!(job_ends("activeDeadlineSeconds: 0,", "", OK), failed(0, Reason::DeadlineExceeded, 0, 1));
}

#[test]
fn a_deadline_of_centuries_overflows_as_it_does_in_kubernetes() {
    let ends = |seconds: u64| job_ends(&format!("activeDeadlineSeconds: {seconds},"), "", HANG);
    assert_eq!(ends(9_223_372_036), failed(9_223_372_066_000, Reason::DeadlineExceeded, 1, 1));
    assert_eq!(ends(9_223_372_037), failed(0, Reason::DeadlineExceeded, 0, 1));
    assert_eq!(ends(u64::MAX / 2), failed(0, Reason::DeadlineExceeded, 0, 1));
    assert_eq!(ends(18_446_744_075), failed(31_291, Reason::DeadlineExceeded, 1, 1));
}

#[test]
fn a_pod_of_a_job_that_runs_too_long_counts_as_failed() {
    let (one, limit) = ("backoffLimit: 0,", "activeDeadlineSeconds: 3");
    let late = failed(3_000, Reason::BackoffLimitExceeded, 1, 1);
    assert_eq!(job_ends(one, limit, HANG), late);
    assert_eq!(job_ends(one, limit, Outcome::Succeeds(Duration::from_secs(4))), late);
    assert_eq!(job_ends(one, limit, OK), Some(RunState::Complete { at: 1_000 }));
    assert_eq!(job_ends(one, limit, FAIL), failed(1_000, Reason::BackoffLimitExceeded, 1, 1));
    assert_eq!(
        job_ends("backoffLimit: 1,", limit, HANG),
        failed(3_000 + 10_000 + 3_000, Reason::BackoffLimitExceeded, 2, 1)
    );
    let never_starts = "activeDeadlineSeconds: 3, volumes: [{name: v, secret: {secretName: db}}]";
    assert_eq!(job_ends(one, never_starts, OK), late);
}

#[test]
fn a_pod_that_cannot_start_has_its_deadline_too() {
    let spec =
        "restartPolicy: Never, activeDeadlineSeconds: 3, volumes: [{name: v, secret: {secretName: db}}]";
    assert_eq!(pod_ends(demo(), spec, OK), failed(3_000, Reason::DeadlineExceeded, 1, 1));
}

#[test]
fn pods_that_restart_in_place_may_run_only_so_long() {
    let end = |limit: u32| {
        let mut world = demo();
        let job = object(&format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{backoffLimit: 0, template: {{spec: {{restartPolicy: OnFailure, activeDeadlineSeconds: {limit}}}}}}}}}"
        ));
        world.put(&job, FAIL);
        world.ends(&job.id)
    };
    assert_eq!(end(5), failed(5_000, Reason::BackoffLimitExceeded, 1, 1));
    assert_eq!(end(60), failed(11_000, Reason::BackoffLimitExceeded, 1, 1));
}

#[test]
fn numbers_at_the_end_of_their_range_overflow_nothing() {
    let huge = "backoffLimit: 2147483647, completions: 2147483647, parallelism: 2147483647, activeDeadlineSeconds: 9223372036854775807, ttlSecondsAfterFinished: 2147483647,";
    let pods = "activeDeadlineSeconds: 2147483647, terminationGracePeriodSeconds: 9223372036854775807";
    for outcome in [OK, FAIL, HANG, Outcome::Succeeds(Duration::MAX), Outcome::Fails(Duration::MAX)] {
        for spec in [huge.to_owned(), huge.replace("activeDeadlineSeconds: 9223372036854775807,", "")] {
            let (mut world, job) = (demo(), job(&spec, pods));
            world.put(&job, outcome);
            world.advance(Millis::MAX);
            let namespace = plain("Namespace", "demo");
            let _ = world.delete(&namespace.id);
            world.advance(Millis::MAX);
        }
    }
}

#[test]
fn a_suspended_job_waits_until_it_is_resumed_and_its_deadline_with_it() {
    let mut world = demo();
    let suspended = job("suspend: true, activeDeadlineSeconds: 5,", "");
    world.put(&suspended, OK);
    assert_eq!(world.run_at(60_000, &suspended.id), RunState::Suspended);
    let resumed = job("activeDeadlineSeconds: 5,", "");
    assert_eq!(world.apply(&resumed, Origin::Hook, OK), Ok(Applied::Changed));
    assert_eq!(world.ends(&resumed.id), Some(RunState::Complete { at: 61_000 }));
}

#[test]
fn a_change_beside_the_pods_lets_a_job_go_on() {
    let mut world = demo();
    world.put(&job("", ""), Outcome::Succeeds(Duration::from_secs(10)));
    world.advance(6_000);
    let changed = job("ttlSecondsAfterFinished: 9,", "");
    assert_eq!(world.apply(&changed, Origin::Hook, OK), Ok(Applied::Changed));
    assert_eq!(world.ends(&changed.id), Some(RunState::Complete { at: 10_000 }));
}

#[test]
fn pods_start_when_what_they_need_is_there() {
    let (mut world, job) = (demo(), job("", "volumes: [{name: v, secret: {secretName: db}}]"));
    world.put(&job, OK);
    assert_eq!(world.run_at(50_000, &job.id), RunState::Waiting(Need::new("Secret", "db")));
    world.put(&plain("Secret", "db"), OK);
    assert_eq!(world.ends(&job.id), Some(RunState::Complete { at: 51_000 }));
}

#[test]
fn pods_started_by_what_came_and_went_in_one_moment() {
    let (mut world, job) = (demo(), job("", "volumes: [{name: v, secret: {secretName: db}}]"));
    let secret = plain("Secret", "db");
    world.put(&job, OK);
    world.advance(50_000);
    world.put(&secret, OK);
    world.take(&secret);
    assert_eq!(world.run_at(60_000, &job.id), RunState::Waiting(Need::new("Secret", "db")));
    world.put(&secret, OK);
    assert_eq!(world.run_at(60_000, &job.id), RunState::Running, "it stays");
}

#[test]
fn pods_started_without_a_key_that_they_need() {
    let needs = "volumes: [{name: v, configMap: {name: cc, items: [{key: k, path: p}]}}]";
    let (mut world, job) = (demo(), job("", needs));
    let map = |keys: &str| {
        object(&format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cc}}, data: {{{keys}}}}}"))
    };
    world.put(&map("l: x"), OK);
    world.put(&job, OK);
    let lacks = |keys: &[&str]| Need {
        keys: keys.iter().map(ToString::to_string).collect(),
        ..Need::new("ConfigMap", "cc")
    };
    assert_eq!(world.run_at(50_000, &job.id), RunState::Waiting(lacks(&["k"])));
    world.take(&map(""));
    assert_eq!(world.run(&job.id), RunState::Waiting(lacks(&[])));
    world.put(&map("k: x"), OK);
    assert_eq!(world.ends(&job.id), Some(RunState::Complete { at: 51_000 }));
}

#[test]
fn what_is_in_another_namespace_does_not_count() {
    let (mut world, job) = (demo(), job("", "volumes: [{name: v, secret: {secretName: db}}]"));
    world.put(&object("{apiVersion: v1, kind: Secret, metadata: {name: db, namespace: default}}"), OK);
    world.put(&job, OK);
    assert_eq!(world.ends(&job.id), None);
}

#[test]
fn a_claim_that_is_being_deleted_lets_no_new_pod_start() {
    let mut world = demo();
    let (user, claim) =
        (pod(&format!("restartPolicy: Never, {MOUNTS_CLAIM}")), plain("PersistentVolumeClaim", "data"));
    world.put(&claim, OK);
    world.put(&user, HANG);
    world.take(&claim);
    let job = job("", MOUNTS_CLAIM);
    world.put(&job, OK);
    assert_eq!(world.run(&job.id), RunState::Waiting(Need::new("PersistentVolumeClaim", "data")));
}

#[test]
fn a_pod_ends_as_it_is_told() {
    let never = "restartPolicy: Never";
    assert_eq!(pod_ends(demo(), never, OK), Some(RunState::Complete { at: 1_000 }));
    assert_eq!(pod_ends(demo(), never, FAIL), failed(1_000, Reason::Ended, 1, 1));
    assert_eq!(pod_ends(demo(), never, HANG), None);
}

#[test]
fn a_pod_that_is_restarted_has_no_end() {
    assert_eq!(pod_ends(demo(), "", OK), None);
    assert_eq!(pod_ends(demo(), "restartPolicy: OnFailure", OK), Some(RunState::Complete { at: 1_000 }));
    assert_eq!(pod_ends(demo(), "restartPolicy: OnFailure", FAIL), None);
}

#[test]
fn a_pod_may_have_a_deadline_too() {
    let spec = "restartPolicy: Never, activeDeadlineSeconds: 3";
    assert_eq!(pod_ends(demo(), spec, HANG), failed(3_000, Reason::DeadlineExceeded, 1, 1));
    assert_eq!(pod_ends(demo(), spec, OK), Some(RunState::Complete { at: 1_000 }));
    assert_eq!(
        pod_ends(demo(), "activeDeadlineSeconds: 3", OK),
        failed(3_000, Reason::DeadlineExceeded, 1, 1)
    );
}

#[test]
fn containers_that_are_restarted_count_against_the_limit_of_their_job() {
    let end = |limit: u32| {
        let mut world = demo();
        let job = object(&format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: x}}, spec: {{backoffLimit: {limit}, template: {{spec: {{restartPolicy: OnFailure}}}}}}}}"
        ));
        world.put(&job, FAIL);
        world.ends(&job.id)
    };
    assert_eq!(end(0), failed(11_000, Reason::BackoffLimitExceeded, 1, 1));
    assert_eq!(end(2), failed(32_000, Reason::BackoffLimitExceeded, 1, 1));
}

#[test]
fn kwok_starts_pods_without_their_secrets_but_not_without_their_account() {
    let mut world = kwok();
    let mounts = job("", "volumes: [{name: v, secret: {secretName: db}}]");
    world.put(&mounts, OK);
    assert_eq!(world.run(&mounts.id), RunState::Running);
    world.take(&mounts);
    let account = job("", "serviceAccountName: robot");
    world.put(&account, OK);
    assert_eq!(world.run(&account.id), RunState::Waiting(Need::new("ServiceAccount", "robot")));
}

#[test]
fn kwok_binds_no_claim() {
    let (mut world, claim) = (kwok(), plain("PersistentVolumeClaim", "data"));
    world.put(&claim, OK);
    assert!(!world.live(&claim.id).unwrap().is_ready());
    let job = job("", MOUNTS_CLAIM);
    world.put(&job, OK);
    assert_eq!(world.ends(&job.id), None);
}

#[test]
fn kwok_fails_pods_instead_of_restarting_them_and_knows_no_deadline_of_pods() {
    assert_eq!(pod_ends(kwok(), "restartPolicy: OnFailure", FAIL), failed(1_000, Reason::Ended, 1, 1));
    assert_eq!(pod_ends(kwok(), "restartPolicy: Never, activeDeadlineSeconds: 3", HANG), None);
    let (mut world, job) = (kwok(), job("", "activeDeadlineSeconds: 3"));
    world.put(&job, HANG);
    assert_eq!(world.ends(&job.id), None);
}

#[test]
fn kwok_takes_no_grace_at_the_deadline() {
    let (mut world, job) = (kwok(), job("activeDeadlineSeconds: 5,", ""));
    world.put(&job, HANG);
    assert_eq!(world.ends(&job.id), failed(5_000, Reason::DeadlineExceeded, 1, 1));
}

#[test]
fn a_deployment_is_ready_once_its_pods_are() {
    let mut world = demo();
    let deployment = |image: &str| {
        object(&format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: x}}, spec: {{template: {{spec: {{containers: [{{image: {image}}}]}}}}}}}}"
        ))
    };
    let first = deployment("a");
    world.put(&first, OK);
    assert!(!world.live(&first.id).unwrap().is_ready());
    world.advance(1_000);
    assert!(world.live(&first.id).unwrap().is_ready());
    assert_eq!(world.apply(&deployment("b"), Origin::Hook, FAIL), Ok(Applied::Changed));
    assert_eq!(world.run_at(600_000, &first.id), RunState::Starting);
}

#[test]
fn a_failure_policy_was_passed_over() {
    let spec = "podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [1]}}]}, parallelism: 2, completions: 2,";
    assert_eq!(job_ends(spec, "", FAIL), failed(1_000, Reason::PodFailurePolicy, 2, 2));
    let late = format!("{spec} activeDeadlineSeconds: 1,");
    let slow = Outcome::Fails(Duration::from_secs(2));
    assert_eq!(job_ends(&late, "", slow), failed(31_000, Reason::DeadlineExceeded, 2, 2));
}
