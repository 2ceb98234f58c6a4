//! What came of a load test.

use std::time::Duration;

use super::drive::Driven;
use super::{GivenBack, Latency, LoadTestConfig, Moment, Resident, Scenario, Supply};
use crate::cells::Cells;
use crate::metrics::BufferPoolMetrics;

/// What came of a load test. From [`run`](super::run).
///
/// Its `Display` is a page for people; with the feature `serde` it serializes under the names here.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LoadTestResult {
    /// What the workers did.
    pub scenario: Scenario,
    /// From when the workers were let go until the last was done, as measured.
    pub duration_seconds: f64,
    /// How many workers there were.
    pub workers: usize,
    /// Buffers taken, used and returned.
    pub total_operations: u64,
    /// Operations by the measured time.
    pub operations_per_second: f64,
    /// Hits of all gets in percent, `0..=100`. A get beyond the largest class is no hit.
    pub hit_rate: f64,
    /// Allocations by operations: those that the program's allocator counted on the workers'
    /// threads if the configuration says how to ask it, else the buffers that had to be made.
    pub allocations_per_operation: f64,
    /// Bytes of these allocations by operations.
    pub allocated_bytes_per_operation: f64,
    /// Whether the program's allocator counted the allocations.
    pub allocations_counted: bool,
    /// The source's own count: buffers that had to be made, which are misses and oversize gets.
    pub source_allocations: u64,
    /// How long operations took.
    pub latency_ns: Latency,
    /// Resident memory of the process; `None` where the system does not say.
    pub resident_bytes: Option<Resident>,
    /// How a spike's memory went back; `None` of all else.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub given_back: Option<GivenBack>,
    /// The pool's own account of the measured time. All zeros for plain allocation.
    pub metrics: BufferPoolMetrics,
    /// The sizes that were asked for.
    pub buffer_sizes: Vec<usize>,
    /// Writes of ten bytes into each buffer.
    pub ops_per_buffer: usize,
    /// Where the buffers came from, and how.
    pub supply: SupplyUsed,
    /// Whether the observer ended the test before its time.
    pub ended_early: bool,
    /// How the test went, at some 250 moments, the first and the last included.
    pub timeline: Vec<Moment>,
}

/// Where a test's buffers came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum SupplyUsed {
    /// A pool whose cells are entered by restartable sequences.
    PoolRseq,
    /// A pool whose cells are entered by try-locks.
    PoolLocked,
    /// Plain allocation.
    Allocator,
}

impl SupplyUsed {
    pub(super) fn new(supply: Supply, cells: Cells) -> Self {
        match (supply, cells) {
            (Supply::Allocator, _) => Self::Allocator,
            (Supply::Pool, Cells::Rseq) => Self::PoolRseq,
            (Supply::Pool, _) => Self::PoolLocked,
        }
    }

    /// In words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::PoolRseq => "pool, restartable sequences",
            Self::PoolLocked => "pool, try-locks",
            Self::Allocator => "plain allocation",
        }
    }
}

impl LoadTestResult {
    pub(super) fn new(
        config: &LoadTestConfig,
        supply: SupplyUsed,
        driven: Driven,
        recording: u64,
    ) -> Self {
        let Driven { operations, metrics, .. } = driven;
        let made = metrics.total_misses + metrics.oversize_gets;
        let made_bytes = metrics.memory_allocated + metrics.oversize_allocated;
        let counted = config.allocations.is_some();
        let (count, bytes) = if counted {
            (driven.allocations.count, driven.allocations.bytes)
        } else {
            (made, made_bytes)
        };
        let timing = config.scenario.gives_back(config.duration);
        let timing = timing.filter(|_| config.supply == Supply::Pool);
        let given_back = timing.and_then(|(interval, calm)| {
            GivenBack::new(interval, calm, driven.resident, &driven.timeline)
        });
        Self {
            scenario: config.scenario,
            duration_seconds: driven.measured.as_secs_f64(),
            workers: config.workers,
            total_operations: operations,
            operations_per_second: ratio(operations, driven.measured.as_secs_f64()),
            hit_rate: hit_rate(&metrics),
            allocations_per_operation: each(count, operations),
            allocated_bytes_per_operation: each(bytes, operations),
            allocations_counted: counted,
            source_allocations: made,
            latency_ns: driven.latencies.figures(recording),
            resident_bytes: driven.resident,
            given_back,
            metrics,
            buffer_sizes: config.buffer_sizes.clone(),
            ops_per_buffer: config.ops_per_buffer,
            supply,
            ended_early: driven.ended_early,
            timeline: driven.timeline,
        }
    }

    /// The measured time.
    #[must_use]
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration_seconds)
    }

    /// What the hit rate asks for: nothing above 95 %, more warm-up from 80 to 95 %, a look at the
    /// sizes below. `None` for plain allocation.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if self.metrics.oversize_gets > self.metrics.total_gets {
            return Some(
                "most sizes lie beyond the largest class, and such buffers are not pooled",
            );
        }
        self.metrics.advice()
    }
}

/// Hits of all gets in percent; a get beyond the largest class is no hit.
pub(super) fn hit_rate(metrics: &BufferPoolMetrics) -> f64 {
    // The shares of two percentages would be exact only in theory: 100 times a hundredth is below
    // 1.
    if metrics.oversize_gets == 0 {
        return metrics.global_hit_rate;
    }
    let gets = metrics.total_gets + metrics.oversize_gets;
    (each(metrics.total_hits, gets) * 100.0).min(100.0)
}

fn each(count: u64, of: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    ratio(count, of as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(count: u64, of: f64) -> f64 {
    if of > 0.0 { count as f64 / of } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_beyond_the_classes_is_no_hit() {
        let pool = crate::BufferPool::new();
        assert!(hit_rate(&pool.metrics()).abs() < 1e-9);
        pool.warmup(1);
        drop(pool.get(100));
        assert!((hit_rate(&pool.metrics()) - 100.0).abs() < 1e-9);
        drop(pool.get(1 << 20));
        assert!((hit_rate(&pool.metrics()) - 50.0).abs() < 1e-9);
    }
}
