//! Text for people: findings as a compiler shows them, colour where a terminal shows it.

use std::io::{self, Write};

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use policies::Mode;

use crate::{
    plain,
    report::{Entry, Excerpt, Report},
};

/// No line is wider, but for what cannot be broken.
pub const WIDTH: usize = 100;
/// What stands before a line of a file at most: its number and some space.
const GUTTER: usize = 12;

/// How findings are shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// With colour.
    pub colors: bool,
    /// The mildest mode that is shown in full; the others are counted.
    pub show: Mode,
}

/// What a line on the standard error begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// Something that could not be done.
    Error,
    /// Something worth knowing.
    Note,
}

/// `error: …` or `note: …`, with colour or without; folded for people, one line for machines.
#[must_use]
pub fn labelled(label: Label, message: &str, colors: bool, is_folded: bool) -> String {
    let (label, color) = match label {
        Label::Error => ("error", AnsiColor::BrightRed),
        Label::Note => ("note", AnsiColor::BrightGreen),
    };
    let style = if colors { color.on_default().bold() } else { Style::new() };
    let indent = label.len() + 2;
    let fold = |line| {
        let line = plain::line(line);
        if !is_folded {
            return line.into_owned();
        }
        plain::wrap(&line, WIDTH - indent).join(&format!("\n{}", " ".repeat(indent)))
    };
    let lines: Vec<_> = message.lines().map(fold).collect();
    format!("{style}{label}{style:#}: {}", lines.join("\n"))
}

/// Writes findings and a summary.
///
/// # Errors
/// When they cannot be written.
pub fn write(report: &Report, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for entry in report.findings.iter().filter(|entry| entry.mode >= look.show) {
        writeln!(out, "{}\n", finding(entry, look.colors))?;
    }
    writeln!(out, "{}", wrapped(&summary(report, look), WIDTH))
}

fn finding(entry: &Entry, colors: bool) -> String {
    let label = entry.label.as_deref().map(plain::line);
    let caret = entry.place.excerpt.as_ref().map_or(0, |excerpt| excerpt.caret.end);
    // Only where it could be is it rendered to see: a long line is cut, so that more of what stands below it fits.
    let is_wide = |label: &str| {
        caret + label.len() + GUTTER > WIDTH
            && rendered(entry, Some(label), false)
                .lines()
                .any(|line| line.ends_with(label) && line.chars().count() > WIDTH)
    };
    let beside = label.as_deref().filter(|label| !is_wide(label));
    rendered(entry, beside, colors)
}

/// A finding with its label beside the caret, or else, where there is no room for it, below the place.
fn rendered(entry: &Entry, label: Option<&str>, colors: bool) -> String {
    let renderer = if colors { Renderer::styled() } else { Renderer::plain() };
    let (level, word) = match entry.mode {
        Mode::Deny => (Level::ERROR, "error"),
        Mode::Warn => (Level::WARNING, "warning"),
        Mode::Audit | Mode::Off => (Level::NOTE, "note"),
    };
    let taken = word.len() + entry.rule.id.len() + 4;
    let title = wrapped(&entry.message, WIDTH - taken);
    let title = level.primary_title(title).id(entry.rule.id);
    let mut group = match excerpt(entry, label) {
        Some(excerpt) => title.element(excerpt),
        None => title.element(origin(entry)),
    };
    let below = entry.label.clone().filter(|_| label.is_none() && entry.place.excerpt.is_some());
    for (name, text) in below.map(|label| ("here", label)).into_iter().chain(footers(entry)) {
        let width = WIDTH - name.len() - 9;
        group = group.element(Level::NOTE.with_name(Some(name)).message(wrapped(&text, width)));
    }
    with_column(&narrowed(&renderer.term_width(WIDTH).render(&[group]), taken), entry)
}

/// A title has its further lines below its first words; a name that is too long for that begins further to the left.
fn narrowed(rendered: &str, indent: usize) -> String {
    let gap = " ".repeat(indent);
    let mut is_title = true;
    let lines = rendered.lines().map(|line| {
        is_title &= !line.contains("--> ");
        let excess = plain::visible(line).saturating_sub(WIDTH).min(indent);
        if is_title && excess > 0 { line.replacen(&gap, &gap[excess..], 1) } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn excerpt<'e>(entry: &'e Entry, label: Option<&'e str>) -> Option<Snippet<'e, Annotation<'e>>> {
    let Excerpt { text, caret } = entry.place.excerpt.as_ref()?;
    let annotation = AnnotationKind::Primary.span(caret.clone()).label(label);
    Some(
        Snippet::source(text.as_str()).path(path(entry)).line_start(entry.place.line?).annotation(annotation),
    )
}

/// The caret is under the value, and the place is where its name begins: what editors jump to.
fn with_column(rendered: &str, entry: &Entry) -> String {
    let (Some(Excerpt { text, caret }), Some(line), Some(column)) =
        (&entry.place.excerpt, entry.place.line, entry.place.column)
    else {
        return indented(rendered);
    };
    let shown = text.get(..caret.start).unwrap_or("").chars().count() + 1;
    let path = path(entry);
    rendered.replacen(&format!("{path}:{line}:{shown}\n"), &format!("{path}:{line}:{column}\n"), 1)
}

/// A place without a line stands where it would stand beside a line number of one digit.
fn indented(rendered: &str) -> String {
    let mut is_below_title = false;
    let lines = rendered.lines().map(|line| {
        is_below_title |= line.contains("--> ");
        if is_below_title { format!(" {line}") } else { line.to_owned() }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn path(entry: &Entry) -> String {
    let path = plain::line(&entry.place.file);
    match &entry.release {
        Some(release) => format!("{path} ({})", plain::line(release)),
        None => path.into_owned(),
    }
}

fn origin(entry: &Entry) -> Origin<'static> {
    let path = path(entry);
    match (entry.place.line, entry.place.column) {
        (Some(line), Some(column)) => Origin::path(path).line(line).char_column(column),
        (Some(line), None) => Origin::path(path).line(line),
        (None, _) => Origin::path(path),
    }
}

/// What stands below the place. Without a line to look at, the object and the field say where it is.
fn footers(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut footers = Vec::new();
    if let (None, Some(object)) = (&entry.place.excerpt, &entry.object) {
        let field = entry.field.as_deref().filter(|field| !field.is_empty()).unwrap_or("/");
        let name = object.name.as_deref().unwrap_or("(no name)");
        footers.push(("at", format!("{}/{name} {field}", object.kind)));
    }
    if let Some(by) = &entry.exception {
        footers.push(("except", format!("HookException {by} covers it")));
    }
    footers.push(("fix", entry.help.clone()));
    footers.push(("docs", format!("hookward rules {}", entry.rule.id)));
    footers
}

fn wrapped(text: &str, width: usize) -> String {
    plain::wrap(&plain::line(text), width).join("\n")
}

/// `7 hooks in 31 objects: 2 errors, 0 warnings, 4 notes (hookward check --show audit)`.
fn summary(report: &Report, look: Look) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let hidden: Vec<_> = [(Mode::Warn, "warn"), (Mode::Audit, "audit")]
        .into_iter()
        .filter(|(mode, _)| *mode < look.show && report.count(*mode) > 0)
        .collect();
    let rest = hidden.last().map_or_else(String::new, |(_, word)| format!(" (hookward check --show {word})"));
    let left_out = left_out(report.skipped, report.problems.len());
    let nothing = if report.objects + report.findings.len() + report.problems.len() == 0 {
        "; nothing was checked"
    } else {
        ""
    };
    format!(
        "{} in {}: {}, {}, {}{rest}{left_out}{nothing}",
        count(report.hooks, "hook"),
        count(report.objects, "object"),
        count(report.count(Mode::Deny), "error"),
        count(report.count(Mode::Warn), "warning"),
        count(report.count(Mode::Audit), "note"),
    )
}

/// What the end of a summary says about input that was not judged.
pub(super) fn left_out(skipped: usize, problems: usize) -> String {
    let skipped = match skipped {
        0 => String::new(),
        1 => "; 1 chart skipped".to_owned(),
        count => format!("; {count} charts skipped"),
    };
    let unread = match problems {
        0 => String::new(),
        count => format!("; {count} could not be read, see above"),
    };
    format!("{skipped}{unread}")
}

#[cfg(test)]
mod tests;
