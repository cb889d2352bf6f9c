//! Helm's own flags, as far as they change what becomes of hooks.

use std::time::Duration;

use lifecycle::{
    answer::Action,
    command::{Flags, Wait},
};

use super::words;

/// Helm's own flags; each goes to the actions that know it.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Helm's flags")]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Wait for the ordinary resources too; or how: watcher, hookOnly, legacy.
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "watcher", value_parser = wait)]
    pub wait: Option<Wait>,
    /// Wait for ordinary Jobs too.
    #[arg(long)]
    pub wait_for_jobs: bool,
    /// Undo an install or an upgrade that fails; Helm 3 says --atomic.
    #[arg(long, visible_alias = "atomic")]
    pub rollback_on_failure: bool,
    /// Leave hooks out.
    #[arg(long)]
    pub no_hooks: bool,
    /// How long each wait may take.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = words::duration)]
    pub timeout: Duration,
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
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<String>,
    /// Print the logs of tests.
    #[arg(long)]
    pub logs: bool,
}

/// Whether objects are sent by server-side apply; `None` leaves it to Helm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerSide(pub Option<bool>);

fn wait(text: &str) -> Result<Wait, String> {
    match text {
        "watcher" | "true" => Ok(Wait::Watcher),
        "hookOnly" | "false" => Ok(Wait::HookOnly),
        "legacy" => Ok(Wait::Legacy),
        _ => Err("say watcher, hookOnly or legacy".to_owned()),
    }
}

fn server_side(text: &str) -> Result<ServerSide, String> {
    match text {
        "auto" => Ok(ServerSide(None)),
        "true" => Ok(ServerSide(Some(true))),
        "false" => Ok(ServerSide(Some(false))),
        _ => Err("say true, false or auto".to_owned()),
    }
}

impl Args {
    /// What one action gets of them.
    #[must_use]
    pub fn of(&self, action: Action) -> Flags {
        let (makes, changes) = (
            matches!(action, Action::Install | Action::Upgrade),
            matches!(action, Action::Install | Action::Upgrade | Action::Rollback),
        );
        let is_test = action == Action::Test;
        Flags {
            no_hooks: self.no_hooks && !is_test,
            wait: self.wait.filter(|_| !is_test).unwrap_or_default(),
            wait_for_jobs: self.wait_for_jobs && changes,
            rollback_on_failure: self.rollback_on_failure && makes,
            timeout: self.timeout,
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
