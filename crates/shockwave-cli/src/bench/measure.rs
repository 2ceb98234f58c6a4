//! Measuring: a case is timed in many short batches, between those of all other cases, so that what
//! slows the machine down for a while slows all of them down.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use shockwave::BufferPool;
use shockwave::loadtest::Allocations;

use super::cases::Case;
use crate::counting;

/// How long to measure.
#[derive(Debug)]
pub(super) struct Effort {
    /// Batches of each case.
    pub(super) rounds: usize,
    /// How long each takes, about.
    batch: Duration,
}

impl Effort {
    /// Some four seconds in all: 51 rounds of 18 batches.
    pub(super) const FULL: Self = Self { rounds: 51, batch: Duration::from_millis(4) };
    /// A fraction of a second.
    pub(super) const QUICK: Self = Self { rounds: 5, batch: Duration::from_micros(500) };
}

/// What was measured of one case.
#[derive(Debug)]
pub(super) struct Samples {
    /// Operations of each thread in a batch.
    times: usize,
    operations: usize,
    /// For each operation, one of each batch.
    nanos: Vec<f64>,
    allocations: Allocations,
}

impl Samples {
    /// Finds how many operations take as long as a batch is to take. Warms the case up, too.
    pub(super) fn calibrate(case: &Case, pool: &BufferPool, effort: &Effort) -> Self {
        let mut times = 16;
        while batch(case, pool, times).0 < effort.batch && times < 1 << 30 {
            times *= 2;
        }
        Self { times, operations: 0, nanos: Vec::new(), allocations: Allocations::default() }
    }

    /// Measures one batch.
    pub(super) fn add(&mut self, case: &Case, pool: &BufferPool) {
        let (took, allocations) = batch(case, pool, self.times);
        let operations = self.times * case.threads;
        #[expect(clippy::cast_precision_loss, reason = "a few million")]
        self.nanos.push(took.as_secs_f64() * 1e9 / operations as f64);
        self.operations += operations;
        self.allocations += allocations;
    }

    /// Nanoseconds for each operation: all threads together, so that two of them that disturb each
    /// other in nothing halve it.
    pub(super) fn median_nanos(&mut self) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        self.nanos.get(self.nanos.len() / 2).copied().unwrap_or(0.0)
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub(super) fn bytes_per_operation(&self) -> f64 {
        self.allocations.bytes as f64 / self.operations.max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub(super) fn allocations_per_operation(&self) -> f64 {
        self.allocations.count as f64 / self.operations.max(1) as f64
    }
}

/// Does a case's work on each of its threads, and says how long it took and what was allocated.
fn batch(case: &Case, pool: &BufferPool, times: usize) -> (Duration, Allocations) {
    if case.threads == 1 {
        let (start, end, allocations) = stretch(case, pool, times);
        return (end - start, allocations);
    }
    let barrier = Barrier::new(case.threads);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..case.threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    stretch(case, pool, times)
                })
            })
            .collect();
        let mut all: Option<(Instant, Instant, Allocations)> = None;
        for thread in threads {
            let one = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            let (start, end, mut allocations) =
                all.unwrap_or((one.0, one.1, Allocations::default()));
            allocations += one.2;
            all = Some((start.min(one.0), end.max(one.1), allocations));
        }
        all.map_or((Duration::ZERO, Allocations::default()), |(start, end, sum)| (end - start, sum))
    })
}

/// The work of one thread, from when to when, and what it allocated.
fn stretch(case: &Case, pool: &BufferPool, times: usize) -> (Instant, Instant, Allocations) {
    let reader = counting::reader();
    let allocated = || reader.map_or_else(Allocations::default, |read| read());
    let before = allocated();
    let start = Instant::now();
    case.work(pool, times);
    let end = Instant::now();
    (start, end, allocated() - before)
}
