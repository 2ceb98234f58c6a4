//! The HTTP server of this project beside axum on hyper: the same router on both, in one run.
//!
//! Each server is a process of its own, started from this program, so that its memory can be
//! measured; both stand at the same time, and the load generator `wrk` goes to one and then to the
//! other, in turns that swap from round to round.
//!
//! ```text
//!   parent  ─▶ speed: wrk ────────────┐
//!           ─▶ memory: own client ────┼──▶ child: http-server hyper | shockwave
//!           ─▶ control: its stdin ────┘        router ─▶ axum::serve | shockwave_http
//! ```

mod args;
mod child;
mod client;
mod memory;
mod open_files;
mod render;
mod report;
mod server;
mod speed;
mod targets;
mod wrk;

use std::process::ExitCode;

pub(crate) use args::{HttpArgs, ServerArgs};
use report::Report;
pub(crate) use server::serve;

use crate::args::Flags;
use crate::render::tables::Dress;

/// Measures what was asked for, and prints or writes it.
pub(crate) fn compare(args: &HttpArgs, flags: Flags) -> Result<ExitCode, String> {
    let report = Report::of_run(args, flags.quick)?;
    if flags.json {
        crate::print_json(&report);
    } else {
        print!("{}", render::page(&report, Dress::Terminal));
    }
    if let Some(path) = &args.write {
        crate::write(path, &render::page(&report, Dress::Markdown))?;
    }
    let missed = report.targets.iter().any(|target| !target.is_met());
    Ok(if flags.strict && missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
