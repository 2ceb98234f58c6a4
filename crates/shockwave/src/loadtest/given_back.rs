//! Giving back: whether a spike's memory went back to the system, and how soon.
//!
//! ```text
//!   resident │        ┌──────┐
//!            │       ╱        ╲___
//!            │──────╱             ╲────────      within 5 % of before, from here to the end
//!            └──────────────────┬──┬─────
//!                            calm  settled
//! ```

use std::time::Duration;

use super::{Moment, Resident};

/// What part of the memory before a spike may be resident beyond it for it to count as gone.
const MARGIN: f64 = 0.05;

/// How a spike's memory was given back. Only of [`Scenario::Spike`](super::Scenario::Spike) with a
/// pool, which is maintained meanwhile.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct GivenBack {
    /// Between two calls of [`maintain`](crate::BufferPool::maintain): a twentieth of the duration.
    pub interval_seconds: f64,
    /// When traffic was back to the usual, since the workers were let go.
    pub calm_seconds: f64,
    /// From then until resident memory was within 5 % of what it was before, and stayed there to
    /// the end. `None` if it did not come to that, or the system does not say.
    pub settled_after_seconds: Option<f64>,
}

impl GivenBack {
    /// From a test's timeline; of a test that ended before the spike was over there is nothing to
    /// say.
    pub(super) fn new(
        interval: Duration,
        calm: Duration,
        resident: Option<Resident>,
        timeline: &[Moment],
    ) -> Option<Self> {
        let (interval_seconds, calm_seconds) = (interval.as_secs_f64(), calm.as_secs_f64());
        timeline.last().filter(|end| end.elapsed_seconds > calm_seconds)?;
        let settled = resident.and_then(|resident| settled(timeline, resident.before));
        let settled_after_seconds = settled.map(|settled| (settled - calm_seconds).max(0.0));
        Some(Self { interval_seconds, calm_seconds, settled_after_seconds })
    }

    /// As many intervals passed until then.
    #[must_use]
    pub fn settled_after_intervals(&self) -> Option<f64> {
        Some(self.settled_after_seconds? / self.interval_seconds)
    }
}

/// From when on no more than `before` and the margin is resident, to the end.
#[expect(clippy::cast_precision_loss, reason = "a margin of a process's memory")]
fn settled(timeline: &[Moment], before: u64) -> Option<f64> {
    let limit = before as f64 * (1.0 + MARGIN);
    let is_within = |moment: &&Moment| moment.resident_bytes.is_some_and(|it| it as f64 <= limit);
    let last = timeline.iter().rev().take_while(is_within).last()?;
    Some(last.elapsed_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(resident: &[u64], settled_after: Option<f64>) {
        let moments = (0_u32..).zip(resident).map(|(second, &bytes)| Moment {
            elapsed_seconds: f64::from(second),
            operations: 0,
            resident_bytes: Some(bytes),
        });
        let timeline: Vec<_> = moments.collect();
        let around = Resident { before: 100, peak: 300, after: *resident.last().unwrap() };
        let [interval, calm] = [2, 4].map(Duration::from_secs);
        let given_back = GivenBack::new(interval, calm, Some(around), &timeline);
        let given_back = given_back.unwrap();
        assert_eq!(given_back.settled_after_seconds, settled_after, "{resident:?}");
        let intervals = settled_after.map(|seconds| seconds / 2.0);
        assert_eq!(given_back.settled_after_intervals(), intervals);
    }

    #[test]
    fn it_is_settled_from_the_last_moment_on_that_is_too_high() {
        check(&[100, 200, 300, 300, 300, 150, 105, 104], Some(2.0));
        check(&[100, 200, 300, 300, 300, 105, 106, 105], Some(3.0));
        check(&[100, 200, 105, 104, 104, 103, 104, 104], Some(0.0));
        check(&[100, 200, 300, 300, 300, 104, 104, 106], None);
        check(&[100, 200, 300, 300, 300, 200, 200, 200], None);
    }

    #[test]
    fn of_a_spike_that_was_broken_off_there_is_nothing_to_say() {
        let start = Moment { elapsed_seconds: 0.0, operations: 0, resident_bytes: Some(1) };
        let [interval, calm] = [2, 4].map(Duration::from_secs);
        assert_eq!(GivenBack::new(interval, calm, None, &[start]), None);
        let end = Moment { elapsed_seconds: 5.0, ..start };
        let known = GivenBack::new(interval, calm, None, &[start, end]).unwrap();
        assert_eq!(known.settled_after_seconds, None);
    }
}
