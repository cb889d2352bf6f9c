//! Rows in columns: when, at which event, which hook, what happens.

use std::io;

use super::{Page, WIDTH, fold};
use crate::{
    output::lifecycle::story::{Row, Story, Tone, span},
    plain,
};

/// Where the first column begins.
pub(super) const INDENT: usize = 2;
/// How wide the first two are.
pub(super) const TIME: usize = 8;
pub(super) const EVENT: usize = 15;
/// Names as wide as this leave room for what happens; wider ones get a line of their own.
const NAMES: std::ops::RangeInclusive<usize> = 14..=34;
/// What is shown from this time on has a time of its own, in seconds.
const LATER: f64 = 0.1;

/// How wide the columns of one story are.
pub(super) struct Columns {
    name: usize,
    weight: usize,
}

impl Columns {
    pub(super) fn of(story: &Story<'_>) -> Self {
        let names = story.rows.iter().map(|row| story.row_name(row).chars().count());
        let weights = story.rows.iter().map(|row| weight(row).chars().count());
        Self {
            name: names.filter(|width| NAMES.contains(width)).max().unwrap_or(*NAMES.start()) + 2,
            weight: weights.max().unwrap_or_default().max(4) + 2,
        }
    }

    pub(super) fn header(&self) -> String {
        let width = self.name + self.weight;
        format!("  {:TIME$}{:EVENT$}{:<width$}what happens", "time", "event", "hook")
    }

    /// Where the words begin.
    const fn words(&self) -> usize {
        INDENT + TIME + EVENT + self.name + self.weight
    }
}

fn weight(row: &Row<'_>) -> String {
    row.weight.map(|weight| format!("w {weight:>2}")).unwrap_or_default()
}

impl Page<'_> {
    pub(super) fn row(
        &mut self,
        story: &Story<'_>,
        row: &Row<'_>,
        columns: &Columns,
        is_new: bool,
    ) -> io::Result<()> {
        let event = row.event.filter(|_| is_new).map_or("", |event| event.name());
        let (name, at) = (story.row_name(row), columns.words());
        let name = plain::line(&name);
        let Columns { name: names, weight: weights } = *columns;
        let mut head = format!("  {:TIME$}{event:EVENT$}{name:<names$}", span(row.begins));
        if name.chars().count() > *NAMES.end() {
            let before = INDENT + TIME + EVENT;
            head.truncate(head.len() - name.len());
            for line in fold(&name, WIDTH - before) {
                writeln!(self.out, "{head:<before$}{line}")?;
                head.clear();
            }
            head = " ".repeat(at - weights);
        }
        head = format!("{head}{:<weights$}", weight(row));
        for line in fold(&plain::line(&row.words), WIDTH.saturating_sub(at)) {
            writeln!(self.out, "{head:<at$}{line}")?;
            head.clear();
        }
        if let Some(outcome) = &row.outcome {
            let is_later = outcome.at - row.begins >= LATER;
            let time = if is_later { span(outcome.at) } else { String::new() };
            self.said(&time, outcome.tone, &outcome.words, at)?;
        }
        for mark in story.rules(row) {
            let words = format!("{} ({})", mark.rule, mark.mode.name());
            self.said("", Tone::of(mark.mode), &words, at)?;
        }
        Ok(())
    }

    /// A sign and words, where words begin.
    fn said(&mut self, time: &str, tone: Tone, words: &str, at: usize) -> io::Result<()> {
        let style = self.tone(tone);
        let (mut time, mut sign) = (time, tone.sign());
        for line in fold(&plain::line(words), WIDTH.saturating_sub(at + 2)) {
            writeln!(self.out, "  {time:<width$}{style}{sign} {line}{style:#}", width = at - INDENT)?;
            (time, sign) = ("", ' ');
        }
        Ok(())
    }
}
