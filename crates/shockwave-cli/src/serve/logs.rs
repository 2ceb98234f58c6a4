//! The log: lines for people or JSON for programs, on standard error.

use std::io;

use anyhow::anyhow;
use tracing::level_filters::LevelFilter;

use super::args::{LogFormat, LogLevel};
use crate::color::Color;

/// Has all that is logged from here on written to standard error. What cannot be written there is
/// lost: that nobody reads the log is no reason to fail.
pub(crate) fn start(format: LogFormat, level: LogLevel, color: Color) -> anyhow::Result<()> {
    let builder = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::from(level))
        .with_ansi(color.is_enabled())
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow!(error).context("cannot start the log"))
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}
