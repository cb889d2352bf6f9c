//! The timeline as text: what happens when, in no more than a hundred columns, and readable without colour.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use lifecycle::scenario::Expectation;

use super::{
    Kind, Look, objections,
    story::{Note, Story, Tone, counted, expected, names, value},
};
use crate::{
    output::text::WIDTH,
    plain,
    rehearsal::{Rehearsal, Rehearsed},
};

mod columns;

use columns::{Columns, EVENT, INDENT, TIME};

/// Where the words behind a label begin.
const LABEL: usize = 15;
/// A longer error is broken here, so that lines stay readable.
const STOP: usize = INDENT + TIME + EVENT;

/// Writes the timelines, and of rollouts a line for each first.
///
/// # Errors
/// When they cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look, out };
    for (scenario, name) in rehearsal.scenarios.iter().zip(names(&rehearsal.scenarios)) {
        match kind {
            Kind::Plan(_) => page.plan(scenario)?,
            Kind::Rollout => page.rollout(scenario, &name)?,
        }
    }
    if kind == Kind::Rollout && !rehearsal.scenarios.is_empty() {
        let all = rehearsal.scenarios.len();
        let passed = rehearsal.scenarios.iter().filter(|scenario| scenario.passed).count();
        let unread = match rehearsal.problems.len() {
            0 => String::new(),
            _ => "; not all could be read, see above".to_owned(),
        };
        writeln!(page.out, "{}: {passed} passed, {} failed{unread}", counted(all, "rollout"), all - passed)?;
    }
    Ok(())
}

/// Writes one timeline.
///
/// # Errors
/// When it cannot be written.
pub(super) fn one(story: &Story<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { look, out };
    page.title(story, "")?;
    page.story(story)
}

struct Page<'o> {
    look: Look,
    out: &'o mut dyn Write,
}

impl Page<'_> {
    fn style(&self, style: Style) -> Style {
        if self.look.colors { style } else { Style::new() }
    }

    fn tone(&self, tone: Tone) -> Style {
        let color = match tone {
            Tone::Fine => AnsiColor::Green,
            Tone::Notice => AnsiColor::Yellow,
            Tone::Bad => AnsiColor::BrightRed,
        };
        self.style(color.on_default())
    }

    fn plan(&mut self, scenario: &Rehearsed) -> io::Result<()> {
        let mut last = None;
        for (index, story) in Story::all(scenario).enumerate() {
            if index > 0 {
                writeln!(self.out)?;
            }
            self.title(&story, "")?;
            self.story(&story)?;
            last = Some(story);
        }
        if let Some(story) = last {
            let rules = objections::words(scenario).map(|words| Note::new("rules", words));
            self.notes(&story.under_argo().into_iter().chain(rules).collect::<Vec<_>>())?;
        }
        Ok(())
    }

    fn rollout(&mut self, scenario: &Rehearsed, name: &str) -> io::Result<()> {
        let (tone, word) = if scenario.passed { (Tone::Fine, "passed") } else { (Tone::Bad, "failed") };
        let style = self.tone(tone);
        let steps = counted(scenario.answer.actions.len(), "step");
        let name = plain::line(name);
        write!(self.out, "{style}{} {word}{style:#}  ", tone.sign())?;
        let untested = Story::all(scenario).find_map(|story| story.untested());
        let untested = untested.map(|words| format!(" · {words}")).unwrap_or_default();
        let words = format!("{} · {steps}, {}{untested}", scenario.played_by(), expected(scenario));
        self.headed(10, &name, &words)?;
        let unmet = |index: usize| {
            scenario.expectations.iter().filter(move |expected| expected.step == index && !expected.ok)
        };
        for expected in scenario.expectations.iter().filter(|expected| !expected.ok) {
            self.expectation(expected)?;
        }
        let tells_all = self.look.verbose
            || (!scenario.passed && scenario.expectations.iter().all(|expected| expected.ok));
        let mut is_told = false;
        for story in Story::all(scenario) {
            if tells_all || unmet(story.index).next().is_some() {
                writeln!(self.out)?;
                self.title(&story, &format!("step {}: ", story.index + 1))?;
                self.story(&story)?;
                is_told = true;
            }
        }
        if is_told { writeln!(self.out) } else { Ok(()) }
    }

    /// `step 2: exit is 1, expected 0`, over several lines where that is long.
    fn expectation(&mut self, expected: &Expectation) -> io::Result<()> {
        let (wanted, actual) = (value(&expected.expected), value(&expected.actual));
        let (step, field) = (expected.step + 1, expected.field.name());
        let style = self.tone(Tone::Bad);
        let wanted = fold(&plain::line(&wanted), WIDTH - 27);
        let actual = fold(&plain::line(&actual), WIDTH - 27);
        let head = format!("step {step}, {field}");
        for (label, lines) in [("expected", wanted), ("is", actual)] {
            for (index, line) in lines.iter().enumerate() {
                let head = if label == "expected" && index == 0 { &*head } else { "" };
                let label = if index == 0 { label } else { "" };
                writeln!(self.out, "  {style}{head:>15}{style:#} {label:<8} {line}")?;
            }
        }
        Ok(())
    }

    fn title(&mut self, story: &Story<'_>, before: &str) -> io::Result<()> {
        let title = format!("{before}{}", story.title());
        let parts = std::iter::once(story.scenario.player.clone()).chain(story.flags());
        self.headed(0, &plain::line(&title), &parts.collect::<Vec<_>>().join(" · "))
    }

    /// A heading from column `at` on, and words behind it, or below it where there is no room.
    fn headed(&mut self, at: usize, heading: &str, words: &str) -> io::Result<()> {
        let bold = self.style(Style::new().bold());
        let heading = fold(heading, WIDTH - at);
        let used = at + heading.last().map_or(0, |line| line.chars().count()) + 3;
        let (place, room) = if used > WIDTH / 2 { ("\n  ", WIDTH - 2) } else { (" · ", WIDTH - used) };
        let mut lines = fold(&plain::line(words), room).into_iter();
        let first = lines.next().unwrap_or_default();
        writeln!(self.out, "{bold}{}{bold:#}{place}{first}", heading.join("\n"))?;
        for line in lines {
            writeln!(self.out, "  {line}")?;
        }
        Ok(())
    }

    fn story(&mut self, story: &Story<'_>) -> io::Result<()> {
        writeln!(self.out)?;
        let columns = Columns::of(story);
        if !story.rows.is_empty() {
            let dim = self.style(Style::new().dimmed());
            writeln!(self.out, "{dim}{}{dim:#}", columns.header())?;
        }
        let mut before = None;
        for (place, row) in story.rows.iter().enumerate() {
            if story.undo == Some(place) {
                self.line_across(&story.undo_words(), Tone::Notice)?;
                before = None;
            }
            let is_new = before != Some(row.event);
            before = Some(row.event);
            self.row(story, row, &columns, is_new)?;
        }
        if let Some(error) = story.error() {
            self.line_across(&format!("{}: \"{}\"", story.stop_words(), plain::line(&error)), Tone::Bad)?;
        }
        if !story.unrun.is_empty() {
            let words = story.unrun.words();
            self.labelled((INDENT + TIME, EVENT), "not run", &words, Style::new())?;
        }
        if story.rows.is_empty() && story.is_fine() {
            self.labelled((INDENT, 0), "", &story.idle_words(), Style::new())?;
        }
        writeln!(self.out)?;
        self.notes(&story.notes())
    }

    fn line_across(&mut self, words: &str, tone: Tone) -> io::Result<()> {
        let style = self.tone(tone);
        let mut lead = "──";
        for line in fold(words, WIDTH - STOP - 3) {
            writeln!(self.out, "{:STOP$}{style}{lead} {line}{style:#}", "")?;
            lead = "  ";
        }
        Ok(())
    }

    fn notes(&mut self, notes: &[Note]) -> io::Result<()> {
        for Note { label, tone, text } in notes {
            if *tone == Tone::Fine {
                self.labelled((INDENT, LABEL), label, text, Style::new())?;
            } else {
                let text = format!("{} {text}", tone.sign());
                self.labelled((INDENT, LABEL), label, &text, self.tone(*tone))?;
            }
        }
        Ok(())
    }

    /// Words behind a label that is indented, and as wide as that.
    fn labelled(
        &mut self,
        (indent, width): (usize, usize),
        label: &str,
        text: &str,
        style: Style,
    ) -> io::Result<()> {
        let dim = self.style(Style::new().dimmed());
        let mut label = label;
        for line in fold(&plain::line(text), WIDTH - indent - width) {
            writeln!(self.out, "{:indent$}{dim}{label:<width$}{dim:#}{style}{line}{style:#}", "")?;
            label = "";
        }
        Ok(())
    }
}

/// Breaks a text between words, and a word that is wider than `width` wherever it must: nothing of a name is lost.
fn fold(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut folded = Vec::new();
    for line in plain::wrap(text, width) {
        if line.chars().count() <= width {
            folded.push(line);
            continue;
        }
        let letters: Vec<char> = line.chars().collect();
        folded.extend(letters.chunks(width).map(|part| part.iter().collect::<String>()));
    }
    folded
}

#[cfg(test)]
mod tests;
