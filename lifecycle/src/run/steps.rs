//! From what watches saw to the steps that Helm must have made.
//!
//! Helm stores in the record of the release which hook it is about to run, before it sends it, and Kubernetes numbers all changes: so
//! every run of a hook has its place among the changes of objects. What changes nothing is not seen, and follows from what is: a
//! deletion that the policy of a hook that ran asks for found nothing when nothing went, and an apply that nobody saw changed nothing.

use std::time::Instant;

use hooks::{DeletePolicy, Event, release::Phase};

use super::{
    helm::Ran,
    place::ClusterScoped,
    sight::{Change, End, Seen, Sight, What},
};
use crate::{
    answer::{FAILED_BEFORE, ONTO, ObjectId, SUCCEEDED_BEFORE, Step, StepResult, Verb},
    chart::Hook,
    scenario,
};

mod part;

use part::{Part, Run};

/// All that was seen, and where one command of Helm's is in it.
pub(super) struct Trace<'a> {
    seen: &'a [Seen],
    /// The first that belongs to the command.
    from: usize,
    asked: &'a scenario::Step,
    ran: &'a Ran,
    namespace: &'a str,
    /// Whether Helm applies where nothing says otherwise.
    applies: bool,
    /// The kinds that are of no namespace.
    cluster_scoped: &'a ClusterScoped,
}

/// The steps, as far as they are put together.
struct Writer<'a> {
    trace: &'a Trace<'a>,
    steps: Vec<Step>,
    /// Places of what has been told.
    told: Vec<usize>,
}

impl<'a> Trace<'a> {
    /// `seen` in the order in which it happened; the command came after the version `from`.
    pub(super) fn new(
        seen: &'a [Seen],
        from: u64,
        asked: &'a scenario::Step,
        ran: &'a Ran,
        namespace: &'a str,
        applies: bool,
        cluster_scoped: &'a ClusterScoped,
    ) -> Self {
        let from = seen.partition_point(|seen| seen.version <= from);
        Self { seen, from, asked, ran, namespace, applies, cluster_scoped }
    }

    /// What Helm did. Logs that it printed leave no trace.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut writer = Writer { trace: self, steps: Vec::new(), told: Vec::new() };
        for part in part::parts(self) {
            writer.part(&part);
        }
        writer.steps
    }

    fn seconds(&self, at: Instant) -> f64 {
        let seconds = at.saturating_duration_since(self.ran.began).as_secs_f64();
        (seconds * 1000.0).round() / 1000.0
    }

    fn sights(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = (usize, &'a Sight)> {
        let seen = self.seen;
        let end = range.end.min(seen.len());
        (range.start.min(end)..end).filter_map(move |index| match &seen[index].what {
            What::Object(sight) => Some((index, sight)),
            What::Revision(_) => None,
        })
    }

    /// What was last seen of the object before `place`, unless it was gone then.
    fn live(&self, id: &ObjectId, place: usize) -> Option<&'a Sight> {
        let last = self.sights(0..place).filter(|(_, sight)| sight.id.is_same(id)).last();
        last.map(|(_, sight)| sight).filter(|sight| sight.change != Change::Deleted)
    }

    fn says(&self, words: &str) -> bool {
        self.ran.exit != 0 && self.ran.stderr.contains(words)
    }
}

/// Whether an object came from a hook that is a list: its items have no annotation that says so.
pub(super) fn is_item(
    seen: &[Seen],
    namespace: &str,
    cluster_scoped: &ClusterScoped,
) -> impl Fn(&ObjectId) -> bool + use<> {
    let records = seen.iter().filter_map(|seen| match &seen.what {
        What::Revision(stored) if stored.is_new => part::chart(stored, namespace, cluster_scoped),
        _ => None,
    });
    let hooks = records.flat_map(|chart| chart.hooks);
    let items = hooks.filter(|hook| hook.kind.ends_with("List")).flat_map(|hook| hook.objects);
    let items: Vec<ObjectId> = items.map(|object| object.id.clone()).collect();
    move |id| items.iter().any(|item| item.is_same(id))
}

impl Writer<'_> {
    fn push(
        &mut self,
        at: Instant,
        event: Option<Event>,
        verb: Verb,
        object: Option<&ObjectId>,
        result: StepResult,
    ) {
        let at = self.trace.seconds(at);
        self.steps.push(Step { at, event, verb, object: object.cloned(), result, message: None });
    }

    fn explain(&mut self, message: impl Into<String>) {
        if let Some(last) = self.steps.last_mut() {
            last.message = Some(message.into());
        }
    }

    fn part(&mut self, part: &Part) {
        let Part { before, after, .. } = part;
        let until = after.runs.first().map_or(part.range.end, |run| run.place);
        if !self.event(part, &before.hooks(part), &before.runs, before.event, part.since..until) {
            return;
        }
        let Some(then) = after.event else { return };
        let last = before.runs.last().map_or(part.range.start, |run| run.place);
        let is_first_stuck = after.runs.is_empty() && part.failed && self.is_stuck(part, last);
        if part.has_resources {
            let touched = self.trace.sights(last..until).find(|(_, sight)| part.touches(sight));
            let at = touched.map_or(self.trace.seen.get(last).map(|seen| seen.at), |(index, _)| {
                Some(self.trace.seen[index].at)
            });
            let is_done = !part.failed || !after.runs.is_empty() || is_first_stuck;
            let is_late = ["timed out waiting for the condition", "context deadline exceeded"];
            let result = match () {
                () if is_done => StepResult::Ok,
                () if is_late.iter().any(|words| self.trace.says(words)) => StepResult::Timeout,
                () => StepResult::Failed,
            };
            self.push(at.unwrap_or(self.trace.ran.began), None, Verb::Manifest, None, result);
            if let Some(words) = self.counted(part, last..until) {
                self.explain(words);
            }
        }
        if !after.runs.is_empty() || is_first_stuck || !part.failed {
            let _ = self.event(part, &after.hooks(part), &after.runs, Some(then), last..part.range.end);
        }
        let undone = if part.failed { part.undone(self.trace) } else { 0 };
        if self.trace.asked.flags.cleanup_on_fail && undone > 0 {
            self.push(self.trace.ran.ended, None, Verb::Manifest, None, StepResult::Ok);
            self.explain(format!("{undone} deleted"));
        }
    }

    /// How many of the ordinary resources came, changed and went; `None` when nobody saw one.
    fn counted(&self, part: &Part, range: std::ops::Range<usize>) -> Option<String> {
        let (mut kinds, mut known) = ([0_usize; 3], Vec::new());
        let is_told = |place: &usize| self.told.contains(place);
        let sights = self.trace.sights(range).filter(|(place, sight)| part.touches(sight) && !is_told(place));
        for (place, sight) in sights {
            let before = self.trace.live(&sight.id, place).filter(|before| before.uid == sight.uid);
            let kind = match sight.change {
                _ if sight.leaves() => 2,
                Change::Added => 0,
                _ if before.is_some_and(|before| before.written != sight.written) => 1,
                _ => continue,
            };
            if !known.contains(&(&sight.uid, kind)) {
                known.push((&sight.uid, kind));
                kinds[kind] += 1;
            }
        }
        let parts = kinds.iter().zip(["created", "updated", "deleted"]).filter(|(count, _)| **count > 0);
        let parts: Vec<_> = parts.map(|(count, word)| format!("{count} {word}")).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// Whether the first hook after the resources could not be deleted: then it never ran.
    fn is_stuck(&self, part: &Part, from: usize) -> bool {
        let Some(event) = part.after.event else { return false };
        let first = part.after.hooks(part).first().copied();
        let goes = |hook: &Hook| {
            let mut sights = self.trace.sights(from..part.range.end);
            sights.any(|(_, sight)| {
                sight.leaves() && hook.objects.iter().any(|object| object.id.is_same(&sight.id))
            })
        };
        part::blames(self.trace, event)
            || self.trace.says("uninstallation completed with")
            || (!event.name().ends_with("upgrade")
                && !event.name().ends_with("install")
                && first.is_some_and(goes))
    }

    /// The hooks of one event; says whether all went well.
    fn event(
        &mut self,
        part: &Part,
        hooks: &[&Hook],
        runs: &[Run],
        event: Option<Event>,
        range: std::ops::Range<usize>,
    ) -> bool {
        let Some(event) = event else { return true };
        let mut last = range.start;
        for (index, run) in runs.iter().enumerate() {
            let hook = part.hook(run);
            let until = runs.get(index + 1).map_or(range.end, |next| next.place);
            self.delete(event, hook, DeletePolicy::BeforeHookCreation, last..run.place, Some(run.at));
            if !self.send(event, hook, run, run.place..until) {
                return false;
            }
            self.wait(event, hook, run, run.place..until);
            last = run.place;
            if run.phase == Phase::Failed {
                self.delete(event, hook, DeletePolicy::HookFailed, last..range.end, None);
                for earlier in &runs[..index] {
                    self.delete(
                        event,
                        part.hook(earlier),
                        DeletePolicy::HookSucceeded,
                        last..range.end,
                        None,
                    );
                }
                return false;
            }
        }
        if let Some(stuck) = hooks.get(runs.len()).filter(|_| part.failed) {
            self.stuck(event, stuck, last..range.end);
            return false;
        }
        for run in runs.iter().rev() {
            self.delete(event, part.hook(run), DeletePolicy::HookSucceeded, last..range.end, None);
        }
        true
    }

    /// What a policy deletes; without `found`, only what is seen to go or is not there.
    fn delete(
        &mut self,
        event: Event,
        hook: &Hook,
        policy: DeletePolicy,
        range: std::ops::Range<usize>,
        found: Option<Instant>,
    ) {
        if hook.kind == "CustomResourceDefinition" || !hook.deletes(policy) {
            return;
        }
        for object in &hook.objects {
            let goes = self.trace.sights(range.clone()).find(|(index, sight)| {
                sight.leaves() && sight.id.is_same(&object.id) && !self.told.contains(index)
            });
            let (at, result) = match goes {
                Some((index, sight)) => {
                    // Its end is no second deletion.
                    let own = self.trace.sights(range.clone()).filter(|(_, other)| other.uid == sight.uid);
                    self.told.extend(own.map(|(index, _)| index));
                    (self.trace.seen[index].at, StepResult::Ok)
                }
                None if found.is_none() && self.trace.live(&object.id, range.end).is_some() => continue,
                None => (found.unwrap_or(self.trace.ran.ended), StepResult::Absent),
            };
            self.push(at, Some(event), Verb::Delete, Some(&object.id), result);
        }
    }

    /// A hook that never came to be sent: it could not be deleted, or Helm made nothing of it.
    fn stuck(&mut self, event: Event, hook: &Hook, range: std::ops::Range<usize>) {
        if hook.kind == "CustomResourceDefinition" || !hook.deletes(DeletePolicy::BeforeHookCreation) {
            return;
        }
        for object in &hook.objects {
            let goes = self.trace.sights(range.clone()).find(|(index, sight)| {
                sight.leaves() && sight.id.is_same(&object.id) && !self.told.contains(index)
            });
            let Some((index, _)) = goes else { continue };
            let is_there = self.trace.live(&object.id, range.end).is_some();
            let result = if is_there { StepResult::Timeout } else { StepResult::Ok };
            self.push(self.trace.seen[index].at, Some(event), Verb::Delete, Some(&object.id), result);
            if is_there {
                self.explain("it is still there: something holds it");
            }
        }
    }

    /// How the objects of a hook were sent; says whether that worked.
    fn send(&mut self, event: Event, hook: &Hook, run: &Run, range: std::ops::Range<usize>) -> bool {
        let words = format!("warning: Hook {event} {} failed", hook.path);
        let is_refused = run.phase == Phase::Failed && self.trace.says(&words);
        for object in &hook.objects {
            let sent = self.trace.sights(range.clone()).find(|(_, sight)| {
                sight.id.is_same(&object.id) && sight.change != Change::Deleted && !sight.is_going
            });
            let added = sent.filter(|(_, sight)| sight.change == Change::Added);
            let applied = added.and_then(|(_, sight)| sight.applied).unwrap_or(self.trace.applies);
            let verb = if applied { Verb::Apply } else { Verb::Create };
            let at = added.map_or(run.at, |(index, _)| self.trace.seen[index].at);
            if is_refused && added.is_none() {
                let is_denied = self.trace.says("denied the request");
                let result = if is_denied { StepResult::Denied } else { StepResult::Failed };
                self.push(at, Some(event), verb, Some(&object.id), result);
                continue;
            }
            self.push(at, Some(event), verb, Some(&object.id), StepResult::Ok);
            if added.is_none() && self.trace.live(&object.id, range.start).is_some() {
                self.explain(format!("{ONTO}was there"));
            }
        }
        !is_refused
    }

    fn wait(&mut self, event: Event, hook: &Hook, run: &Run, range: std::ops::Range<usize>) {
        for object in &hook.objects {
            let id = &object.id;
            if !matches!((id.group(), id.kind.as_str()), ("batch", "Job") | ("", "Pod")) {
                // Of another group, Helm's old waiter cannot read it.
                if self.trace.says(&format!("expected {} to be a *", id.name)) {
                    self.push(run.at, Some(event), Verb::Wait, Some(id), StepResult::Failed);
                }
                continue;
            }
            let is_new = |(_, sight): &(usize, &Sight)| sight.change == Change::Added && sight.id.is_same(id);
            let added = self.trace.sights(range.clone()).find(is_new).map(|(_, sight)| sight);
            let Some(sight) = added.or_else(|| self.trace.live(id, range.start)) else { continue };
            let (uid, is_old) = (&sight.uid, added.is_none());
            if let Some(end) = sight.end.as_ref().filter(|_| is_old) {
                let before = if *end == End::Complete { SUCCEEDED_BEFORE } else { FAILED_BEFORE };
                self.push(run.at, Some(event), Verb::Wait, Some(id), StepResult::Stale);
                self.explain(format!("{before}, and nothing ran now"));
                continue;
            }
            // What comes after Helm has stored how it went, it did not wait for.
            let known = range.start..range.end.min(run.known.unwrap_or(usize::MAX));
            let own = || self.trace.sights(known.clone()).filter(|(_, sight)| sight.uid == *uid);
            let end = own().find(|(_, sight)| sight.end.is_some());
            let at = |index: usize| self.trace.seen[index].at;
            match end.and_then(|(index, sight)| Some((index, sight.end.as_ref()?))) {
                Some((index, End::Complete)) => {
                    self.push(at(index), Some(event), Verb::Wait, Some(id), StepResult::Ok);
                }
                Some((index, End::Failed(reason))) => {
                    self.push(at(index), Some(event), Verb::Wait, Some(id), StepResult::Failed);
                    self.explain(reason.as_str());
                }
                None => {
                    let gone = own().find(|(_, sight)| sight.change == Change::Deleted);
                    let ended = run.known.and_then(|place| self.trace.seen.get(place));
                    let then = ended.map_or(self.trace.ran.ended, |seen| seen.at);
                    if run.phase == Phase::Failed {
                        self.push(then, Some(event), Verb::Wait, Some(id), StepResult::Timeout);
                    } else {
                        let then = gone.map_or(then, |(index, _)| at(index));
                        self.push(then, Some(event), Verb::Wait, Some(id), StepResult::Ok);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
