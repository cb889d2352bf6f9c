//! The program itself failed.

use hooks::plain::shell_word;

use super::{super::evidence::Evidence, cause};
use crate::diagnose::{Cause, words};

pub(super) fn find(evidence: &Evidence) -> Option<Cause> {
    // These ends have names of their own.
    let is_own = |reason: Option<&str>| {
        !matches!(reason, Some("OOMKilled" | "StartError" | "ContainerCannotRun" | "Completed"))
    };
    let (container, code) = evidence.own_containers().find_map(|container| {
        let mut ends = container.states().filter_map(|state| state.terminated.as_ref());
        let end = ends.find(|ended| ended.exit_code != 0 && is_own(ended.reason.as_deref()))?;
        Some((container, end.exit_code))
    })?;
    let pod = container.pod_name();
    // Who was told to stop, by a deadline or by somebody, did not fail by itself.
    if matches!(code, 137 | 143)
        && (container.pod.metadata.deletion_timestamp.is_some() || evidence.gave_up("DeadlineExceeded"))
    {
        return None;
    }
    let tries =
        evidence.pods.len().max(usize::try_from(container.status.restart_count).unwrap_or_default() + 1);
    let times = if tries > 1 {
        format!(" in each of {}", words::plural(tries, "try", "tries"))
    } else {
        String::new()
    };
    let which = if container.is_init { "init container" } else { "container" };
    let what = format!(
        "failed by itself: its {which} {:?} ended with {}{times}",
        container.status.name,
        meaning(code)
    );
    let command = format!(
        "kubectl -n {} logs {} -c {}",
        shell_word(&evidence.hook.namespace),
        shell_word(pod),
        shell_word(&container.status.name)
    );
    Some(cause("program", what).command(command, "shows all that it said").advice("mend what it says"))
}

/// Source: POSIX, "Exit Status for Commands", and `signal(7)`: above 128 a signal ended it.
fn meaning(code: i32) -> String {
    match code {
        126 => "exit code 126: the command cannot be run".to_owned(),
        127 => "exit code 127: there is no such command".to_owned(),
        137 => "exit code 137: it was killed".to_owned(),
        139 => "exit code 139: it reached for memory that it does not have".to_owned(),
        143 => "exit code 143: it was told to stop".to_owned(),
        code => format!("exit code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diagnose::testing::{ended, evidence, job, pod};

    #[test]
    fn the_exit_code_is_told() {
        let found = find(&evidence(&json!({"pods": [pod(&ended("Error", 3))]}))).unwrap();
        assert_eq!(found.what, "failed by itself: its container \"main\" ended with exit code 3");
        assert_eq!(found.repair[0].command.as_deref(), Some("kubectl -n demo logs migrate-x7k2p -c main"));
        let twice = find(&evidence(&json!({"pods": [pod(&ended("Error", 127)), pod(&ended("Error", 127))]})))
            .unwrap();
        assert!(
            twice.what.ends_with("exit code 127: there is no such command in each of 2 tries"),
            "{}",
            twice.what
        );
    }

    #[test]
    fn who_ended_well_or_ran_out_of_memory_did_not_fail_by_itself() {
        for state in [ended("Completed", 0), ended("OOMKilled", 137)] {
            assert!(find(&evidence(&json!({"pods": [pod(&state)]}))).is_none());
        }
    }

    #[test]
    fn who_was_stopped_by_the_deadline_did_not_fail_by_itself() {
        assert!(
            find(&evidence(&json!({"job": job("DeadlineExceeded"), "pods": [pod(&ended("Error", 143))]})))
                .is_none()
        );
        assert!(
            find(&evidence(&json!({"job": job("DeadlineExceeded"), "pods": [pod(&ended("Error", 1))]})))
                .is_some()
        );
    }
}
