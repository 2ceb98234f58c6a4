//! The pool as the arguments ask for it, warmed up, with a word in the log for what it finds.

use std::thread::available_parallelism;

use anyhow::Context;
use shockwave::loadtest::human;
use shockwave::{BufferPool, Outstanding, Sampling};
use tracing::warn;

use super::args::ServeArgs;

/// Buffers of each class to begin with for each core: half of what a core keeps to itself, so that
/// each of them finds its share in the depot when it first looks there.
const WARM_PER_CORE: usize = 32;

/// Bytes that a request is first read into, if there is a class for as many.
const READ_BYTES: usize = 4 << 10;

/// Makes the pool and its first buffers.
pub(crate) fn pool(args: &ServeArgs) -> anyhow::Result<BufferPool> {
    let mut builder = BufferPool::builder().cells(args.cells.into());
    if let Some(classes) = &args.classes {
        builder = builder.classes(&classes.0);
    }
    if let Some(budget) = args.budget {
        builder = builder.budget(budget);
    }
    if let Some(gets) = u32::try_from(args.track).ok().filter(|&gets| gets > 0) {
        builder = builder.track(Sampling::one_in(gets)).on_long_hold(args.long_hold, tell);
    }
    let pool = builder.build().context("cannot make the pool")?;
    let read = READ_BYTES.min(pool.class_sizes().max().unwrap_or(READ_BYTES));
    if pool.try_get(read).is_err() {
        warn!(
            "the budget has no room for a request's buffer: all but health and metrics is refused"
        );
    }
    let count = args.warmup.unwrap_or_else(|| {
        let cores = available_parallelism().map_or(1, usize::from);
        let one_of_each: usize = pool.class_sizes().sum();
        (WARM_PER_CORE * cores).min(args.budget.unwrap_or(usize::MAX) / 2 / one_of_each)
    });
    pool.warmup(count);
    if pool.metrics().pools.iter().any(|class| class.idle < count as u64) {
        warn!(warmup = count, "there is no room for the whole warm-up: try a larger --budget");
    }
    Ok(pool)
}

/// Logs a buffer that is held for long.
fn tell(held: &Outstanding) {
    let Outstanding { size, age, site, thread, .. } = held;
    let size = human::bytes(*size as u64);
    warn!(size, held_for = ?age, taken_at = %site, by_thread = thread, "a buffer is held for long");
}
