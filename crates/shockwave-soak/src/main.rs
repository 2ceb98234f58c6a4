//! The soak: everything that a pool can be put through, at once, and for minutes.
//!
//! A *generation* is one pool, configured at random, and threads that hold, hand over, wait,
//! cancel, trim, reset, fork and move between CPUs, on a source that fails. Every second a *judge*
//! stops them all between two steps and holds the pool's books against its own. Then the pool ends,
//! with buffers out, and the source must have everything back.
//!
//! ```text
//!   main ─▶ generation ─▶ actors ──steps──▶ pool ──▶ source (counts, fails)
//!                 └─────▶ judge ── stops the steps, compares ─┘
//! ```

mod actors;
mod bag;
mod generation;
mod judge;
mod plan;
mod source;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use tally::Tally;

/// Puts buffer pools through everything at once, and checks their books every second.
///
/// Ends with status 1 at the first thing that is wrong, naming the seed by which its generation is
/// configured the same way again.
#[derive(Debug, Parser)]
#[command(name = "shockwave-soak")]
struct Args {
    /// How long, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How long each pool lives, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    generation: u64,
    /// Configures the first generation; each after it adds one. Default: another one every time
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let first = args.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let (start, length) = (Instant::now(), Duration::from_secs(args.seconds));
    let tally = Tally::default();
    for seed in first.. {
        let left = length.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        let life = left.min(Duration::from_secs(args.generation));
        match generation::run(seed, life, &tally) {
            Ok(plan) => println!("{:5.0} s  seed {seed}: {plan}", start.elapsed().as_secs_f64()),
            Err(wrong) => {
                eprintln!("shockwave-soak: seed {seed}: {wrong}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\n{tally}");
    match tally.unseen() {
        // Whatever a short run may leave out, a long one has to have seen.
        Some(what) if args.seconds >= 60 => {
            eprintln!("shockwave-soak: in all this time there were no {what}");
            ExitCode::FAILURE
        }
        _ => {
            println!("nothing lost: every source has all its bytes back");
            ExitCode::SUCCESS
        }
    }
}
