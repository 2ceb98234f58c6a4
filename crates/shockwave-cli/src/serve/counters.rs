//! What the service counts for itself: requests by status, and how long they took.

use std::array;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use http::StatusCode;

use super::histogram::Histogram;

/// The least status there is, and how many there may be.
const STATUSES: (u16, usize) = (100, 500);

/// Requests by status, and how long they took.
#[derive(Debug)]
pub(crate) struct Counters {
    /// Answers by status, the first of which is 100. Those beyond 599 are none of ours.
    statuses: [AtomicU64; STATUSES.1],
    /// From a request's head to the end of its answer's body.
    pub(crate) durations: Histogram,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self { statuses: array::from_fn(|_| AtomicU64::new(0)), durations: Histogram::new() }
    }

    /// The statuses that were answered, and how often.
    pub(crate) fn by_status(&self) -> BTreeMap<u16, u64> {
        let counts = (STATUSES.0..).zip(&self.statuses);
        counts.map(|(status, count)| (status, count.load(Relaxed))).filter(|it| it.1 > 0).collect()
    }

    pub(crate) fn answered(&self, status: StatusCode) {
        let index = usize::from(status.as_u16().saturating_sub(STATUSES.0));
        if let Some(count) = self.statuses.get(index) {
            count.fetch_add(1, Relaxed);
        }
    }
}

/// Takes the time of one request, from when it is made until it is dropped.
#[derive(Debug)]
pub(crate) struct Timer {
    counters: Arc<Counters>,
    begin: Instant,
}

impl Timer {
    pub(crate) fn start(counters: Arc<Counters>) -> Self {
        Self { counters, begin: Instant::now() }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.counters.durations.record(self.begin.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_is_counted_by_status_and_timed_once() {
        let counters = Arc::new(Counters::new());
        for status in [200, 404, 200, 599, 999] {
            counters.answered(StatusCode::from_u16(status).unwrap());
        }
        assert_eq!(counters.by_status(), [(200, 2), (404, 1), (599, 1)].into());
        let timer = Timer::start(Arc::clone(&counters));
        assert_eq!(counters.durations.counts().total(), 0);
        drop(timer);
        assert_eq!(counters.durations.counts().total(), 1);
    }
}
