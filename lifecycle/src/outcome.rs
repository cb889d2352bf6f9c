//! What the pods of a hook do once they run.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use hooks::{Node, Value};

use crate::{answer::ObjectId, command, scenario::spelling};

/// The annotation of a pod template that says it, on a simulated and on the test cluster.
pub const ANNOTATION: &str = "hookward.dev/outcome";

/// What one pod does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Ends well, after this long.
    Succeeds(Duration),
    /// Fails, after this long; so does every pod that a Job tries next.
    Fails(Duration),
    /// Never ends.
    Hangs,
}

/// How long a pod runs unless somebody says otherwise.
pub const USUAL: Duration = Duration::from_secs(1);

impl Default for Outcome {
    fn default() -> Self {
        Self::Succeeds(USUAL)
    }
}

/// Why something is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is no outcome: say ok, fail, hang, or how long it takes to succeed, as in 90s{hint}")]
pub struct NoOutcome {
    /// What is written, as somebody would write it.
    shown: String,
    /// The word that was most likely meant.
    hint: String,
}

/// The words for outcomes, but for how long one takes.
const WORDS: [&str; 3] = ["ok", "fail", "hang"];
/// How much of what is no outcome is shown, in characters.
const LONGEST: usize = 60;

impl NoOutcome {
    fn new(shown: &str, hint: String) -> Self {
        let cut = shown.char_indices().nth(LONGEST).map_or(shown.len(), |(at, _)| at);
        let more = if cut < shown.len() { "…" } else { "" };
        Self { shown: format!("{}{more}", &shown[..cut]), hint }
    }
}

impl Outcome {
    /// Reads the value of the annotation.
    ///
    /// # Errors
    /// When it is no word for an outcome, and when it is no text: the API server takes nothing else as an annotation.
    pub fn read(written: &Node<'_>) -> Result<Self, NoOutcome> {
        match &written.value {
            Value::String(text) => text.parse(),
            Value::Null => Err(NoOutcome::new("nothing", String::new())),
            _ => Err(NoOutcome::new(&written.to_json().to_string(), String::new())),
        }
    }
}

impl FromStr for Outcome {
    type Err = NoOutcome;

    fn from_str(text: &str) -> Result<Self, NoOutcome> {
        match text {
            "ok" => Ok(Self::default()),
            "fail" => Ok(Self::Fails(USUAL)),
            "hang" => Ok(Self::Hangs),
            _ => command::duration(text).map(Self::Succeeds).ok_or_else(|| {
                let hint = spelling::hint(text, WORDS) + command::without_days(text);
                NoOutcome::new(&format!("{text:?}"), hint)
            }),
        }
    }
}

/// The word that gives this outcome.
impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Succeeds(USUAL) => formatter.write_str("ok"),
            Self::Succeeds(after) => write!(formatter, "{}s", after.as_secs_f64()),
            Self::Fails(_) => formatter.write_str("fail"),
            Self::Hangs => formatter.write_str("hang"),
        }
    }
}

/// Outcomes by `Kind/name`, or by `Kind/namespace/name`, which counts more; what is not named does what its annotation says.
pub type Outcomes = BTreeMap<String, Outcome>;

/// What `outcomes` say of an object.
#[must_use]
pub fn of(outcomes: &Outcomes, id: &ObjectId) -> Option<Outcome> {
    if outcomes.is_empty() {
        return None;
    }
    outcomes.get(&id.in_full()).or_else(|| outcomes.get(&id.to_string())).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: Value<'_>) -> String {
        Outcome::read(&Node::synthetic(value)).unwrap_err().to_string()
    }

    #[test]
    fn an_outcome_that_is_no_text_was_taken_for_none() {
        let asked = "is no outcome: say ok, fail, hang, or how long it takes to succeed, as in 90s";
        assert_eq!(said(Value::Number(5.into())), format!("5 {asked}"));
        assert_eq!(said(Value::Bool(true)), format!("true {asked}"));
        assert_eq!(said(Value::Null), format!("nothing {asked}"));
        assert_eq!(Outcome::read(&Node::synthetic(Value::String("hang".into()))), Ok(Outcome::Hangs));
    }

    #[test]
    fn a_slip_is_told_and_a_long_text_is_cut() {
        assert!(said(Value::String("Failed".into())).ends_with("as in 90s; did you mean \"fail\"?"));
        assert!(said(Value::String("\n".repeat(500).into())).chars().count() < 200);
    }
}
