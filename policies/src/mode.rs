//! What a finding leads to, how bad it is, and the profiles that decide both.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a finding leads to; each is stricter than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The rule is not run.
    Off,
    /// Report and metric only.
    Audit,
    /// Admitted with a warning and an Event.
    Warn,
    /// Refused.
    Deny,
}

impl Mode {
    /// The word in settings and outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How much harm the problem does when it strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Untidy.
    Low,
    /// Costs time.
    Medium,
    /// Breaks releases.
    High,
    /// Loses data, or gives the cluster away.
    Critical,
}

impl Severity {
    /// The word in outputs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A set of modes; all derive from the baseline that each rule declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nothing is denied, nothing is changed: the first install.
    Audit,
    /// What each rule declares.
    #[default]
    Baseline,
    /// Warnings about high and critical problems become denials.
    Strict,
}

impl Profile {
    /// All of them, mildest first.
    pub const ALL: [Self; 3] = [Self::Audit, Self::Baseline, Self::Strict];

    /// The word in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Baseline => "baseline",
            Self::Strict => "strict",
        }
    }

    /// The mode that this profile makes of a baseline, for a finding of this severity.
    #[must_use]
    pub fn mode(self, baseline: Mode, severity: Severity, strict: Option<Mode>) -> Mode {
        match self {
            Self::Audit => baseline.min(Mode::Audit),
            Self::Baseline => baseline,
            Self::Strict if baseline == Mode::Warn && severity >= Severity::High => Mode::Deny,
            Self::Strict => strict.map_or(baseline, |strict| strict.max(baseline)),
        }
    }

    /// Whether objects are changed under this profile where the rule's own default says so.
    #[must_use]
    pub const fn fixes(self) -> bool {
        !matches!(self, Self::Audit)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_denies_and_changes_nothing() {
        assert_eq!(Profile::Audit.mode(Mode::Deny, Severity::Critical, Some(Mode::Deny)), Mode::Audit);
        assert_eq!(Profile::Audit.mode(Mode::Off, Severity::Low, None), Mode::Off);
        assert!(!Profile::Audit.fixes());
    }

    #[test]
    fn strict_turns_grave_warnings_into_denials() {
        assert_eq!(Profile::Strict.mode(Mode::Warn, Severity::High, None), Mode::Deny);
        assert_eq!(Profile::Strict.mode(Mode::Warn, Severity::Medium, None), Mode::Warn);
        assert_eq!(Profile::Strict.mode(Mode::Warn, Severity::Medium, Some(Mode::Deny)), Mode::Deny);
        assert_eq!(Profile::Strict.mode(Mode::Audit, Severity::Critical, None), Mode::Audit);
    }
}
