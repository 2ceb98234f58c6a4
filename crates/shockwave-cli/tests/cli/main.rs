//! The command as its users meet it: arguments in, output and an exit code out.
#![expect(clippy::float_cmp, reason = "counts by counts that divide exactly")]

mod bench;
#[cfg(target_os = "linux")]
mod browser;
#[cfg(target_os = "linux")]
mod chromium;
mod describes_itself;
#[cfg(target_os = "linux")]
mod large_bodies;
mod loadtest;
#[cfg(target_os = "linux")]
mod memory;
mod refusals;
mod report;
#[cfg(target_os = "linux")]
mod serve;
mod server;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod tmux;
mod watch;
