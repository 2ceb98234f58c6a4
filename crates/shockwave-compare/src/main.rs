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
mod http;
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
    run(&Args::parse()).unwrap_or_else(|reason| {
        eprintln!("shockwave-compare: {reason}");
        ExitCode::FAILURE
    })
}

fn run(args: &Args) -> Result<ExitCode, String> {
    match &args.command {
        Some(Command::OneProcess { rounds }) => {
            return Ok(print_json(&checks::steady::one_process(*rounds)));
        }
        Some(Command::HttpServer(server)) => {
            return http::serve(*server).map(|()| ExitCode::SUCCESS);
        }
        _ => {}
    }
    if cfg!(debug_assertions) {
        if args.writes() {
            eprintln!("shockwave-compare: --write expects a release build: cargo run --release …");
            return Ok(ExitCode::from(2));
        }
        eprintln!("shockwave-compare: built without optimization; figures mean nothing");
    }
    match &args.command {
        Some(Command::Http(servers)) => http::compare(servers, args.flags()),
        _ => compare(args),
    }
}

/// Compares the pool with its peers, and prints or writes it.
fn compare(args: &Args) -> Result<ExitCode, String> {
    let report = measure(args)?;
    if args.json {
        print_json(&report);
    } else {
        print!("{}", render::text::page(&report, args.detail));
    }
    if let Some(path) = &args.write {
        write(path, &render::markdown::page(&report))?;
    }
    let missed = report.targets.iter().any(|target| !target.is_met());
    Ok(if args.strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Measures what was asked for.
fn measure(args: &Args) -> Result<Report, String> {
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

/// Writes a page, into a folder that need not be there yet, and says so.
fn write(path: &Path, page: &str) -> Result<(), String> {
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, page)
    };
    write().map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    eprintln!("written to {}", path.display());
    Ok(())
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
