//! A reporter: logs a pool's hit rate each minute, and warns where it falls below 95 %.
//!
//! `cargo run -p shockwave --example hit_rate_reporter -- 60` reports each 60 seconds, the default,
//! on a workload that it makes up, until Ctrl-C. `report_once` is what a server would take from
//! here.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it reports three short intervals and exits.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use shockwave::{Buffer, BufferPool, BufferPoolMetrics};

/// Percent. Below this, gets allocate often enough to look into it.
const HEALTHY: f64 = 95.0;

/// Percent. Below this, more warm-up will not help, and the sizes are to be looked at.
const POOR: f64 = 80.0;

fn main() -> ExitCode {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let interval = match interval_from_arguments() {
        Ok(_) if brief => Duration::from_millis(200),
        Ok(interval) => interval,
        Err(complaint) => {
            eprintln!("{complaint}");
            eprintln!("usage: hit_rate_reporter [SECONDS], by default 60");
            return ExitCode::from(2);
        }
    };

    let pool = BufferPool::new();
    let load = Load::default();
    let mut before = pool.metrics();
    thread::scope(|scope| {
        scope.spawn(|| load.run(&pool));
        for report in 0.. {
            // In brief mode the load rises for the second interval, so that there is something to
            // see.
            if brief && report == 1 {
                load.held.store(1024, Relaxed);
            }
            thread::sleep(interval);
            before = report_once(&pool, &before);
            if brief && report == 2 {
                break;
            }
        }
        load.done.store(true, Relaxed);
    });
    ExitCode::SUCCESS
}

fn interval_from_arguments() -> Result<Duration, String> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next();
    if let Some(extra) = arguments.next() {
        return Err(format!("one number was expected, but {} follows it", extra.display()));
    }
    let Some(first) = first else { return Ok(Duration::from_secs(60)) };
    match first.to_str().and_then(|text| text.parse().ok()) {
        Some(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("{} is no number of seconds from 1 to 86400", first.display())),
    }
}

/// Logs what happened since `before`, and returns what is known now, for the next report.
///
/// The difference of two snapshots leaves the counts alone, so that several may watch one pool; a
/// `reset_metrics` would pull them away from under all others.
fn report_once(pool: &BufferPool, before: &BufferPoolMetrics) -> BufferPoolMetrics {
    let now = pool.metrics();
    let gets = now.total_gets.saturating_sub(before.total_gets);
    let hits = now.total_hits.saturating_sub(before.total_hits);
    if gets == 0 {
        println!("no gets");
        return now;
    }
    let rate = percent(hits, gets);
    println!("hit rate {rate:.2} % of {gets} gets; {} KiB in use", now.in_use_bytes >> 10);
    if rate < HEALTHY {
        let advice = if rate < POOR { "look at the sizes" } else { "warm up more buffers" };
        eprintln!("warning: the hit rate is below {HEALTHY} %: {advice}");
        for (class, earlier) in now.pools.iter().zip(&before.pools) {
            let misses = class.misses.saturating_sub(earlier.misses);
            if misses > 0 {
                eprintln!("  {misses} made in the class of {} bytes", class.size);
            }
        }
    }
    now
}

#[expect(clippy::cast_precision_loss, reason = "a percentage is for people")]
fn percent(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64 * 100.0
}

/// A workload: rounds in which so many buffers are taken, held for a moment, and dropped.
struct Load {
    held: AtomicUsize,
    done: AtomicBool,
}

impl Default for Load {
    fn default() -> Self {
        Self { held: AtomicUsize::new(128), done: AtomicBool::new(false) }
    }
}

impl Load {
    fn run(&self, pool: &BufferPool) {
        while !self.done.load(Relaxed) {
            let held = self.held.load(Relaxed);
            let round: Vec<Buffer> = (0..held).map(|i| pool.get(1000 + i * 10)).collect();
            thread::sleep(Duration::from_millis(20));
            drop(round);
        }
    }
}
