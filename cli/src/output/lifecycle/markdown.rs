//! Markdown to be pasted into a pull request: a table of what came of it, the timelines folded away.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use policies::Mode;

use super::{
    Kind,
    escape::markdown as text,
    story::{Row, Story, Tone, counted, deny, expected, name, names, rules_of, span, value},
};
use crate::{
    rehearsal::{Rehearsal, Rehearsed},
    report::Problem,
};

/// More characters no comment on GitHub has.
const LIMIT: usize = 65_536;
/// What of them is kept for headings, and to say what was left out.
const RESERVE: usize = 600;
/// What may grow without end takes at most this part of the room that is there: what could not be read, names of what is left behind.
const SHARE: usize = 4;
/// More characters of an error or of a value are left out.
const CLIPPED: usize = 1_000;
const TIMELINE: What = ("timeline", "");

/// Writes the document, no longer than a comment may be.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    let problems = unread(&rehearsal.problems)?;
    let mut page = Page { room: LIMIT - RESERVE - problems.chars().count(), ..Page::default() };
    match kind {
        Kind::Plan(_) => {
            for scenario in &rehearsal.scenarios {
                page.plan(scenario)?;
            }
        }
        Kind::Rollout => page.rollouts(&rehearsal.scenarios)?,
    }
    page.say_left_out();
    page.text.push_str(&problems);
    out.write_all(page.text.as_bytes())
}

fn unread(problems: &[Problem]) -> io::Result<String> {
    let mut page = Page { room: LIMIT / SHARE, ..Page::default() };
    if problems.is_empty() {
        return Ok(page.text);
    }
    page.text.push_str("### Could not be read\n\n");
    for problem in problems {
        page.fit(("file", ""), |out| writeln!(out, "- {}", text(&problem.to_string())))?;
    }
    if let Some(more) = page.left_out() {
        page.text.extend(["- ", &*more, " more\n"]);
    }
    page.text.push('\n');
    Ok(page.text)
}

/// What a part is called where it is counted: a word that takes an s, and what follows it.
type What = (&'static str, &'static str);

/// What was written so far, and how many more characters there may be.
#[derive(Default)]
struct Page {
    text: String,
    room: usize,
    /// What found no room, and how many of it.
    missing: Vec<(What, usize)>,
}

impl Page {
    /// Adds what there is room for; what has none is counted.
    fn fit(&mut self, what: What, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut bytes = Vec::new();
        write(&mut bytes)?;
        let part = String::from_utf8_lossy(&bytes);
        if let Some(room) = self.room.checked_sub(part.chars().count()) {
            self.room = room;
            self.text.push_str(&part);
            return Ok(());
        }
        match self.missing.iter_mut().find(|(missing, _)| *missing == what) {
            Some((_, count)) => *count += 1,
            None => self.missing.push((what, 1)),
        }
        Ok(())
    }

    fn plan(&mut self, scenario: &Rehearsed) -> io::Result<()> {
        let room = self.room;
        self.fit(("plan", ""), |out| {
            let release = text(&scenario.answer.release);
            writeln!(out, "## Plan of {release} ({})\n", text(&scenario.played_by()))?;
            if let Some(denial) = denial(&rules_of(scenario, Mode::Deny)) {
                writeln!(out, "**{denial}**\n")?;
            }
            if scenario.answer.actions.is_empty() { Ok(()) } else { actions(scenario, room, out) }
        })?;
        for story in Story::all(scenario).map(Story::in_full) {
            let is_open = !story.is_fine() || !story.denied_by().is_empty();
            self.fit(TIMELINE, |out| timeline(&story, "", is_open, out))?;
        }
        Ok(())
    }

    /// First what failed, in full; what passed is folded away.
    fn rollouts(&mut self, scenarios: &[Rehearsed]) -> io::Result<()> {
        let names: Vec<_> = names(scenarios).iter().map(|name| text(name)).collect();
        let with_names = || scenarios.iter().zip(&names);
        self.summary(scenarios, &names)?;
        for (scenario, name) in with_names().filter(|(scenario, _)| !scenario.passed) {
            let room = self.room;
            self.fit(("rollout", " that failed"), |out| {
                writeln!(out, "### {} {name}\n", badge(false))?;
                actions(scenario, room, out)
            })?;
            let unmet =
                |index| scenario.expectations.iter().any(|expected| expected.step == index && !expected.ok);
            for story in Story::all(scenario).map(Story::in_full) {
                let before = format!("step {}: ", story.index + 1);
                self.fit(TIMELINE, |out| timeline(&story, &before, unmet(story.index), out))?;
            }
        }
        for (scenario, name) in with_names().filter(|(scenario, _)| scenario.passed) {
            let room = self.room;
            self.fit(("rollout", " that passed"), |out| passed(scenario, name, room, out))?;
        }
        Ok(())
    }

    /// A table of all rollouts; where that is too long, first of those that failed.
    fn summary(&mut self, scenarios: &[Rehearsed], names: &[String]) -> io::Result<()> {
        let passed = scenarios.iter().filter(|scenario| scenario.passed).count();
        let (all, failed) = (counted(scenarios.len(), "rollout"), scenarios.len() - passed);
        let heading = format!("## {all}: {passed} passed, {failed} failed\n\n");
        self.text.push_str(&heading);
        if !scenarios.is_empty() {
            self.text.push_str(
                "| | rollout | played by | steps | what is not as expected |\n|---|---|---|--:|---|\n",
            );
        }
        let rows = scenarios
            .iter()
            .zip(names)
            .map(|(scenario, name)| (scenario.passed, summary_row(scenario, name)));
        let mut rows: Vec<_> = rows.collect();
        if rows.iter().map(|(_, row)| row.chars().count()).sum::<usize>() > self.room / 2 {
            rows.sort_by_key(|(passed, _)| *passed);
        }
        let room = self.room;
        self.room /= 2;
        for (_, row) in rows {
            self.fit(("row", " of the table"), |out| out.write_all(row.as_bytes()))?;
        }
        self.room += room - room / 2;
        self.text.push('\n');
        Ok(())
    }

    /// `2 timelines and 3 rollouts that passed`.
    fn left_out(&self) -> Option<String> {
        let parts = self.missing.iter().map(|((word, rest), count)| counted(*count, word) + rest);
        let parts: Vec<_> = parts.collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }

    fn say_left_out(&mut self) {
        if let Some(parts) = self.left_out() {
            let why = "_Left out, since a comment on GitHub has no more than 65,536 characters: ";
            self.text.extend([why, &*parts, ". The format html has all._\n\n"]);
        }
    }
}

fn summary_row(scenario: &Rehearsed, name: &str) -> String {
    let unmet = scenario.expectations.iter().filter(|expected| !expected.ok).map(|expected| {
        let (step, field) = (expected.step + 1, expected.field.name());
        let (wanted, actual) = (value(&expected.expected), value(&expected.actual));
        format!("step {step}: {field} is {}, expected {}", code(&actual), code(&wanted))
    });
    let unmet: Vec<_> = unmet.collect();
    format!(
        "| {} | {name} | {} | {} | {} |\n",
        badge(scenario.passed),
        text(&scenario.played_by()),
        scenario.answer.actions.len(),
        unmet.join("<br>")
    )
}

/// A rollout that passed, for whoever wants to see what was played.
fn passed(scenario: &Rehearsed, name: &str, room: usize, out: &mut dyn Write) -> io::Result<()> {
    let steps = counted(scenario.answer.actions.len(), "step");
    writeln!(out, "<details><summary>{} {name}: {steps}, {}</summary>\n", badge(true), expected(scenario))?;
    actions(scenario, room, out)?;
    for story in Story::all(scenario).map(Story::in_full) {
        timeline(&story, &format!("step {}: ", story.index + 1), false, out)?;
    }
    writeln!(out, "</details>\n")
}

/// A row for each action, of which the names of what is left behind take no more than a share of `room`.
fn actions(scenario: &Rehearsed, room: usize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| | action | ends | hooks | left behind |\n|---|---|---|--:|---|")?;
    let each = room / SHARE / scenario.answer.actions.len().max(1);
    for story in Story::all(scenario) {
        let error = story.error().map(|error| format!(": {}", code(&error))).unwrap_or_default();
        let denial = denial(&story.denied_by());
        let badge =
            if denial.is_some() && story.is_well() { sign(Tone::Notice) } else { badge(story.is_well()) };
        let denial = denial.map(|denial| format!("<br>{denial}")).unwrap_or_default();
        let ends = format!("{}{error}{denial}", text(&story.ended()));
        let (ran, left) = (story.ran(), left_behind(&story, each));
        writeln!(out, "| {badge} | {} | {ends} | {ran} | {left} |", text(&story.title()))?;
    }
    writeln!(out)
}

/// As many names of what is left behind as fit into `room`.
fn left_behind(story: &Story<'_>, room: usize) -> String {
    let leftovers = &story.played.leftovers;
    let mut named = String::new();
    for (place, left) in leftovers.iter().enumerate() {
        let going = match (story.is_going(left), story.has_lost(left)) {
            (_, true) => format!(" **{} being deleted**", sign(Tone::Bad)),
            (true, _) => " (being deleted)".to_owned(),
            _ => String::new(),
        };
        let one = format!("{}{going}", code(&left.to_string()));
        let space = if named.is_empty() { "" } else { " " };
        if named.chars().count() + one.chars().count() > room {
            return format!("{named}{space}and {} more", leftovers.len() - place);
        }
        named.extend([space, &*one]);
    }
    named
}

fn timeline(story: &Story<'_>, before: &str, is_open: bool, out: &mut dyn Write) -> io::Result<()> {
    let open = if is_open || !story.lost().is_empty() { " open" } else { "" };
    let title = text(&story.title());
    let flags = story.flags().iter().map(|flag| text(flag)).collect::<Vec<_>>().join(" · ");
    writeln!(out, "<details{open}><summary>{before}{title}: {}</summary>\n", text(&story.summary()))?;
    writeln!(out, "{flags}\n")?;
    if !story.rows.is_empty() {
        writeln!(out, "| time | event | hook | weight | what happens |\n|--:|---|---|--:|---|")?;
    }
    for (place, row) in story.rows.iter().enumerate() {
        if story.undo == Some(place) {
            writeln!(out, "| | | | | **{}** |", story.undo_words())?;
        }
        table_row(story, row, out)?;
    }
    if !story.rows.is_empty() {
        writeln!(out)?;
    } else if story.is_fine() {
        writeln!(out, "{}\n", text(&story.idle_words()))?;
    }
    if let Some(error) = story.error() {
        writeln!(out, "**{}**: {}\n", story.stop_words(), code(&error))?;
    }
    if !story.unrun.is_empty() {
        writeln!(out, "- **not run**: {}", text(&story.unrun.words()))?;
    }
    for note in story.notes() {
        let sign = if note.tone == Tone::Fine { String::new() } else { format!("{} ", sign(note.tone)) };
        writeln!(out, "- {sign}**{}**: {}", note.label, text(&note.text))?;
    }
    writeln!(out, "\n</details>\n")
}

fn table_row(story: &Story<'_>, row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let namespace = &story.scenario.answer.namespace;
    let event = row.event.map_or("", |event| event.name());
    let object = row.object.map_or_else(|| "resources".to_owned(), |object| code(&name(object, namespace)));
    let weight = row.weight.map(|weight| text(&weight.to_string())).unwrap_or_default();
    let mut lines = vec![text(&row.words)];
    if let Some(outcome) = &row.outcome {
        let at =
            if outcome.at - row.begins >= 0.1 { format!(" ({})", span(outcome.at)) } else { String::new() };
        lines.push(format!("{} {}{at}", sign(outcome.tone), text(&outcome.words)));
    }
    for mark in story.rules(row) {
        lines.push(format!("{} rule {} ({})", sign(Tone::of(mark.mode)), code(mark.rule), mark.mode.name()));
    }
    writeln!(out, "| {} | {event} | {object} | {weight} | {} |", span(row.begins), lines.join("<br>"))
}

/// `✗ 2 rules deny: …`, if any does.
fn denial(rules: &BTreeSet<&str>) -> Option<String> {
    let named = || rules.iter().map(|rule| code(rule)).collect::<Vec<_>>().join(", ");
    (!rules.is_empty()).then(|| format!("{} {}: {}", sign(Tone::Bad), deny(rules), named()))
}

fn code(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        let clipped: String = words.chars().take(CLIPPED).collect();
        let more = if clipped.len() < words.len() { "…" } else { "" };
        format!("<code>{}{more}</code>", text(&clipped).replace("<code>", "").replace("</code>", ""))
    }
}

const fn badge(is_fine: bool) -> &'static str {
    if is_fine { "✅" } else { "❌" }
}

const fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Fine => "✅",
        Tone::Notice => "⚠️",
        // Not the badge of what is not as expected: this may be what was.
        Tone::Bad => "✗",
    }
}

#[cfg(test)]
mod tests;
