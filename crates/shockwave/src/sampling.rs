//! Sampling: which one of many gets is looked at more closely.

use crate::sync::thread_word;

thread_word! {
    /// This thread's random numbers, by xorshift: the last one, or 0 before the first.
    static RANDOM: u32 = 0
}

/// How many gets are looked at: one in so many, at random.
///
/// At random and not in turn, because programs take buffers in a rhythm: of a server that takes one
/// for each head and then one for each body, every second get would only ever show the one or the
/// other.
///
/// ```
/// use shockwave::Sampling;
///
/// let sampling = Sampling::one_in(128);
/// assert_eq!(sampling.interval(), 128);
/// assert_eq!(Sampling::one_in(0), Sampling::EACH); // not fewer than all
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sampling {
    /// Gets for each one looked at, on average, `1..`.
    interval: u32,
    /// The largest random number that says yes.
    threshold: u32,
}

impl Sampling {
    /// Each and every get.
    pub const EACH: Self = Self::one_in(1);

    /// One get in `interval` on average, each at the same odds; 0 is taken for 1. Cost of asking:
    /// five instructions on a word of the thread's own.
    #[must_use]
    pub const fn one_in(interval: u32) -> Self {
        let interval = if interval == 0 { 1 } else { interval };
        Self { interval, threshold: u32::MAX / interval }
    }

    /// Gets for each one that is looked at, on average.
    #[must_use]
    pub const fn interval(self) -> u32 {
        self.interval
    }

    /// Whether this is the one. Allocates nothing, waits for nothing, and may interrupt itself: a
    /// signal handler in between costs a number that is drawn twice.
    #[inline]
    pub(crate) fn hit(self) -> bool {
        RANDOM.with(|random| {
            let last = if random.get() == 0 { seed() } else { random.get() };
            let next = xorshift(last);
            random.set(next);
            next <= self.threshold
        })
    }
}

/// The next of the 2^32 - 1 numbers that this visits in turn; never 0.
const fn xorshift(mut number: u32) -> u32 {
    number ^= number << 13;
    number ^= number >> 17;
    number ^= number << 5;
    number
}

/// Another start for each thread: multiples of an odd number, and so far apart.
#[cold]
fn seed() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Relaxed).wrapping_mul(0x9e37_79b9).max(1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_is_each_and_one_in_n_is_about_that() {
        assert!((0..10_000).all(|_| Sampling::EACH.hit()));
        for interval in [2_u32, 10, 128] {
            let sampling = Sampling::one_in(interval);
            let hits: u32 = (0..100_000).map(|_| u32::from(sampling.hit())).sum();
            let expected = 100_000 / interval;
            // Ten standard deviations and more on either side, at the least.
            assert!(
                hits.abs_diff(expected) < expected / 2,
                "{hits} of 100000 at one in {interval}"
            );
        }
    }

    #[test]
    fn two_samplings_asked_in_turn_do_not_shadow_each_other() {
        let half = Sampling::one_in(2);
        let pairs: Vec<_> = (0..1000).map(|_| (half.hit(), half.hit())).collect();
        for wanted in [(false, false), (false, true), (true, false), (true, true)] {
            assert!(pairs.contains(&wanted), "{wanted:?} never comes up");
        }
    }
}
