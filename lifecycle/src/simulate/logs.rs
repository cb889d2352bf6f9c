//! The logs of a hook are printed where its policy says so.

use hooks::{DeletePolicy, Event};

use super::Play;
use crate::{
    answer::{ObjectId, StepResult, Verb},
    chart::Hook,
    world::{Reason, RunState},
};

impl Play<'_> {
    /// Prints what the pods of a Job or a Pod have said; what goes wrong stops nothing.
    ///
    /// Source: Helm 4.2.4 `pkg/action/hooks.go`, `outputLogsByPolicy`.
    pub(super) fn print_logs(&mut self, event: Event, hook: &Hook, policy: DeletePolicy) {
        if !hook.log_policies.contains(&policy) || !matches!(hook.kind.as_str(), "Job" | "Pod") {
            return;
        }
        for object in &hook.objects {
            let result = self.logs_of(&object.id);
            let step = self.step(Some(event), Verb::Log, Some(&object.id), result);
            match result {
                StepResult::Absent => self.explain(step, "no pod is left to read from"),
                StepResult::Failed => self.explain(step, "its containers have not started"),
                _ => {}
            }
        }
    }

    /// Whether there is something to print.
    pub(super) fn logs_of(&self, id: &ObjectId) -> StepResult {
        match self.world.live(id).map(|live| &live.run) {
            None | Some(RunState::None | RunState::Suspended) => StepResult::Absent,
            // The pods of a Job that ran out of time are deleted.
            Some(RunState::Failed { reason: Reason::DeadlineExceeded, failed, .. })
                if id.kind == "Job" && *failed <= 1 =>
            {
                StepResult::Absent
            }
            Some(RunState::Waiting(_)) => StepResult::Failed,
            Some(_) => StepResult::Ok,
        }
    }
}
