//! How many blocks a magazine of one class may hold: few at first, more where the depot is visited
//! often, fewer again where nothing happens.
//!
//! ```text
//!   a CPU's limit in bytes   ├── class 0 ──┼── class 1 ──┼─ … ─┼──────── spare ────────┤
//!                             capacity × bytes of the class      what growing takes from
//! ```
//!
//! A class has the same capacity on all CPUs, so that what all classes take together bounds each of
//! them. Doubling takes from what is spare, but never more than half of it: whoever comes later
//! still finds some. A capacity grows only while the depot could fill a magazine of it. So it is by
//! what is idle anyway that a CPU keeps more, and not by what would have to be made for it.

use std::sync::Arc;

use crate::class::SizeClasses;
use crate::limits::{EXCHANGES_TO_GROW, GETS_OFTEN, SLOTS, SLOTS_FIRST};
use crate::sync::{AtomicUsize, Ordering::Relaxed};

/// How many blocks a magazine may hold.
#[derive(Debug)]
pub(crate) struct Capacity {
    /// Blocks, `least..=SLOTS`.
    now: usize,
    /// What it was at first and shrinks to, `1..=SLOTS`.
    least: usize,
    /// Bytes of each block. Those of `now - least` blocks have been taken from `spare`.
    bytes: usize,
    /// Bytes of each CPU's limit that no class has taken, if this capacity may change.
    spare: Option<Arc<AtomicUsize>>,
    /// Exchanges in close succession since the last that was not, with enough in the depot,
    /// `0..EXCHANGES_TO_GROW`.
    exchanges: u32,
}

impl Capacity {
    /// One that stays as it is, `1..=SLOTS`.
    pub(crate) fn fixed(blocks: usize) -> Self {
        debug_assert!((1..=SLOTS).contains(&blocks));
        Self { now: blocks, least: blocks, bytes: 0, spare: None, exchanges: 0 }
    }

    /// Those of each class of a pool whose CPUs may keep `per_core_bytes` each.
    pub(crate) fn of_classes(
        classes: &SizeClasses,
        per_core_bytes: usize,
    ) -> impl Iterator<Item = Self> {
        let first = classes.capacities(per_core_bytes, SLOTS_FIRST);
        let sizes = (0..classes.count()).map(|class| classes.bytes(class));
        let each: Vec<(usize, usize)> = first.into_iter().map(usize::from).zip(sizes).collect();
        let taken = each.iter().map(|(blocks, bytes)| blocks * bytes).sum();
        let spare = Arc::new(AtomicUsize::new(per_core_bytes.saturating_sub(taken)));
        each.into_iter().map(move |(blocks, bytes)| {
            let spare = Some(Arc::clone(&spare));
            Self { bytes, spare, ..Self::fixed(blocks) }
        })
    }

    /// Blocks that a magazine may hold now.
    pub(crate) fn now(&self) -> usize {
        self.now
    }

    /// Notes that a magazine left its cell for another after it had served `gets`, and that the
    /// depot has `idle` blocks. Perhaps grows.
    pub(crate) fn exchanged(&mut self, gets: u64, idle: usize) {
        if gets >= GETS_OFTEN * self.now as u64 {
            self.exchanges = 0;
        } else if idle >= self.now {
            self.exchanges += 1;
        }
        if self.exchanges == EXCHANGES_TO_GROW {
            self.exchanges = 0;
            self.grow();
        }
    }

    fn grow(&mut self) {
        let Some(spare) = &self.spare else { return };
        let wanted = self.now.min(SLOTS - self.now);
        let mut taken = 0;
        // Relaxed: a number that orders nothing; what it bounds is counted in it beforehand.
        let _ = spare.fetch_update(Relaxed, Relaxed, |spare| {
            taken = wanted.min(spare / 2 / self.bytes);
            (taken > 0).then(|| spare - taken * self.bytes)
        });
        self.now += taken;
    }

    /// Halves, but not to less than at first. To be called when all cells are closed, so that none
    /// holds more than that.
    pub(crate) fn shrink(&mut self) {
        let given = self.now - (self.now / 2).max(self.least);
        self.now -= given;
        if let Some(spare) = &self.spare {
            spare.fetch_add(given * self.bytes, Relaxed);
        }
    }
}

/// Blocks in a magazine of a capacity that a get exchanges: half of what it may hold, so that the
/// next exchange is at least that many gets or puts away, whichever comes.
pub(crate) fn batch(capacity: usize) -> usize {
    (capacity / 2).max(1)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const LIMIT: usize = 8 << 20;

    fn classes(sizes: &[usize], per_core_bytes: usize) -> Vec<Capacity> {
        Capacity::of_classes(&SizeClasses::new(sizes).expect("classes"), per_core_bytes).collect()
    }

    fn held(capacities: &[Capacity]) -> usize {
        capacities.iter().map(|capacity| capacity.now() * capacity.bytes).sum()
    }

    /// Exchanges as often as it takes to grow once.
    fn press(capacity: &mut Capacity) {
        for _ in 0..EXCHANGES_TO_GROW {
            capacity.exchanged(0, SLOTS);
        }
    }

    #[test]
    fn a_capacity_doubles_where_exchanges_follow_each_other_closely() {
        let [capacity] = &mut classes(&[4096], LIMIT)[..] else { panic!("one class") };
        let mut seen = vec![capacity.now()];
        for _ in 0..5 {
            press(capacity);
            seen.push(capacity.now());
        }
        assert_eq!(seen, [32, 64, 128, 243, 243, 243]);
        assert_eq!(batch(capacity.now()), 121);
        capacity.shrink();
        assert_eq!(capacity.now(), 121);
    }

    #[test]
    fn rare_exchanges_and_a_poor_depot_let_it_stay() {
        let [capacity] = &mut classes(&[4096], LIMIT)[..] else { panic!("one class") };
        for _ in 0..100 {
            capacity.exchanged(GETS_OFTEN * 32, SLOTS);
            for _ in 0..100 {
                capacity.exchanged(0, 31);
            }
            for _ in 1..EXCHANGES_TO_GROW {
                capacity.exchanged(0, SLOTS);
            }
        }
        assert_eq!(capacity.now(), 32);
        capacity.exchanged(GETS_OFTEN * 32 - 1, 32);
        assert_eq!(capacity.now(), 64);
    }

    #[test]
    fn all_classes_together_stay_within_the_limit_and_the_last_to_come_finds_some_left() {
        let default = crate::class::DEFAULT_CLASSES;
        for limit in [0, 1 << 18, 1 << 20, 5_000_000, LIMIT, 64 << 20] {
            let mut capacities = classes(&default, limit);
            let least = held(&capacities);
            for round in 0..50 {
                for capacity in capacities.iter_mut().rev() {
                    let before = capacity.now();
                    press(capacity);
                    let late = round == 0 && limit >= LIMIT;
                    assert!(!late || capacity.now() > before, "{limit}");
                }
                let most = limit.max(least);
                assert!(held(&capacities) <= most, "{} of {limit}", held(&capacities));
            }
            for _ in 0..8 {
                capacities.iter_mut().for_each(Capacity::shrink);
            }
            assert_eq!(held(&capacities), least);
            let spare = capacities[0].spare.as_ref().unwrap().load(Relaxed);
            assert_eq!(spare, limit.saturating_sub(least), "what was taken is given back");
        }
    }

    #[test]
    fn a_fixed_one_stays() {
        let mut capacity = Capacity::fixed(7);
        (0..9).for_each(|_| press(&mut capacity));
        capacity.shrink();
        assert_eq!((capacity.now(), batch(capacity.now())), (7, 3));
    }
}
