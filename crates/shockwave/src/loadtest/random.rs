//! Random numbers for choosing sizes and samples: small, fast, and the same in every run.

/// A xorshift generator. Good enough to spread things out, and for nothing else.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A sequence of its own for each seed.
    pub(super) fn new(seed: u64) -> Self {
        // An odd multiple of an odd number is never 0, where xorshift would stay for ever.
        Self((seed.wrapping_mul(2) | 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// A number below `bound`; 0 if that is 0.
    #[inline]
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // The high half of the product spreads 64 random bits evenly over the range.
        let spread = u128::from(self.0) * bound as u128;
        usize::try_from(spread >> 64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_below_the_bound_and_reach_all_of_it() {
        for seed in [0, 1, 7, u64::MAX] {
            let mut random = Random::new(seed);
            let mut seen = [false; 10];
            for _ in 0..1000 {
                seen[random.below(10)] = true;
            }
            assert_eq!(seen, [true; 10], "seed {seed}");
            assert_eq!(random.below(0), 0);
            assert_eq!(random.below(1), 0);
        }
    }
}
