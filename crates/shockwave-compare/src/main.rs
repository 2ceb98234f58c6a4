//! The operations of the pool, measured on the pool and on its peers in one run.
//!
//! Everything is interleaved in one process: in each round each contender is measured for a
//! millisecond in each form, one after the other, so that what the machine does to one of them it
//! does to all. What is reported are medians over the rounds, and medians of the ratios within a
//! round.
//!
//! ```text
//!   args ─▶ plan ─▶ runner (loops, threads; a contender each) ─▶ stats ─▶ report ─▶ render
//!                   checks (long, sleepers, steady) ─────────────────────▲
//! ```
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and times become figures that are shown to three digits"
)]
#![expect(clippy::inline_always, reason = "what the loops measure has to be inlined into them")]

mod affinity;
mod args;
mod checks;
mod contender;
mod contenders;
mod forms;
mod loops;
mod losses;
mod machine;
mod plan;
mod render;
mod report;
mod roster;
mod runner;
mod stats;
mod targets;
mod threads;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use checks::Checks;
use report::Report;

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(Command::OneProcess { rounds }) = args.command {
        return print_json(&checks::steady::one_process(rounds));
    }
    if cfg!(debug_assertions) {
        if args.write.is_some() {
            eprintln!("shockwave-compare: --write expects a release build: cargo run --release …");
            return ExitCode::from(2);
        }
        eprintln!("shockwave-compare: built without optimization; figures mean nothing");
    }
    let report = match run(&args) {
        Ok(report) => report,
        Err(reason) => {
            eprintln!("shockwave-compare: {reason}");
            return ExitCode::FAILURE;
        }
    };
    if args.json {
        print_json(&report);
    } else {
        print!("{}", render::text::page(&report, args.detail));
    }
    if let Some(path) = &args.write {
        if let Err(error) = write(path, &render::markdown::page(&report)) {
            eprintln!("shockwave-compare: cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        eprintln!("written to {}", path.display());
    }
    if args.strict && report.targets.iter().any(|target| !target.is_met()) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Measures what was asked for.
fn run(args: &Args) -> Result<Report, String> {
    let plan = args.plan();
    let mut checks = Checks::default();
    let measured = match args.command {
        None => plan.run()?,
        Some(_) => plan.without_cases().run()?,
    };
    if let Some(seconds) = args.long_seconds() {
        checks.long = Some(checks::long::run(seconds));
    }
    if let Some(threads) = args.sleeping_threads() {
        checks.sleepers = Some(checks::sleepers::run(threads));
    }
    if let Some((processes, rounds)) = args.steady_processes() {
        checks.steady = Some(checks::steady::run(processes, rounds)?);
    }
    Ok(Report::new(&measured, checks))
}

fn write(path: &Path, page: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, page)
}

fn print_json(value: &impl serde::Serialize) -> ExitCode {
    match serde_json::to_string_pretty(value) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("shockwave-compare: {error}");
            ExitCode::FAILURE
        }
    }
}
