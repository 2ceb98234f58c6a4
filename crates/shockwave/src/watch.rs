//! Watermarks: who is told when a pool's pressure rises above one mark or falls below another.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use crate::callback::contained;

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
    /// What was told last, `High` if set. Changed only by whoever is telling.
    is_high: AtomicBool,
    /// Whether somebody is telling, or looking whether there is something to tell.
    is_telling: AtomicBool,
}

impl Watch {
    pub(crate) fn new(marks: Marks) -> Self {
        Self { marks, is_high: AtomicBool::new(false), is_telling: AtomicBool::new(false) }
    }

    /// Tells what was crossed since it last told, one after the other and never two at once: who
    /// comes while somebody else is telling leaves it to that one to look again. `in_use` is asked
    /// only where it may matter: it is never more than what is `taken`.
    ///
    /// `SeqCst`, in two places. Who leaves does so by an exchange that comes before the teller's
    /// own, so the teller, who looks again after that, sees what it took or gave. And the side is
    /// set before the teller looks again, and looked at by others after they took or gave, so that
    /// nobody goes by a side that is no longer true unseen.
    pub(crate) fn look(&self, taken: impl Fn() -> usize, limit: usize, in_use: impl Fn() -> usize) {
        let crossed = || {
            let was_high = self.is_high.load(SeqCst);
            if !was_high && share(taken(), limit) < self.marks.high {
                return None;
            }
            let pressure = share(in_use(), limit);
            let is_high =
                if was_high { pressure > self.marks.low } else { pressure >= self.marks.high };
            (is_high != was_high).then_some(is_high)
        };
        // Each round after the first is for those who came meanwhile.
        while crossed().is_some() && !self.is_telling.swap(true, SeqCst) {
            // Only now is it certain that nobody else has told of it.
            if let Some(is_high) = crossed() {
                self.is_high.store(is_high, SeqCst);
                let pressure = if is_high { Pressure::High } else { Pressure::Low };
                contained(|| (self.marks.tell)(pressure));
            }
            self.is_telling.swap(false, SeqCst);
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
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn high_and_low_are_told_in_turn_and_once_each() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let tell = Arc::new(move |pressure| tell.lock().unwrap().push(pressure));
        let watch = Watch::new(Marks { low: 0.5, high: 0.8, tell });
        for in_use in [10, 79, 80, 95, 60, 51, 50, 10, 70, 100, 100, 0] {
            watch.look(|| 100, 100, || in_use);
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low]);
        watch.look(|| 10, 100, || panic!("ten taken cannot be eighty in use"));
    }

    #[test]
    fn whoever_is_told_may_panic_and_may_look_again_itself() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let watch: Arc<std::sync::OnceLock<Watch>> = Arc::default();
        let (log, inner) = (Arc::clone(&told), Arc::clone(&watch));
        let tell = Arc::new(move |pressure| {
            log.lock().unwrap().push(pressure);
            inner.get().unwrap().look(|| 100, 100, || 0);
            panic!("on purpose");
        });
        let watch = watch.get_or_init(|| Watch::new(Marks { low: 0.5, high: 0.8, tell }));
        for in_use in [90, 90, 10, 90] {
            watch.look(|| 100, 100, || in_use);
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High]);
    }

    #[test]
    fn what_is_crossed_while_somebody_tells_is_told_after_it_and_never_twice() {
        let (told, in_use) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let log = Arc::clone(&told);
        let tell = Arc::new(move |pressure| {
            std::thread::yield_now();
            log.lock().unwrap().push(pressure);
        });
        let watch = Watch::new(Marks { low: 0.25, high: 0.75, tell });
        let look = || watch.look(|| 100, 100, || in_use.load(SeqCst));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        in_use.fetch_add(25, SeqCst);
                        look();
                        in_use.fetch_sub(25, SeqCst);
                        look();
                    }
                });
            }
        });
        let told = told.lock().unwrap();
        assert!(told.iter().step_by(2).all(|it| *it == High), "in turn, from High on");
        assert!(told.iter().skip(1).step_by(2).all(|it| *it == Low), "in turn");
        assert_eq!(told.len() % 2, 0, "at rest, the last word is Low");
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
