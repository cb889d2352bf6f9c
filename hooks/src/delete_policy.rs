//! When Helm deletes the objects of a hook, and, in the same words, when it prints their logs.

use std::fmt;

use crate::annotations::Written;

/// One word of `helm.sh/hook-delete-policy` or `helm.sh/hook-output-log-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeletePolicy {
    /// Before the hook is created again; the default.
    BeforeHookCreation,
    /// After all hooks of the event have succeeded, or a later one has failed.
    HookSucceeded,
    /// After this hook has failed.
    HookFailed,
}

impl DeletePolicy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BeforeHookCreation, Self::HookSucceeded, Self::HookFailed];

    /// The word in the annotation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeforeHookCreation => "before-hook-creation",
            Self::HookSucceeded => "hook-succeeded",
            Self::HookFailed => "hook-failed",
        }
    }
}

impl fmt::Display for DeletePolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The list of policies of one hook. Absent is not empty: `""` has one item that matches nothing, and so loses the default.
///
/// Source: Helm 4.2.4 `pkg/action/hooks.go`, `hookSetDeletePolicy`: the default applies if and only if the list has length 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletePolicies<'a> {
    /// What was written; `None` when the annotation is absent.
    pub written: Option<Written<'a>>,
    /// One entry per item between commas: the item in lower case, and what it means.
    pub items: Vec<(String, Option<DeletePolicy>)>,
}

impl<'a> DeletePolicies<'a> {
    /// Splits at commas, trims, lowers, reads.
    #[must_use]
    pub fn parse(written: Option<Written<'a>>) -> Self {
        let read = |item: String| {
            let policy = DeletePolicy::ALL.into_iter().find(|policy| policy.name() == item);
            (item, policy)
        };
        let items = written.as_ref().map(|written| written.items().map(read).collect()).unwrap_or_default();
        Self { written, items }
    }

    /// Whether the annotation is absent.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        self.written.is_none()
    }

    /// Whether `policy` was written.
    #[must_use]
    pub fn contains(&self, policy: DeletePolicy) -> bool {
        self.items.iter().any(|(_, item)| *item == Some(policy))
    }

    /// Whether Helm deletes the objects before it creates them again, written or by default.
    #[must_use]
    pub fn deletes_before_creation(&self) -> bool {
        self.is_absent() || self.contains(DeletePolicy::BeforeHookCreation)
    }

    /// The items that match no policy; an empty one too.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|(_, policy)| policy.is_none()).map(|(item, _)| item.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn policies(text: &str) -> DeletePolicies<'_> {
        DeletePolicies::parse(Some(Written { text: Cow::Borrowed(text), is_text: true }))
    }

    #[test]
    fn absent_means_before_hook_creation_and_empty_does_not() {
        assert!(DeletePolicies::parse(None).deletes_before_creation());
        assert!(!policies("").deletes_before_creation());
        assert!(!policies("hook-succeeded").deletes_before_creation());
    }

    #[test]
    fn items_are_trimmed_and_lowered() {
        let both = policies(" Before-Hook-Creation , HOOK-SUCCEEDED");
        assert!(both.deletes_before_creation() && both.contains(DeletePolicy::HookSucceeded));
        assert_eq!(both.unknown().count(), 0);
    }

    #[test]
    fn unknown_words_are_kept() {
        assert_eq!(
            policies("hook-success,,never").unknown().collect::<Vec<_>>(),
            ["hook-success", "", "never"]
        );
    }
}
