//! From what watches see to steps: one fact each.

use std::{sync::Arc, time::Duration};

use hooks::release::{Phase, Record, RecordedHook, Status};

use super::*;
use crate::{answer::Action, command::Flags, run::sight::Stored};

mod earlier;

/// What watches see of a release with one Job, `migrate`, and one ConfigMap, `settings`.
struct Play {
    began: Instant,
    seen: Vec<Seen>,
    policy: &'static str,
    started: u32,
    events: &'static str,
    /// `None` without ordinary resources.
    settings: Option<&'static str>,
}

impl Play {
    fn new(policy: &'static str) -> Self {
        let events = "pre-install,pre-upgrade,pre-rollback";
        let settings = Some("settings");
        Self { began: Instant::now(), seen: Vec::new(), policy, started: 0, events, settings }
    }

    fn push(&mut self, what: What) -> &mut Self {
        let version = self.seen.len() as u64 + 1;
        let at = self.began + Duration::from_secs(version);
        self.seen.push(Seen { version, at, what });
        self
    }

    fn stored(&mut self, revision: u32, status: Status, phase: Option<Phase>, is_new: bool) -> &mut Self {
        if phase == Some(Phase::Running) {
            self.started += 1;
        }
        let (policy, events) = (self.policy, self.events);
        let settings = self.settings.map_or_else(String::new, |name| {
            format!("---\n# Source: shop/templates/s.yaml\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}}}\n")
        });
        let manifest = format!(
            "{{apiVersion: batch/v1, kind: Job, metadata: {{name: migrate, annotations: {{helm.sh/hook: '{events}', {policy}}}}}, \
             spec: {{template: {{spec: {{restartPolicy: Never, containers: [{{name: main, image: x}}]}}}}}}}}"
        );
        let hook = RecordedHook {
            path: "shop/templates/migrate.yaml".to_owned(),
            kind: "Job".to_owned(),
            name: "migrate".to_owned(),
            manifest,
            phase,
            started_at: phase.map(|_| self.started.to_string()),
        };
        let record = Record {
            name: "shop".to_owned(),
            namespace: "demo".to_owned(),
            version: i64::from(revision),
            status,
            manifest: settings,
            hooks: vec![hook],
            templates: Vec::new(),
            chart_name: "shop".to_owned(),
            chart_version: "1".to_owned(),
            is_applied: true,
        };
        self.push(What::Revision(Stored {
            revision,
            status,
            is_new,
            is_gone: false,
            record: Some(Arc::new(record)),
        }))
    }

    fn job(&mut self, uid: &str, change: Change, end: Option<End>) -> &mut Self {
        self.object("batch/v1", "Job", "migrate", uid, change, end)
    }

    fn settings(&mut self) -> &mut Self {
        self.object("v1", "ConfigMap", "settings", "s", Change::Added, None)
    }

    fn object(
        &mut self,
        api: &str,
        kind: &str,
        name: &str,
        uid: &str,
        change: Change,
        end: Option<End>,
    ) -> &mut Self {
        let id = ObjectId {
            api_version: api.to_owned(),
            kind: kind.to_owned(),
            namespace: Some("demo".to_owned()),
            name: name.to_owned(),
        };
        let uid = uid.to_owned();
        self.push(What::Object(Sight {
            id,
            uid,
            change,
            is_going: false,
            written: None,
            end,
            applied: Some(true),
            is_hook: kind == "Job",
        }))
    }

    /// The steps of a command that saw everything after `from`.
    fn steps(&self, from: u64, action: Action, exit: i32, stderr: &str) -> Vec<String> {
        let shown = |step: Step| {
            let event = step.event.map_or(String::new(), |event| format!("{event} "));
            let object = step.object.map_or(String::new(), |object| format!(" {object}"));
            format!("{} {event}{:?}{object} {:?}", step.at, step.verb, step.result)
        };
        self.played(from, action, exit, stderr).into_iter().map(shown).collect()
    }

    fn played(&self, from: u64, action: Action, exit: i32, stderr: &str) -> Vec<Step> {
        let flags = Flags { rollback_on_failure: stderr.contains("rolled back"), ..Flags::default() };
        let asked = scenario::Step {
            action,
            chart: None,
            flags,
            after: Duration::ZERO,
            outcomes: crate::Outcomes::new(),
            expect: None,
            place: (1, 1),
        };
        let ran = Ran {
            exit,
            stderr: stderr.to_owned(),
            printed: None,
            began: self.began,
            ended: self.began + Duration::from_secs(99),
        };
        Trace::new(&self.seen, from, &asked, &ran, "demo", true, &ClusterScoped::new()).steps()
    }

    /// Installed, with a Job that has done its work.
    fn installed(policy: &'static str) -> Self {
        let mut play = Self::new(policy);
        play.stored(1, Status::PendingInstall, None, true)
            .stored(1, Status::PendingInstall, Some(Phase::Running), false)
            .job("one", Change::Added, None)
            .job("one", Change::Modified, Some(End::Complete))
            .settings()
            .stored(1, Status::Deployed, Some(Phase::Succeeded), false);
        play
    }
}

#[test]
fn what_is_not_seen_to_go_was_not_there() {
    let steps = Play::installed("x: y").steps(0, Action::Install, 0, "");
    assert_eq!(
        steps,
        [
            "2 pre-install Delete Job/migrate Absent",
            "3 pre-install Apply Job/migrate Ok",
            "4 pre-install Wait Job/migrate Ok",
            "5 Manifest Ok",
        ]
    );
}

#[test]
fn the_second_run_deletes_the_job_of_the_first() {
    let mut play = Play::installed("x: y");
    play.stored(2, Status::PendingUpgrade, None, true)
        .job("one", Change::Deleted, Some(End::Complete))
        .stored(2, Status::PendingUpgrade, Some(Phase::Running), false)
        .job("two", Change::Added, None)
        .job("two", Change::Modified, Some(End::Complete))
        .stored(2, Status::Deployed, Some(Phase::Succeeded), false);
    assert_eq!(
        play.steps(6, Action::Upgrade, 0, "")[..3],
        [
            "8 pre-upgrade Delete Job/migrate Ok",
            "10 pre-upgrade Apply Job/migrate Ok",
            "11 pre-upgrade Wait Job/migrate Ok",
        ]
    );
}

#[test]
fn an_apply_that_nobody_saw_met_the_old_job_and_its_success_is_stale() {
    let mut play = Play::installed("helm.sh/hook-delete-policy: never");
    play.stored(2, Status::PendingUpgrade, None, true)
        .stored(2, Status::PendingUpgrade, Some(Phase::Running), false)
        .stored(2, Status::Deployed, Some(Phase::Succeeded), false);
    assert_eq!(
        play.steps(6, Action::Upgrade, 0, "")[..2],
        ["8 pre-upgrade Apply Job/migrate Ok", "8 pre-upgrade Wait Job/migrate Stale",]
    );
}

#[test]
fn how_an_earlier_run_ended_was_told_of_a_simulation_only() {
    for (end, told) in [(End::Complete, SUCCEEDED_BEFORE), (End::Failed("x".to_owned()), FAILED_BEFORE)] {
        let mut play = Play::installed("helm.sh/hook-delete-policy: never");
        play.job("one", Change::Modified, Some(end))
            .stored(2, Status::PendingUpgrade, None, true)
            .stored(2, Status::PendingUpgrade, Some(Phase::Running), false)
            .stored(2, Status::Deployed, Some(Phase::Succeeded), false);
        let steps = play.played(7, Action::Upgrade, 0, "");
        let told = Some(format!("{told}, and nothing ran now"));
        assert_eq!((steps[1].result, &steps[1].message), (StepResult::Stale, &told));
    }
}

/// A first install whose Job begins, and then this.
fn begun(policy: &'static str) -> Play {
    let mut play = Play::new(policy);
    play.stored(1, Status::PendingInstall, None, true).stored(
        1,
        Status::PendingInstall,
        Some(Phase::Running),
        false,
    );
    play
}

#[test]
fn a_job_that_ends_after_helm_gave_up_was_a_timeout() {
    let mut play = begun("helm.sh/hook-delete-policy: never");
    play.job("one", Change::Added, None).stored(1, Status::Failed, Some(Phase::Failed), false).job(
        "one",
        Change::Modified,
        Some(End::Complete),
    );
    let steps = play.steps(0, Action::Install, 1, "Error: INSTALLATION FAILED: failed pre-install: …");
    assert_eq!(steps, ["3 pre-install Apply Job/migrate Ok", "4 pre-install Wait Job/migrate Timeout"]);
}

#[test]
fn a_failed_job_goes_by_its_policy_and_nothing_else_happens() {
    let mut play = begun("helm.sh/hook-delete-policy: hook-failed");
    play.job("one", Change::Added, None)
        .job("one", Change::Modified, Some(End::Failed("BackoffLimitExceeded".to_owned())))
        .job("one", Change::Deleted, Some(End::Failed("BackoffLimitExceeded".to_owned())))
        .stored(1, Status::Failed, Some(Phase::Failed), false);
    let steps = play.steps(0, Action::Install, 1, "Error: INSTALLATION FAILED: failed pre-install: …");
    assert_eq!(
        steps,
        [
            "3 pre-install Apply Job/migrate Ok",
            "4 pre-install Wait Job/migrate Failed",
            "5 pre-install Delete Job/migrate Ok",
        ]
    );
}

#[test]
fn what_is_refused_is_not_awaited_and_a_denial_is_told_from_other_refusals() {
    let refused = "Error: INSTALLATION FAILED: failed pre-install: warning: Hook pre-install shop/templates/migrate.yaml failed: no";
    let mut play = begun("helm.sh/hook-delete-policy: never");
    play.stored(1, Status::Failed, Some(Phase::Failed), false);
    assert_eq!(play.steps(0, Action::Install, 1, refused), ["2 pre-install Apply Job/migrate Failed"]);
    let denied = format!("{refused}: admission webhook \"x\" denied the request: no");
    assert_eq!(play.steps(0, Action::Install, 1, &denied), ["2 pre-install Apply Job/migrate Denied"]);
}

#[test]
fn hooks_go_after_all_have_succeeded() {
    let mut play = begun("helm.sh/hook-delete-policy: hook-succeeded");
    play.job("one", Change::Added, None)
        .job("one", Change::Modified, Some(End::Complete))
        .job("one", Change::Deleted, Some(End::Complete))
        .settings()
        .stored(1, Status::Deployed, Some(Phase::Succeeded), false);
    assert_eq!(
        play.steps(0, Action::Install, 0, "")[2..],
        ["5 pre-install Delete Job/migrate Ok", "6 Manifest Ok",]
    );
}

#[test]
fn the_rollback_of_a_failed_upgrade_is_part_of_it() {
    let mut play = Play::installed("helm.sh/hook-delete-policy: hook-failed");
    let failed = || Some(End::Failed("x".to_owned()));
    play.job("one", Change::Deleted, None)
        .stored(2, Status::PendingUpgrade, None, true)
        .stored(2, Status::PendingUpgrade, Some(Phase::Running), false)
        .job("two", Change::Added, None)
        .job("two", Change::Modified, failed())
        .stored(2, Status::Failed, Some(Phase::Failed), false)
        .stored(3, Status::PendingRollback, Some(Phase::Succeeded), true)
        .stored(3, Status::PendingRollback, Some(Phase::Running), false)
        .job("two", Change::Modified, failed())
        .stored(3, Status::Deployed, Some(Phase::Succeeded), false);
    let steps = play.steps(
        7,
        Action::Upgrade,
        1,
        "Error: UPGRADE FAILED: release shop failed, and has been rolled back due to …",
    );
    assert_eq!(
        steps,
        [
            "10 pre-upgrade Apply Job/migrate Ok",
            "11 pre-upgrade Wait Job/migrate Failed",
            "14 pre-rollback Apply Job/migrate Ok",
            "14 pre-rollback Wait Job/migrate Stale",
            "14 Manifest Ok",
        ]
    );
}
