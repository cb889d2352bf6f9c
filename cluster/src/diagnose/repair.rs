//! Where a release stands after a hook failed, and the commands that get it out of there.

use hooks::{Event, release::Status};

use super::{
    Cause, Hook, causes,
    evidence::{Evidence, ReleaseFacts},
    shell::word,
    words,
};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What to type; `None` where it is something else that has to be done.
    pub command: Option<String>,
    /// What that does, or what has to be done.
    pub text: String,
}

impl Repair {
    pub(super) fn command(command: impl Into<String>, text: impl Into<String>) -> Self {
        Self { command: Some(command.into()), text: text.into() }
    }

    pub(super) fn advice(text: impl Into<String>) -> Self {
        Self { command: None, text: text.into() }
    }
}

/// One sentence on where the release stands.
pub(super) fn state(facts: &ReleaseFacts, event: Option<Event>, since: Option<i64>, now: i64) -> String {
    let ReleaseFacts { name, revision, status, newest, deployed, .. } = facts;
    let name = words::shown(name, 60);
    let since = since.map_or_else(String::new, |at| {
        format!(" since {} ({} ago)", words::moment(at, now), words::duration(now - at))
    });
    let changed = matches!(event, Some(Event::PostUpgrade | Event::PostInstall));
    let rest = match (status, deployed) {
        (Status::Failed, Some(good)) if newest.0 > *revision => {
            format!("; Helm rolled it back: revision {good} is deployed")
        }
        (Status::Failed, Some(good)) if changed => {
            format!("; its objects are live, although Helm still calls revision {good} deployed")
        }
        (Status::Failed, Some(good)) => format!("; revision {good} is still deployed and serving"),
        (Status::Failed, None) if changed => "; its objects are live".to_owned(),
        (Status::Failed, None) => "; no other revision is deployed".to_owned(),
        (Status::PendingInstall | Status::PendingUpgrade | Status::PendingRollback, _) => {
            "; as long as it is, Helm refuses every upgrade".to_owned()
        }
        (Status::Uninstalling, _) if event != Some(Event::PostDelete) => {
            "; its objects are untouched until the hook has run".to_owned()
        }
        _ => String::new(),
    };
    format!("{name} revision {revision} is {status}{since}{rest}.")
}

/// All that mends it, in order, nothing twice.
pub(super) fn all(evidence: &Evidence, hook: &Hook) -> Vec<Repair> {
    let facts = &evidence.release;
    let is_over = !facts.status.is_pending() && facts.status != Status::Uninstalling;
    let is_test = hook.event == Some(Event::Test);
    let mut all = Vec::new();
    if evidence.is_job_active() && (is_over || is_test) {
        let command = format!("kubectl -n {} delete job {}", word(&hook.namespace), word(&hook.name));
        all.push(Repair::command(command, "stops the retries"));
    }
    // To wait longer for what cannot be helps nobody.
    let is_reason = |(index, cause): &(usize, &Cause)| *index == 0 || cause.id != causes::TIMEOUT;
    let causes = hook.causes.iter().enumerate().filter(is_reason);
    all.extend(causes.flat_map(|(_, cause)| cause.repair.iter().cloned()));
    all.extend(of_release(facts, hook.event));
    let mut kept: Vec<Repair> = Vec::new();
    for repair in all {
        if !kept
            .iter()
            .any(|one| one.command == repair.command && (one.command.is_some() || one.text == repair.text))
        {
            kept.push(repair);
        }
    }
    kept
}

/// What gets the release itself out of its state.
///
/// Source: Helm 4.2.4 `pkg/action/upgrade.go`, `rollback.go` and `uninstall.go`, for what each state allows.
pub(super) fn of_release(facts: &ReleaseFacts, event: Option<Event>) -> Vec<Repair> {
    let (release, namespace) = (word(&facts.name), word(&facts.namespace));
    let helm = |command: &str| format!("helm {command} -n {namespace}");
    let status = facts.status;
    let one = match status {
        _ if facts.newest.0 > facts.revision => {
            Repair::command(helm(&format!("upgrade {release} …")), "once that is mended")
        }
        Status::Failed if facts.good.is_none() => Repair::command(
            helm(&format!("uninstall {release}")),
            "then install again: an upgrade would not run install hooks",
        ),
        Status::Failed => Repair::command(
            helm(&format!("upgrade {release} …")),
            format!("revision {} does not block it", facts.revision),
        ),
        Status::PendingInstall => Repair::command(
            helm(&format!("uninstall {release}")),
            "only if no Helm is at work on it; then install again",
        ),
        Status::PendingUpgrade | Status::PendingRollback => {
            let good = facts.good.map_or_else(String::new, |good| format!(" {good}"));
            Repair::command(
                helm(&format!("rollback {release}{good}")),
                "only if no Helm is at work on it; ends the pending revision",
            )
        }
        Status::Uninstalling => Repair::command(
            helm(&format!("uninstall {release} --no-hooks")),
            "goes on without the hook; without --no-hooks it is run again",
        ),
        Status::Deployed if event == Some(Event::Test) => {
            Repair::command(helm(&format!("test {release}")), "tests again; the release itself is as it was")
        }
        _ => return Vec::new(),
    };
    vec![one]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(status: Status, revision: i64) -> ReleaseFacts {
        ReleaseFacts {
            name: "shop".into(),
            namespace: "demo".into(),
            revision,
            status,
            newest: (revision, status),
            ..ReleaseFacts::default()
        }
    }

    fn command(facts: &ReleaseFacts, event: Option<Event>) -> String {
        of_release(facts, event)[0].command.clone().unwrap()
    }

    #[test]
    fn a_failed_upgrade_does_not_block_the_next() {
        let facts = ReleaseFacts { deployed: Some(1), good: Some(1), ..facts(Status::Failed, 2) };
        assert_eq!(command(&facts, Some(Event::PreUpgrade)), "helm upgrade shop … -n demo");
        assert_eq!(
            state(&facts, Some(Event::PreUpgrade), Some(100), 340),
            "shop revision 2 is failed since 00:01:40 UTC (4m ago); revision 1 is still deployed and serving."
        );
        assert!(state(&facts, Some(Event::PostUpgrade), None, 0).contains("its objects are live"));
    }

    #[test]
    fn a_failed_install_is_taken_away_first() {
        assert_eq!(
            command(&facts(Status::Failed, 1), Some(Event::PreInstall)),
            "helm uninstall shop -n demo"
        );
    }

    #[test]
    fn wedged_releases_have_a_way_out() {
        let with_good = |status| ReleaseFacts { good: Some(1), ..facts(status, 2) };
        assert_eq!(command(&with_good(Status::PendingUpgrade), None), "helm rollback shop 1 -n demo");
        assert_eq!(command(&with_good(Status::PendingRollback), None), "helm rollback shop 1 -n demo");
        assert_eq!(command(&facts(Status::Uninstalling, 1), None), "helm uninstall shop --no-hooks -n demo");
        assert_eq!(command(&facts(Status::PendingInstall, 1), None), "helm uninstall shop -n demo");
    }

    #[test]
    fn what_was_rolled_back_serves_again() {
        let facts = ReleaseFacts {
            newest: (3, Status::Deployed),
            deployed: Some(3),
            good: Some(3),
            ..facts(Status::Failed, 2)
        };
        assert!(state(&facts, None, None, 0).ends_with("Helm rolled it back: revision 3 is deployed."));
    }

    #[test]
    fn nothing_is_done_about_a_release_that_is_well() {
        assert_eq!(of_release(&facts(Status::Deployed, 1), None), []);
    }
}
