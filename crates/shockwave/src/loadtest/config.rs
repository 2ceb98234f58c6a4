//! What to test, and for how long.

use std::time::Duration;

use super::{Allocations, LoadTestError, Scenario};
use crate::cells::Cells;
use crate::class::{BUFFER_SIZE_4KB, BUFFER_SIZE_8KB};
use crate::limits::BUFFER_BYTES_MAX;

/// Workers in one test, at most: each is a thread or two, with a histogram.
const WORKERS_MAX: usize = 4096;

/// Writes into one buffer, at most: some three milliseconds' worth, so that a test ends when it
/// should.
const OPS_PER_BUFFER_MAX: usize = 1_000_000;

/// A load test to [`run`](super::run). Change what you want of the default:
///
/// ```
/// use shockwave::loadtest::{LoadTestConfig, Scenario};
///
/// let config = LoadTestConfig {
///     buffer_sizes: vec![2048, 16 << 10],
///     scenario: Scenario::Hold,
///     ..LoadTestConfig::default()
/// };
/// assert_eq!(config.duration.as_secs(), 10);
/// ```
#[derive(Debug, Clone)]
pub struct LoadTestConfig {
    /// How long to measure. Default: ten seconds.
    pub duration: Duration,
    /// How many workers, 1 to 4096. Default: as many as the system runs at once.
    pub workers: usize,
    /// The sizes to ask for, each 1 byte to 4 GiB less one. Default: 4 and 8 KiB. What lies beyond
    /// the largest class, 64 KiB, is not pooled, and counts against the hit rate.
    pub buffer_sizes: Vec<usize>,
    /// How many times to write ten bytes into each buffer, 1 to 1,000,000. Default: 100.
    pub ops_per_buffer: usize,
    /// What the workers do. Default: [`Scenario::Steady`].
    pub scenario: Scenario,
    /// How many idle buffers to make first, of each class that the test uses. Default, `None`: what
    /// all workers together hold at once and what every CPU may keep to itself, within 256 MiB.
    /// With `Some(0)` nothing is warmed up, and the first gets are misses.
    pub warmup: Option<usize>,
    /// How the pool's cells are entered. Default: [`Cells::Auto`].
    pub cells: Cells,
    /// Where the buffers come from. Default: [`Supply::Pool`].
    pub supply: Supply,
    /// Tells what the calling thread has allocated so far, if the program has an allocator that
    /// counts. Default: `None`; then the buffers that had to be made are what is counted.
    pub allocations: Option<fn() -> Allocations>,
}

/// Where a test's buffers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Supply {
    /// A pool made for the test.
    #[default]
    Pool,
    /// `Vec::with_capacity` for each buffer, for comparison. There are no metrics then, and no
    /// hits.
    Allocator,
}

impl Default for LoadTestConfig {
    fn default() -> Self {
        Self {
            duration: Duration::from_secs(10),
            workers: std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX),
            buffer_sizes: vec![BUFFER_SIZE_4KB, BUFFER_SIZE_8KB],
            ops_per_buffer: 100,
            scenario: Scenario::default(),
            warmup: None,
            cells: Cells::default(),
            supply: Supply::default(),
            allocations: None,
        }
    }
}

impl LoadTestConfig {
    /// Says what is wrong, if something is, and what was expected.
    pub(super) fn check(&self) -> Result<(), LoadTestError> {
        let refuse = |message| Err(LoadTestError::config(message));
        if self.duration.is_zero() {
            return refuse("the duration is 0; expected more than that".to_owned());
        }
        if !(1..=WORKERS_MAX).contains(&self.workers) {
            return refuse(format!("workers are {}; expected 1 to {WORKERS_MAX}", self.workers));
        }
        if !(1..=OPS_PER_BUFFER_MAX).contains(&self.ops_per_buffer) {
            let ops = self.ops_per_buffer;
            return refuse(format!("ops per buffer are {ops}; expected 1 to {OPS_PER_BUFFER_MAX}"));
        }
        if self.buffer_sizes.is_empty() {
            return refuse("there are no buffer sizes; expected one or more".to_owned());
        }
        let bad = self.buffer_sizes.iter().find(|size| !(1..=BUFFER_BYTES_MAX).contains(*size));
        bad.map_or(Ok(()), |size| {
            refuse(format!("a buffer size is {size}; expected 1 to {BUFFER_BYTES_MAX} bytes"))
        })
    }

    /// The largest size that is asked for.
    pub(super) fn largest_size(&self) -> usize {
        self.buffer_sizes.iter().copied().max().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut LoadTestConfig)) -> String {
        let mut config = LoadTestConfig::default();
        change(&mut config);
        let error = config.check().unwrap_err();
        assert!(error.is_config());
        error.to_string()
    }

    #[test]
    fn what_cannot_be_tested_is_refused_with_what_was_expected() {
        assert!(LoadTestConfig::default().check().is_ok());
        assert!(refusal(|c| c.duration = Duration::ZERO).contains("more than"));
        assert!(refusal(|c| c.workers = 0).contains("1 to 4096"));
        assert!(refusal(|c| c.workers = 4097).contains("1 to 4096"));
        assert!(refusal(|c| c.ops_per_buffer = 0).contains("1 to 1000000"));
        assert!(refusal(|c| c.buffer_sizes.clear()).contains("one or more"));
        assert!(refusal(|c| c.buffer_sizes = vec![4096, 0]).contains("is 0; expected 1 to"));
        assert!(refusal(|c| c.buffer_sizes = vec![usize::MAX]).contains("4294967295"));
    }
}
