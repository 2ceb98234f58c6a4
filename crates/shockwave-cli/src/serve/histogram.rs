//! Durations counted to two digits: one array of counters, exact sums, nothing locked.
//!
//! A bucket holds all durations that begin with the same two decimal digits, such as 2.5 to 2.6 ms.
//! So a quantile is right to 10 %, and the bounds that Prometheus shows, 1, 2.5 and 5 of each
//! decade, fall between two buckets.

use std::array;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Buckets for each power of ten: those that begin with 10 to 99.
const PER_DECADE: usize = 90;

/// Powers of ten from 10 ns on, so up to 1,000 s. What is shorter or longer counts as the nearest.
const DECADES: usize = 11;

const BUCKETS: usize = PER_DECADE * DECADES;

/// The bounds that Prometheus shows, in nanoseconds: 100 µs to 10 s. A loopback request takes less
/// than the first, a stuck one more than the last.
const BOUNDS_NANOS: [u64; 16] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
];

/// Durations as they are counted.
#[derive(Debug)]
pub(crate) struct Histogram {
    /// Never decreases.
    buckets: [AtomicU64; BUCKETS],
    sum_nanos: AtomicU64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { buckets: array::from_fn(|_| AtomicU64::new(0)), sum_nanos: AtomicU64::new(0) }
    }

    pub(crate) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: each counter stands alone. A reader may see one of two and not yet the other.
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
        self.sum_nanos.fetch_add(nanos, Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        let buckets = self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect();
        Counts { buckets, sum_nanos: self.sum_nanos.load(Relaxed) }
    }
}

/// What had been counted at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    /// One for each bucket.
    buckets: Box<[u64]>,
    sum_nanos: u64,
}

impl Counts {
    /// What was counted between `earlier` and this.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        let buckets = pairs.map(|(now, before)| now.saturating_sub(*before)).collect();
        Self { buckets, sum_nanos: self.sum_nanos.saturating_sub(earlier.sum_nanos) }
    }

    pub(crate) fn total(&self) -> u64 {
        self.buckets.iter().sum()
    }

    pub(crate) fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_nanos)
    }

    /// For each bound in seconds, how many were shorter than it and not than the one before it; and
    /// how many were longer than all.
    pub(crate) fn by_bound(&self) -> impl Iterator<Item = (f64, u64)> {
        let seconds = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64();
        let bounds = BOUNDS_NANOS.map(|nanos| (seconds(nanos), bucket(nanos)));
        let mut from = 0;
        bounds.into_iter().chain([(f64::INFINITY, BUCKETS)]).map(move |(bound, to)| {
            let count = self.buckets[from..to].iter().sum();
            from = to;
            (bound, count)
        })
    }

    /// What `share` of all, within 0 and 1, were at most: the end of the bucket that the last of
    /// them is in. `None` where there were none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a share of a count is no larger than the count"
    )]
    pub(crate) fn quantile(&self, share: f64) -> Option<Duration> {
        let rank = ((self.total() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let last = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        Some(Duration::from_nanos(begin(last + 1)))
    }
}

/// The bucket of a duration.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(10);
    let decade = nanos.ilog10() as usize;
    let unit = 10_u64.pow(nanos.ilog10() - 1);
    // 10 to 99.
    let digits = usize::try_from(nanos / unit).unwrap_or(10);
    ((decade - 1) * PER_DECADE + digits - 10).min(BUCKETS - 1)
}

/// The shortest duration of a bucket, in nanoseconds.
fn begin(bucket: usize) -> u64 {
    let digits = 10 + (bucket % PER_DECADE) as u64;
    let decade = u32::try_from(bucket / PER_DECADE).unwrap_or(0);
    digits * 10_u64.pow(decade)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_where_the_one_before_ends() {
        for index in 0..BUCKETS {
            assert_eq!(bucket(begin(index)), index);
            assert_eq!(bucket(begin(index + 1) - 1), index);
        }
        for (nanos, index) in [(0, 0), (9, 0), (10, 0), (11, 1), (u64::MAX, BUCKETS - 1)] {
            assert_eq!(bucket(nanos), index, "{nanos}");
        }
    }

    #[test]
    fn every_bound_falls_between_two_buckets() {
        for bound in BOUNDS_NANOS {
            assert_eq!(begin(bucket(bound)), bound);
        }
    }

    #[test]
    fn quantiles_are_right_to_ten_percent_and_counts_exact() {
        let histogram = Histogram::new();
        assert_eq!(histogram.counts().quantile(0.5), None);
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        let before = histogram.counts();
        assert_eq!(before.total(), 1000);
        assert_eq!(before.sum(), Duration::from_micros(500_500));
        let by_bound: Vec<_> = before.by_bound().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            by_bound,
            [(0.0001, 99), (0.00025, 150), (0.0005, 250), (0.001, 500), (0.0025, 1)]
        );
        for (share, exact) in [(0.5, 500), (0.9, 900), (0.99, 990), (1.0, 1000)] {
            let found = before.quantile(share).unwrap().as_micros();
            assert!((exact..=exact * 11 / 10).contains(&found), "{share}: {found}");
        }
        histogram.record(Duration::from_secs(3));
        let since = histogram.counts().since(&before);
        assert_eq!((since.total(), since.sum()), (1, Duration::from_secs(3)));
        assert_eq!(since.quantile(0.0), Some(Duration::from_millis(3100)));
    }
}
