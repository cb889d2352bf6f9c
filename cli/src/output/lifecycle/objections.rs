//! What the rules have to say of a plan, in one line.

use policies::Mode;

use super::story::rules_of;
use crate::{
    commands::check::Level,
    rehearsal::{Rehearsal, Rehearsed},
};

/// How often the rules object, which of them do, and who says more. Those that only take note are counted, for people who look at all.
pub(super) fn words(scenario: &Rehearsed) -> Option<String> {
    let modes =
        [(Mode::Deny, "deny", true), (Mode::Warn, "warn", true), (Mode::Audit, "only take note", false)];
    counted(scenario, &modes)
}

/// That a plan ends with 1, and by which rules.
pub(super) fn reached(rehearsal: &Rehearsal, level: Level) -> Vec<String> {
    let modes = [(Mode::Deny, "deny", true), (Mode::Warn, "warn", true), (Mode::Audit, "audit", true)];
    let modes: Vec<_> = modes.into_iter().filter(|(mode, ..)| level.is_reached(Some(*mode))).collect();
    let said = rehearsal.scenarios.iter().filter_map(|scenario| counted(scenario, &modes));
    said.map(|words| format!("--fail-on is reached: {words}")).collect()
}

fn counted(scenario: &Rehearsed, modes: &[(Mode, &str, bool)]) -> Option<String> {
    let mut counts = Vec::new();
    let mut flag = "";
    for (mode, word, is_named) in modes {
        let count = scenario.marks.iter().filter(|mark| mark.mode == *mode).count();
        if count == 0 {
            continue;
        }
        let rules = rules_of(scenario, *mode).into_iter().collect::<Vec<_>>().join(", ");
        let named = if *is_named { format!(" ({rules})") } else { String::new() };
        counts.push(format!("{count} {word}{named}"));
        if *mode == Mode::Audit {
            flag = " --show audit";
        }
    }
    let counts = (!counts.is_empty()).then(|| counts.join(", "))?;
    Some(format!("{counts}; `hookward check PATH{flag}` says where and why"))
}
