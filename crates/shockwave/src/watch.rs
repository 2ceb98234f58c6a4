//! Watermarks: who is told when a pool's pressure rises above one mark or falls below another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Which mark the pressure on a pool has crossed. See
/// [`on_pressure`](crate::BufferPoolBuilder::on_pressure).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pressure {
    /// It has risen to the high mark or above.
    High,
    /// It has fallen to the low mark or below, having been high.
    Low,
}

/// Two marks and who is told.
#[derive(Clone)]
pub(crate) struct Marks {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) tell: Arc<dyn Fn(Pressure) + Send + Sync>,
}

/// One pool's marks, and on which side of them it is.
#[derive(Debug)]
pub(crate) struct Watch {
    marks: Marks,
    /// What was told last, `High` if set.
    is_high: AtomicBool,
}

impl Watch {
    pub(crate) fn new(marks: Marks) -> Self {
        Self { marks, is_high: AtomicBool::new(false) }
    }

    /// Tells if a mark was crossed since it last told. `in_use` is asked only where it may matter:
    /// it is never more than what is `taken`.
    pub(crate) fn look(&self, taken: usize, limit: usize, in_use: impl FnOnce() -> usize) {
        let was_high = self.is_high.load(Relaxed);
        if !was_high && share(taken, limit) < self.marks.high {
            return;
        }
        let pressure = share(in_use(), limit);
        let is_high =
            if was_high { pressure > self.marks.low } else { pressure >= self.marks.high };
        if is_high != was_high && self.is_high.swap(is_high, Relaxed) == was_high {
            (self.marks.tell)(if is_high { Pressure::High } else { Pressure::Low });
        }
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { low, high, .. } = self;
        f.debug_struct("Marks").field("low", low).field("high", high).finish_non_exhaustive()
    }
}

/// `part` of a budget, `0.0..=1.0`; 0 of one that is not limited.
#[expect(clippy::cast_precision_loss, reason = "a share is for people and for thresholds")]
pub(crate) fn share(part: usize, limit: usize) -> f64 {
    match limit {
        usize::MAX => 0.0,
        0 => 1.0,
        limit => part.min(limit) as f64 / limit as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::Pressure::{High, Low};
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn high_and_low_are_told_in_turn_and_once_each() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let tell = Arc::new(move |pressure| tell.lock().unwrap().push(pressure));
        let watch = Watch::new(Marks { low: 0.5, high: 0.8, tell });
        for in_use in [10, 79, 80, 95, 60, 51, 50, 10, 70, 100, 100, 0] {
            watch.look(100, 100, || in_use);
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low]);
        watch.look(10, 100, || panic!("ten taken cannot be eighty in use"));
    }

    #[test]
    fn a_share_lies_between_0_and_1() {
        for (part, limit, expected) in
            [(0, 10, 0.0), (5, 10, 0.5), (20, 10, 1.0), (0, 0, 1.0), (7, usize::MAX, 0.0)]
        {
            assert!((share(part, limit) - expected).abs() < 1e-9);
        }
    }
}
