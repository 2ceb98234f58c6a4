//! Metrics: a snapshot of a pool as plain data.
//!
//! For each class, and exact whenever no get or put is in flight:
//!
//! ```text
//!   created = in_use + idle          gets = hits + misses          puts = gets - in_use
//!   gets = gets_cell + gets_depot + misses
//! ```
//!
//! after a reset, with everything but `created`, `in_use` and `idle` counted from there.

use std::fmt;

use crate::depot::Counts;
use crate::engine::Engine;
use crate::loans::{RawHandles, raw_handles};
use crate::oversize::OversizeSnapshot;
use crate::track::{Tracker, pools_ended_in_use};

/// What a pool has done and what it holds. From
/// [`BufferPool::metrics`](crate::BufferPool::metrics).
///
/// Its `Display` is a page for people; with the feature `serde` it serializes under the names here.
///
/// ```
/// let pool = shockwave::BufferPool::new();
/// drop(pool.get(4096)); // made
/// drop(pool.get(4096)); // found
/// let metrics = pool.metrics();
/// assert_eq!(metrics.global_hit_rate, 50.0);
/// assert_eq!(metrics.pool(4096).map(|class| (class.hits, class.misses)), Some((1, 1)));
/// println!("{metrics}");
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BufferPoolMetrics {
    /// One for each class, ascending by size.
    pub pools: Vec<SizedPoolMetrics>,
    /// Gets that were served by a class.
    pub total_gets: u64,
    /// Buffers of a class that came back.
    pub total_puts: u64,
    /// Gets that found a buffer.
    pub total_hits: u64,
    /// Gets that had to make one.
    pub total_misses: u64,
    /// Buffers of other pools that were put into this one, which sent them home.
    pub total_discards: u64,
    /// Hits of all gets in percent, `0..=100`; 0 before the first get.
    pub global_hit_rate: f64,
    /// Bytes of buffers made for gets of a class.
    pub memory_allocated: u64,
    /// Bytes of buffers found by gets of a class.
    pub memory_reused: u64,
    /// Bytes found, of bytes given out, in percent, `0..=100`; 0 before the first get.
    pub reuse_efficiency: f64,
    /// Gets beyond the largest class, each of which allocates.
    pub oversize_gets: u64,
    /// Buffers beyond the largest class that were dropped, and so freed.
    pub oversize_puts: u64,
    /// Bytes allocated for gets beyond the largest class.
    pub oversize_allocated: u64,
    /// Bytes of buffers beyond the largest class that are in use now.
    pub oversize_in_use_bytes: u64,
    /// Gets that got nothing.
    pub refused: u64,
    /// Bytes of all buffers in use now, oversize included.
    pub in_use_bytes: u64,
    /// Bytes of all idle buffers now.
    pub idle_bytes: u64,
    /// Bytes of all buffers that are frozen now, whole, however little of each is still shown by a
    /// [`Shared`](crate::Shared). Part of `in_use_bytes`.
    pub pinned_bytes: u64,
    /// Bytes that the pool may take from its source; 0 where no
    /// [`budget`](crate::BufferPoolBuilder::budget) was set.
    pub budget_bytes: u64,
    /// Bytes that the pool has from its source now: in use, idle, and headers of buffers beyond the
    /// largest class.
    pub taken_bytes: u64,
    /// Gets refused because the budget was used up, of all that were [`refused`](Self::refused).
    /// Requests that waited instead are not among them, but those whose time ran out are.
    pub over_budget: u64,
    /// Requests that wait for a buffer now.
    pub waiters: u64,
    /// Requests that have had to wait.
    pub waits: u64,
    /// Buffers of a class given back to the source.
    pub total_trimmed: u64,
    /// Bytes of buffers of a class given back to the source.
    pub released_bytes: u64,
    /// Idle buffers found written to by
    /// [`verify_zero`](crate::BufferPoolBuilder::verify_zero), since the pool was built: an alarm,
    /// which a reset does not silence.
    pub writes_after_return: u64,
    /// Sampled gets that [`track`](crate::BufferPoolBuilder::track) had no room to record, since
    /// the pool was built.
    pub tracking_lost: u64,
    /// Buffers told of by [`on_long_hold`](crate::BufferPoolBuilder::on_long_hold) for having been
    /// out for longer than its threshold, each once, since the pool was built: like the two above,
    /// a reset leaves it.
    pub long_holds: u64,
    /// Raw handles that are out, and that were refused, in the whole process: of a handle that is
    /// refused it is not known which pool it was meant for. A reset leaves them.
    pub raw_handles: RawHandles,
    /// Pools of the whole process that ended while buffers of theirs were out. A reset leaves it.
    pub pools_ended_in_use: u64,
}

/// One class of a pool.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SizedPoolMetrics {
    /// Bytes of each buffer.
    pub size: usize,
    /// Gets that this class served: `hits + misses`.
    pub gets: u64,
    /// Buffers that came back.
    pub puts: u64,
    /// Gets that found a buffer.
    pub hits: u64,
    /// Gets that had to make one.
    pub misses: u64,
    /// Buffers of other pools that were put into this one and would have been of this class.
    pub discards: u64,
    /// Hits of gets in percent, `0..=100`; 0 before the first get.
    pub hit_rate: f64,
    /// Bytes made for gets: `misses * size`.
    pub allocated: u64,
    /// Bytes found by gets: `hits * size`.
    pub reused: u64,
    /// Buffers out now.
    pub in_use: u64,
    /// Buffers that lie idle now.
    pub idle: u64,
    /// Buffers there are now: `in_use + idle`.
    pub created: u64,
    /// Gets served by a CPU's own cell, the fast path.
    pub gets_cell: u64,
    /// Gets served by the depot.
    pub gets_depot: u64,
    /// Puts taken by a CPU's own cell, the fast path.
    pub puts_cell: u64,
    /// Puts taken by the depot.
    pub puts_depot: u64,
    /// Buffers given back to the source.
    pub trimmed: u64,
    /// Gets that got nothing.
    pub refused: u64,
}

impl BufferPoolMetrics {
    /// Takes a snapshot.
    pub(crate) fn of(engine: &Engine) -> Self {
        let class = |class| {
            let (now, before) = engine.counts(class);
            SizedPoolMetrics::new(engine.classes.bytes(class), &now, &before)
        };
        let pools = (0..engine.classes.count()).map(class).collect();
        let (now, before) = engine.oversize();
        let (ledger, governor) = (engine.ledger(), &engine.governor);
        let (over_budget, waits) = governor.counts();
        Self {
            pinned_bytes: engine.controls.pinned_bytes(),
            budget_bytes: ledger.budget().map_or(0, |budget| budget as u64),
            taken_bytes: ledger.taken() as u64,
            over_budget,
            waiters: governor.queue.waiting() as u64,
            waits,
            writes_after_return: engine.modes.verify.found(),
            tracking_lost: engine.tracker.as_ref().map_or(0, Tracker::lost),
            long_holds: engine.tracker.as_ref().map_or(0, Tracker::long_holds),
            raw_handles: raw_handles(),
            pools_ended_in_use: pools_ended_in_use(),
            ..Self::sum(pools, &now, &before)
        }
    }

    fn sum(
        pools: Vec<SizedPoolMetrics>,
        now: &OversizeSnapshot,
        before: &OversizeSnapshot,
    ) -> Self {
        let total = |field: fn(&SizedPoolMetrics) -> u64| pools.iter().map(field).sum::<u64>();
        let (gets, hits) = (total(|class| class.gets), total(|class| class.hits));
        let (allocated, reused) = (total(|class| class.allocated), total(|class| class.reused));
        Self {
            total_gets: gets,
            total_puts: total(|class| class.puts),
            total_hits: hits,
            total_misses: total(|class| class.misses),
            total_discards: total(|class| class.discards)
                + now.discards.saturating_sub(before.discards),
            global_hit_rate: percent(hits, gets),
            memory_allocated: allocated,
            memory_reused: reused,
            reuse_efficiency: percent(reused, allocated + reused),
            oversize_gets: now.gets.saturating_sub(before.gets),
            oversize_puts: now.puts.saturating_sub(before.puts),
            oversize_allocated: now.bytes_allocated.saturating_sub(before.bytes_allocated),
            oversize_in_use_bytes: now.bytes_in_use,
            refused: total(|class| class.refused) + now.refused.saturating_sub(before.refused),
            in_use_bytes: total(|class| class.in_use * class.size as u64) + now.bytes_in_use,
            idle_bytes: total(|class| class.idle * class.size as u64),
            total_trimmed: total(|class| class.trimmed),
            released_bytes: total(|class| class.trimmed * class.size as u64),
            pools,
            ..Self::default()
        }
    }

    /// The class whose buffers have exactly `size` bytes.
    #[must_use]
    pub fn pool(&self, size: usize) -> Option<&SizedPoolMetrics> {
        self.pools.iter().find(|class| class.size == size)
    }

    /// What a hit rate asks for: nothing above 95 %, more warm-up from 80 to 95 %, a look at the
    /// sizes below. `None` before the first get.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if self.total_gets == 0 {
            return None;
        }
        Some(match self.global_hit_rate {
            rate if rate >= 95.0 => "healthy",
            rate if rate >= 80.0 => "warm up more buffers, and return them sooner",
            _ => "check the classes against the sizes that are asked for, and the warm-up",
        })
    }
}

impl SizedPoolMetrics {
    fn new(size: usize, now: &Counts, before: &Counts) -> Self {
        // In flight, a moving buffer may be seen in two places or in none: so nothing wraps around.
        let since = |field: fn(&Counts) -> u64| field(now).saturating_sub(field(before));
        let (gets, misses, puts) = (since(|c| c.gets), since(|c| c.misses), since(Counts::puts));
        let hits = gets.saturating_sub(misses);
        let (gets_depot, puts_depot) = (since(|c| c.gets_depot), since(|c| c.puts_depot));
        Self {
            size,
            gets,
            puts,
            hits,
            misses,
            discards: since(|c| c.discards),
            hit_rate: percent(hits, gets),
            allocated: misses * size as u64,
            reused: hits * size as u64,
            in_use: now.in_use(),
            idle: now.idle,
            created: now.created,
            gets_cell: hits.saturating_sub(gets_depot),
            gets_depot,
            puts_cell: puts.saturating_sub(puts_depot),
            puts_depot,
            trimmed: since(|c| c.trimmed),
            refused: since(|c| c.refused),
        }
    }
}

/// `part` of `whole` in percent, `0..=100`; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a percentage is for people")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part.min(whole) as f64 / whole as f64 * 100.0 }
}

impl fmt::Display for BufferPoolMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "========== Buffer Pool Metrics ==========")?;
        writeln!(f, "Global Hit Rate: {:.2}%", self.global_hit_rate)?;
        writeln!(f, "Total Gets: {}", self.total_gets)?;
        writeln!(f, "Total Puts: {}", self.total_puts)?;
        writeln!(f, "Memory Allocated: {:.2} MB", megabytes(self.memory_allocated))?;
        writeln!(f, "Memory Reused: {:.2} MB", megabytes(self.memory_reused))?;
        writeln!(f, "Reuse Efficiency: {:.2}%", self.reuse_efficiency)?;
        writeln!(f)?;
        writeln!(f, "Per-Size Pool Metrics:")?;
        for class in &self.pools {
            writeln!(f, "  {class}")?;
        }
        write!(f, "==========================================")
    }
}

impl fmt::Display for SizedPoolMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { gets, puts, hits, misses, hit_rate, discards, .. } = self;
        if self.size.is_multiple_of(1024) {
            write!(f, "{}KB: ", self.size / 1024)?;
        } else {
            write!(f, "{}B: ", self.size)?;
        }
        write!(
            f,
            "Gets={gets}, Puts={puts}, Hits={hits}, Misses={misses}, Hit Rate={hit_rate:.2}%, Discards={discards}"
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "two decimals for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_lies_between_0_and_100_and_is_0_of_nothing() {
        for (part, whole, expected) in [(0, 0, 0.0), (7, 0, 0.0), (1, 2, 50.0), (9, 3, 100.0)] {
            assert!((percent(part, whole) - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn a_torn_snapshot_does_not_wrap_around() {
        let now = Counts { gets: 1, misses: 2, idle: 5, created: 3, ..Counts::default() };
        let before = Counts { gets: 4, ..Counts::default() };
        let class = SizedPoolMetrics::new(2048, &now, &before);
        assert_eq!((class.gets, class.hits, class.in_use), (0, 0, 0));
    }
}
