//! Where a release stands after a hook failed, and the commands that get it out of there.

use hooks::{Event, plain::shell_word, release::Status};

use super::{
    Cause, Hook, causes,
    evidence::{Evidence, ReleaseFacts},
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
    // To wait longer for what cannot be helps nobody.
    let is_reason = |(index, cause): &(usize, &Cause)| *index == 0 || cause.id != causes::TIMEOUT;
    let causes = hook.causes.iter().enumerate().filter(is_reason);
    let of_causes = causes.flat_map(|(_, cause)| cause.repair.iter().cloned());
    // What a pod said is gone with it: first look, then delete.
    let is_look = |one: &Repair| one.command.as_ref().is_some_and(|command| command.contains(" logs "));
    let (mut all, rest): (Vec<_>, Vec<_>) = of_causes.partition(is_look);
    let deletion = deletion(evidence, hook);
    let (at_once, later) = if evidence.is_job_active() { (deletion, None) } else { (None, deletion) };
    all.extend(at_once.into_iter().chain(rest).chain(later));
    all.extend(of_release(facts, hook.event));
    all.extend(without_hooks(evidence, hook));
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

/// Takes away what still runs, or stands in the way of the next run.
fn deletion(evidence: &Evidence, hook: &Hook) -> Option<Repair> {
    let is_stale = hook.causes.first().is_some_and(|cause| cause.id == causes::STALE);
    let status = evidence.release.status;
    if status == Status::Uninstalling && !is_stale {
        return None;
    }
    let is_in_the_way = is_stale || evidence.is_in_the_way();
    let keeps = ["PersistentVolumeClaim", "Secret", "ConfigMap", "Namespace", "CustomResourceDefinition"];
    let what = [
        (evidence.is_running() && status.is_pending(), "only if no Helm is at work on it"),
        (evidence.is_suspended(), "nobody can resume it then"),
        (evidence.is_retrying() && !evidence.is_suspended(), "stops the retries"),
        (
            evidence.is_job_active() && !evidence.is_retrying() && !evidence.is_suspended(),
            "ends what still runs",
        ),
        (is_in_the_way, "makes way for the next run"),
        (is_in_the_way && keeps.contains(&hook.kind.as_str()), "what it holds is lost"),
    ];
    let what: Vec<&str> = what.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| text).collect();
    let may_be = evidence.may_be_in_the_way() && !is_in_the_way;
    let what = if may_be { vec!["makes way for the next run, if it is still there"] } else { what };
    let command = format!(
        "kubectl -n {} delete {} {}{}",
        shell_word(&hook.namespace),
        shell_word(&hook.kind.to_lowercase()),
        shell_word(&hook.name),
        if may_be { " --ignore-not-found" } else { "" }
    );
    (may_be || is_in_the_way || evidence.is_job_active()).then(|| Repair::command(command, what.join("; ")))
}

/// The way out where a rollback runs the hook again that has just failed: nobody can mend it in a revision that is stored.
///
/// Source: Helm 4.2.4 `pkg/action/rollback.go`, `prepareRollback`, for the words and whose hooks run.
fn without_hooks(evidence: &Evidence, hook: &Hook) -> Option<Repair> {
    let facts = &evidence.release;
    let good = facts.good.filter(|_| facts.status == Status::PendingRollback)?;
    let is_same = facts.description == format!("Rollback to {good}");
    let is_stale = hook.causes.first().is_some_and(|cause| cause.id == causes::STALE);
    let command = format!(
        "helm rollback {} {good} --no-hooks -n {}",
        shell_word(&facts.name),
        shell_word(&facts.namespace)
    );
    (is_same && !is_stale).then(|| Repair::command(command, "if the hook fails again: leaves it out"))
}

/// What gets the release itself out of its state.
///
/// Source: Helm 4.2.4 `pkg/action/upgrade.go`, `rollback.go` and `uninstall.go`, for what each state allows.
pub(super) fn of_release(facts: &ReleaseFacts, event: Option<Event>) -> Vec<Repair> {
    let (release, namespace) = (shell_word(&facts.name), shell_word(&facts.namespace));
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
mod tests;
