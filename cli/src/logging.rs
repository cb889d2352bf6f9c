//! Where log lines go: stderr, for people or for machines.

use std::{env, io};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::args::{Global, LogFormat, LogLevel};

/// The targets that `--log-level` is about: what we log ourselves. Of others people want to hear what goes wrong.
const OURS: [&str; 6] = ["certs", "cli", "cluster", "hooks", "policies", "webhook"];
/// Targets whose warnings repeat, at every try, what we say once.
const REPEATING: [&str; 2] = ["kube_lease_manager", "kube_runtime::watcher"];
/// Levels by target, for those who look for one library: `h2=debug,webhook=info`.
const VARIABLE: &str = "RUST_LOG";

/// Sends log lines to stderr from now on. A process has one log: the first call counts.
pub fn start(global: &Global, colors: bool) {
    let asked = env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let targets = asked.and_then(|text| text.parse().ok()).unwrap_or_else(|| targets(global.log_level));
    let builder = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(io::stderr);
    // A line that cannot be written is lost: to tell of it, on stderr again, would end the thread in a panic.
    let builder = builder.log_internal_errors(false);
    // A log that stands already is as good as ours.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_ansi(colors).finish().with(targets).try_init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(false).finish().with(targets).try_init()
        }
    };
}

fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let others = if level == LevelFilter::TRACE { level } else { level.min(LevelFilter::WARN) };
    let repeating = if level == LevelFilter::TRACE { level } else { LevelFilter::OFF };
    let ours = OURS.iter().map(|target| (*target, level));
    let quiet = REPEATING.iter().map(|target| (*target, repeating));
    Targets::new().with_default(others).with_targets(ours.chain(quiet))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn debugging_was_drowned_by_what_libraries_say_of_every_frame() {
        let debug = targets(LogLevel::Debug);
        assert!(debug.would_enable("webhook::response", &Level::DEBUG));
        assert!(debug.would_enable("h2::codec", &Level::WARN) && debug.would_enable("rustls", &Level::WARN));
        for library in ["h2::codec", "hyper::proto", "rustls::server", "tokio", "mio"] {
            assert!(!debug.would_enable(library, &Level::INFO), "{library}");
        }
        assert!(!targets(LogLevel::Error).would_enable("h2", &Level::WARN));
        assert!(targets(LogLevel::Trace).would_enable("h2", &Level::TRACE));
        assert!(targets(LogLevel::Trace).would_enable("kube_runtime::watcher", &Level::WARN));
        assert!(!targets(LogLevel::Debug).would_enable("kube_runtime::watcher", &Level::WARN));
    }
}
