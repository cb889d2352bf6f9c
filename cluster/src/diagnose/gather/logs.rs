//! What the containers of a hook printed last.

use hooks::Mask;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;

use super::{
    super::{
        evidence::{Evidence, Log, Standing},
        words,
    },
    Look,
};

/// The most containers whose logs are read.
const MOST: usize = 3;
/// The lines that are read of each log, which may be more than are shown.
const LINES: i64 = 200;
/// The most bytes that are read of one log.
const BYTES: i64 = 64 << 10;

/// A log as the kubelet has it: nobody may see it before it is masked.
pub(super) struct Raw {
    pod: String,
    container: String,
    pub(super) text: String,
}

/// Those of the containers that failed first, then of those that run.
pub(super) async fn read(look: &mut Look<'_>, seen: &Evidence) -> Vec<Raw> {
    let mut containers: Vec<Standing<'_>> = seen.containers().filter(|one| rank(one).is_some()).collect();
    containers.sort_by_key(rank);
    let mut logs = Vec::new();
    for container in containers.into_iter().take(MOST) {
        let is_again = container.status.state.as_ref().is_some_and(|state| state.waiting.is_some());
        let params = LogParams {
            container: Some(container.status.name.clone()),
            limit_bytes: Some(BYTES),
            previous: is_again,
            tail_lines: Some(LINES),
            ..LogParams::default()
        };
        let pod = container.pod_name();
        match look.api::<Pod>().logs(pod, &params).await {
            Ok(text) => {
                logs.push(Raw { pod: pod.to_owned(), container: container.status.name.clone(), text });
            }
            // A container that has gone has no log any more.
            Err(error) if [400, 404, 500].iter().any(|code| crate::client::is_status(&error, *code)) => {}
            Err(error) => {
                look.noted::<()>(Err(error), "read logs of Pods");
            }
        }
    }
    logs
}

/// Whose log tells most comes first; `None` for those that have none.
fn rank(container: &Standing<'_>) -> Option<u8> {
    let mut ends = container.states().filter_map(|state| state.terminated.as_ref());
    if ends.any(|end| end.exit_code != 0) {
        return Some(0);
    }
    let state = container.status.state.as_ref()?;
    match (&state.running, &state.terminated) {
        (Some(_), _) => Some(1),
        (None, Some(_)) => Some(2),
        (None, None) => None,
    }
}

/// What may be shown; a log is left out where nobody knows what would have to be hidden in it.
pub(super) fn shown(raw: Vec<Raw>, mask: &Mask, unknown: &[String], notes: &mut Vec<String>) -> Vec<Log> {
    if raw.is_empty() {
        return Vec::new();
    }
    if !unknown.is_empty() {
        let names = unknown
            .iter()
            .take(3)
            .map(|name| format!("{:?}", words::shown(name, 80)))
            .collect::<Vec<_>>()
            .join(", ");
        notes.push(format!(
            "logs are left out: Secret {names} could not be read, so that nobody knows what to hide in them"
        ));
        return Vec::new();
    }
    let log = |raw: Raw| {
        let is_cut = i64::try_from(raw.text.lines().count()).is_ok_and(|lines| lines >= LINES);
        Log { pod: raw.pod, container: raw.container, lines: mask.lines(&raw.text), is_cut }
    };
    raw.into_iter().map(log).filter(|log| !log.lines.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw() -> Vec<Raw> {
        vec![Raw { pod: "a".into(), container: "main".into(), text: "it is hunter2\n".into() }]
    }

    #[test]
    fn logs_are_masked() {
        let logs = shown(raw(), &Mask::of(["hunter2".to_owned()]), &[], &mut Vec::new());
        assert_eq!(logs[0].lines, ["it is ***"]);
    }

    #[test]
    fn without_knowing_what_to_hide_nothing_is_shown() {
        let mut notes = Vec::new();
        assert_eq!(shown(raw(), &Mask::default(), &["db".to_owned()], &mut notes), []);
        assert!(notes[0].contains("Secret \"db\" could not be read"), "{notes:?}");
    }
}
