//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::fmt::Write;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use shockwave::loadtest::{Progress, human};

use crate::output::tell;

/// Lines for one test, at most; and no more than one each second.
const LINES_MAX: u32 = 10;

/// Shows how a test goes.
#[derive(Debug)]
pub(crate) enum Show {
    /// On a terminal.
    Bar(ProgressBar),
    /// Elsewhere: the name of the test, and when the next line is due.
    Lines(String, Duration),
    /// Nothing, beside JSON for a machine.
    Nothing,
}

impl Show {
    /// For a test of this name and duration. Lines are left out beside `json`.
    pub(crate) fn begin(name: &str, duration: Duration, json: bool) -> Self {
        if stderr().is_terminal() {
            return Self::Bar(bar(name, duration));
        }
        if json {
            return Self::Nothing;
        }
        tell(&format!("{name}: {} s", human::digits(duration.as_secs_f64())));
        Self::Lines(name.to_owned(), pause(duration))
    }

    /// Shows more. Without a pool there is no hit rate to show.
    pub(crate) fn update(&mut self, progress: &Progress, is_pooled: bool) {
        let rate = human::rate(progress.operations_per_second);
        let mut message = format!("{rate:>12} operations/s");
        if is_pooled {
            let _ = write!(message, "   hit rate {:.2} %", progress.hit_rate);
        }
        match self {
            Self::Bar(bar) => {
                bar.set_message(message);
                bar.set_position(millis(progress.elapsed));
            }
            Self::Lines(name, due) if progress.elapsed >= *due => {
                let elapsed = progress.elapsed.as_secs_f64();
                tell(&format!("{name}: {elapsed:>5.1} s {message}"));
                *due = progress.elapsed + pause(progress.duration);
            }
            Self::Lines(..) | Self::Nothing => {}
        }
    }

    /// Clears the bar, so that the results stand alone.
    pub(crate) fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// A bar for something else, counted in steps; it shows on a terminal only.
pub(crate) fn steps(name: &str, steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:40.cyan/dim} {pos}/{len}");
    let bar = ProgressBar::new(steps).with_message(name.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

fn bar(name: &str, duration: Duration) -> ProgressBar {
    // Short, so that the hit rate fits into 80 columns.
    let style = ProgressStyle::with_template("{prefix} {bar:16.cyan/dim} {elapsed} {wide_msg}");
    let bar = ProgressBar::new(millis(duration)).with_prefix(name.to_owned());
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

fn pause(duration: Duration) -> Duration {
    (duration / LINES_MAX).max(Duration::from_secs(1))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
