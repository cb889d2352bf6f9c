//! Releases that were played, for people: what `plan` and `rollout` write but for JSON.

use super::{RolloutFormat, Target, plan_v1, rollout_v1};
use crate::{Io, args::Global, commands::check::Level, rehearsal::Rehearsal};

mod escape;
pub mod html;
pub mod junit;
pub mod markdown;
mod objections;
mod story;
pub mod text;

/// How text for people looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// With colour.
    pub colors: bool,
    /// With the steps of what passed, too.
    pub verbose: bool,
}

/// What the page or the report is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `plan`: what will happen to one release; rules that object to it fail from this level on, if one is given.
    Plan(Option<Level>),
    /// `rollout`: whether what happens is what is expected.
    Rollout,
}

/// Tells notes and problems, and writes each result to its place.
///
/// # Errors
/// When it cannot be written.
pub fn print(
    rehearsal: &Rehearsal,
    kind: Kind,
    targets: &[Target<RolloutFormat>],
    global: &Global,
    verbose: bool,
    io: &mut Io<'_>,
) -> anyhow::Result<()> {
    for note in &rehearsal.notes {
        io.note(note, global)?;
    }
    for problem in &rehearsal.problems {
        io.error(&problem.to_string(), global)?;
    }
    if let Kind::Plan(Some(level)) = kind
        && !targets.iter().any(|target| matches!(target.format, RolloutFormat::Text | RolloutFormat::Junit))
    {
        for note in objections::reached(rehearsal, level) {
            io.note(&note, global)?;
        }
    }
    super::write(targets, global, io, |format, colors, out| match format {
        RolloutFormat::Text => text::write(rehearsal, kind, Look { colors, verbose }, out),
        RolloutFormat::Json if matches!(kind, Kind::Plan(_)) => plan_v1::write(rehearsal, out),
        RolloutFormat::Json => rollout_v1::write(rehearsal, out),
        RolloutFormat::Junit => junit::write(rehearsal, kind, out),
        RolloutFormat::Markdown => markdown::write(rehearsal, kind, out),
        RolloutFormat::Html => html::write(rehearsal, kind, out),
    })
}
