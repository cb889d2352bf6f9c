//! What the log says of turns: what was done, and what is wrong once each.

use std::error::Error as StdError;

use super::{Error, Source, Turn};
use crate::{reload::written, rotation::Step};

/// Remembers what the log has said.
#[derive(Debug, Default)]
pub(super) struct Journal {
    complaint: Vec<String>,
}

impl Journal {
    pub(super) fn log(&mut self, turn: &Result<Turn, Error>) {
        match turn {
            Ok(turn) => {
                self.complain(turn.problems.iter().map(|problem| one_line(problem)).collect());
                done(turn);
            }
            Err(error) => self.complain(vec![one_line(error)]),
        }
    }

    fn complain(&mut self, complaint: Vec<String>) {
        if self.complaint == complaint {
            return;
        }
        for problem in &complaint {
            tracing::warn!(%problem, "the certificates are not as they should be");
        }
        self.complaint = complaint;
    }
}

fn done(turn: &Turn) {
    match turn.source {
        Source::Store => {}
        Source::Memory => {
            tracing::warn!("the shared certificates were gone or of no use; those in force are written back");
        }
        Source::New if turn.problems.is_empty() => {
            tracing::info!("there were no certificates; made new ones");
        }
        Source::New => tracing::warn!("no certificate that was there could be read; made new ones"),
    }
    for step in &turn.steps {
        match step {
            Step::MakeAuthority => tracing::info!("made a new authority, to be trusted beside the others"),
            Step::MakeLeaf { .. } => tracing::info!("made a new certificate"),
            Step::DropAuthority { .. } => {
                tracing::info!("dropped an authority whose certificates have ended");
            }
            Step::Wait { .. } => {}
        }
    }
    if turn.is_exchanged {
        tracing::info!(not_after = written(turn.not_after), "serving the new certificate");
    }
}

/// The error and its causes; none holds what a certificate or a key does.
fn one_line(error: &dyn StdError) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
