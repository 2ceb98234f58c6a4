//! The `shockwave` command as a library: arguments become a plan, a plan becomes a result, a result
//! becomes text, JSON or a page.
//!
//! ```text
//!   args ─▶ loadtest::plan ─▶ loadtest::execute ─▶ loadtest::text, JSON, report
//!        ├▶ bench::cases   ─▶ bench::measure    ─▶ bench::table, JSON
//!        ├▶ serve          ─▶ a pool, a server on it, and what tells how they are
//!        ├▶ top            ─▶ what a server tells, in a terminal
//!        └▶ plan           ─▶ settings that follow from it
//! ```
//!
//! It is a library so that the examples in its documentation run, and makes no promise of staying
//! the same.

mod args;
mod bench;
mod color;
mod completions;
mod counting;
mod exit_code;
mod interrupt;
mod loadtest;
mod man;
mod output;
mod parse;
mod plan;
mod progress;
mod reading;
mod report;
#[cfg(unix)]
mod serve;
mod table;
mod top;

use std::process::ExitCode;

use clap::FromArgMatches;

use args::{Args, Command};
use color::Color;
use exit_code::Exit;

pub use counting::CountingAllocator;
pub use parse::{ParseError, parse_duration, parse_percent, parse_size, parse_sizes};

/// Runs the command with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let color = std::env::var("SHOCKWAVE_COLOR").ok();
    let command = args::command().color(args::color_of_help(&arguments, color.as_deref()));
    // Prints help or what was wrong, and exits with 0 or 2.
    let matches = command.get_matches_from(arguments);
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let exit = run(&args).unwrap_or_else(|error| output::failed(&error));
    exit.into()
}

fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Loadtest(loadtest) => loadtest::run(loadtest, Color::for_stdout(args.color)),
        Command::Bench(bench) => bench::run(bench, Color::for_stdout(args.color)),
        #[cfg(unix)]
        Command::Serve(serve) => serve::run(serve, Color::for_stderr(args.color)),
        Command::Top(top) => top::run(top, Color::for_stdout(args.color)),
        Command::Plan(plan) => plan::run(plan),
        Command::Man => man::print(),
        Command::Completions { shell } => completions::print(*shell),
    }
}
