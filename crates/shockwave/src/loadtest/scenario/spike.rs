//! Spike: the number of buffers held grows to many times the usual, and shrinks back; and what was
//! made for it is given back, by a maintainer that looks twenty times.
//!
//! ```text
//!   held   1024 │          ┌──────┐
//!               │        ╱        ╲
//!            16 │───────╱          ╲───────
//!               └──────┬───┬──────┬───┬──────
//!                     .3  .4     .6  .7       of the duration
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use super::{Lender, LoadTestError, Worker};

/// Buffers that a worker usually holds.
pub(super) const USUAL: usize = 16;

/// Buffers that a worker holds at the peak: 64 times the usual.
const PEAK: usize = 1024;

/// Times that the pool is maintained, so that six intervals follow the spike: twice as many as it
/// takes at most until nothing is left of it.
const INTERVALS: u32 = 20;

/// Where on its way a test is back to the usual.
const CALM: f64 = 0.7;

/// How often the pool is maintained meanwhile.
pub(super) fn interval(duration: Duration) -> Duration {
    (duration / INTERVALS).max(Duration::from_millis(1))
}

/// When the spike is over.
pub(super) fn calm(duration: Duration) -> Duration {
    duration.mul_f64(CALM)
}

/// Operations between two looks at the clock, which costs as much as one of them.
const LOOK_EVERY: usize = 16;

pub(super) fn work<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    let mut held = VecDeque::with_capacity(PEAK);
    worker.counted(|worker| {
        loop {
            let elapsed = worker.gate.elapsed().as_secs_f64();
            let level = level(elapsed / worker.config.duration.as_secs_f64());
            for _ in 0..LOOK_EVERY {
                let size = worker.next_size();
                held.push_back(worker.take(size)?);
                // One is taken and up to two are returned, so that shrinking takes as long as
                // growing.
                for _ in 0..2 {
                    if held.len() > level {
                        held.pop_front().into_iter().for_each(|oldest| worker.give_back(oldest));
                    }
                }
            }
            if worker.is_done() {
                held.drain(..).for_each(|taken| worker.give_back(taken));
                return Ok(());
            }
        }
    })
}

/// How many buffers to hold at a point of the test, `0.0..=1.0`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between two small positive numbers"
)]
fn level(point: f64) -> usize {
    let height = match point {
        rising if (0.3..0.4).contains(&rising) => (rising - 0.3) / 0.1,
        peak if (0.4..0.6).contains(&peak) => 1.0,
        falling if (0.6..CALM).contains(&falling) => (CALM - falling) / 0.1,
        _ => 0.0,
    };
    USUAL + ((PEAK - USUAL) as f64 * height) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_rises_to_the_peak_and_falls_back() {
        for point in [0.0, 0.29, 0.71, 1.0, 1.5] {
            assert_eq!(level(point), USUAL, "at {point}");
        }
        for point in [0.41, 0.5, 0.59] {
            assert_eq!(level(point), PEAK, "at {point}");
        }
        assert!(level(0.32) < level(0.38) && level(0.62) > level(0.68));
    }
}
