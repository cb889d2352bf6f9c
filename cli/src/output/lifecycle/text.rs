//! The timeline as text.

use std::io::{self, Write};

use lifecycle::answer::{Played, StepResult, Verb};

use super::{Kind, Look};
use crate::{
    plain,
    rehearsal::{Rehearsal, Rehearsed},
};

/// Writes the timelines, and of rollouts a line for each first.
///
/// # Errors
/// When they cannot be written.
pub fn write(rehearsal: &Rehearsal, kind: Kind, look: Look, out: &mut dyn Write) -> io::Result<()> {
    for scenario in &rehearsal.scenarios {
        if kind == Kind::Rollout {
            let (sign, word) = if scenario.passed { ('✓', "passed") } else { ('✗', "failed") };
            writeln!(out, "{sign} {} {word} · {}", plain::line(&scenario.name), scenario.player)?;
            for failed in scenario.expectations.iter().filter(|expectation| !expectation.ok) {
                let (expected, actual) = (failed.expected.to_string(), failed.actual.to_string());
                let (field, step) = (failed.field.name(), failed.step + 1);
                let (expected, actual) = (plain::line(&expected), plain::line(&actual));
                writeln!(out, "    step {step}: {field} is {actual}, expected {expected}")?;
            }
        }
        if kind == Kind::Plan || !scenario.passed || look.verbose {
            for played in &scenario.answer.actions {
                action(scenario, played, out)?;
            }
        }
    }
    Ok(())
}

fn action(scenario: &Rehearsed, played: &Played, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{} {} · {}",
        played.action.name(),
        plain::line(&scenario.answer.release),
        scenario.player
    )?;
    for step in &played.steps {
        let event = step.event.map_or("", |event| event.name());
        let object = step.object.as_ref().map_or_else(|| "the release".to_owned(), ToString::to_string);
        let verb = match step.verb {
            Verb::Delete => "delete",
            Verb::Create => "create",
            Verb::Apply => "apply",
            Verb::Wait => "wait",
            Verb::Log => "log",
            Verb::Manifest => "manifest",
        };
        let result = match step.result {
            StepResult::Ok => "ok",
            StepResult::Absent => "absent",
            StepResult::Failed => "failed",
            StepResult::Denied => "denied",
            StepResult::Timeout => "timeout",
            StepResult::Stale => "stale",
            StepResult::Skipped => "skipped",
        };
        writeln!(out, "  {:>7.1}s  {event:<13} {:<40} {verb} {result}", step.at, plain::line(&object))?;
    }
    if let Some(error) = &played.error {
        writeln!(out, "  ✗ {}", plain::line(error))?;
    }
    writeln!(out)
}
