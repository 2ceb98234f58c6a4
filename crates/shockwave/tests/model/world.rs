//! Two pools and the buffers that are out, real and predicted, side by side.

use std::io::{Read, Write};

use proptest::sample::Index;
use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::identities;
use crate::operations::{Operation, Which};
use crate::oracle::{BufferOracle, PoolOracle};

pub(crate) struct World {
    builder: BufferPoolBuilder,
    classes: Vec<usize>,
    /// The two pools, while they have a handle, and which of all pools they are.
    pools: [Option<(BufferPool, usize)>; 2],
    /// All pools that ever were.
    oracles: Vec<PoolOracle>,
    buffers: Vec<(Buffer, BufferOracle)>,
}

impl World {
    pub(crate) fn new(builder: BufferPoolBuilder, classes: &[usize]) -> Self {
        let (oracles, buffers) = (Vec::new(), Vec::new());
        Self { builder, classes: classes.to_vec(), pools: [None, None], oracles, buffers }
    }

    /// A pool's handle and number. Builds it if it is not there.
    fn pool(&mut self, which: Which) -> (BufferPool, usize) {
        let place = &mut self.pools[usize::from(which)];
        place
            .get_or_insert_with(|| {
                self.oracles.push(PoolOracle::new(&self.classes));
                (self.builder.clone().build().expect("a pool"), self.oracles.len() - 1)
            })
            .clone()
    }

    /// Changes a buffer that is out, if there is one, together with what is known of it.
    fn change(
        &mut self,
        index: Index,
        change: impl FnOnce(&mut Buffer, &mut BufferOracle, &mut PoolOracle),
    ) {
        if self.buffers.is_empty() {
            return;
        }
        let index = index.index(self.buffers.len());
        let (buffer, oracle) = &mut self.buffers[index];
        let pool = &mut self.oracles[oracle.pool];
        change(buffer, oracle, pool);
        check_buffer(buffer, oracle);
    }

    /// Gives up a buffer that is out, if there is one.
    fn give_up(&mut self, index: Index) -> Option<(Buffer, BufferOracle)> {
        let index = (!self.buffers.is_empty()).then(|| index.index(self.buffers.len()))?;
        let (buffer, oracle) = self.buffers.swap_remove(index);
        check_buffer(&buffer, &oracle);
        self.oracles[oracle.pool].put(&oracle);
        Some((buffer, oracle))
    }

    fn put(&mut self, which: Which, index: Index, put: fn(&BufferPool, Buffer)) {
        let (pool, number) = self.pool(which);
        let Some((buffer, oracle)) = self.give_up(index) else { return };
        if oracle.pool != number {
            self.oracles[number].discard(oracle.capacity);
        }
        put(&pool, buffer);
    }

    pub(crate) fn run(&mut self, operation: Operation) {
        match operation {
            Operation::Get(which, size, count) => {
                let (pool, number) = self.pool(which);
                for _ in 0..count {
                    let oracle = self.oracles[number].get(number, size);
                    self.buffers.push((pool.get(size), oracle));
                }
            }
            Operation::GetZeroed(which, len) => {
                let (pool, number) = self.pool(which);
                let mut oracle = self.oracles[number].get(number, len);
                oracle.bytes = vec![0; len];
                self.buffers.push((pool.get_zeroed(len), oracle));
            }
            Operation::GetTooMuch(which, size) => {
                let (pool, number) = self.pool(which);
                assert!(pool.try_get(size).is_err_and(|refused| refused.is_too_large()));
                self.oracles[number].refused += 1;
            }
            Operation::Drop(index) => drop(self.give_up(index)),
            Operation::Put(which, index) => self.put(which, index, BufferPool::put),
            Operation::PutWithReset(which, index) => {
                self.put(which, index, BufferPool::put_with_reset);
            }
            Operation::IntoVec(index) => {
                if let Some((buffer, oracle)) = self.give_up(index) {
                    assert_eq!(buffer.into_vec(), oracle.bytes);
                }
            }
            Operation::WarmUp(which, count) => {
                for size in self.classes.clone() {
                    self.warm_up(which, size, count);
                }
                assert_eq!(self.pool(which).0.warmup(count), 0);
            }
            Operation::WarmUpClass(which, size, count) => self.warm_up(which, size, count),
            Operation::ResetMetrics(which) => self.reset(which),
            Operation::EndPool(which) => self.pools[usize::from(which)] = None,
            operation => self.write(operation),
        }
    }

    /// Operations on what is in a buffer.
    fn write(&mut self, operation: Operation) {
        match operation {
            Operation::Push(index, byte) => self.change(index, |buffer, oracle, pool| {
                buffer.push(byte);
                pool.extend(oracle, 1, byte);
            }),
            Operation::Extend(index, count, byte) => self.change(index, |buffer, oracle, pool| {
                buffer.extend(std::iter::repeat_n(byte, count));
                pool.extend(oracle, count, byte);
            }),
            Operation::ExtendFromSlice(index, count, byte) => {
                self.change(index, |buffer, oracle, pool| {
                    buffer.extend_from_slice(&vec![byte; count]);
                    pool.extend(oracle, count, byte);
                });
            }
            Operation::Write(index, count, byte) => self.change(index, |buffer, oracle, pool| {
                assert_eq!(buffer.write(&vec![byte; count]).expect("a write"), count);
                pool.extend(oracle, count, byte);
            }),
            Operation::ReadFrom(index, count, byte) => {
                self.change(index, |buffer, oracle, pool| {
                    pool.reserve(oracle, 1);
                    let room = oracle.capacity - oracle.bytes.len();
                    let mut reader = std::io::repeat(byte).take(count as u64);
                    let read = buffer.read_from(&mut reader).expect("a read");
                    assert_eq!(read, count.min(room));
                    pool.extend(oracle, read, byte);
                });
            }
            Operation::Truncate(index, len) => self.change(index, |buffer, oracle, _| {
                buffer.truncate(len);
                oracle.bytes.truncate(len);
            }),
            Operation::Clear(index) => self.change(index, |buffer, oracle, _| {
                buffer.clear();
                oracle.bytes.clear();
            }),
            Operation::Resize(index, len, byte) => self.change(index, |buffer, oracle, pool| {
                buffer.resize(len, byte);
                pool.reserve(oracle, len.saturating_sub(oracle.bytes.len()));
                oracle.bytes.resize(len, byte);
            }),
            Operation::Reserve(index, additional) => self.change(index, |buffer, oracle, pool| {
                buffer.reserve(additional);
                pool.reserve(oracle, additional);
            }),
            Operation::ReserveTooMuch(index, additional) => self.change(index, |buffer, _, _| {
                assert!(
                    buffer.try_reserve(additional).is_err_and(|refused| refused.is_too_large())
                );
            }),
            Operation::ScrubOnDrop(index) => {
                self.change(index, |buffer, _, _| buffer.scrub_on_drop());
            }
            other => unreachable!("{other:?} is of pools"),
        }
    }

    fn warm_up(&mut self, which: Which, size: usize, count: usize) {
        let (pool, number) = self.pool(which);
        let (class, capacity) = self.oracles[number].class_of(size);
        let idle = pool.metrics().pool(capacity).map_or(count as u64, |class| class.idle);
        let made = pool.warmup_class(size, count);
        assert_eq!(made as u64, (count as u64).saturating_sub(idle));
        self.oracles[number].counts[class].warmed += made as u64;
    }

    fn reset(&mut self, which: Which) {
        let (pool, number) = self.pool(which);
        let oracle = &mut self.oracles[number];
        for (counts, class) in oracle.counts.iter_mut().zip(&pool.metrics().pools) {
            counts.misses_before += class.misses;
        }
        for counts in &mut oracle.counts {
            (counts.gets, counts.puts, counts.discards) = (0, 0, 0);
        }
        oracle.reset_in_use |= oracle.counts.iter().any(|counts| counts.in_use > 0);
        (oracle.oversize_bytes.0, oracle.refused) = (0, 0);
        pool.reset_metrics();
    }

    /// Compares the metrics of both pools with what is known.
    pub(crate) fn check(&self) {
        for (pool, number) in self.pools.iter().flatten() {
            let (metrics, oracle) = (pool.metrics(), &self.oracles[*number]);
            if oracle.reset_in_use {
                identities::check_at_any_time(&metrics);
            } else {
                identities::check(&metrics);
            }
            for (class, counts) in metrics.pools.iter().zip(&oracle.counts) {
                let known = (counts.gets, counts.puts, counts.in_use, counts.discards);
                assert_eq!(
                    (class.gets, class.puts, class.in_use, class.discards),
                    known,
                    "{class:?}"
                );
                assert_eq!(class.created, class.in_use + class.idle, "{class:?}");
                assert_eq!(class.created, counts.warmed + counts.misses_before + class.misses);
            }
            let beyond = &oracle.counts[oracle.classes.len()];
            assert_eq!((metrics.oversize_gets, metrics.oversize_puts), (beyond.gets, beyond.puts));
            let bytes = (metrics.oversize_allocated, metrics.oversize_in_use_bytes);
            assert_eq!((bytes, metrics.refused), (oracle.oversize_bytes, oracle.refused));
            let discards: u64 = oracle.counts.iter().map(|counts| counts.discards).sum();
            assert_eq!(metrics.total_discards, discards);
        }
    }
}

fn check_buffer(buffer: &Buffer, oracle: &BufferOracle) {
    assert!(*buffer == oracle.bytes[..], "{} bytes in {}", oracle.bytes.len(), oracle.capacity);
    assert_eq!((buffer.len(), buffer.capacity()), (oracle.bytes.len(), oracle.capacity));
}
