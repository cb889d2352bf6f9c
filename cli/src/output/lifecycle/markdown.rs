//! Markdown to be pasted into a pull request: a table of what came of it, the timelines folded away.

use std::io::{self, Write};

use super::{
    Kind,
    escape::markdown as text,
    story::{Row, Story, Tone, counted, name, span},
};
use crate::rehearsal::{Rehearsal, Rehearsed};

/// Writes the document.
///
/// # Errors
/// When it cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, out: &mut dyn Write) -> io::Result<()> {
    match kind {
        Kind::Plan(_) => {
            for scenario in &rehearsal.scenarios {
                let answer = &scenario.answer;
                writeln!(out, "## Plan of {} ({})\n", text(&answer.release), text(scenario.player))?;
                plan(scenario, out)?;
            }
        }
        Kind::Rollout => rollouts(&rehearsal.scenarios, out)?,
    }
    if !rehearsal.problems.is_empty() {
        writeln!(out, "### Could not be read\n")?;
        for problem in &rehearsal.problems {
            writeln!(out, "- {}", text(&problem.to_string()))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn plan(scenario: &Rehearsed, out: &mut dyn Write) -> io::Result<()> {
    if scenario.answer.actions.is_empty() {
        return Ok(());
    }
    actions(scenario, out)?;
    for story in Story::all(scenario) {
        timeline(&story, "", !story.is_fine(), out)?;
    }
    Ok(())
}

fn rollouts(scenarios: &[Rehearsed], out: &mut dyn Write) -> io::Result<()> {
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
    for scenario in scenarios {
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
            "| {} | {} | {} | {} | {} |",
            badge(scenario.passed),
            text(&scenario.name),
            text(scenario.player),
            scenario.answer.actions.len(),
            unmet.join("<br>")
        )?;
    }
    writeln!(out)?;
    for scenario in scenarios {
        if !scenario.passed {
            writeln!(out, "### {} {}\n", badge(false), text(&scenario.name))?;
            actions(scenario, out)?;
        }
        let unmet =
            |index| scenario.expectations.iter().any(|expected| expected.step == index && !expected.ok);
        for story in Story::all(scenario).filter(|_| !scenario.passed) {
            timeline(&story, &format!("step {}: ", story.index + 1), unmet(story.index), out)?;
        }
    }
    Ok(())
}

fn actions(scenario: &Rehearsed, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "| | action | ends | hooks | left behind |\n|---|---|---|--:|---|")?;
    for story in Story::all(scenario) {
        let ends = match story.error() {
            Some(error) => format!("{}: {}", text(story.status()), code(&error)),
            None => text(story.status()),
        };
        let ran = story.ran();
        let left: Vec<_> = story.played.leftovers.iter().map(|left| code(&left.to_string())).collect();
        let title = text(&story.title());
        writeln!(out, "| {} | {title} | {ends} | {ran} | {} |", badge(story.is_fine()), left.join(" "))?;
    }
    writeln!(out)
}

fn timeline(story: &Story<'_>, before: &str, is_open: bool, out: &mut dyn Write) -> io::Result<()> {
    let open = if is_open { " open" } else { "" };
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
        writeln!(out, "- **{}**: {}", note.label, text(&note.text))?;
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
        Tone::Bad => "❌",
    }
}

#[cfg(test)]
mod tests;
