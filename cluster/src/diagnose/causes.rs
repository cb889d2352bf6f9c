//! The reasons why hooks fail: one file each, all of them pure functions of what was seen.

use super::{Cause, Repair, evidence::Evidence};

mod admission;
mod back_off;
mod cannot_start;
mod deadline;
mod deletion_blocked;
mod evicted;
mod image_pull;
mod interrupted;
mod left_behind;
mod limit_range;
mod mesh_sidecar;
mod missing_object;
mod namespace;
mod network_policy;
mod never_ends;
mod out_of_memory;
mod pod_security;
mod program;
mod quota;
mod rbac;
mod service_account;
mod stale_rerun;
mod suspended;
mod timeout;
mod unbuildable;
mod unschedulable;
mod vanished;

pub(super) use rbac::refusals;

/// The cause of hooks that have not failed, or not yet.
pub(super) const RUNNING: &str = "running";

/// The cause of what an earlier run keeps from running.
pub(super) const STALE: &str = stale_rerun::ID;

/// The cause that follows from most others: Helm stopped waiting.
pub const TIMEOUT: &str = "timeout";

/// Finds one reason, if it is there.
type Find = fn(&Evidence) -> Option<Cause>;

/// All of them. What explains another one stands before it: a pod that cannot start before the timeout that this leads to.
const ALL: &[Find] = &[
    stale_rerun::find,
    unbuildable::find,
    namespace::find,
    deletion_blocked::find,
    quota::find,
    limit_range::find,
    pod_security::find,
    service_account::find,
    admission::find,
    rbac::find,
    missing_object::find,
    image_pull::find,
    cannot_start::find,
    unschedulable::find,
    suspended::find,
    mesh_sidecar::find,
    out_of_memory::find,
    evicted::find,
    network_policy::find,
    program::find,
    never_ends::find,
    vanished::find,
    deadline::find,
    back_off::find,
    timeout::find,
    interrupted::find,
];

/// Everything that is wrong, the reason before what it leads to; never empty.
pub(super) fn all(evidence: &Evidence) -> Vec<Cause> {
    let mut found: Vec<Cause> = ALL.iter().filter_map(|find| find(evidence)).collect();
    if found.is_empty() {
        found.push(unknown(evidence));
    }
    if found[0].id == stale_rerun::ID {
        // Helm's wait is of this revision; all else is about the run that stands in its way.
        found.retain(|cause| cause.id != interrupted::ID);
        for cause in found.iter_mut().skip(1).filter(|cause| cause.id != TIMEOUT) {
            cause.what.push_str(" (in that earlier run)");
        }
    } else if found[0].id != RUNNING {
        found.extend(left_behind::find(evidence));
    }
    found
}

/// Nothing that is known fits.
fn unknown(evidence: &Evidence) -> Cause {
    let is_done_for = evidence.release.status == hooks::release::Status::Failed || !evidence.is_running();
    if !is_done_for {
        return cause(
            RUNNING,
            "runs, and nothing is wrong with it so far; unless a Helm still waits for it, the release is stuck",
        );
    }
    if matches!(evidence.hook.kind.as_str(), "Job" | "Pod") && !evidence.knows_pods {
        return cause("unknown", "failed, and its pods, which may tell why, may not be looked at")
            .said(&evidence.release.description)
            .advice("look again as somebody who may list Pods and Events and read logs");
    }
    let what = if evidence.job.is_gone() && evidence.hook.deletes_when_failed {
        "failed, and Helm deleted it with its pods, as hook-failed in its delete policy says: what it printed is gone"
    } else {
        "failed, and nothing that is left tells why"
    };
    let found = cause("unknown", what).rules(&["hook-failed-deletes-evidence"]);
    let found = if evidence.release.description.is_empty() {
        found
    } else {
        found.said(&evidence.release.description)
    };
    found
        .advice("take hook-failed out of its delete policy, so that the next failure can be looked at")
        .only_if(evidence.hook.deletes_when_failed)
}

fn cause(id: &'static str, what: impl Into<String>) -> Cause {
    Cause { id, what: what.into(), said: None, repair: Vec::new(), rules: &[] }
}

impl Cause {
    /// Adds the words of Kubernetes.
    fn said(mut self, text: &str) -> Self {
        self.said = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        self
    }

    fn advice(mut self, text: impl Into<String>) -> Self {
        self.repair.push(Repair::advice(text));
        self
    }

    fn command(mut self, command: impl Into<String>, text: impl Into<String>) -> Self {
        self.repair.push(Repair::command(command, text));
        self
    }

    /// Takes the last repair back unless it makes sense.
    fn only_if(mut self, is_so: bool) -> Self {
        if !is_so {
            self.repair.pop();
        }
        self
    }

    fn rules(mut self, rules: &'static [&'static str]) -> Self {
        self.rules = rules;
        self
    }
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// `the pod "x"`, `its pod`: how a sentence calls the pods of the hook.
fn pod(evidence: &Evidence) -> &'static str {
    if evidence.hook.kind == "Pod" { "it" } else { "its pod" }
}

/// Where in the chart the hook is written.
fn template(evidence: &Evidence) -> String {
    let path = &evidence.hook.path;
    if path.is_empty() { "the chart".to_owned() } else { super::words::shown(path, 120) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::testing::evidence;

    #[test]
    fn there_is_always_a_cause() {
        assert_eq!(all(&Evidence::default())[0].id, "unknown");
        assert_eq!(
            all(&evidence(&serde_json::json!({"status": "pending-upgrade", "phase": "Running"})))[0].id,
            RUNNING
        );
    }

    #[test]
    fn the_failure_of_an_earlier_run_was_told_as_that_of_this_one() {
        use crate::diagnose::testing::{ended, job, pod};

        let mut old = job("BackoffLimitExceeded");
        old["metadata"]["creationTimestamp"] = serde_json::json!("1970-01-12T13:46:00Z");
        let found = all(&evidence(&serde_json::json!({
            "status": "pending-rollback", "phase": "Running", "policy": "hook-succeeded", "job": old,
            "pods": [pod(&ended("Error", 3))], "description": "Rollback to 1",
        })));
        let ids: Vec<&str> = found.iter().map(|cause| cause.id).collect();
        assert_eq!(ids, ["stale-rerun", "program", "back-off"]);
        assert!(found[1].what.ends_with("(in that earlier run)"), "{}", found[1].what);
    }

    #[test]
    fn every_rule_that_is_named_exists() {
        let sources = [
            include_str!("causes.rs"),
            include_str!("causes/admission.rs"),
            include_str!("causes/back_off.rs"),
            include_str!("causes/deadline.rs"),
            include_str!("causes/left_behind.rs"),
            include_str!("causes/missing_object.rs"),
            include_str!("causes/never_ends.rs"),
            include_str!("causes/program.rs"),
            include_str!("causes/service_account.rs"),
            include_str!("causes/stale_rerun.rs"),
            include_str!("causes/suspended.rs"),
            include_str!("causes/timeout.rs"),
            include_str!("causes/vanished.rs"),
        ];
        let mut count = 0;
        for source in sources {
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for list in code.split(".rules(&[").skip(1) {
                let list = list.split(']').next().unwrap_or_default();
                for id in list.split('"').skip(1).step_by(2) {
                    assert!(policies::rules::find(id).is_some(), "there is no rule {id:?}");
                    count += 1;
                }
            }
        }
        assert!(count > 8, "{count}");
    }
}
