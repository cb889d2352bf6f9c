//! What the pods of a hook do once they run.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

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

/// Why a text is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no outcome: say ok, fail, hang, or how long it takes to succeed, as in 90s")]
pub struct NoOutcome(String);

impl FromStr for Outcome {
    type Err = NoOutcome;

    fn from_str(text: &str) -> Result<Self, NoOutcome> {
        match text {
            "ok" => Ok(Self::default()),
            "fail" => Ok(Self::Fails(USUAL)),
            "hang" => Ok(Self::Hangs),
            _ => crate::command::duration(text).map(Self::Succeeds).ok_or_else(|| NoOutcome(text.to_owned())),
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

/// Outcomes by `Kind/name`; what is not named does what its annotation says.
pub type Outcomes = BTreeMap<String, Outcome>;
