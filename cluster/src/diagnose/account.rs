//! The account of one hook: causes, what Helm did, what became of the object; all of it fit to be shown.

use hooks::{
    Mask,
    release::{Phase, Status},
};
use k8s_openapi::api::{batch::v1::JobStatus, core::v1::ContainerState};

use super::{
    Cause, Hook, causes,
    evidence::{Evidence, Log, Seen},
    words,
};

/// Everything about the hook that failed.
pub(super) fn hook(evidence: &Evidence, mask: &Mask, log_lines: usize) -> Hook {
    let facts = &evidence.hook;
    let shown = |text: &str| words::shown(text, 253);
    let causes = causes::all(evidence).into_iter().map(|cause| Cause {
        what: mask.text(&cause.what),
        said: cause.said.map(|said| mask.text(&said)).filter(|said| !said.is_empty()),
        ..cause
    });
    Hook {
        api_version: shown(&facts.api_version),
        kind: shown(&facts.kind),
        namespace: shown(&facts.namespace),
        name: shown(&facts.name),
        event: facts.event,
        weight: facts.weight,
        path: shown(&facts.path),
        began: facts.began,
        ended: facts.ended,
        causes: causes.collect(),
        helm: helm(evidence),
        now: now(evidence),
        logs: logs(&evidence.logs, log_lines),
    }
}

/// The last lines of each.
fn logs(logs: &[Log], most: usize) -> Vec<Log> {
    let end = |log: &Log| {
        let first = log.lines.len().saturating_sub(most);
        Log { lines: log.lines[first..].to_vec(), is_cut: log.is_cut || first > 0, ..log.clone() }
    };
    logs.iter().map(end).filter(|log| !log.lines.is_empty()).collect()
}

/// What Helm did meanwhile.
fn helm(evidence: &Evidence) -> String {
    let waited = evidence.waited().map(words::duration);
    let after = waited.as_ref().map_or_else(String::new, |waited| format!(" after {waited}"));
    match evidence.hook.phase {
        None => "Helm stopped before it had begun with this hook.".to_owned(),
        Some(Phase::Running) => {
            let time = waited.map_or_else(String::new, |waited| format!(" {waited} ago"));
            if evidence.job_end().is_some() || evidence.job.is_gone() {
                format!("Helm began with it{time} and has written nothing down since.")
            } else {
                let end = match evidence.release.status {
                    Status::PendingRollback => "gave up: of a rollback that fails it writes nothing down",
                    Status::Uninstalling => "gave up: of an uninstall that fails it writes nothing down",
                    _ => "was interrupted",
                };
                format!("Helm began with it{time} and waits, or {end}.")
            }
        }
        Some(Phase::Succeeded) => "Helm takes it for a success.".to_owned(),
        _ if evidence.release.status == Status::Failed && evidence.is_refused() => {
            "Helm was refused when it created the hook, and stopped at once.".to_owned()
        }
        _ if evidence.release.status == Status::Failed && evidence.timed_out() => {
            let time = waited.map_or_else(String::new, |waited| format!(" ({waited})"));
            format!("Helm waited its whole timeout{time}{} and gave up.", in_vain(evidence))
        }
        _ => format!("Helm saw it fail{after} and stopped."),
    }
}

/// What Helm waited for in vain, if that is known: where nobody may look there may be anything.
fn in_vain(evidence: &Evidence) -> &'static str {
    let has_begun = |state: &ContainerState| state.running.is_some() || state.terminated.is_some();
    let was_started = evidence.containers().any(|container| container.states().any(has_begun))
        || evidence.of_pods().any(|said| said.reason == "Started");
    let counts = evidence.job.there().map(|job| job.status.clone().unwrap_or_default());
    let has_counted =
        |counts: JobStatus| counts.failed.or(counts.succeeded).or(counts.active).unwrap_or(0) > 0;
    let had_none = counts.is_some_and(|counts| !has_counted(counts)) && evidence.of_pods().next().is_none();
    match evidence.pods.is_empty() {
        _ if was_started || !evidence.knows_pods || !evidence.knows_events => "",
        true if had_none => " for a pod that was never created",
        true if evidence.of_pods().next().is_none() => "",
        _ => " for a pod that never started",
    }
}

/// What became of the object.
fn now(evidence: &Evidence) -> String {
    let kind = words::shown(&evidence.hook.kind, 60);
    if kind != "Job" {
        return of_others(evidence, &kind);
    }
    let is_pending = evidence.release.status.is_pending() || evidence.release.status == Status::Uninstalling;
    let is_stale = evidence.is_of_an_earlier_run();
    match (&evidence.job, evidence.job_end()) {
        (Seen::Unknown, _) => "What became of the Job could not be looked at.".to_owned(),
        (Seen::Gone, _) if evidence.hook.deletes_when_failed => {
            "The Job is gone with its pods: hook-failed in its delete policy lets Helm delete it.".to_owned()
        }
        (Seen::Gone, _) => "The Job is gone.".to_owned(),
        (Seen::There(_), Some(("Complete", _))) if is_stale => {
            "The Job is the old one, which ended well.".to_owned()
        }
        (Seen::There(_), Some(_)) if is_stale => {
            "The Job is the old one, which has given up; its logs stay until it is deleted.".to_owned()
        }
        (Seen::There(_), Some(("Failed", _))) if !evidence.knows_pods => "The Job has given up.".to_owned(),
        (Seen::There(_), Some(("Complete", _))) => "The Job has ended well since.".to_owned(),
        (Seen::There(_), Some(_)) if evidence.pods.is_empty() => {
            "The Job has given up, and its pods are gone.".to_owned()
        }
        (Seen::There(_), Some(_)) => {
            "The Job has given up; its pods keep their logs until it is deleted.".to_owned()
        }
        (Seen::There(job), None) => {
            let spec = job.spec.as_ref();
            if spec.is_some_and(|spec| spec.suspend == Some(true)) {
                return "The Job stays suspended until somebody resumes or deletes it.".to_owned();
            }
            let runs = evidence
                .pods
                .iter()
                .filter_map(|pod| pod.status.as_ref()?.phase.as_deref())
                .any(|phase| phase == "Running");
            let does = match () {
                () if runs => "still runs",
                () if evidence.knows_pods => "keeps trying",
                () => "goes on",
            };
            let which = if is_stale { "old Job" } else { "Job" };
            match spec.and_then(|spec| spec.active_deadline_seconds) {
                Some(seconds) => {
                    format!("The {which} {does} until its deadline of {}.", words::duration(seconds))
                }
                None if is_pending || runs || !evidence.knows_pods => {
                    format!("The {which} has no deadline and {does}.")
                }
                None => format!(
                    "The {which} has no deadline and {does}: it will run as soon as it can, with nobody watching."
                ),
            }
        }
    }
}

fn of_others(evidence: &Evidence, kind: &str) -> String {
    let phase = evidence.pods.first().and_then(|pod| pod.status.as_ref()?.phase.as_deref());
    match (kind, phase, &evidence.object) {
        ("Pod", Some(phase), _) => format!("The Pod is {}.", words::shown(phase, 40)),
        (_, _, Seen::There(_)) => format!("The {kind} is there."),
        (_, _, Seen::Gone) => format!("The {kind} is not there."),
        (_, _, Seen::Unknown) => format!("What became of the {kind} is not known."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diagnose::testing::{ended, evidence, job, pod, waiting};

    fn of(given: &Value) -> Hook {
        hook(&evidence(given), &Mask::of(["hunter2".to_owned()]), 10)
    }

    #[test]
    fn helm_waits_for_pods_that_never_come() {
        let said = "timed out waiting for the condition";
        let none = of(&json!({"job": job(""), "description": said, "ended": 300}));
        assert_eq!(
            none.helm,
            "Helm waited its whole timeout (5m) for a pod that was never created and gave up."
        );
        let mut pods = [pod(&waiting("ImagePullBackOff", ""))];
        pods[0]["status"]["containerStatuses"][0]["lastState"] = json!({});
        let some = of(&json!({"job": job(""), "description": said, "ended": 300, "pods": pods}));
        assert!(some.helm.contains("for a pod that never started"));
        assert_eq!(
            some.now,
            "The Job has no deadline and keeps trying: it will run as soon as it can, with nobody watching."
        );
    }

    #[test]
    fn pods_that_nobody_may_look_at_were_told_not_to_be_there() {
        let said = "timed out waiting for the condition";
        let blind = of(&json!({"job": job(""), "description": said, "ended": 3, "blind": true}));
        assert_eq!(blind.helm, "Helm waited its whole timeout (3s) and gave up.");
        assert_eq!(blind.now, "The Job has no deadline and goes on.");
        let over = of(&json!({"job": job("BackoffLimitExceeded"), "blind": true}));
        assert_eq!(over.now, "The Job has given up.");
        let mut counted = job("");
        counted["status"]["failed"] = json!(2);
        let gone = of(&json!({"job": counted, "description": said, "ended": 3}));
        assert_eq!(gone.helm, "Helm waited its whole timeout (3s) and gave up.");
        let unknown = of(&json!({"job": job(""), "description": "x", "blind": true}));
        assert!(unknown.causes[0].what.contains("may not be looked at"), "{}", unknown.causes[0].what);
    }

    #[test]
    fn what_helm_saw_is_told() {
        assert_eq!(of(&json!({"ended": 42})).helm, "Helm saw it fail after 42s and stopped.");
        assert_eq!(of(&json!({"phase": ""})).helm, "Helm stopped before it had begun with this hook.");
        let refused =
            json!({"description": "pre-upgrade hooks failed: warning: Hook pre-upgrade a failed: x"});
        assert!(of(&refused).helm.starts_with("Helm was refused"));
        let running = of(&json!({"status": "pending-upgrade", "phase": "Running", "job": job("")}));
        assert_eq!(running.helm, "Helm began with it 6m 40s ago and waits, or was interrupted.");
    }

    #[test]
    fn what_became_of_the_job_is_told() {
        assert_eq!(
            of(&json!({"job": null, "policy": "hook-failed"})).now,
            "The Job is gone with its pods: hook-failed in its delete policy lets Helm delete it."
        );
        assert_eq!(of(&json!({"job": job("Complete")})).now, "The Job has ended well since.");
        assert_eq!(
            of(&json!({"job": job("BackoffLimitExceeded"), "pods": [pod(&ended("Error", 1))]})).now,
            "The Job has given up; its pods keep their logs until it is deleted."
        );
    }

    #[test]
    fn secrets_in_the_words_of_kubernetes_are_masked() {
        let said = "failed calling webhook \"a\": x://u:pw@h hunter2";
        let found = of(&json!({"description": said}));
        assert_eq!(found.causes[0].said.as_deref(), Some("failed calling webhook \"a\": x://u:***@h ***"));
    }
}
