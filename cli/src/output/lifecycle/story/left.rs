//! What is still there when all is over, and what of it is on its way out.

use lifecycle::{
    Step,
    answer::{Action, ONTO, ObjectId, StepResult, Verb},
    chart::{Object, Restart, Run},
    profile::Engine,
};

use super::{
    Row, Story,
    after::Note,
    words::{name, span},
};

/// Why Kubernetes ends a Job and its pods that run.
const DEADLINE: &str = "DeadlineExceeded";

impl Story<'_> {
    pub(super) fn left_behind(&self) -> Note {
        let leftovers = &self.played.leftovers;
        if leftovers.is_empty() {
            return Note::new("left behind", "nothing");
        }
        let namespace = &self.scenario.answer.namespace;
        let mut named: Vec<_> = leftovers
            .iter()
            .take(self.named)
            .map(|object| match self.trait_of(object) {
                Some(words) => format!("{} ({words})", name(object, namespace)),
                None => name(object, namespace),
            })
            .collect();
        if leftovers.len() > self.named {
            named.push(format!("{} more, which --format json names", leftovers.len() - self.named));
        }
        let is_forgotten = self.played.action == Action::Uninstall && self.played.history.is_empty();
        let goes = |object: &&ObjectId| self.ttl_of(object).is_some() || self.is_going(object);
        let forgotten = leftovers.iter().filter(|object| is_forgotten && !goes(object)).count();
        let whose = match forgotten {
            0 => "",
            1 if leftovers.len() == 1 => "; nobody deletes it now",
            all if all == leftovers.len() => "; nobody deletes them now",
            1 => "; nobody deletes the other now",
            _ => "; nobody deletes the others now",
        };
        Note::new("left behind", format!("{}{whose}", named.join(", ")))
    }

    /// What was done to an object, the last first, in this action and those before it.
    pub(super) fn steps_about<'s>(&'s self, id: &'s ObjectId) -> impl Iterator<Item = &'s Step> {
        self.found.steps(id).iter().rev().copied()
    }

    /// What is left under this id.
    pub(super) fn left(&self, id: &ObjectId) -> Option<&ObjectId> {
        self.found.left(id)
    }

    /// Whether an object that is still there was deleted, or its namespace was.
    pub(in crate::output::lifecycle) fn is_going(&self, id: &ObjectId) -> bool {
        let was_asked = |step: &Step| {
            step.verb == Verb::Delete && matches!(step.result, StepResult::Ok | StepResult::Timeout)
        };
        let mut steps = self.steps_about(id).filter(|step| was_asked(step) || is_made(step));
        if steps.next().is_some_and(was_asked) {
            return true;
        }
        let is_home = |left: &&ObjectId| {
            left.kind == "Namespace" && left.group().is_empty() && id.namespace.as_deref() == Some(&left.name)
        };
        self.played.leftovers.iter().filter(is_home).any(|home| self.is_going(home))
    }

    /// The last row in which an object was sent.
    pub(super) fn row_of(&self, object: &ObjectId) -> Option<&Row<'_>> {
        self.found.row(object).map(|place| &self.rows[place])
    }

    /// After which time an object that is left goes by itself, in seconds, if it does.
    fn ttl_of(&self, object: &ObjectId) -> Option<u64> {
        let waited = self.row_of(object).and_then(|row| row.waited);
        self.run_of(object).and_then(|run| run.ttl).filter(|_| waited != Some(StepResult::Timeout))
    }

    /// Whether the last that an earlier action did about an object was to wait in vain; what became of it since, nobody looked at.
    fn was_given_up(&self, object: &ObjectId) -> bool {
        let last = self.steps_about(object).find(|step| step.verb == Verb::Wait || is_sent(step));
        last.is_some_and(|step| (step.verb, step.result) == (Verb::Wait, StepResult::Timeout))
    }

    fn run_of(&self, object: &ObjectId) -> Option<&Run> {
        self.sent(object).and_then(|object| object.run.as_ref())
    }

    /// What to know of an object that is left.
    fn trait_of(&self, object: &ObjectId) -> Option<String> {
        if self.is_going(object) {
            return Some("being deleted".to_owned());
        }
        let row = self.row_of(object);
        let waited = row.and_then(|row| row.waited);
        let run = self.run_of(object);
        if waited == Some(StepResult::Timeout) {
            let is_suspended = run.is_some_and(|run| run.suspended);
            let words = if is_suspended {
                "suspended: nothing runs"
            } else if self.engine == Engine::ArgoCd {
                "not ended"
            } else {
                "not ended: it goes on without Helm"
            };
            return Some(words.to_owned());
        }
        if row.is_none() && self.was_given_up(object) {
            let given_up = if self.engine == Engine::ArgoCd { "" } else { " when Helm gave up on it" };
            return Some(format!("had not ended{given_up}"));
        }
        let has_failed = waited == Some(StepResult::Failed);
        let failed = if has_failed { "failed, " } else { "" };
        if let Some(ttl) = self.ttl_of(object) {
            #[expect(clippy::cast_precision_loss, reason = "seconds that anybody waits fit")]
            let after = span(ttl as f64);
            return Some(format!("{failed}goes by itself {after} after its end"));
        }
        let outcome = row?
            .outcome
            .as_ref()
            .filter(|_| has_failed && (object.group(), &*object.kind) == ("batch", "Job"))?;
        // A Job that fails stops those of its pods that still run.
        let logs = if run.is_some_and(|run| run.restart == Restart::OnFailure) {
            "its pods and their logs are gone"
        } else if outcome.words.contains(DEADLINE) {
            "pods that still ran are gone with their logs"
        } else {
            "its pods keep their logs"
        };
        Some(format!("failed, {logs}"))
    }

    /// The object as some hook of the scenario sends it.
    fn sent(&self, id: &ObjectId) -> Option<&Object> {
        let charts = self.asked.into_iter().chain(self.scenario.asked.iter().rev());
        let hooks = charts.filter_map(|asked| asked.chart.as_deref()).flat_map(|chart| &chart.hooks);
        hooks.flat_map(|hook| &hook.objects).map(AsRef::as_ref).find(|object| object.id.is_same(id))
    }
}

/// Whether an object was sent, and taken.
pub(super) fn is_sent(step: &Step) -> bool {
    matches!(step.verb, Verb::Create | Verb::Apply) && step.result == StepResult::Ok
}

/// Whether an object was sent that is none that was there before.
fn is_made(step: &Step) -> bool {
    is_sent(step) && !step.message.as_deref().is_some_and(|message| message.starts_with(ONTO))
}
