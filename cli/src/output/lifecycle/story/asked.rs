//! What was asked for, in words: flags that change what becomes of hooks.

use hooks::release::Status;
use lifecycle::{
    answer::{Action, Revision},
    command::{Flags, Wait},
    profile::Engine,
};

use super::{Asked, Story, span};

/// What a kstatus waiter takes for no timeout, in seconds.
///
/// Source: Helm 4.2.4 `pkg/kube/statuswait.go`, `DefaultStatusWatcherTimeout`.
const STATUS_TIMEOUT: f64 = 30.0;

impl Story<'_> {
    /// What else was asked for: `timeout 5m per wait`, `no hooks`.
    pub(in crate::output::lifecycle) fn flags(&self) -> Vec<String> {
        let Some(Asked { flags, .. }) = self.asked else { return Vec::new() };
        let mut words: Vec<_> = self.back_to().into_iter().collect();
        words.extend(timeout(flags, self.engine));
        let said = [
            (flags.wait != Wait::HookOnly, "waits for resources"),
            (flags.rollback_on_failure, "takes back what fails"),
            (flags.no_hooks, "no hooks"),
            (flags.keep_history, "keeps history"),
        ];
        words.extend(said.iter().filter(|(is_so, _)| *is_so).map(|(_, words)| (*words).to_owned()));
        if !flags.filters.is_empty() {
            words.push(format!("only {}", flags.filters.join(", ")));
        }
        words
    }

    /// What a rollback returns to: unless somebody says otherwise, the revision before the newest.
    ///
    /// Source: Helm 4.2.4 `pkg/action/rollback.go`, `prepareRollback`.
    fn back_to(&self) -> Option<String> {
        let made = self.played.revision.filter(|_| self.played.action == Action::Rollback)?;
        let asked = self.asked.and_then(|asked| asked.flags.to);
        let to = asked.or_else(|| made.checked_sub(2)).filter(|to| *to > 0)?;
        let has_failed =
            |revision: &&Revision| revision.revision == to && revision.status == Status::Failed.name();
        let failed = self.played.history.iter().find(has_failed).map(|_| match asked {
            Some(_) => ", which failed",
            None => ", which failed: without --to Helm takes the one before the newest",
        });
        Some(format!("back to revision {to}{}", failed.unwrap_or_default()))
    }

    /// What stands where Helm begins to take back.
    pub(in crate::output::lifecycle) fn undo_words(&self) -> String {
        let before = self.asked.and_then(|asked| asked.before);
        match (self.played.action, before) {
            (Action::Install, _) => "Helm takes the install back".to_owned(),
            (_, Some(before)) => format!("Helm rolls back to revision {before}"),
            (_, None) => "Helm rolls back".to_owned(),
        }
    }

    /// What Argo CD is asked for and never does.
    pub(in crate::output::lifecycle) fn untested(&self) -> Option<&'static str> {
        (self.engine == Engine::ArgoCd && self.played.action == Action::Test)
            .then_some("Argo CD runs no test hooks")
    }

    /// What stands instead of rows where no hook runs.
    pub(in crate::output::lifecycle) fn idle_words(&self) -> String {
        if let Some(words) = self.untested() {
            return words.to_owned();
        }
        let filters = self.asked.map(|asked| asked.flags.filters.join(", ")).unwrap_or_default();
        if filters.is_empty() {
            return "no hook runs".to_owned();
        }
        let chart = self.asked.and_then(|asked| asked.chart.as_deref());
        let hooks = chart.into_iter().flat_map(|chart| &chart.hooks);
        let mut tests: Vec<_> = hooks
            .filter(|hook| hook.events.contains(&hooks::Event::Test))
            .map(|hook| hook.name.as_str())
            .collect();
        tests.dedup();
        match tests.as_slice() {
            [] => "no hook runs: the release has no tests".to_owned(),
            names => format!(
                "no test runs: none fits --filter {filters}; tests of the release: {}",
                names.join(", ")
            ),
        }
    }
}

/// How long each wait may take, in words; Argo CD has no such thing.
fn timeout(flags: &Flags, engine: Engine) -> Option<String> {
    if engine == Engine::ArgoCd {
        return None;
    }
    let asked = flags.timeout.as_secs_f64();
    Some(match hook_limit(flags, engine) {
        Some(limit) if asked > 0.0 => format!("timeout {} per wait", as_asked(limit)),
        Some(limit) => format!("timeout 0, which is {} per wait", span(limit)),
        None => "timeout 0: no limit to the wait for a hook".to_owned(),
    })
}

/// A time that somebody has written, with the part of a second that is of no interest in what was measured.
fn as_asked(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() / 10.0;
    if tenths.fract() == 0.0 || !(60.0..3600.0).contains(&tenths) {
        return span(seconds);
    }
    let minutes = (tenths / 60.0).floor();
    format!("{minutes}m{:04.1}s", tenths - minutes * 60.0)
}

/// How long the end of a hook is awaited, in seconds; `None` is for ever.
///
/// Source: Helm 3.21.4 `pkg/kube/client.go`, `watchUntilReady`; Helm 4.2.4 `pkg/kube/wait.go` the same, `pkg/kube/statuswait.go`.
pub(super) fn hook_limit(flags: &Flags, engine: Engine) -> Option<f64> {
    let asked = flags.timeout.as_secs_f64();
    match engine {
        Engine::ArgoCd => None,
        _ if asked > 0.0 => Some(asked),
        Engine::Helm3 => None,
        Engine::Helm4 | Engine::Flux if flags.wait == Wait::Legacy => None,
        Engine::Helm4 | Engine::Flux => Some(STATUS_TIMEOUT),
    }
}

/// How long it is awaited that something goes, or that resources are ready, in seconds; `None` is for ever.
///
/// Source: Helm 3.21.4 `pkg/kube/wait.go`, `waitForDeletedResources` and `waitForResources`: a context that has ended already.
pub(super) fn other_limit(flags: &Flags, engine: Engine) -> Option<f64> {
    match engine {
        Engine::Helm3 => Some(flags.timeout.as_secs_f64()),
        _ => hook_limit(flags, engine),
    }
}
