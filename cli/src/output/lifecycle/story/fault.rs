//! What went wrong, in the words of whoever played it.

use lifecycle::{
    Step,
    answer::{ObjectId, StepResult, Verb},
    profile::Engine,
};

use super::Story;

/// How Helm 3 ends the line above the causes.
///
/// Source: hashicorp/go-multierror 1.1.1 `format.go`, `ListFormatFunc`.
const LISTED: &str = "occurred:";

impl Story<'_> {
    /// Helm's error, and the cause that Helm 3 puts into the lines below its first.
    pub(in crate::output::lifecycle) fn error(&self) -> Option<String> {
        let error = self.played.error.as_ref()?;
        if self.engine != Engine::Helm3 || !error.ends_with(LISTED) {
            return Some(error.clone());
        }
        let causes = self.causes();
        let causes: String = causes.iter().flat_map(|cause| [" * ", cause]).collect();
        Some(format!("{error}{causes}"))
    }

    /// `Job/migrate: failed after 33s: BackoffLimitExceeded after 3 failed pods`.
    pub(in crate::output::lifecycle) fn cause(&self) -> Option<String> {
        let row = self.rows.get(self.failed?)?;
        let whose = self.row_name(row);
        Some(format!("{whose}: {}", row.outcome.as_ref()?.words))
    }

    /// The errors of the call that failed, as Helm 3 writes them.
    fn causes(&self) -> Vec<String> {
        let Some(failed) = self.failed.and_then(|failed| self.rows.get(failed)) else { return Vec::new() };
        let is_bad = |step: &&Step| {
            // What goes wrong in a deletion Helm says elsewhere, or only in its log.
            step.event == failed.event
                && step.verb != Verb::Delete
                && matches!(step.result, StepResult::Failed | StepResult::Denied | StepResult::Timeout)
        };
        self.played.steps.iter().filter(is_bad).filter_map(cause).collect()
    }
}

/// Source: Helm 3.21.4 `pkg/kube/client.go`, `waitForJob` and `waitForPodSuccess`.
fn cause(step: &Step) -> Option<String> {
    let message = step.message.as_deref();
    match (step.verb, step.result, &step.object) {
        (Verb::Wait, StepResult::Timeout, _) => Some("timed out waiting for the condition".to_owned()),
        // It could not even be read.
        (Verb::Wait, _, Some(id)) if !matches!(id.group(), "" | "batch") => message.map(ToOwned::to_owned),
        (Verb::Wait, _, Some(ObjectId { kind, name, .. })) if kind == "Pod" => {
            Some(format!("pod {name} failed"))
        }
        (Verb::Wait, _, Some(ObjectId { name, .. })) => {
            let reason = message.unwrap_or_default();
            let reason = reason.split_once(" after ").map_or(reason, |(reason, _)| reason);
            Some(format!("job {name} failed: {reason}"))
        }
        _ => message.map(ToOwned::to_owned),
    }
}
