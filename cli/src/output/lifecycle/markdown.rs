//! Markdown to be pasted into a pull request: a table of what came of it, the timelines folded away.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use policies::Mode;

use super::{
    Kind,
    escape::markdown as text,
    story::{Row, Story, Tone, counted, deny, expected, name, names, rules_of, span},
};
use crate::rehearsal::{Rehearsal, Rehearsed};

/// More characters no comment on GitHub has.
const LIMIT: usize = 65_536;
/// What of them is kept to say what was left out.
const RESERVE: usize = 400;

/// Writes the document, no longer than a comment may be as far as that is up to its timelines.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    let problems = written(|out| unread(rehearsal, out))?;
    let mut page = Page { room: LIMIT - RESERVE, ..Page::default() };
    page.room = page.room.saturating_sub(problems.chars().count());
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

fn unread(rehearsal: &Rehearsal, out: &mut dyn Write) -> io::Result<()> {
    if rehearsal.problems.is_empty() {
        return Ok(());
    }
    writeln!(out, "### Could not be read\n")?;
    for problem in &rehearsal.problems {
        writeln!(out, "- {}", text(&problem.to_string()))?;
    }
    writeln!(out)
}

/// What was written so far, and how many more characters there may be.
#[derive(Default)]
struct Page {
    text: String,
    room: usize,
    /// Timelines that found no room.
    timelines: usize,
    /// Rollouts that passed and found none.
    passed: usize,
}

impl Page {
    /// Adds what must be there.
    fn put(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let part = written(write)?;
        self.room = self.room.saturating_sub(part.chars().count());
        self.text.push_str(&part);
        Ok(())
    }

    /// Adds what there is room for; says whether there was.
    fn fit(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<bool> {
        let part = written(write)?;
        let Some(room) = self.room.checked_sub(part.chars().count()) else { return Ok(false) };
        self.room = room;
        self.text.push_str(&part);
        Ok(true)
    }

    fn plan(&mut self, scenario: &Rehearsed) -> io::Result<()> {
        self.put(|out| {
            let release = text(&scenario.answer.release);
            writeln!(out, "## Plan of {release} ({})\n", text(&scenario.played_by()))?;
            if let Some(denial) = denial(&rules_of(scenario, Mode::Deny)) {
                writeln!(out, "**{denial}**\n")?;
            }
            if scenario.answer.actions.is_empty() { Ok(()) } else { actions(scenario, out) }
        })?;
        for story in Story::all(scenario).map(Story::in_full) {
            let is_open = !story.is_fine() || !story.denied_by().is_empty();
            let is_there = self.fit(|out| timeline(&story, "", is_open, out))?;
            self.timelines += usize::from(!is_there);
        }
        Ok(())
    }

    /// First what failed, in full; what passed is folded away.
    fn rollouts(&mut self, scenarios: &[Rehearsed]) -> io::Result<()> {
        let names: Vec<_> = names(scenarios).iter().map(|name| text(name)).collect();
        let with_names = || scenarios.iter().zip(&names);
        self.put(|out| summary(scenarios, &names, out))?;
        for (scenario, name) in with_names().filter(|(scenario, _)| !scenario.passed) {
            self.put(|out| {
                writeln!(out, "### {} {name}\n", badge(false))?;
                actions(scenario, out)
            })?;
            let unmet =
                |index| scenario.expectations.iter().any(|expected| expected.step == index && !expected.ok);
            for story in Story::all(scenario).map(Story::in_full) {
                let before = format!("step {}: ", story.index + 1);
                let is_there = self.fit(|out| timeline(&story, &before, unmet(story.index), out))?;
                self.timelines += usize::from(!is_there);
            }
        }
        for (scenario, name) in with_names().filter(|(scenario, _)| scenario.passed) {
            let is_there = self.fit(|out| passed(scenario, name, out))?;
            self.passed += usize::from(!is_there);
        }
        Ok(())
    }

    fn say_left_out(&mut self) {
        let timelines = (self.timelines > 0).then(|| counted(self.timelines, "timeline"));
        let passed = (self.passed > 0).then(|| format!("{} that passed", counted(self.passed, "rollout")));
        let parts: Vec<_> = timelines.into_iter().chain(passed).collect();
        if !parts.is_empty() {
            let parts = parts.join(" and ");
            let why = "_Left out, since a comment on GitHub has no more than 65,536 characters: ";
            self.text.extend([why, &*parts, ". The format html has all._\n\n"]);
        }
    }
}

fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let mut bytes = Vec::new();
    write(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn summary(scenarios: &[Rehearsed], names: &[String], out: &mut dyn Write) -> io::Result<()> {
    let passed = scenarios.iter().filter(|scenario| scenario.passed).count();
    writeln!(
        out,
        "## {}: {passed} passed, {} failed\n",
        counted(scenarios.len(), "rollout"),
        scenarios.len() - passed
    )?;
    if !scenarios.is_empty() {
        writeln!(out, "| | rollout | played by | steps | what is not as expected |")?;
        writeln!(out, "|---|---|---|--:|---|")?;
    }
    for (scenario, name) in scenarios.iter().zip(names) {
        let unmet: Vec<_> = scenario
            .expectations
            .iter()
            .filter(|expected| !expected.ok)
            .map(|expected| {
                let (step, field) = (expected.step + 1, expected.field.name());
                let (wanted, actual) = (expected.expected.to_string(), expected.actual.to_string());
                format!("step {step}: {field} is {}, expected {}", code(&actual), code(&wanted))
            })
            .collect();
        writeln!(
            out,
            "| {} | {name} | {} | {} | {} |",
            badge(scenario.passed),
            text(&scenario.played_by()),
            scenario.answer.actions.len(),
            unmet.join("<br>")
        )?;
    }
    writeln!(out)
}

/// A rollout that passed, for whoever wants to see what was played.
fn passed(scenario: &Rehearsed, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let steps = counted(scenario.answer.actions.len(), "step");
    writeln!(out, "<details><summary>{} {name}: {steps}, {}</summary>\n", badge(true), expected(scenario))?;
    actions(scenario, out)?;
    for story in Story::all(scenario).map(Story::in_full) {
        timeline(&story, &format!("step {}: ", story.index + 1), false, out)?;
    }
    writeln!(out, "</details>\n")
}

fn actions(scenario: &Rehearsed, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| | action | ends | hooks | left behind |\n|---|---|---|--:|---|")?;
    for story in Story::all(scenario).map(Story::in_full) {
        let error = story.error().map(|error| format!(": {}", code(&error))).unwrap_or_default();
        let denial = denial(&story.denied_by());
        let badge =
            if denial.is_some() && story.is_well() { sign(Tone::Notice) } else { badge(story.is_well()) };
        let denial = denial.map(|denial| format!("<br>{denial}")).unwrap_or_default();
        let ends = format!("{}{error}{denial}", text(&story.ended()));
        let ran = story.ran();
        let left = story.played.leftovers.iter().map(|left| {
            let going = match (story.is_going(left), story.has_lost(left)) {
                (_, true) => format!(" **{} being deleted**", sign(Tone::Bad)),
                (true, _) => " (being deleted)".to_owned(),
                _ => String::new(),
            };
            format!("{}{going}", code(&left.to_string()))
        });
        let left: Vec<_> = left.collect();
        let title = text(&story.title());
        writeln!(out, "| {badge} | {title} | {ends} | {ran} | {} |", left.join(" "))?;
    }
    writeln!(out)
}

fn timeline(story: &Story<'_>, before: &str, is_open: bool, out: &mut dyn Write) -> io::Result<()> {
    let open = if is_open || story.loses() { " open" } else { "" };
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
        format!("<code>{}</code>", text(words).replace("<code>", "").replace("</code>", ""))
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
