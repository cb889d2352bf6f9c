//! Helm's own flags, as far as they change what becomes of hooks.

use std::time::Duration;

use lifecycle::{
    Profile,
    answer::Action,
    command::{Flags, Wait, filter_fault},
    profile::Engine,
};

use super::words;

/// Helm's own flags; each goes to the actions that know it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Helm's flags")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Wait for the ordinary resources too; or how: watcher, hookOnly, legacy.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = wait)]
    pub wait: Option<Way>,
    /// Wait for ordinary Jobs too.
    #[arg(long)]
    pub wait_for_jobs: bool,
    /// Undo an install or an upgrade that fails; Helm 3 says --atomic.
    #[arg(long, visible_alias = "atomic")]
    pub rollback_on_failure: bool,
    /// Leave hooks out.
    #[arg(long)]
    pub no_hooks: bool,
    /// How long each wait may take, and what the rules go by [default: engine.timeoutSeconds of the policies, or else 5m].
    #[arg(long, value_name = "DURATION", value_parser = words::duration)]
    pub timeout: Option<Duration>,
    /// Delete new resources when an upgrade or a rollback fails.
    #[arg(long)]
    pub cleanup_on_fail: bool,
    /// Keep the revisions of what is uninstalled.
    #[arg(long)]
    pub keep_history: bool,
    /// The revision to roll back to [default: the one before].
    #[arg(long, value_name = "REVISION")]
    pub to: Option<u32>,
    /// Whether objects are sent by server-side apply: true, false or auto.
    #[arg(long, value_name = "WHETHER", default_value = "auto", value_parser = server_side)]
    pub server_side: ServerSide,
    /// Which tests run: `name=a` or `!name=a` (repeatable).
    #[arg(long, value_name = "FILTER", value_parser = filter)]
    pub filter: Vec<String>,
    /// Print the logs of tests.
    #[arg(long)]
    pub logs: bool,
}

/// Whether ordinary resources are awaited, or how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    wait: Wait,
    written: String,
}

/// Whether objects are sent by server-side apply; `None` leaves it to Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSide(pub Option<bool>);

fn wait(text: &str) -> Result<Way, String> {
    let wait = match text {
        "watcher" | "true" => Wait::Watcher,
        "hookOnly" | "false" => Wait::HookOnly,
        "legacy" => Wait::Legacy,
        _ => return Err("say watcher, hookOnly or legacy".to_owned()),
    };
    Ok(Way { wait, written: text.to_owned() })
}

fn server_side(text: &str) -> Result<ServerSide, String> {
    match text {
        "auto" => Ok(ServerSide(None)),
        "true" => Ok(ServerSide(Some(true))),
        "false" => Ok(ServerSide(Some(false))),
        _ => Err("say true, false or auto".to_owned()),
    }
}

fn filter(text: &str) -> Result<String, String> {
    filter_fault(text).map_or_else(|| Ok(text.to_owned()), |fault| Err(fault.to_owned()))
}

impl Args {
    /// A flag that none of the actions takes, and what to say of it.
    pub(super) fn misplaced(&self, actions: &[Action]) -> Option<(&'static str, String)> {
        use Action::{Install, Rollback, Test, Uninstall, Upgrade};
        let changes: &[Action] = &[Install, Upgrade, Rollback];
        let releases: &[Action] = &[Install, Upgrade, Rollback, Uninstall];
        let given: [(bool, &str, &[Action]); 10] = [
            (self.no_hooks, "--no-hooks", releases),
            (self.wait.is_some(), "--wait", releases),
            (self.to.is_some(), "--to", &[Rollback]),
            (!self.filter.is_empty(), "--filter", &[Test]),
            (self.logs, "--logs", &[Test]),
            (self.keep_history, "--keep-history", &[Uninstall]),
            (self.rollback_on_failure, "--rollback-on-failure", &[Install, Upgrade]),
            (self.cleanup_on_fail, "--cleanup-on-fail", &[Upgrade, Rollback]),
            (self.wait_for_jobs, "--wait-for-jobs", changes),
            (self.server_side.0.is_some(), "--server-side", changes),
        ];
        let is_idle = |(is_given, _, takes): &&(bool, &str, &[Action])| {
            *is_given && !actions.iter().any(|action| takes.contains(action))
        };
        let (_, flag, takes) = given.iter().find(is_idle)?;
        let takes: Vec<_> = takes.iter().map(|action| action.name()).collect();
        let add = takes[0];
        Some((
            *flag,
            format!("only {} takes it; say --action {add} too, or leave it out", takes.join(" or ")),
        ))
    }

    /// A flag that the tool does not have, and what to say of it.
    pub(super) fn foreign(&self, engine: Engine) -> Option<(&'static str, &'static str)> {
        let given = [
            (self.wait.is_some(), "--wait"),
            (self.wait_for_jobs, "--wait-for-jobs"),
            (self.rollback_on_failure, "--rollback-on-failure"),
            (self.no_hooks, "--no-hooks"),
            (self.timeout.is_some(), "--timeout"),
            (self.cleanup_on_fail, "--cleanup-on-fail"),
            (self.keep_history, "--keep-history"),
            (self.server_side.0.is_some(), "--server-side"),
            (!self.filter.is_empty(), "--filter"),
            (self.logs, "--logs"),
        ];
        let way = self.wait.as_ref().map_or("", |way| &way.written);
        let lacks = |flag: &'static str| Some((flag, engine.lacks(flag.trim_start_matches('-'), way)?));
        given.into_iter().filter(|(is_given, _)| *is_given).find_map(|(_, flag)| lacks(flag))
    }

    /// What one action of a tool gets of them.
    #[must_use]
    pub fn of(&self, action: Action, profile: &Profile) -> Flags {
        let usual = profile.flags();
        let (makes, changes) = (
            matches!(action, Action::Install | Action::Upgrade),
            matches!(action, Action::Install | Action::Upgrade | Action::Rollback),
        );
        let is_test = action == Action::Test;
        Flags {
            no_hooks: self.no_hooks && !is_test,
            wait: match &self.wait {
                _ if is_test => Wait::default(),
                None => usual.wait,
                Some(way) => way.wait,
            },
            wait_for_jobs: (self.wait_for_jobs || usual.wait_for_jobs) && changes,
            rollback_on_failure: self.rollback_on_failure && makes,
            timeout: self.timeout.unwrap_or(usual.timeout),
            keep_history: self.keep_history && action == Action::Uninstall,
            cleanup_on_fail: self.cleanup_on_fail && matches!(action, Action::Upgrade | Action::Rollback),
            install: false,
            server_side: self.server_side.0.filter(|_| changes),
            to: self.to.filter(|to| *to > 0 && action == Action::Rollback),
            filters: if is_test { self.filter.clone() } else { Vec::new() },
            logs: self.logs && is_test,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn args(words: &[&str]) -> Result<Args, clap::Error> {
        let words = [&["plan"], words].concat();
        Cli::try_parse_from(words).map(|cli| cli.args)
    }

    #[test]
    fn a_filter_without_a_key_is_not_passed_over() {
        for good in ["name=a", "!name=a", "name=a,name=b"] {
            assert_eq!(args(&["--filter", good]).unwrap().filter, [good]);
        }
        for bad in ["x", "name=", "name=a,b", "kind=Job", ""] {
            let said = args(&["--filter", bad]).unwrap_err().to_string();
            assert!(said.contains("write name=a"), "{bad}: {said}");
        }
    }

    #[test]
    fn a_flag_that_no_action_takes_is_told() {
        use Action::{Install, Rollback, Test, Upgrade};
        let given = args(&["--to", "1", "--filter", "name=a"]).unwrap();
        let (flag, message) = given.misplaced(&[Install, Upgrade]).unwrap();
        assert_eq!(
            (flag, message.as_str()),
            ("--to", "only rollback takes it; say --action rollback too, or leave it out")
        );
        assert_eq!(given.misplaced(&[Install, Rollback]).unwrap().0, "--filter");
        assert_eq!(given.misplaced(&[Rollback, Test]), None);
        assert_eq!(args(&[]).unwrap().misplaced(&[Test]), None);
    }

    #[test]
    fn a_test_took_flags_that_helm_test_does_not_have() {
        for (word, flag) in [("--no-hooks", "--no-hooks"), ("--wait=legacy", "--wait")] {
            let given = args(&[word]).unwrap();
            assert_eq!(given.misplaced(&[Action::Test]).unwrap().0, flag);
            assert_eq!(given.misplaced(&[Action::Uninstall, Action::Test]), None);
        }
    }

    #[test]
    fn flags_that_the_tool_does_not_have_were_taken_and_shown() {
        let foreign = |engine, words: &[&str]| args(words).unwrap().foreign(engine).map(|(flag, _)| flag);
        assert_eq!(foreign(Engine::ArgoCd, &["--atomic", "--no-hooks"]), Some("--rollback-on-failure"));
        assert_eq!(foreign(Engine::ArgoCd, &["--timeout", "1m"]), Some("--timeout"));
        assert_eq!(foreign(Engine::ArgoCd, &["--to", "1"]), None);
        assert_eq!(foreign(Engine::Helm3, &["--server-side", "true"]), Some("--server-side"));
        assert_eq!(foreign(Engine::Helm3, &["--wait=watcher"]), Some("--wait"));
        assert_eq!(foreign(Engine::Helm3, &["--wait", "--atomic", "--logs"]), None);
        assert_eq!(foreign(Engine::Helm4, &["--wait=legacy", "--server-side", "false"]), None);
    }

    #[test]
    fn flux_waits_for_resources_unless_told_otherwise() {
        let wait = |tool, words: &[&str]| {
            args(words).unwrap().of(Action::Install, &Profile::find(tool).unwrap()).wait
        };
        assert_eq!((wait("flux", &[]), wait("4", &[])), (Wait::Watcher, Wait::HookOnly));
        assert_eq!(wait("flux", &["--wait=hookOnly"]), Wait::HookOnly);
    }
}
