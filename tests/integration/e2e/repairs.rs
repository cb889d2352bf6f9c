//! What is changed at admission, and that Helm leaves it there.

use serde_json::{Value, json};
use tests::{
    chart::{Chart, changed, ending, hook_job, job_with_policy},
    rig::Helm,
};

use super::{Place, uid, with_both_helms};

with_both_helms! {
    time_to_live_and_retries_are_injected_and_recorded
    what_the_author_says_is_left_alone
    a_job_that_would_vanish_at_once_is_raised_to_a_minute
    a_failing_job_stays_for_the_next_person_to_read
}

fn annotation<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"]["annotations"][name].as_str().unwrap_or_default()
}

fn time_to_live_and_retries_are_injected_and_recorded(helm: Helm) {
    let place = Place::guarded("repair");
    let _ = place.install(helm, &Chart::new(&[hook_job("migrate", "pre-install,pre-upgrade")])).expect_ok();
    let first = place.job("migrate");
    assert_eq!(first["spec"]["ttlSecondsAfterFinished"], 300);
    assert_eq!(first["spec"]["backoffLimit"], 3);
    assert_eq!(annotation(&first, "helm.sh/hook-delete-policy"), "before-hook-creation");
    let fixed: Vec<_> = annotation(&first, "hookward.dev/fixed").split(',').collect();
    for rule in ["job-ttl-missing", "job-backoff-limit-unset", "hook-policy-implicit"] {
        assert!(fixed.contains(&rule), "{rule} is not recorded in {fixed:?}");
    }
    let _ = place.upgrade(helm, &Chart::new(&[hook_job("migrate", "pre-install,pre-upgrade")])).expect_ok();
    let second = place.job("migrate");
    assert_ne!(uid(&second), uid(&first));
    assert_eq!(second["spec"]["ttlSecondsAfterFinished"], 300);
}

fn what_the_author_says_is_left_alone(helm: Helm) {
    let place = Place::guarded("repair-nothing");
    let job = job_with_policy("migrate", "pre-install", "before-hook-creation,hook-failed");
    let job = changed(job, "/spec", "ttlSecondsAfterFinished", json!(3600));
    let job = changed(job, "/spec", "backoffLimit", json!(1));
    let _ = place.install(helm, &Chart::new(&[job])).expect_ok();
    let job = place.job("migrate");
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 3600);
    assert_eq!(job["spec"]["backoffLimit"], 1);
    assert_eq!(annotation(&job, "helm.sh/hook-delete-policy"), "before-hook-creation,hook-failed");
    assert_eq!(job["metadata"]["annotations"].get("hookward.dev/fixed"), None);
}

fn a_job_that_would_vanish_at_once_is_raised_to_a_minute(helm: Helm) {
    let place = Place::guarded("repair-zero");
    let job = changed(hook_job("migrate", "pre-install"), "/spec", "ttlSecondsAfterFinished", json!(0));
    let _ = place.install(helm, &Chart::new(&[job])).expect_ok();
    let job = place.job("migrate");
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 60);
    assert_eq!(job["status"]["succeeded"], 1);
    assert!(annotation(&job, "hookward.dev/fixed").contains("job-ttl-too-low"));
}

fn a_failing_job_stays_for_the_next_person_to_read(helm: Helm) {
    let place = Place::guarded("repair-failing");
    let job = ending(hook_job("migrate", "pre-install"), "fail");
    let job = changed(job, "/spec", "backoffLimit", json!(0));
    let failed = place.install(helm, &Chart::new(&[job]));
    assert!(!failed.ok(), "{failed:?}");
    let job = place.job("migrate");
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 300);
    assert_eq!(job["status"]["failed"], 1);
}
