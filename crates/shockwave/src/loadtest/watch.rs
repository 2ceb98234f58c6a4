//! The watch: looks at a running test now and then, tells an observer, and keeps a timeline.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::resident::{Resident, resident_bytes};

/// Moments on a timeline, about.
const MOMENTS: u32 = 250;

/// Between two looks, at least and at most: often enough for an observer to seem live and to end a
/// test when it wants to, seldom enough to leave the processors to the workers.
const LOOK_EVERY_MIN: Duration = Duration::from_millis(2);
const LOOK_EVERY_MAX: Duration = Duration::from_millis(50);

/// How a test is going. Given to the observer of [`run_with`](super::run_with) every 2 to 50 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Since the workers were let go.
    pub elapsed: Duration,
    /// How long the test is to take.
    pub duration: Duration,
    /// Operations so far.
    pub operations: u64,
    /// Operations each second since the last time.
    pub operations_per_second: f64,
    /// Hits of all gets so far, in percent.
    pub hit_rate: f64,
    /// Resident bytes of the process now.
    pub resident_bytes: Option<u64>,
}

/// A moment of a test, for plots.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Moment {
    /// Since the workers were let go.
    pub elapsed_seconds: f64,
    /// Operations so far.
    pub operations: u64,
    /// Resident bytes of the process.
    pub resident_bytes: Option<u64>,
}

/// What is seen at one look.
pub(super) struct Sight {
    pub(super) operations: u64,
    pub(super) hit_rate: f64,
}

/// Watches one run.
#[derive(Debug)]
pub(super) struct Watch {
    duration: Duration,
    opened: Instant,
    last: Moment,
    timeline: Vec<Moment>,
    resident: Option<Resident>,
}

impl Watch {
    /// Begins with the memory that was resident before, and the time when the workers were let go.
    pub(super) fn new(duration: Duration, before: Option<u64>, opened: Instant) -> Self {
        let resident = before.map(|before| Resident { before, peak: before, after: before });
        let start = Moment { elapsed_seconds: 0.0, operations: 0, resident_bytes: before };
        Self { duration, opened, last: start, timeline: vec![start], resident }
    }

    /// How long to wait until the next look; `None` when the time is up.
    pub(super) fn pause(&self) -> Option<Duration> {
        let left =
            self.duration.checked_sub(self.opened.elapsed()).filter(|left| !left.is_zero())?;
        Some((self.duration / MOMENTS).clamp(LOOK_EVERY_MIN, LOOK_EVERY_MAX).min(left))
    }

    /// Looks, and tells the observer. `Break` is the observer's wish to end.
    pub(super) fn look(
        &mut self,
        sight: &Sight,
        observer: &mut impl FnMut(&Progress) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let elapsed = self.opened.elapsed();
        let now = self.moment(elapsed, sight.operations, resident_bytes());
        let operations_per_second = rate(&self.last, &now);
        self.last = now;
        let behind = self.timeline.last().map_or(0.0, |last| last.elapsed_seconds);
        if now.elapsed_seconds - behind >= (self.duration / MOMENTS).as_secs_f64() {
            self.timeline.push(now);
        }
        observer(&Progress {
            elapsed,
            duration: self.duration,
            operations: sight.operations,
            operations_per_second,
            hit_rate: sight.hit_rate,
            resident_bytes: now.resident_bytes,
        })
    }

    /// Ends with all operations there were, and what was resident after the last.
    pub(super) fn end(
        mut self,
        measured: Duration,
        operations: u64,
        after: Option<u64>,
    ) -> (Vec<Moment>, Option<Resident>) {
        let end = self.moment(measured, operations, after);
        // A look may have come between the last worker's end and now.
        while self.timeline.last().is_some_and(|last| last.elapsed_seconds >= end.elapsed_seconds) {
            self.timeline.pop();
        }
        self.timeline.push(end);
        if let (Some(resident), Some(after)) = (&mut self.resident, end.resident_bytes) {
            resident.after = after;
        }
        (self.timeline, self.resident)
    }

    fn moment(
        &mut self,
        elapsed: Duration,
        operations: u64,
        resident_bytes: Option<u64>,
    ) -> Moment {
        if let (Some(resident), Some(bytes)) = (&mut self.resident, resident_bytes) {
            resident.peak = resident.peak.max(bytes);
        }
        Moment { elapsed_seconds: elapsed.as_secs_f64(), operations, resident_bytes }
    }
}

/// Operations each second between two moments.
#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(from: &Moment, to: &Moment) -> f64 {
    let seconds = to.elapsed_seconds - from.elapsed_seconds;
    let operations = to.operations.saturating_sub(from.operations) as f64;
    if seconds > 0.0 { operations / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_only_goes_forward_and_ends_with_the_measured_time() {
        let mut watch = Watch::new(Duration::from_millis(1), None, Instant::now());
        let mut seen = 0;
        for operations in [5, 9] {
            std::thread::sleep(Duration::from_millis(2));
            let sight = Sight { operations, hit_rate: 100.0 };
            let answer = watch.look(&sight, &mut |progress: &Progress| {
                seen = progress.operations;
                assert!(progress.operations_per_second > 0.0);
                ControlFlow::Break(())
            });
            assert!(answer.is_break() && seen == operations);
        }
        assert_eq!(watch.pause(), None);
        let (timeline, resident) = watch.end(Duration::from_millis(3), 12, None);
        assert!(timeline.is_sorted_by(|a, b| a.elapsed_seconds < b.elapsed_seconds));
        assert_eq!(
            timeline.last().map(|end| (end.elapsed_seconds, end.operations)),
            Some((0.003, 12))
        );
        assert_eq!(resident, None);
    }
}
