//! Comparison: the same work on plain allocation, and what a pool saves of it.

use std::time::Duration;

use serde::Serialize;
use shockwave::loadtest::{LoadTestConfig, LoadTestError, LoadTestResult, Scenario, Supply};

use super::execute::Runner;

/// The classes of a pool that was not told otherwise, which the table of reductions always has.
const CLASSES: [usize; 6] = [
    shockwave::BUFFER_SIZE_2KB,
    shockwave::BUFFER_SIZE_4KB,
    shockwave::BUFFER_SIZE_8KB,
    shockwave::BUFFER_SIZE_16KB,
    shockwave::BUFFER_SIZE_32KB,
    shockwave::BUFFER_SIZE_64KB,
];

/// How long each size is measured with and without a pool, at least and at most. The figures are
/// bytes for each operation, which do not get better with time.
const BRIEF_MIN: Duration = Duration::from_millis(10);
const BRIEF_MAX: Duration = Duration::from_millis(100);

/// The same work on plain allocation.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What came of it.
    pub(crate) allocated: LoadTestResult,
    /// The pool's operations each second by those of plain allocation.
    pub(crate) speedup: f64,
    /// For each size, measured with one buffer after the other.
    pub(crate) allocation_reduction: Vec<Saved>,
}

/// What a pool saves of one size.
#[derive(Debug, Serialize)]
pub(crate) struct Saved {
    pub(crate) size: usize,
    pub(crate) bytes_per_operation_without_pool: f64,
    pub(crate) bytes_per_operation_with_pool: f64,
    pub(crate) reduction_percent: f64,
}

impl Comparison {
    /// Measures it; `None` if Ctrl-C came in between.
    pub(super) fn run(
        runner: &Runner,
        test: &LoadTestConfig,
        pooled: &LoadTestResult,
    ) -> Result<Option<Self>, LoadTestError> {
        let allocated =
            runner.run(&LoadTestConfig { supply: Supply::Allocator, ..test.clone() })?;
        if allocated.ended_early {
            return Ok(None);
        }
        let speedup = if allocated.operations_per_second > 0.0 {
            pooled.operations_per_second / allocated.operations_per_second
        } else {
            0.0
        };
        let mut sizes = [&CLASSES[..], &test.buffer_sizes].concat();
        sizes.sort_unstable();
        sizes.dedup();
        let mut allocation_reduction = Vec::new();
        // Without a counting allocator there is nothing to tell of plain allocation.
        if test.allocations.is_some() {
            for size in sizes {
                let Some(reduction) = Saved::measure(runner, test, size)? else {
                    return Ok(None);
                };
                allocation_reduction.push(reduction);
            }
        }
        Ok(Some(Self { allocated, speedup, allocation_reduction }))
    }
}

impl Saved {
    fn measure(
        runner: &Runner,
        test: &LoadTestConfig,
        size: usize,
    ) -> Result<Option<Self>, LoadTestError> {
        let brief = |supply| LoadTestConfig {
            duration: (test.duration / 20).clamp(BRIEF_MIN, BRIEF_MAX),
            buffer_sizes: vec![size],
            scenario: Scenario::Steady,
            warmup: None,
            supply,
            ..test.clone()
        };
        // On a busy machine no worker may get to run in so short a time.
        let run = |supply| -> Result<LoadTestResult, LoadTestError> {
            loop {
                let result = runner.run_briefly(&brief(supply))?;
                if result.total_operations > 0 || result.ended_early {
                    return Ok(result);
                }
            }
        };
        let (with, without) = (run(Supply::Pool)?, run(Supply::Allocator)?);
        let is_whole = !with.ended_early && !without.ended_early;
        let (with, without) =
            (with.allocated_bytes_per_operation, without.allocated_bytes_per_operation);
        Ok(is_whole.then(|| Self {
            size,
            bytes_per_operation_without_pool: without,
            bytes_per_operation_with_pool: with,
            reduction_percent: reduction_percent(without, with),
        }))
    }
}

/// What part of `without` is saved, in percent: negative if `with` is more, as where each buffer
/// has a header.
fn reduction_percent(without: f64, with: f64) -> f64 {
    if without > 0.0 { (1.0 - with / without) * 100.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reduction_is_what_is_saved() {
        for (without, with, percent) in
            [(4096.0, 0.0, 100.0), (4096.0, 1024.0, 75.0), (64.0, 128.0, -100.0), (0.0, 1.0, 0.0)]
        {
            assert!((reduction_percent(without, with) - percent).abs() < 1e-9);
        }
    }
}
