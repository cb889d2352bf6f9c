//! The timeline as a drawing: events as bands, hooks as bars, with waits, deletions, failures, and what is left.

use std::fmt::Write as _;

use lifecycle::answer::StepResult;

use super::scale::Scale;
use crate::output::lifecycle::{
    escape::markup,
    story::{Doing, Row, Story, Tone, counted, name, span},
};

const WIDTH: f64 = 1000.0;
/// Where time begins, and how much room it has.
const PLOT: (f64, f64) = (292.0, 560.0);
const ROW: f64 = 26.0;
const BAND: f64 = 24.0;
const AXIS: f64 = 26.0;
/// A bar of no time is as wide as this.
const LEAST: f64 = 9.0;
/// As wide as a cross is.
const CROSS: f64 = 8.0;
/// About as wide as one letter.
const LETTER: f64 = 6.3;
/// Where names begin, and how much is left free before the weight.
const NAME: (f64, f64) = (24.0, 10.0);
/// More that was not run is counted.
const UNRUN: usize = 8;

/// Draws one action.
pub(super) fn draw(story: &Story<'_>) -> String {
    let scale = Scale::new(story.rows.iter(), PLOT.1);
    let mut drawing =
        Drawing { story, scale, y: AXIS, bands: String::new(), marks: String::new(), odd: false };
    drawing.rows();
    drawing.unrun();
    drawing.finish()
}

struct Drawing<'s, 'a> {
    story: &'s Story<'a>,
    scale: Scale,
    y: f64,
    /// What is behind everything.
    bands: String,
    marks: String,
    odd: bool,
}

/// Writing to memory cannot fail.
macro_rules! put {
    ($to:expr, $($format:tt)*) => {
        let _ = writeln!($to, $($format)*);
    };
}

impl<'a> Drawing<'_, 'a> {
    fn rows(&mut self) {
        let rows: Vec<&Row<'a>> = self.story.rows.iter().collect();
        let mut before = None;
        for (place, row) in rows.iter().enumerate() {
            if self.story.undo == Some(place) {
                self.across(&self.story.undo_words());
                before = None;
            }
            if row.doing == Doing::Log || self.is_shown_elsewhere(row) {
                continue;
            }
            if before != Some(row.event) {
                self.band(row.event.map_or("resources", |event| event.name()));
            }
            before = Some(row.event);
            self.row(row, place);
        }
    }

    /// Whether a deletion stands in the row of what it deletes.
    fn is_shown_elsewhere(&self, row: &Row<'_>) -> bool {
        let is_bad = row.outcome.as_ref().is_some_and(|outcome| outcome.tone == Tone::Bad);
        row.doing == Doing::Delete && !is_bad && self.story.rows.iter().any(|sent| is_of(sent, row))
    }

    fn band(&mut self, name: &str) {
        self.odd = !self.odd;
        put!(self.marks, r#"<text x="12" y="{:.1}" class="event">{}</text>"#, self.y + 16.0, markup(name));
        self.back(BAND);
    }

    /// Goes down, with the colour of the band behind.
    fn back(&mut self, height: f64) {
        let class = if self.odd { "band odd" } else { "band" };
        put!(
            self.bands,
            r#"<rect x="0" y="{:.1}" width="{WIDTH}" height="{height}" class="{class}"/>"#,
            self.y
        );
        self.y += height;
    }

    fn label(&mut self, shown: &str, weight: &str, class: &str) {
        let (x, y, end) = (NAME.0, self.y + 17.0, PLOT.0 - 20.0);
        let name = fitting(shown, end - width(weight) - NAME.1 - x);
        put!(
            self.marks,
            r#"<text x="{x}" y="{y:.1}" class="{class}"><title>{}</title>{}</text>"#,
            markup(shown),
            markup(&name)
        );
        put!(
            self.marks,
            r#"<text x="{end:.1}" y="{y:.1}" class="weight" text-anchor="end">{}</text>"#,
            markup(weight)
        );
    }

    fn row(&mut self, row: &Row<'a>, place: usize) {
        let story = self.story;
        let shown = row.object.map_or_else(
            || "of the release".to_owned(),
            |object| name(object, &story.scenario.answer.namespace),
        );
        let weight = row.weight.map(|weight| format!("w {weight}")).unwrap_or_default();
        self.label(&shown, &shortened(&weight, 6), "name");
        let (begins, ends) = (PLOT.0 + self.scale.at(row.begins), PLOT.0 + self.scale.at(row.ends));
        let bar = (begins, begins + (ends - begins).max(LEAST));
        let deleted = story.rows[place + 1..].iter().find(|later| {
            later.doing == Doing::Delete && is_of(row, later) && self.is_shown_elsewhere(later)
        });
        self.bar(row, bar);
        let middle = self.y + ROW / 2.0;
        if row.replaces {
            self.cross(begins - 8.0, middle, "the old one is deleted first");
        }
        if let Some(deleted) = deleted {
            let at = (PLOT.0 + self.scale.at(deleted.ends)).max(bar.1 + 8.0);
            self.line("life", bar.1, at);
            self.cross(at, middle, &deleted.words);
            self.words(row, (begins, at + 6.0), WIDTH - 8.0);
        } else if row.stays {
            let edge = PLOT.0 + PLOT.1;
            let clear = self.words(row, bar, edge);
            self.line("life stays", clear, edge + 8.0);
            let y = self.y + 17.0;
            let is_going = row.object.is_some_and(|object| story.is_going(object));
            let words = if is_going { "being deleted" } else { "left behind" };
            let class = if row.loses { "left said bad" } else { "left" };
            put!(self.marks, r#"<text x="{:.1}" y="{y:.1}" class="{class}">{words}</text>"#, edge + 14.0);
        } else {
            self.words(row, bar, WIDTH - 8.0);
        }
        self.back(ROW);
    }

    fn bar(&mut self, row: &Row<'_>, (begins, ends): (f64, f64)) {
        let outcome = row.outcome.as_ref().map(|outcome| outcome.words.as_str());
        let title = [Some(row.words.as_str()), outcome].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        put!(
            self.marks,
            r#"<rect x="{begins:.1}" y="{:.1}" width="{:.1}" height="14" rx="3" class="bar {}"><title>{}</title></rect>"#,
            self.y + 6.0,
            ends - begins,
            class(row),
            markup(&title)
        );
    }

    /// How long an object lives after its bar.
    fn line(&mut self, class: &str, from: f64, to: f64) {
        let y = self.y + ROW / 2.0;
        if to > from {
            put!(
                self.marks,
                r#"<line x1="{from:.1}" y1="{y:.1}" x2="{to:.1}" y2="{y:.1}" class="{class}"/>"#
            );
        }
    }

    /// A few words beside a bar, where there is room; gives where the space behind them, or else behind the bar, begins.
    fn words(&mut self, row: &Row<'_>, (begins, ends): (f64, f64), limit: f64) -> f64 {
        // Left of the bar may stand that the old one is deleted first.
        let before = begins - if row.replaces { CROSS + 8.0 } else { 8.0 };
        let (right, left) = (letters(limit - ends - 12.0), letters(before - PLOT.0));
        let (long, short, class) = said(row);
        let words = if long.chars().count() <= right { long } else { short };
        if words.is_empty() {
            return ends;
        }
        let is_right = words.chars().count() <= right || right >= left;
        let (x, anchor, room) = if is_right { (ends + 7.0, "start", right) } else { (before, "end", left) };
        let words = shortened(&words, room.max(4));
        put!(
            self.marks,
            r#"<text x="{x:.1}" y="{:.1}" class="said {class}{}" text-anchor="{anchor}">{}</text>"#,
            self.y + 17.0,
            if self.odd { " on-odd" } else { "" },
            markup(&words)
        );
        // What is bad is bold.
        let clear = if class == "bad" { 14.0 } else { 6.0 };
        if is_right { x + pixels(&words) + clear } else { ends }
    }

    fn cross(&mut self, x: f64, y: f64, title: &str) {
        let half = CROSS / 2.0;
        let (left, right, top, bottom) = (x - half, x + half, y - half, y + half);
        put!(
            self.marks,
            r#"<path d="M{left:.1} {top:.1}L{right:.1} {bottom:.1}M{right:.1} {top:.1}L{left:.1} {bottom:.1}" class="cross"><title>{}</title></path>"#,
            markup(title)
        );
    }

    fn across(&mut self, words: &str) {
        put!(
            self.marks,
            r#"<line x1="0" y1="{y:.1}" x2="{WIDTH}" y2="{y:.1}" class="turn"/><text x="12" y="{:.1}" class="turn">{}</text>"#,
            self.y + 17.0,
            markup(words),
            y = self.y
        );
        self.odd = !self.odd;
        self.back(BAND);
    }

    fn unrun(&mut self) {
        let unrun = &self.story.unrun;
        if unrun.is_empty() {
            return;
        }
        self.band("not run");
        let from = self.story.rows.iter().map(|row| row.ends).fold(0.0, f64::max);
        let from = PLOT.0 + (self.scale.at(from) + 16.0).min(PLOT.1 - 60.0);
        let namespace = &self.story.scenario.answer.namespace;
        let objects = |number| format!("{} of the release", counted(number, "object"));
        let mut lines: Vec<_> = unrun
            .hooks
            .iter()
            .take(UNRUN)
            .map(|one| (name(one.object, namespace), format!("w {}", one.weight), one.event.name()))
            .collect();
        if unrun.hooks.len() > UNRUN {
            lines.push((format!("{} more", counted(unrun.hooks.len() - UNRUN, "hook")), String::new(), ""));
        }
        if unrun.resources > 0 {
            lines.push((objects(unrun.resources), String::new(), "not touched"));
        }
        for (shown, weight, event) in lines {
            self.label(&shown, &shortened(&weight, 6), "name faint");
            put!(
                self.marks,
                r#"<rect x="{from:.1}" y="{:.1}" width="44" height="14" rx="3" class="bar never"/><text x="{:.1}" y="{:.1}" class="said faint">{event}</text>"#,
                self.y + 6.0,
                from + 52.0,
                self.y + 17.0
            );
            self.back(ROW);
        }
    }

    fn finish(self) -> String {
        let height = self.y + 4.0;
        let mut axis = String::new();
        for (place, label) in self.scale.labels() {
            let x = PLOT.0 + place;
            put!(
                axis,
                r#"<line x1="{x:.1}" y1="{AXIS}" x2="{x:.1}" y2="{:.1}" class="grid"/><text x="{x:.1}" y="17" class="tick" text-anchor="middle">{label}</text>"#,
                self.y
            );
        }
        let failed = self.story.failed.and_then(|place| self.story.rows.get(place)).map(|row| {
            let x = PLOT.0 + self.scale.at(row.outcome.as_ref().map_or(row.ends, |outcome| outcome.at));
            format!(r#"<line x1="{x:.1}" y1="{AXIS}" x2="{x:.1}" y2="{:.1}" class="stop"/>"#, self.y)
        });
        let title = markup(&self.story.title());
        let summary = markup(&self.story.summary());
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"Timeline of {title}: {summary}\">\n{}{axis}{}{}</svg>\n",
            self.bands,
            failed.unwrap_or_default(),
            self.marks
        )
    }
}

/// Whether a deletion is of what a row has sent.
fn is_of(sent: &Row<'_>, deletion: &Row<'_>) -> bool {
    sent.doing == Doing::Hook && sent.object == deletion.object && sent.event == deletion.event
}

fn class(row: &Row<'_>) -> &'static str {
    let tone = row.outcome.as_ref().map_or(Tone::Fine, |outcome| outcome.tone);
    match (row.doing, row.waited, tone) {
        (_, Some(StepResult::Timeout), _) => "bad open",
        (_, _, Tone::Bad) => "bad",
        (_, Some(StepResult::Stale), _) => "stale",
        (_, _, Tone::Notice) => "notice",
        (Doing::Resources, ..) => "resources",
        (Doing::Delete, ..) => "gone",
        (_, None, _) => "instant",
        _ => "fine",
    }
}

/// What stands beside a bar: where there is room, where there is little, and its colour.
fn said(row: &Row<'_>) -> (String, String, &'static str) {
    let same = |words: String| (words.clone(), words, "");
    match (&row.outcome, row.doing) {
        (Some(outcome), _) => {
            let (sign, words) = (outcome.tone.sign(), &outcome.words);
            let short = words.split([':', ';']).next().unwrap_or_default();
            let class = match outcome.tone {
                Tone::Fine => "",
                Tone::Notice => "notice",
                Tone::Bad => "bad",
            };
            (format!("{sign} {words}"), format!("{sign} {short}"), class)
        }
        (None, Doing::Hook) if row.waited.is_some() => same(format!("✓ {}", span(row.ends - row.begins))),
        (None, Doing::Hook) => same(String::new()),
        (None, _) => same(row.words.clone()),
    }
}

/// As much of a text as is no wider than this: both ends, since long names often differ in the last letters only.
fn fitting(text: &str, pixels: f64) -> String {
    if width(text) <= pixels {
        return text.to_owned();
    }
    let half = (pixels - width("…")) / 2.0;
    let fits = |used: &mut f64, letter: char| {
        *used += width_of(letter);
        (*used <= half).then_some(letter)
    };
    let head: String = text.chars().scan(0.0, fits).collect();
    let tail: Vec<char> = text.chars().rev().scan(0.0, fits).collect();
    format!("{head}…{}", tail.into_iter().rev().collect::<String>())
}

fn width(text: &str) -> f64 {
    text.chars().map(width_of).sum()
}

/// About as wide as a letter is in the fonts of the page; rather more than less.
const fn width_of(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | '/' | '\'' | '|' | ' ' => 4.2,
        'f' | 'r' | 't' | '-' | '(' | ')' => 5.0,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 11.8,
        'A'..='Z' => 8.6,
        _ if letter.is_ascii() => 7.4,
        _ => 12.0,
    }
}

fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels of a drawing are few")]
fn letters(pixels: f64) -> usize {
    (pixels.max(0.0) / LETTER) as usize
}

#[expect(clippy::cast_precision_loss, reason = "letters of a line are few")]
fn pixels(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}
