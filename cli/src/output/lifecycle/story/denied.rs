//! Which rules deny what is played: whoever looks at the end of an action alone sees nothing of them.

use std::collections::BTreeSet;

use policies::Mode;

use super::{Story, words::counted};
use crate::rehearsal::Rehearsed;

/// The rules of one mode that object to something, each once.
pub(in crate::output::lifecycle) fn rules_of(scenario: &Rehearsed, mode: Mode) -> BTreeSet<&'static str> {
    scenario.marks.iter().filter(|mark| mark.mode == mode).map(|mark| mark.rule).collect()
}

/// `2 rules deny`.
pub(in crate::output::lifecycle) fn deny(rules: &BTreeSet<&str>) -> String {
    format!("{} {}", counted(rules.len(), "rule"), if rules.len() == 1 { "denies" } else { "deny" })
}

impl Story<'_> {
    /// The rules that deny a hook of this action, each once.
    pub(in crate::output::lifecycle) fn denied_by(&self) -> BTreeSet<&'static str> {
        let marks = self.rows.iter().flat_map(|row| self.rules(row));
        marks.filter(|mark| mark.mode == Mode::Deny).map(|mark| mark.rule).collect()
    }
}
