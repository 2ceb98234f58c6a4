//! Latencies: which operations are timed, where the times are kept, and what timing itself costs.

use std::time::Instant;

use hdrhistogram::Histogram;

use super::random::Random;

/// One operation in so many is timed, on average. At 16 the clock, some 100 ns for a timed
/// operation, adds six to each on average; the writes into a buffer alone are ten times that.
const ONE_IN: usize = 16;

/// The longest latency that is told apart, a minute; longer ones are recorded as this.
const NANOS_MAX: u64 = 60_000_000_000;

/// Digits that a recorded latency keeps: three, so within 0.1 %.
const DIGITS: u8 = 3;

/// Empty operations that the cost of recording is the median of.
const COST_SAMPLES: usize = 2001;

/// How long operations took, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Latency {
    /// Half of them took no longer.
    pub p50: u64,
    /// Nine in ten took no longer.
    pub p90: u64,
    /// 99 in a hundred took no longer.
    pub p99: u64,
    /// 999 in a thousand took no longer.
    pub p999: u64,
    /// The longest of those that were timed.
    pub max: u64,
    /// How many were timed.
    pub samples: u64,
    /// One operation in so many was timed, on average, drawn at random.
    pub one_in: u64,
    /// What an operation of no length would have been recorded as: the clock's own time, measured
    /// at the start. It is contained in the figures above, not subtracted.
    pub recording: u64,
    /// The whole distribution, for a plot.
    pub curve: Vec<LatencyPoint>,
}

/// A point of the distribution: so many percent took no longer than so many nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LatencyPoint {
    /// `0..=100`.
    pub percentile: f64,
    /// Nanoseconds.
    pub ns: u64,
}

/// One thread's record.
#[derive(Debug)]
pub(super) struct Recorder {
    histogram: Histogram<u64>,
    random: Random,
    /// Operations until the next that is timed, that one included. Random, since any fixed number
    /// would fall in step with the order of sizes or with the pool's exchanges.
    until_next: usize,
}

impl Recorder {
    pub(super) fn new(seed: u64) -> Self {
        let histogram = Histogram::new_with_bounds(1, NANOS_MAX, DIGITS);
        let histogram = histogram.expect("constant bounds that the histogram supports");
        Self { histogram, random: Random::new(seed), until_next: 1 }
    }

    /// Whether the operation that begins now is to be timed.
    #[inline]
    pub(super) fn is_due(&mut self) -> bool {
        self.until_next -= 1;
        self.until_next == 0 && self.draw()
    }

    #[cold]
    fn draw(&mut self) -> bool {
        self.until_next = 1 + self.random.below(2 * ONE_IN - 1);
        true
    }

    pub(super) fn record(&mut self, nanos: u64) {
        self.histogram.saturating_record(nanos);
    }

    /// Adds what another thread recorded.
    pub(super) fn absorb(&mut self, other: &Self) {
        // Of the same bounds, so there is nothing that does not fit.
        let added = self.histogram.add(&other.histogram);
        debug_assert!(added.is_ok());
    }

    /// The figures, with what recording them was measured to cost.
    pub(super) fn figures(&self, recording: u64) -> Latency {
        let histogram = &self.histogram;
        let at = |quantile| histogram.value_at_quantile(quantile);
        Latency {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: histogram.max(),
            samples: histogram.len(),
            one_in: ONE_IN as u64,
            recording,
            curve: curve(histogram),
        }
    }
}

/// The distribution at 0, 16, 29, 41, 50 %, and so on, four points for each halving of the rest, as
/// far as there are samples; then at 100 %.
#[expect(clippy::cast_precision_loss, reason = "positions on a plot")]
fn curve(histogram: &Histogram<u64>) -> Vec<LatencyPoint> {
    if histogram.is_empty() {
        return Vec::new();
    }
    let rests = (0..).map(|quarter: u16| (-f64::from(quarter) / 4.0).exp2());
    let rests = rests.take_while(|rest| rest * histogram.len() as f64 >= 1.0).chain([0.0]);
    let point = |rest: f64| {
        let quantile = 1.0 - rest;
        LatencyPoint { percentile: quantile * 100.0, ns: histogram.value_at_quantile(quantile) }
    };
    rests.map(point).collect()
}

/// Nanoseconds since `start`.
#[inline]
pub(super) fn nanos_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What an operation of no length is recorded as, in nanoseconds: it is timed in two parts.
pub(super) fn recording_cost() -> u64 {
    let mut costs: Vec<u64> = (0..COST_SAMPLES)
        .map(|_| {
            let taking = nanos_since(Instant::now());
            taking + nanos_since(Instant::now())
        })
        .collect();
    costs.sort_unstable();
    costs[COST_SAMPLES / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_operation_is_timed_and_one_in_sixteen_after_that() {
        let mut recorder = Recorder::new(1);
        assert!(recorder.is_due());
        let timed = (0..160_000).filter(|_| recorder.is_due()).count();
        assert!((9_500..10_500).contains(&timed), "{timed}");
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let (mut one, mut other) = (Recorder::new(1), Recorder::new(2));
        (1..=500).for_each(|nanos| one.record(nanos));
        (501..=1000).for_each(|nanos| other.record(nanos));
        one.absorb(&other);
        let figures = one.figures(40);
        let Latency { p50, p90, p99, p999, max, samples, recording, .. } = figures;
        assert_eq!(
            (p50, p90, p99, p999, max, samples, recording),
            (500, 900, 990, 999, 1000, 1000, 40)
        );
        assert!(figures.curve.is_sorted_by(|a, b| a.percentile < b.percentile && a.ns <= b.ns));
        assert_eq!(
            figures.curve.last().map(|point| (point.percentile, point.ns)),
            Some((100.0, 1000))
        );
    }

    #[test]
    fn what_takes_longer_than_a_minute_is_recorded_as_a_minute() {
        let mut recorder = Recorder::new(1);
        recorder.record(u64::MAX);
        let longest = recorder.figures(0).max;
        assert!((NANOS_MAX..NANOS_MAX / 1000 * 1001).contains(&longest), "{longest}");
    }

    #[test]
    fn nothing_recorded_is_all_zeros() {
        assert_eq!(Recorder::new(1).figures(0), Latency { one_in: 16, ..Latency::default() });
    }
}
