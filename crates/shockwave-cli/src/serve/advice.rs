//! The hit rate of an interval: what it was, and what to try if it was low.

use std::cmp::Reverse;

use shockwave::BufferPoolMetrics;
use shockwave::loadtest::human;
use tracing::{info, warn};

/// Percent above which a hit rate is healthy.
const HEALTHY: f64 = 95.0;

/// Percent below which it is the sizes that are to be looked at, rather than the warm-up.
const FAIR: f64 = 80.0;

/// Percent of all gets that may be beyond the largest class, each of which allocates.
const OVERSIZE_MAX: f64 = 5.0;

/// Gets below which a rate says nothing.
const GETS_MIN: u64 = 20;

/// What a pool did between two times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Interval {
    gets: u64,
    misses: u64,
    /// Gets beyond the largest class, none of which can be a hit.
    oversize: u64,
    refused: u64,
    /// The class that made the most buffers, in bytes, and how many it made.
    most_misses: Option<(usize, u64)>,
    largest_class: usize,
}

impl Interval {
    pub(crate) fn between(before: &BufferPoolMetrics, now: &BufferPoolMetrics) -> Self {
        let misses = now.pools.iter().map(|class| {
            let earlier = before.pool(class.size).map_or(0, |class| class.misses);
            (class.size, class.misses.saturating_sub(earlier))
        });
        Self {
            gets: now.total_gets.saturating_sub(before.total_gets),
            misses: now.total_misses.saturating_sub(before.total_misses),
            oversize: now.oversize_gets.saturating_sub(before.oversize_gets),
            refused: now.refused.saturating_sub(before.refused),
            most_misses: misses.filter(|it| it.1 > 0).min_by_key(|it| Reverse(it.1)),
            largest_class: now.pools.last().map_or(0, |class| class.size),
        }
    }

    /// Hits of the classes' gets in percent; `None` if there were too few to tell.
    fn hit_rate(&self) -> Option<f64> {
        let hits = self.gets.saturating_sub(self.misses);
        (self.gets >= GETS_MIN).then(|| percent(hits, self.gets))
    }

    /// What to try, if anything.
    fn advice(&self) -> Option<String> {
        let all = self.gets + self.oversize;
        if all >= GETS_MIN && percent(self.oversize, all) > OVERSIZE_MAX {
            return Some(format!(
                "{} of {} gets were beyond the largest class, {}: try --classes with a larger one",
                human::grouped(self.oversize),
                human::grouped(all),
                human::bytes(self.largest_class as u64)
            ));
        }
        let rate = self.hit_rate().filter(|rate| *rate < HEALTHY)?;
        let (class, made) = self.most_misses?;
        let try_this = if rate >= FAIR {
            "try a larger --warmup"
        } else {
            "check --classes against the sizes that are asked for, then try a larger --warmup"
        };
        let (class, made) = (human::bytes(class as u64), human::grouped(made));
        Some(format!("{made} buffers of {class} had to be made: {try_this}"))
    }

    /// Logs it: as a warning if there is something to try.
    pub(crate) fn log(&self, now: &BufferPoolMetrics) {
        let (in_use, idle) = (human::bytes(now.in_use_bytes), human::bytes(now.idle_bytes));
        let Self { gets, misses, oversize, refused, .. } = self;
        let hit_rate = self.hit_rate().map_or("-".to_owned(), |rate| format!("{rate:.2} %"));
        if let Some(advice) = self.advice() {
            let why = "buffers are often made anew";
            warn!(hit_rate, gets, misses, oversize, refused, in_use, idle, advice, "{why}");
        } else {
            info!(hit_rate, gets, misses, oversize, refused, in_use, idle, "the pool");
        }
    }
}

/// `part` of `whole` in percent, `0..=100`; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "a percentage is for people")]
fn percent(part: u64, whole: u64) -> f64 {
    part.min(whole) as f64 / whole.max(1) as f64 * 100.0
}

#[cfg(test)]
mod tests {
    use shockwave::BufferPool;

    use super::*;

    /// What is advised after so many gets that hit, that miss, and that are beyond the classes.
    fn advised(hits: usize, misses: usize, oversize: usize) -> (Option<f64>, Option<String>) {
        let pool = BufferPool::new();
        pool.warmup_class(4096, 1);
        let before = pool.metrics();
        (0..hits).for_each(|_| drop(pool.get(4096)));
        let held: Vec<_> = (0..misses).map(|_| pool.get(8192)).collect();
        (0..oversize).for_each(|_| drop(pool.get(100_000)));
        let interval = Interval::between(&before, &pool.metrics());
        drop(held);
        (interval.hit_rate(), interval.advice())
    }

    #[test]
    fn a_low_hit_rate_says_what_to_try() {
        assert_eq!(advised(95, 5, 5), (Some(95.0), None));
        assert_eq!(advised(10, 5, 4), (None, None), "too few to tell");
        for (hits, misses, oversize, words) in [
            (94, 6, 0, "6 buffers of 8 KiB had to be made: try a larger --warmup"),
            (80, 20, 0, "try a larger --warmup"),
            (79, 21, 0, "check --classes"),
            (50, 2, 48, "48 of 100 gets were beyond the largest class, 64 KiB: try --classes"),
        ] {
            let advice = advised(hits, misses, oversize).1.expect(words);
            assert!(advice.contains(words), "{advice}");
        }
    }
}
