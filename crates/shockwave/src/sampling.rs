//! Sampling: which one of many gets is looked at more closely.

use std::f64::consts::{LN_2, LOG2_E};

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

    /// Gets up to the next that is looked at, itself included: as many as if each were drawn
    /// by itself at the same odds, so that what has been drawn may be forgotten and drawn anew.
    /// 0 if each is looked at, so that whoever comes in between is too. Otherwise as
    /// [`hit`](Self::hit).
    pub(crate) fn gap(self) -> u64 {
        if self.interval == 1 {
            return 0;
        }
        // Whole parts of exponential numbers are geometric ones. These are the first terms of
        // `-1 / ln(1 - 1 / interval)`, by which their mean is the interval again.
        let interval = f64::from(self.interval);
        let gets = exponential(draw()) * (interval - 0.5 - 1.0 / (12.0 * interval));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its floor")]
        let gets = gets as u64;
        1 + gets
    }

    /// Whether this is the one. Allocates nothing, waits for nothing, and may interrupt itself: a
    /// signal handler in between costs a number that is drawn twice.
    #[inline]
    pub(crate) fn hit(self) -> bool {
        draw() <= self.threshold
    }
}

/// The negative logarithm of `drawn / 2^32`, so that drawn ones have a mean of one. To within half
/// a hundredth and with the right slopes, on which the odds of each length hang: a third of the
/// time of a precise one, and it is drawn for each get that is looked at.
fn exponential(drawn: u32) -> f64 {
    let zeros = drawn.leading_zeros();
    // `drawn / 2^32` is `(1 + fraction) / 2^(zeros + 1)`.
    let fraction = f64::from(drawn << zeros << 1) / 2_f64.powi(32);
    let log2 = fraction * (LOG2_E - fraction * (0.606_737 - fraction * 0.164_042));
    (f64::from(zeros + 1) - log2) * LN_2
}

/// This thread's next random number, `1..`.
#[inline]
fn draw() -> u32 {
    RANDOM.with(|random| {
        let last = if random.get() == 0 { seed() } else { random.get() };
        let next = xorshift(last);
        random.set(next);
        next
    })
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
    fn logarithms_are_close_enough() {
        for drawn in (0..32).map(|bit| 1 << bit).chain((1..1000).map(|i| i * 4_294_967)) {
            let precise = -(f64::from(drawn) / 2_f64.powi(32)).ln();
            assert!((exponential(drawn) - precise).abs() < 0.005, "{drawn}");
        }
    }

    #[test]
    fn gaps_are_as_long_as_those_between_hits() {
        assert!((0..1000).all(|_| Sampling::EACH.gap() == 0));
        for interval in [2_u32, 3, 10, 128, 1024] {
            let sampling = Sampling::one_in(interval);
            let gaps: Vec<u64> = (0..400_000).map(|_| sampling.gap()).collect();
            #[expect(clippy::cast_precision_loss, reason = "below 2^52")]
            let share = |of: u64| of as f64 / gaps.len() as f64;
            // Of a mean of so many, 0.5 percent is three standard deviations, and 1 is allowed.
            let mean = share(gaps.iter().sum()) / f64::from(interval);
            assert!((mean - 1.0).abs() < 0.01, "{mean} intervals of {interval}");
            // Those that end early have their share, whenever that is: for a magazine that soon
            // moves, only they count.
            for early in [interval / 16, interval / 4, interval].into_iter().filter(|&it| it > 0) {
                let found = share(gaps.iter().filter(|&&gap| gap <= early.into()).count() as u64);
                let odds = 1.0 - 1.0 / f64::from(interval);
                let expected = 1.0 - odds.powi(early.cast_signed());
                assert!((found / expected - 1.0).abs() < 0.03, "{found}, not {expected}");
            }
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
