//! One Helm command: what is asked of a release, with Helm's own flags.

use std::{sync::Arc, time::Duration};

use crate::{Chart, Outcomes, answer::Action};

/// Helm's own default for each wait.
pub const TIMEOUT: Duration = Duration::from_secs(300);

/// One command.
#[derive(Debug, Clone)]
pub struct Command {
    /// What is asked.
    pub action: Action,
    /// What is installed or upgraded to; the others take what is stored.
    pub chart: Option<Arc<Chart>>,
    /// How.
    pub flags: Flags,
    /// What the pods of its hooks do; beats their annotation.
    pub outcomes: Outcomes,
}

/// Helm's flags, as far as they change what becomes of hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Flags {
    /// `--no-hooks`.
    pub no_hooks: bool,
    /// `--wait`, and how; rolling back on failure implies it.
    pub wait: Wait,
    /// `--wait-for-jobs`.
    pub wait_for_jobs: bool,
    /// `--rollback-on-failure`, Helm 3's `--atomic`.
    pub rollback_on_failure: bool,
    /// `--timeout`: of each wait, not of the whole.
    pub timeout: Duration,
    /// `--keep-history` of an uninstall.
    pub keep_history: bool,
    /// `--cleanup-on-fail`.
    pub cleanup_on_fail: bool,
    /// `helm upgrade --install`.
    pub install: bool,
    /// `--server-side`: `None` is Helm's own choice. Helm 3 knows no such thing.
    pub server_side: Option<bool>,
    /// The revision to roll back to; `None` is the one before the last.
    pub to: Option<u32>,
    /// `helm test --filter`: `name=a` or `!name=a`.
    pub filters: Vec<String>,
    /// `helm test --logs`.
    pub logs: bool,
}

/// How a command waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// Not asked for: hooks only.
    #[default]
    HookOnly,
    /// `--wait`.
    Watcher,
    /// `--wait=legacy`, Helm 4 only.
    Legacy,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            no_hooks: false,
            wait: Wait::default(),
            wait_for_jobs: false,
            rollback_on_failure: false,
            timeout: TIMEOUT,
            keep_history: false,
            cleanup_on_fail: false,
            install: false,
            server_side: None,
            to: None,
            filters: Vec::new(),
            logs: false,
        }
    }
}

/// Reads a duration, up to the next millisecond, which is the smallest step of simulated time: what is more than nothing stays more,
/// since a timeout of nothing is something else to Helm. `None` if it is none.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let milliseconds = hooks::duration::parse(text)?.as_nanos().div_ceil(1_000_000);
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

/// What to add where no duration is written, but days are: the largest unit is the hour.
#[must_use]
pub fn without_days(text: &str) -> &'static str {
    let is_of_days =
        text.starts_with(|first: char| first.is_ascii_digit()) && text.contains(['d', 'D', 'w', 'W']);
    if is_of_days { "; there are no days, use hours: 24h" } else { "" }
}

/// What is wrong with a filter of tests, if something is: Helm passes over what it does not understand, and runs all tests then.
#[must_use]
pub fn filter_fault(filter: &str) -> Option<&'static str> {
    let is_one = |part: &str| filter_name(part).is_some_and(|name| !name.is_empty());
    (!filter.split(',').all(is_one))
        .then_some("write name=a for the test a alone, !name=a for all others; commas between several")
}

/// The names in a filter of tests, whether they are to run or not.
pub fn filter_names(filter: &str) -> impl Iterator<Item = &str> {
    filter.split(',').filter_map(filter_name)
}

fn filter_name(part: &str) -> Option<&str> {
    ["name=", "!name=", "! name="].into_iter().find_map(|key| part.strip_prefix(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_a_millisecond_was_a_timeout_of_nothing() {
        for (text, milliseconds) in [("1ns", 1), ("500us", 1), ("1m.5s", 60_500), ("0s", 0)] {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("5"), None);
    }

    #[test]
    fn days_are_told_from_what_is_no_duration_at_all() {
        assert!(["1d", "2w", "1d02h"].iter().all(|text| without_days(text).ends_with("24h")));
        assert!(["5", "soon", "daily", "1m3"].iter().all(|text| without_days(text).is_empty()));
    }
}
