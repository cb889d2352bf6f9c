//! The events that run hooks.

use std::fmt;

use crate::annotations::Written;

/// A moment in the life of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Before the first resource is created.
    PreInstall,
    /// After all resources are created.
    PostInstall,
    /// Before any resource is updated.
    PreUpgrade,
    /// After all resources are updated.
    PostUpgrade,
    /// Before a rollback touches anything; the hook comes from the revision that is returned to.
    PreRollback,
    /// After a rollback.
    PostRollback,
    /// Before `helm uninstall` deletes anything.
    PreDelete,
    /// After it has asked for all deletions.
    PostDelete,
    /// `helm test`.
    Test,
}

impl Event {
    /// All of them, in the order a release meets them.
    pub const ALL: [Self; 9] = [
        Self::PreInstall,
        Self::PostInstall,
        Self::PreUpgrade,
        Self::PostUpgrade,
        Self::PreRollback,
        Self::PostRollback,
        Self::PreDelete,
        Self::PostDelete,
        Self::Test,
    ];

    /// The name in the annotation.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::Test => "test",
        }
    }

    /// Reads one item of the list, trimmed and in lower case; Helm 2's `test-success` still means `test`.
    ///
    /// Source: Helm 4.2.4 `pkg/release/v1/util/manifest_sorter.go`, `events`.
    #[must_use]
    pub fn parse(item: &str) -> Option<Self> {
        if item == "test-success" {
            return Some(Self::Test);
        }
        Self::ALL.into_iter().find(|event| event.name() == item)
    }

    /// Whether the event takes something back: a guardrail must not stand in its way.
    #[must_use]
    pub const fn is_recovery(self) -> bool {
        matches!(self, Self::PreRollback | Self::PostRollback | Self::PreDelete | Self::PostDelete)
    }

    /// Whether the event comes again and again in the life of one release.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(self, Self::PreUpgrade | Self::PostUpgrade | Self::PreRollback | Self::PostRollback)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The list of events of one hook.
#[derive(Debug, Clone, PartialEq)]
pub struct Events<'a> {
    /// What was written.
    pub written: Written<'a>,
    /// One entry per item between commas: the item in lower case, and what it means.
    pub items: Vec<(String, Option<Event>)>,
}

impl<'a> Events<'a> {
    /// Splits at commas, trims, lowers, reads.
    #[must_use]
    pub fn parse(written: Written<'a>) -> Self {
        let items = written.items().map(|item| (item.clone(), Event::parse(&item))).collect();
        Self { written, items }
    }

    /// Whether Helm drops the whole manifest: one item that it does not know is enough.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.unknown().next().is_some()
    }

    /// The items that Helm does not know; an empty one too.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|(_, event)| event.is_none()).map(|(item, _)| item.as_str())
    }

    /// The events it does know, duplicates included.
    pub fn known(&self) -> impl Iterator<Item = Event> + '_ {
        self.items.iter().filter_map(|(_, event)| *event)
    }

    /// Whether `event` is in the list.
    #[must_use]
    pub fn contains(&self, event: Event) -> bool {
        self.known().any(|known| known == event)
    }

    /// Whether any event of the list satisfies `predicate`.
    pub fn any(&self, predicate: impl Fn(Event) -> bool) -> bool {
        self.known().any(predicate)
    }

    /// Whether this is a test hook: it has events, and all of them are `test`.
    #[must_use]
    pub fn is_test(&self) -> bool {
        !self.is_dropped() && self.known().all(|event| event == Event::Test)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn events(text: &str) -> Events<'_> {
        Events::parse(Written { text: Cow::Borrowed(text), is_text: true })
    }

    #[test]
    fn items_are_trimmed_and_lowered() {
        assert_eq!(
            events(" Pre-Install ,\tpost-upgrade").known().collect::<Vec<_>>(),
            [Event::PreInstall, Event::PostUpgrade]
        );
        // Go lowers the dotted capital I to a plain i.
        assert!(events("PRE-\u{130}NSTALL").contains(Event::PreInstall));
    }

    #[test]
    fn one_unknown_item_drops_the_manifest() {
        for text in [
            "",
            "pre-install,",
            "pre-install,pre-instal",
            "crd-install",
            "test-failure",
            "pre\u{2010}install",
        ] {
            assert!(events(text).is_dropped(), "{text:?}");
        }
        assert!(!events("pre-install,test-success").is_dropped());
    }

    #[test]
    fn duplicates_are_kept_since_helm_runs_them_twice() {
        assert_eq!(events("test,test-success").known().count(), 2);
    }

    #[test]
    fn a_test_hook_has_only_test_events() {
        assert!(events("test").is_test());
        assert!(!events("test,post-install").is_test());
        assert!(!events("").is_test());
    }

    #[test]
    fn names_read_back() {
        for event in Event::ALL {
            assert_eq!(Event::parse(event.name()), Some(event));
        }
    }
}
