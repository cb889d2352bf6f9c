//! From steps to rows: what was done to one object stands together.

use std::collections::{HashMap, HashSet};

use hooks::{DeletePolicy, Event, release::Status};
use lifecycle::{
    Step,
    answer::{Action, LOST, ONTO, ObjectId, Played, SAME, StepResult, Verb},
    chart::Hook,
    command::Wait,
    profile::Engine,
};

use super::{
    Doing, Outcome, Row, Tone,
    asked::{hook_limit, other_limit},
    words::{aged, span},
};
use crate::rehearsal::{Asked, Rehearsed};

/// Said of what was sent, unless the next step is a wait.
const UNAWAITED: &str = ", not awaited";
/// Said of a hook that goes because all goes that Argo CD has made.
const WITH_ALL: &str = "delete, with all of the Application";
/// As long as a simulation waits for what never comes, in seconds.
const FOREVER: f64 = 86_400.0;
/// A deletion of what was there before counts as slow from here on, in seconds.
const SLOW: f64 = 1.0;

pub(super) fn of<'a>(scenario: &'a Rehearsed, asked: Option<&'a Asked>, played: &'a Played) -> Vec<Row<'a>> {
    let steps = &played.steps;
    let engine = scenario.profile.engine;
    let limit = asked.map_or(0.0, |asked| other_limit(&asked.flags, engine).unwrap_or(FOREVER));
    let is_endless = asked.is_some_and(|asked| hook_limit(&asked.flags, engine).is_none());
    // All of an Application goes once its hooks for that are well, of which then none is held.
    let is_held = |step: &Step| {
        let is_before = step.verb == Verb::Delete && step.event == Some(Event::PreDelete);
        is_before && step.result == StepResult::Timeout
    };
    let takes_all =
        engine == Engine::ArgoCd && played.action == Action::Uninstall && !steps.iter().any(is_held);
    let mut rows: Vec<Row<'a>> = Vec::new();
    for (index, (step, [before, after])) in steps.iter().zip(neighbours(steps)).enumerate() {
        match (step.verb, step.event, &step.object) {
            (Verb::Delete, Some(_), Some(_)) if after.is_some_and(sends) => {}
            (Verb::Delete, Some(_), Some(_)) => {
                let is_of_all = takes_all && step.event != Some(Event::PostDelete);
                let is_of_all = is_of_all && step.result == StepResult::Ok;
                let words =
                    if is_of_all { WITH_ALL } else { why_deleted(scenario, asked, played, step, &rows) };
                rows.push(deletion(step, words, limit));
            }
            (Verb::Create | Verb::Apply, Some(_), Some(_)) => {
                rows.push(sending(step, before.filter(|step| step.verb == Verb::Delete)));
            }
            (Verb::Wait, Some(_), Some(_)) => await_in(&mut rows, step, is_endless),
            (Verb::Log, ..) => rows.push(logging(step)),
            _ => rows.push(resources(step, steps.get(index + 1), asked, played, limit)),
        }
    }
    let left: HashSet<_> = played.leftovers.iter().map(ObjectId::key).collect();
    for row in &mut rows {
        if let (Some(event), Some(object)) = (row.event, row.object) {
            row.weight = super::hook(scenario, asked, event, object).map(|hook| hook.weight);
            row.stays = row.doing == Doing::Hook
                && left.contains(&object.key())
                && row
                    .outcome
                    .as_ref()
                    .is_none_or(|outcome| row.waited.is_some() || row.loses || outcome.tone != Tone::Bad);
        }
    }
    rows
}

/// For each step the one before and the one after it that are about the same object in the same event.
fn neighbours(steps: &[Step]) -> Vec<[Option<&Step>; 2]> {
    let mut all = vec![[None; 2]; steps.len()];
    let mut last = HashMap::new();
    for (index, step) in steps.iter().enumerate() {
        if let Some(before) = last.insert((step.event, &step.object), index) {
            (all[before][1], all[index][0]) = (Some(step), Some(&steps[before]));
        }
    }
    all
}

const fn sends(step: &Step) -> bool {
    matches!(step.verb, Verb::Create | Verb::Apply)
}

fn row(step: &Step, doing: Doing, words: String) -> Row<'_> {
    Row {
        event: step.event,
        object: step.object.as_ref(),
        weight: None,
        doing,
        begins: step.at,
        ends: step.at,
        words,
        outcome: None,
        replaces: false,
        waited: None,
        stays: false,
        loses: false,
    }
}

fn outcome(step: &Step, tone: Tone, prefix: &str) -> Option<Outcome> {
    let message = aged(step.message.as_deref().unwrap_or_default());
    let words = match (prefix, message.as_str()) {
        ("", message) => message.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, message) => format!("{prefix}: {message}"),
    };
    (!words.is_empty()).then_some(Outcome { at: step.at, tone, words })
}

/// Why an object is deleted that is not sent after that: by the policy that fits how it ended, or else all did, once it has run as
/// often as it is to in this event; before that, to make room for its next run.
fn why_deleted(
    scenario: &Rehearsed,
    asked: Option<&Asked>,
    played: &Played,
    step: &Step,
    rows: &[Row<'_>],
) -> &'static str {
    let engine = scenario.profile.engine;
    let hook = step.event.zip(step.object.as_ref());
    let hook = hook.and_then(|(event, object)| super::hook(scenario, asked, event, object));
    let is_sent = |row: &&Row<'_>| {
        row.doing == Doing::Hook && row.event == step.event && row.object == step.object.as_ref()
    };
    let sent: Vec<_> = rows.iter().filter(is_sent).collect();
    let has_failed = |row: &&Row<'_>| matches!(row.waited, Some(StepResult::Failed | StepResult::Timeout));
    let has_failed = sent.last().is_some_and(has_failed);
    let (is_over, has_failed) = match (engine, played.action) {
        // What fails then is made again, whatever its policy.
        (Engine::ArgoCd, Action::Uninstall) if has_failed => return "delete",
        (Engine::ArgoCd, Action::Uninstall) => (!sent.is_empty(), false),
        // It goes by how the whole sync ended, if it did.
        (Engine::ArgoCd, _) => {
            let status = played.history.last().map(|newest| Status::parse(&newest.status));
            (status.is_some_and(|status| !status.is_pending()), played.exit != 0)
        }
        _ => {
            let names = |hook: &Hook| hook.events.iter().filter(|event| Some(**event) == step.event).count();
            (has_failed || sent.len() >= hook.map_or(1, names), has_failed)
        }
    };
    let fits = if has_failed { DeletePolicy::HookFailed } else { DeletePolicy::HookSucceeded };
    let is_meant = |policy: &DeletePolicy| hook.is_none_or(|hook| engine.deletes(hook, *policy));
    let policies = [fits, DeletePolicy::HookFailed, DeletePolicy::HookSucceeded];
    match policies.into_iter().find(is_meant).filter(|_| is_over) {
        Some(DeletePolicy::HookFailed) => "delete (hook-failed)",
        Some(_) => "delete (hook-succeeded)",
        None if matches!(step.result, StepResult::Ok | StepResult::Timeout) => "delete the old one",
        None => "delete",
    }
}

/// A deletion that nothing follows.
fn deletion<'a>(step: &'a Step, words: &str, limit: f64) -> Row<'a> {
    let mut row = row(step, Doing::Delete, words.to_owned());
    match step.result {
        StepResult::Ok => {}
        StepResult::Absent => row.words.push_str(", already gone"),
        StepResult::Timeout => {
            row.ends = step.at + limit;
            let why = step.message.as_deref().unwrap_or_default();
            let why = why.strip_prefix("it is still there: ").unwrap_or(why);
            let words = match limit {
                0.0 => format!("still there, and a timeout of 0 leaves no time: {why}"),
                limit => format!("still there after {}: {why}", span(limit)),
            };
            row.outcome = Some(Outcome { at: row.ends, tone: Tone::Bad, words });
        }
        StepResult::Denied => row.outcome = outcome(step, Tone::Bad, "refused"),
        _ => row.outcome = outcome(step, Tone::Bad, "not deleted"),
    }
    if row.outcome.is_none() {
        row.outcome = outcome(step, Tone::Notice, "");
    }
    row
}

fn sending<'a>(step: &'a Step, before: Option<&'a Step>) -> Row<'a> {
    let verb = if step.verb == Verb::Apply { "apply" } else { "create" };
    let mut row = row(step, Doing::Hook, String::new());
    let mut notes = Vec::new();
    if let Some(before) = before {
        row.begins = before.at;
        row.replaces = before.result == StepResult::Ok;
        if row.replaces {
            let took = step.at - before.at;
            let gone = if took >= SLOW { format!(" (gone after {})", span(took)) } else { String::new() };
            row.words = format!("delete the old one{gone}, ");
            notes.extend(before.message.as_deref());
        }
    }
    row.words.push_str(verb);
    match step.result {
        StepResult::Ok if is_awaited(step) => {}
        StepResult::Ok => row.words.push_str(UNAWAITED),
        StepResult::Denied => row.outcome = outcome(step, Tone::Bad, "denied"),
        StepResult::Skipped => row.outcome = outcome(step, Tone::Notice, "not tried"),
        _ => row.outcome = outcome(step, Tone::Bad, "failed"),
    }
    notes.extend(step.message.as_deref().filter(|_| row.outcome.is_none()));
    let is_onto = |message: &str| message.starts_with(ONTO);
    if row.replaces && step.message.as_deref().is_some_and(is_onto) {
        // What was met is there since its deletion was not awaited.
        notes = vec!["sent onto the old one, which is being deleted: Helm does not wait until it is gone"];
        row.loses = !is_awaited(step);
    }
    if !notes.is_empty() {
        let (words, tone) = (notes.join("; "), if row.loses { Tone::Bad } else { Tone::Notice });
        row.outcome.get_or_insert(Outcome { at: step.at, tone, words });
    }
    row
}

/// Whether Helm waits for the end of what was sent.
fn is_awaited(step: &Step) -> bool {
    step.object.as_ref().is_some_and(has_end)
}

/// Whether an object comes to an end for which Helm waits.
pub(super) fn has_end(id: &ObjectId) -> bool {
    matches!((id.group(), id.kind.as_str()), ("batch", "Job") | ("", "Pod"))
}

fn await_in<'a>(rows: &mut Vec<Row<'a>>, step: &'a Step, is_endless: bool) {
    let is_open = |row: &&mut Row<'_>| {
        row.doing == Doing::Hook
            && row.waited.is_none()
            && row.event == step.event
            && row.object == step.object.as_ref()
    };
    let Some(row) = rows.iter_mut().rev().find(is_open) else {
        let mut row = row(step, Doing::Hook, "wait".to_owned());
        row.waited = Some(step.result);
        row.outcome = outcome(step, tone(step.result), word(step.result));
        rows.push(row);
        return;
    };
    let took = span(step.at - row.ends);
    // Helm 3 awaits whatever is called a Job.
    row.words.truncate(row.words.trim_end_matches(UNAWAITED).len());
    row.words.push_str(if step.result == StepResult::Stale { ", no wait" } else { ", wait" });
    if step.result == StepResult::Ok {
        row.words = format!("{} {took}", row.words);
    }
    row.waited = Some(step.result);
    row.ends = step.at;
    let prefix = match step.result {
        StepResult::Ok => String::new(),
        StepResult::Timeout if is_endless => format!("no end after {took}"),
        result @ (StepResult::Failed | StepResult::Timeout) => format!("{} after {took}", word(result)),
        result => word(result).to_owned(),
    };
    let ended = outcome(step, tone(step.result), &prefix);
    if let (Some(earlier), Some(ended), true) = (&row.outcome, &ended, step.result != StepResult::Stale) {
        let words = match earlier.words.as_str() {
            SAME => format!("{}; its apply changed nothing", ended.words),
            earlier => format!("{}; before: {earlier}", ended.words),
        };
        row.outcome = Some(Outcome { words, ..ended.clone() });
    } else if ended.is_some() {
        row.outcome = ended;
    }
}

const fn tone(result: StepResult) -> Tone {
    match result {
        StepResult::Failed | StepResult::Denied | StepResult::Timeout => Tone::Bad,
        _ => Tone::Notice,
    }
}

const fn word(result: StepResult) -> &'static str {
    match result {
        StepResult::Ok => "",
        StepResult::Absent => "absent",
        StepResult::Failed => "failed",
        StepResult::Denied => "denied",
        StepResult::Timeout => "timed out",
        StepResult::Stale => "did not run",
        StepResult::Skipped => "not tried",
    }
}

fn logging(step: &Step) -> Row<'_> {
    let mut row = row(step, Doing::Log, "print its logs".to_owned());
    if step.result != StepResult::Ok {
        row.outcome = outcome(step, Tone::Notice, "no logs");
    }
    row
}

/// All ordinary resources; the wait for them has no step of its own, and ends with the next one.
fn resources<'a>(
    step: &'a Step,
    next: Option<&Step>,
    asked: Option<&Asked>,
    played: &Played,
    limit: f64,
) -> Row<'a> {
    let is_fine = step.result == StepResult::Ok;
    let waits = asked.is_some_and(|asked| asked.flags.wait != Wait::HookOnly);
    let verb = match played.action {
        Action::Install => "create",
        Action::Uninstall => "delete",
        _ => "update",
    };
    let said = step.message.as_deref().map(|message| match message.split_once("; ") {
        Some((message, lost)) if is_fine && lost.contains(LOST) => (message, Some(lost)),
        _ => (message, None),
    });
    let words = match (said, is_fine) {
        (Some((message, _)), true) => message.to_owned(),
        (None, true) => "nothing to change".to_owned(),
        (_, false) => format!("{verb} them"),
    };
    let mut row = row(step, Doing::Resources, words);
    if let Some((_, Some(lost))) = said {
        row.outcome = Some(Outcome { at: step.at, tone: Tone::Bad, words: lost.to_owned() });
        row.loses = true;
    }
    if waits && played.action != Action::Test {
        row.words.push_str(if played.action == Action::Uninstall { ", wait" } else { ", wait until ready" });
        let given_up = step.at + limit;
        let without = if step.result == StepResult::Timeout { given_up } else { step.at };
        row.ends = next.map_or(without, |next| next.at).max(step.at);
    }
    if !is_fine {
        let took = span(row.ends - row.begins);
        let prefix = match step.result {
            StepResult::Timeout if row.ends > row.begins => format!("timed out after {took}"),
            result => word(result).to_owned(),
        };
        row.outcome = outcome(step, tone(step.result), &prefix);
        if let Some(outcome) = &mut row.outcome {
            outcome.at = row.ends;
        }
    }
    row
}
