//! One page that stands for itself: no script, nothing from elsewhere, a drawing of each action.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use lifecycle::scenario::Expectation;
use policies::Mode;

use super::{
    Kind,
    escape::markup,
    story::{Row, Story, Tone, counted, deny, name, names, rules_of, span, value},
};
use crate::rehearsal::{Rehearsal, Rehearsed};

mod drawing;
mod scale;

/// The only style there is; it is part of the page.
const STYLE: &str = include_str!("html/page.css");
/// Nothing is loaded, and nothing runs, whatever stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
/// What the drawings mean.
const LEGEND: [(&str, &str); 8] = [
    (r#"<rect y="1" width="28" height="12" rx="3" class="bar fine"/>"#, "a hook runs, Helm waits"),
    (r#"<rect y="1" width="9" height="12" rx="3" class="bar instant"/>"#, "sent, not awaited"),
    (r#"<rect y="1" width="28" height="12" rx="3" class="bar bad"/>"#, "failed"),
    (r#"<rect x="1" y="1" width="26" height="12" rx="3" class="bar bad open"/>"#, "Helm gave up waiting"),
    (
        r#"<rect x="1" y="1" width="26" height="12" rx="3" class="bar stale"/>"#,
        "did not run: an old end counts",
    ),
    (r#"<rect y="1" width="28" height="12" rx="3" class="bar resources"/>"#, "ordinary resources"),
    (r#"<path d="M8 3L16 11M16 3L8 11" class="cross"/>"#, "deleted"),
    (r#"<line x1="0" y1="7" x2="28" y2="7" class="life stays"/>"#, "left behind"),
];

/// Writes the page.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    let title = match (kind, rehearsal.scenarios.as_slice()) {
        (Kind::Plan(_), [scenario, ..]) => format!("Plan of {}", scenario.answer.release),
        (Kind::Plan(_), []) => "Plan".to_owned(),
        (Kind::Rollout, scenarios) => counted(scenarios.len(), "rollout"),
    };
    let title = markup(&title);
    writeln!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"hookward {}\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>",
        env!("CARGO_PKG_VERSION")
    )?;
    writeln!(out, "<header>\n<h1>{title}</h1>")?;
    match kind {
        Kind::Plan(_) => plan(&rehearsal.scenarios, out)?,
        Kind::Rollout => rollouts(&rehearsal.scenarios, out)?,
    }
    if !rehearsal.problems.is_empty() {
        writeln!(out, "<h2>Could not be read</h2>\n<section class=\"card failed\"><ul>")?;
        for problem in &rehearsal.problems {
            writeln!(out, "<li>{}</li>", markup(&problem.to_string()))?;
        }
        writeln!(out, "</ul></section>")?;
    }
    legend(out)?;
    writeln!(out, "</main>\n<footer>hookward {}</footer>\n</body>\n</html>", env!("CARGO_PKG_VERSION"))
}

fn legend(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<ul class=\"legend\">")?;
    for (drawn, words) in LEGEND {
        writeln!(out, "<li><svg viewBox=\"0 0 30 14\" aria-hidden=\"true\">{drawn}</svg>{words}</li>")?;
    }
    writeln!(out, "<li>Time runs to the right, long waits are drawn shorter than they are.</li>\n</ul>")
}

fn plan(scenarios: &[Rehearsed], out: &mut dyn Write) -> io::Result<()> {
    for scenario in scenarios {
        let (player, namespace) = (markup(&scenario.played_by()), markup(&scenario.answer.namespace));
        writeln!(out, "<p class=\"meta\">{player} · namespace {namespace} · {}</p>", markup(&scenario.file))?;
        denial(&rules_of(scenario, Mode::Deny), out)?;
    }
    writeln!(out, "</header>\n<main>")?;
    for scenario in scenarios {
        let mut argo = None;
        for story in Story::all(scenario).map(Story::in_full) {
            action(&story, "", out)?;
            argo = story.under_argo();
        }
        if let Some(note) = argo {
            writeln!(out, "<p class=\"meta\"><strong>{}</strong>: {}</p>", note.label, markup(&note.text))?;
        }
    }
    Ok(())
}

fn rollouts(scenarios: &[Rehearsed], out: &mut dyn Write) -> io::Result<()> {
    let passed = scenarios.iter().filter(|scenario| scenario.passed).count();
    let names: Vec<_> = names(scenarios).iter().map(|name| markup(name)).collect();
    writeln!(
        out,
        "<p class=\"meta\">{passed} passed, {} failed</p>\n</header>\n<main>",
        scenarios.len() - passed
    )?;
    if scenarios.len() > 1 {
        writeln!(
            out,
            "<section class=\"card\"><table>\n<tr><th>rollout</th><th>played by</th><th class=\"number\">steps</th><th></th></tr>"
        )?;
        for (index, (scenario, name)) in scenarios.iter().zip(&names).enumerate() {
            writeln!(
                out,
                "<tr><td><a href=\"#rollout-{}\">{name}</a></td><td>{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
                index + 1,
                markup(&scenario.played_by()),
                scenario.answer.actions.len(),
                badge(scenario.passed, "passed")
            )?;
        }
        writeln!(out, "</table></section>")?;
    }
    for (index, (scenario, name)) in scenarios.iter().zip(&names).enumerate() {
        writeln!(out, "<h2 id=\"rollout-{}\">{name} {}</h2>", index + 1, badge(scenario.passed, "passed"))?;
        let answer = &scenario.answer;
        writeln!(
            out,
            "<p class=\"meta\">{} · release {} · namespace {} · {}</p>",
            markup(&scenario.played_by()),
            markup(&answer.release),
            markup(&answer.namespace),
            markup(&scenario.file)
        )?;
        for story in Story::all(scenario).map(Story::in_full) {
            action(&story, &format!("Step {}: ", story.index + 1), out)?;
        }
    }
    Ok(())
}

fn badge(is_fine: bool, fine: &str) -> String {
    let (class, word) = if is_fine { ("fine", fine) } else { ("failed", "failed") };
    format!("<span class=\"badge {class}\">{word}</span>")
}

fn action(story: &Story<'_>, before: &str, out: &mut dyn Write) -> io::Result<()> {
    let expected: Vec<_> =
        story.scenario.expectations.iter().filter(|expected| expected.step == story.index).collect();
    let class = if story.is_well() { "fine" } else { "failed" };
    let denied_by = story.denied_by();
    let card = if denied_by.is_empty() { class } else { "failed" };
    writeln!(out, "<section class=\"card {card}\">\n<h3>{before}{} ", markup(&story.title()))?;
    let ended = markup(&story.ended());
    writeln!(out, "<span class=\"badge {class}\">exit {} · {ended}</span></h3>", story.played.exit)?;
    let words = [vec![story.summary()], story.flags()].concat();
    writeln!(out, "<p class=\"meta\">{}</p>", markup(&words.join(" · ")))?;
    denial(&denied_by, out)?;
    if story.rows.is_empty() && story.unrun.is_empty() {
        writeln!(out, "<p class=\"meta\">{}</p>", markup(&story.idle_words()))?;
    } else {
        writeln!(out, "<div class=\"scroll drawing\" tabindex=\"0\">\n{}</div>", drawing::draw(story))?;
    }
    if let Some(error) = story.error() {
        let cause = story.cause().map(|cause| format!("<br>{}", markup(&cause))).unwrap_or_default();
        writeln!(
            out,
            "<p class=\"stops\"><strong>{}</strong>: <code>{}</code>{cause}</p>",
            story.stop_words(),
            markup(&error)
        )?;
    }
    if !expected.is_empty() {
        expectations(&expected, out)?;
    }
    writeln!(out, "<dl>")?;
    if !story.unrun.is_empty() {
        writeln!(out, "<dt>not run</dt><dd>{}</dd>", markup(&story.unrun.words()))?;
    }
    for note in story.notes() {
        let (label, words) = (note.label, &note.text);
        match note.tone {
            Tone::Fine => writeln!(out, "<dt>{label}</dt><dd>{}</dd>", markup(words))?,
            tone => {
                let said = said(tone, &format!("{} {words}", tone.sign()));
                writeln!(out, "<dt>{label}</dt><dd><strong>{said}</strong></dd>")?;
            }
        }
    }
    writeln!(out, "</dl>")?;
    if !story.rows.is_empty() {
        steps(story, !denied_by.is_empty(), out)?;
    }
    writeln!(out, "</section>")
}

fn expectations(expected: &[&Expectation], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<table class=\"expected\">\n<tr><th colspan=\"3\">expected</th></tr>")?;
    for one in expected {
        let (field, wanted, actual) = (one.field.name(), value(&one.expected), value(&one.actual));
        let (class, verdict) =
            if one.ok { ("good", "✓".to_owned()) } else { ("bad", format!("✗ it is {actual}")) };
        writeln!(
            out,
            "<tr><td class=\"narrow\">{field}</td><td>{}</td><td class=\"{class}\">{}</td></tr>",
            markup(&wanted),
            markup(&verdict)
        )?;
    }
    writeln!(out, "</table>")
}

/// That rules deny something, if any does.
fn denial(rules: &BTreeSet<&str>, out: &mut dyn Write) -> io::Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let named: Vec<_> = rules.iter().map(|rule| format!("<code>{}</code>", markup(rule))).collect();
    let sign = Tone::Bad.sign();
    writeln!(out, "<p class=\"stops\"><strong>{sign} {}</strong>: {}</p>", deny(rules), named.join(", "))
}

fn steps(story: &Story<'_>, is_open: bool, out: &mut dyn Write) -> io::Result<()> {
    let open = if is_open { " open" } else { "" };
    writeln!(
        out,
        "<details{open}><summary>what happens, in words</summary>\n<div class=\"scroll\"><table class=\"words\">"
    )?;
    writeln!(
        out,
        "<tr><th class=\"number\">time</th><th>event</th><th>hook</th><th class=\"number\">weight</th><th>what happens</th></tr>"
    )?;
    for (place, row) in story.rows.iter().enumerate() {
        if story.undo == Some(place) {
            writeln!(out, "<tr><td colspan=\"5\" class=\"notice\">{}</td></tr>", story.undo_words())?;
        }
        step(story, row, out)?;
    }
    writeln!(out, "</table></div></details>")
}

fn step(story: &Story<'_>, row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    let namespace = &story.scenario.answer.namespace;
    let object = row.object.map_or_else(|| "resources".to_owned(), |object| name(object, namespace));
    let weight = row.weight.map(|weight| weight.to_string()).unwrap_or_default();
    let mut lines = vec![markup(&row.words)];
    if let Some(outcome) = &row.outcome {
        let at =
            if outcome.at - row.begins >= 0.1 { format!("{}: ", span(outcome.at)) } else { String::new() };
        lines.push(said(outcome.tone, &format!("{at}{} {}", outcome.tone.sign(), outcome.words)));
    }
    for mark in story.rules(row) {
        let tone = Tone::of(mark.mode);
        lines.push(said(tone, &format!("{} rule {} ({})", tone.sign(), mark.rule, mark.mode.name())));
    }
    writeln!(
        out,
        "<tr><td class=\"number\">{}</td><td class=\"narrow\">{}</td><td>{}</td><td class=\"number\">{weight}</td><td>{}</td></tr>",
        span(row.begins),
        row.event.map_or("", |event| event.name()),
        markup(&object),
        lines.join("<br>")
    )
}

fn said(tone: Tone, words: &str) -> String {
    let class = match tone {
        Tone::Fine => "good",
        Tone::Notice => "notice",
        Tone::Bad => "bad",
    };
    format!("<span class=\"{class}\">{}</span>", markup(words))
}

#[cfg(test)]
mod tests;
