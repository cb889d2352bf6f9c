//! Where log lines go: stderr, for people or for machines.

use std::io;

use tracing_subscriber::filter::LevelFilter;

use crate::args::{Global, LogFormat, LogLevel};

/// Sends log lines to stderr from now on. A process has one log: the first call counts.
pub fn start(global: &Global, colors: bool) {
    let level = match global.log_level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr);
    // A log that stands already is as good as ours.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_ansi(colors).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
}
