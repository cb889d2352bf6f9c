//! What a played action tells, before any format: its rows in order, where it fails, what did not run.

use std::collections::HashMap;

use hooks::{Event, release::Status};
use lifecycle::{
    answer::{Action, ObjectId, Played, StepResult},
    chart::Hook,
    profile::Engine,
};
use policies::Mode;

use crate::rehearsal::{Asked, Mark, Rehearsed};

mod after;
mod asked;
mod denied;
mod fate;
mod fault;
mod found;
mod left;
mod lost;
mod next;
mod rows;
mod unrun;
mod words;

use found::Found;

pub(super) use after::Note;
pub(super) use denied::{deny, rules_of};
pub(super) use unrun::Unrun;
pub(super) use words::{counted, expected, name, names, span, value};

/// One action as people are told it.
#[derive(Debug)]
pub(super) struct Story<'a> {
    pub(super) scenario: &'a Rehearsed,
    /// Its place among the actions, from 0.
    pub(super) index: usize,
    pub(super) played: &'a Played,
    pub(super) asked: Option<&'a Asked>,
    /// In the order in which they began.
    pub(super) rows: Vec<Row<'a>>,
    /// The place of the first row that is bad.
    pub(super) failed: Option<usize>,
    /// The place of the first row with which Helm takes back what it did.
    pub(super) undo: Option<usize>,
    /// What was not run because of a failure.
    pub(super) unrun: Unrun<'a>,
    /// Whose behaviour it is.
    engine: Engine,
    /// More objects than these are counted, not named.
    named: usize,
    /// What rules object to, by name.
    marks: HashMap<&'a str, Vec<&'a Mark>>,
    /// What was done to each object, and left of it.
    found: Found<'a>,
}

/// What was done to one object, from first to last; or to the ordinary resources.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) event: Option<Event>,
    /// `None` for the ordinary resources together.
    pub(super) object: Option<&'a ObjectId>,
    pub(super) weight: Option<i64>,
    pub(super) doing: Doing,
    /// In seconds since the action began.
    pub(super) begins: f64,
    /// When nothing more was done.
    pub(super) ends: f64,
    /// What was done: `delete the old one, apply, wait`.
    pub(super) words: String,
    /// What came of it, where that is worth a line of its own.
    pub(super) outcome: Option<Outcome>,
    /// Whether an older object of that name went first.
    pub(super) replaces: bool,
    /// How the wait for its end came out, if there was one.
    pub(super) waited: Option<StepResult>,
    /// Whether the object is there when all is over.
    pub(super) stays: bool,
    /// Whether nothing is left of what a hook has just made, or soon will be: bad, and no failure to Helm.
    pub(super) loses: bool,
}

impl Row<'_> {
    /// Whether it is a failure to whoever plays it.
    fn has_failed(&self) -> bool {
        !self.loses && self.outcome.as_ref().is_some_and(|outcome| outcome.tone == Tone::Bad)
    }
}

/// What a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// A hook was sent.
    Hook,
    /// The object of a hook was deleted, and not sent again.
    Delete,
    /// Logs were printed.
    Log,
    /// The ordinary resources.
    Resources,
}

/// What came of something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    /// When.
    pub(super) at: f64,
    pub(super) tone: Tone,
    pub(super) words: String,
}

/// How loud something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tone {
    /// As it should be.
    Fine,
    /// Somebody may not expect it.
    Notice,
    /// It did not work.
    Bad,
}

impl Tone {
    /// A sign that needs no colour.
    pub(super) const fn sign(self) -> char {
        match self {
            Self::Fine => '✓',
            Self::Notice => '!',
            Self::Bad => '✗',
        }
    }

    /// Of a rule.
    pub(super) fn of(mode: Mode) -> Self {
        if mode == Mode::Deny { Self::Bad } else { Self::Notice }
    }
}

/// As many names as fit a line or two.
const NAMED: usize = 6;

impl<'a> Story<'a> {
    /// The actions of a scenario, one after the other.
    pub(super) fn all(scenario: &'a Rehearsed) -> impl Iterator<Item = Self> {
        scenario.answer.actions.iter().enumerate().map(|(index, played)| Self::new(scenario, index, played))
    }

    /// Names all objects, where a page has the room.
    pub(super) fn in_full(self) -> Self {
        Self { named: usize::MAX, ..self }
    }

    fn new(scenario: &'a Rehearsed, index: usize, played: &'a Played) -> Self {
        let asked = scenario.asked.get(index);
        let rows = rows::of(scenario, asked, played);
        let failed = rows.iter().position(Row::has_failed).filter(|_| played.exit != 0);
        let undo = undone_from(&rows, failed).filter(|_| undoes(asked, played));
        let engine = scenario.profile.engine;
        let unrun = Unrun::of(scenario, asked, played, &rows[..undo.unwrap_or(rows.len())]);
        let found = Found::of(&scenario.answer.actions[..=index], &rows);
        let mut marks: HashMap<_, Vec<_>> = HashMap::new();
        for mark in scenario.marks.iter().filter(|mark| mark.mode >= Mode::Warn) {
            if let Some(object) = &mark.object {
                marks.entry(&*object.name).or_default().push(mark);
            }
        }
        Self { scenario, index, played, asked, rows, failed, undo, unrun, engine, named: NAMED, marks, found }
    }

    /// `upgrade shop 1 → 2`.
    pub(super) fn title(&self) -> String {
        let Played { action, revision, .. } = self.played;
        let before = self.asked.and_then(|asked| asked.before);
        let release = &self.scenario.answer.release;
        let number = |revision: u32| revision.to_string();
        let revisions = match (action, before, *revision) {
            (_, None, None) => String::new(),
            (Action::Uninstall | Action::Test, _, Some(revision)) => format!(" {}", number(revision)),
            (_, Some(before), Some(revision)) if before != revision => format!(" {before} → {revision}"),
            (_, _, Some(revision)) => format!(" → {revision}"),
            // What is refused is so because of the newest.
            (_, Some(before), None) => {
                format!(" {}", number(self.played.history.last().map_or(before, |newest| newest.revision)))
            }
        };
        format!("{} {release}{revisions}", action.name())
    }

    /// Whether all went as Helm wants it.
    pub(super) const fn is_fine(&self) -> bool {
        self.played.exit == 0
    }

    /// Whether all went as expected; where nobody said what is, as Helm wants it.
    pub(super) fn is_well(&self) -> bool {
        let mut expected = self.scenario.expectations.iter().filter(|one| one.step == self.index).peekable();
        if expected.peek().is_some() { expected.all(|one| one.ok) } else { self.is_fine() }
    }

    /// How it ended, beside a sign that says whether that is well: `failed, as expected`.
    pub(super) fn ended(&self) -> String {
        let status = self.status();
        let mut words = match (self.played.action, self.is_fine()) {
            (Action::Test, true) if self.untested().is_some() => "not run".to_owned(),
            (Action::Test, true) => "passed".to_owned(),
            // Without history there is no status any more.
            (Action::Uninstall, true) => "uninstalled".to_owned(),
            (_, true) => status.to_owned(),
            (Action::Test, false) => "failed".to_owned(),
            (_, false) if matches!(status, "failed" | "no release") => "failed".to_owned(),
            (_, false) => format!("failed ({status})"),
        };
        match (self.is_fine(), self.is_well()) {
            (false, true) => words.push_str(", as expected"),
            (true, false) => words.push_str(", not as expected"),
            _ => {}
        }
        words
    }

    /// The rules that object to what a row is about, each once, but for those that only take note.
    pub(super) fn rules(&self, row: &Row<'a>) -> Vec<&'a Mark> {
        let Some(object) = row.object.filter(|_| row.doing == Doing::Hook) else { return Vec::new() };
        let named = self.marks.get(&*object.name).into_iter().flatten().copied();
        let mut rules: Vec<_> =
            named.filter(|mark| mark.object.as_ref().is_some_and(|marked| marked.is_same(object))).collect();
        rules.dedup_by_key(|mark| mark.rule);
        rules
    }

    /// What stands where Helm ends with an error.
    pub(super) fn stop_words(&self) -> &'static str {
        match (self.engine, self.rows.is_empty(), self.undo) {
            (Engine::ArgoCd, ..) if self.status() == Status::Failed.name() => "Argo CD stops",
            (Engine::ArgoCd, ..) => "Argo CD says",
            (Engine::Flux, ..) => "Flux stops",
            (_, true, _) => "Helm refuses",
            (_, _, Some(_)) => "Helm ends",
            _ => "Helm stops",
        }
    }

    /// What a row is about.
    pub(super) fn row_name(&self, row: &Row<'_>) -> String {
        let namespace = &self.scenario.answer.namespace;
        row.object.map_or_else(|| "resources".to_owned(), |object| name(object, namespace))
    }

    /// Where the newest revision stands, in Helm's word, if there is one.
    pub(super) fn status(&self) -> &'a str {
        self.played.history.last().map_or("no release", |newest| &newest.status)
    }

    /// Seconds from the first to the last that was done.
    pub(super) fn lasts(&self) -> f64 {
        self.rows.iter().map(|row| row.ends).fold(0.0, f64::max)
    }
}

/// The first row with which Helm takes back what it did, if it does. What cannot even be built fails without a row.
fn undone_from(rows: &[Row<'_>], failed: Option<usize>) -> Option<usize> {
    let takes_back = |row: &Row<'_>| row.event.is_some_and(Event::is_recovery);
    let is_resources = |row: &Row<'_>| row.doing == Doing::Resources;
    let Some(failed) = failed else {
        return rows.iter().position(takes_back).or_else(|| rows.iter().rposition(is_resources));
    };
    let later = rows.iter().skip(failed + 1).position(|row| is_resources(row) || takes_back(row));
    later.map(|place| failed + 1 + place)
}

/// Whether a failure makes Helm take back what it did.
fn undoes(asked: Option<&Asked>, played: &Played) -> bool {
    played.exit != 0
        && matches!(played.action, Action::Install | Action::Upgrade)
        && asked.is_some_and(|asked| asked.flags.rollback_on_failure)
}

/// The hook that sends `object` at `event`: of what was played, or of what was played before.
fn hook<'a>(
    scenario: &'a Rehearsed,
    asked: Option<&'a Asked>,
    event: Event,
    object: &ObjectId,
) -> Option<&'a Hook> {
    let charts = asked.into_iter().chain(&scenario.asked).filter_map(|asked| asked.chart.as_deref());
    let is_meant = |hook: &&Hook| {
        hook.events.contains(&event) && hook.objects.iter().any(|sent| sent.id.is_same(object))
    };
    charts.flat_map(|chart| &chart.hooks).find(is_meant)
}

#[cfg(test)]
pub(super) mod tests;
