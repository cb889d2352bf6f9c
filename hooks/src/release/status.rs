//! The words a record uses for where a revision, and the run of a hook, stand.

use std::fmt;

/// Where a revision stands.
///
/// Source: Helm 4.2.4 `pkg/release/common/status.go`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// Helm says so itself.
    Unknown,
    /// The current revision.
    Deployed,
    /// Uninstalled with its history kept.
    Uninstalled,
    /// A newer revision is deployed.
    Superseded,
    /// An install, upgrade or rollback that did not end well.
    Failed,
    /// An uninstall is running, or one of its hooks failed.
    Uninstalling,
    /// An install is running, or was interrupted.
    PendingInstall,
    /// An upgrade is running, or was interrupted.
    PendingUpgrade,
    /// A rollback is running, or was interrupted, or one of its hooks failed.
    PendingRollback,
    /// A word no known Helm uses.
    #[default]
    Other,
}

impl Status {
    /// Every word Helm uses.
    const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Deployed,
        Self::Uninstalled,
        Self::Superseded,
        Self::Failed,
        Self::Uninstalling,
        Self::PendingInstall,
        Self::PendingUpgrade,
        Self::PendingRollback,
    ];

    /// Reads Helm's word, also from the label `status` of the Secret.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.name() == word).unwrap_or(Self::Other)
    }

    /// Helm's word; `other` for [`Status::Other`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Other => "other",
        }
    }

    /// Whether an install, upgrade or rollback has begun and not ended.
    ///
    /// Source: Helm 4.2.4 `pkg/release/common/status.go`, `IsPending`.
    #[must_use]
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How the last run of a hook ended, or that it has not.
///
/// Source: Helm 4.2.4 `pkg/release/v1/hook.go`, `HookPhase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Helm does not know, or uses a word that we do not know.
    Unknown,
    /// Running now, or Helm was interrupted.
    Running,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
}

impl Phase {
    /// Reads Helm's word; `None` for the empty one of a hook that never ran.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "" => None,
            "Running" => Some(Self::Running),
            "Succeeded" => Some(Self::Succeeded),
            "Failed" => Some(Self::Failed),
            _ => Some(Self::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.name()), status);
        }
        assert_eq!(Status::parse("Deployed"), Status::Other);
        assert_eq!(Status::parse(""), Status::Other);
    }

    #[test]
    fn an_uninstall_is_not_pending() {
        let pending: Vec<_> = Status::ALL.into_iter().filter(|status| status.is_pending()).collect();
        assert_eq!(pending, [Status::PendingInstall, Status::PendingUpgrade, Status::PendingRollback]);
    }

    #[test]
    fn a_hook_that_never_ran_has_no_phase() {
        assert_eq!(Phase::parse(""), None);
        assert_eq!(Phase::parse("Running"), Some(Phase::Running));
        assert_eq!(Phase::parse("Paused"), Some(Phase::Unknown));
    }
}
