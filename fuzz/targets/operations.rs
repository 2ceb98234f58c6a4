//! Any sequence of operations on pools and their buffers, with either kind of cells, against
//! vectors: every buffer holds what its vector does at all times, and the counts come out exact.
#![no_main]

use std::io::Read;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shockwave::{Buffer, BufferPool, Cells};

/// Buffers held at once, at most.
const HELD_MAX: usize = 48;

/// Bytes that one operation adds, at most: beyond the largest class, so that buffers outgrow it.
const ADDED_MAX: usize = 5000;

/// The classes of both pools: ends within one entry of the lookup table, and a factor of 32 in all.
const CLASSES: [usize; 5] = [64, 100, 512, 1500, 2048];

#[derive(Debug, Arbitrary)]
struct Input {
    locked: bool,
    /// Small, so that cells run full and empty, or the default.
    per_core_bytes: Option<u16>,
    operations: Vec<Operation>,
}

#[derive(Debug, Arbitrary)]
enum Operation {
    Get { size: u16 },
    GetZeroed { len: u16 },
    GetFromOther { size: u16 },
    Drop { which: u8 },
    Put { which: u8 },
    PutWithReset { which: u8 },
    DropOnAnotherThread { which: u8 },
    Extend { which: u8, len: u16, value: u8 },
    Push { which: u8, value: u8 },
    Resize { which: u8, len: u16, value: u8 },
    Truncate { which: u8, len: u16 },
    Reserve { which: u8, additional: u16 },
    Read { which: u8, len: u16, value: u8 },
    Spare { which: u8, len: u16, value: u8 },
    ScrubOnDrop { which: u8 },
    IntoVec { which: u8 },
    Warm { size: u16, count: u8 },
    ResetMetrics,
    Check,
}

/// A buffer and what must be in it.
struct Held {
    buffer: Buffer,
    expected: Vec<u8>,
    other: bool,
}

impl Held {
    fn check(&self) {
        assert_eq!(self.buffer[..], self.expected[..]);
        assert!(self.buffer.capacity() >= self.buffer.len());
    }
}

/// Two pools and the buffers that are out. Gets are not counted here, since a buffer that grows
/// gets too.
struct State {
    pool: BufferPool,
    other: BufferPool,
    held: Vec<Held>,
    /// Buffers of the other pool that were put into `pool`.
    foreign: u64,
}

impl State {
    fn hold(&mut self, buffer: Buffer, size: usize, other: bool) {
        assert!(buffer.is_empty(), "a get shows nothing");
        assert!(buffer.capacity() >= size);
        self.held.push(Held { buffer, expected: Vec::new(), other });
    }

    fn release(&mut self, which: u8) -> Option<Held> {
        let count = self.held.len();
        (count > 0).then(|| self.held.swap_remove(usize::from(which) % count))
    }

    fn change(&mut self, which: u8, change: impl FnOnce(&mut Buffer, &mut Vec<u8>)) {
        let count = self.held.len();
        if count > 0 {
            let held = &mut self.held[usize::from(which) % count];
            change(&mut held.buffer, &mut held.expected);
            held.check();
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Get { size } if self.held.len() < HELD_MAX => {
                let size = usize::from(size) % ADDED_MAX;
                self.hold(self.pool.get(size), size, false);
            }
            Operation::GetFromOther { size } if self.held.len() < HELD_MAX => {
                let size = usize::from(size) % ADDED_MAX;
                self.hold(self.other.get(size), size, true);
            }
            Operation::GetZeroed { len } if self.held.len() < HELD_MAX => {
                let len = usize::from(len) % ADDED_MAX;
                let held = Held {
                    buffer: self.pool.get_zeroed(len),
                    expected: vec![0; len],
                    other: false,
                };
                held.check();
                self.held.push(held);
            }
            Operation::Get { .. }
            | Operation::GetFromOther { .. }
            | Operation::GetZeroed { .. } => {}
            Operation::Drop { which } => drop(self.release(which)),
            Operation::Put { which } => self.put(which, BufferPool::put),
            Operation::PutWithReset { which } => self.put(which, BufferPool::put_with_reset),
            Operation::DropOnAnotherThread { which } => {
                let held = self.release(which);
                std::thread::spawn(|| drop(held)).join().unwrap();
            }
            Operation::IntoVec { which } => {
                if let Some(held) = self.release(which) {
                    assert_eq!(held.buffer.into_vec(), held.expected);
                }
            }
            Operation::Warm { size, count } => {
                let before = self.pool.metrics();
                self.pool.warmup_class(size.into(), usize::from(count % 70));
                assert_eq!(self.pool.metrics().total_gets, before.total_gets);
            }
            Operation::ResetMetrics => {
                self.pool.reset_metrics();
                self.foreign = 0;
                assert_eq!(self.pool.metrics().total_gets, 0);
            }
            Operation::Check => self.check(),
            ref on_a_buffer => self.write(on_a_buffer),
        }
    }

    fn put(&mut self, which: u8, put: fn(&BufferPool, Buffer)) {
        if let Some(held) = self.release(which) {
            self.foreign += u64::from(held.other);
            put(&self.pool, held.buffer);
        }
    }

    /// Operations that change what is in a buffer.
    fn write(&mut self, operation: &Operation) {
        let limit = |len: u16| usize::from(len) % ADDED_MAX;
        match *operation {
            Operation::Extend { which, len, value } => self.change(which, |buffer, expected| {
                let bytes = vec![value; limit(len)];
                buffer.extend_from_slice(&bytes);
                expected.extend_from_slice(&bytes);
            }),
            Operation::Push { which, value } => self.change(which, |buffer, expected| {
                buffer.push(value);
                expected.push(value);
            }),
            Operation::Resize { which, len, value } => self.change(which, |buffer, expected| {
                buffer.resize(limit(len), value);
                expected.resize(limit(len), value);
            }),
            Operation::Truncate { which, len } => self.change(which, |buffer, expected| {
                buffer.truncate(len.into());
                expected.truncate(len.into());
            }),
            Operation::Reserve { which, additional } => self.change(which, |buffer, _| {
                buffer.reserve(limit(additional));
                assert!(buffer.capacity() - buffer.len() >= limit(additional));
            }),
            Operation::Read { which, len, value } => self.change(which, |buffer, expected| {
                let mut source = std::io::repeat(value).take(limit(len) as u64);
                let read = buffer.read_from(&mut source).unwrap();
                assert!(read > 0 || limit(len) == 0, "0 is the end of the stream");
                expected.resize(expected.len() + read, value);
            }),
            Operation::Spare { which, len, value } => self.change(which, |buffer, expected| {
                let spare = buffer.spare_capacity_mut();
                let count = limit(len).min(spare.len());
                for byte in spare {
                    byte.write(value);
                }
                // SAFETY: all of the spare room was written, and `count` is no more than that.
                unsafe { buffer.set_len(buffer.len() + count) };
                expected.resize(expected.len() + count, value);
            }),
            Operation::ScrubOnDrop { which } => self.change(which, |buffer, _| {
                buffer.scrub_on_drop();
            }),
            _ => {}
        }
    }

    /// All buffers hold what they must, so none shares memory with another, and all counts are
    /// exact.
    fn check(&self) {
        self.held.iter().for_each(Held::check);
        for (pool, other) in [(&self.pool, false), (&self.other, true)] {
            let metrics = pool.metrics();
            let out = self.held.iter().filter(|held| held.other == other);
            let bytes: usize = out.map(|held| held.buffer.capacity()).sum();
            assert_eq!(metrics.in_use_bytes, bytes as u64, "{metrics:?}");
            for class in &metrics.pools {
                assert_eq!(class.gets, class.hits + class.misses, "{class:?}");
                assert_eq!(
                    class.gets,
                    class.gets_cell + class.gets_depot + class.misses,
                    "{class:?}"
                );
                assert_eq!(class.created, class.in_use + class.idle, "{class:?}");
                assert!((0.0..=100.0).contains(&class.hit_rate), "{class:?}");
            }
        }
        assert_eq!(self.pool.metrics().total_discards, self.foreign);
    }
}

fuzz_target!(|input: Input| {
    let build = || {
        let builder = BufferPool::builder().classes(&CLASSES);
        let builder = builder.cells(if input.locked { Cells::Locked } else { Cells::Auto });
        match input.per_core_bytes {
            Some(bytes) => builder.per_core_bytes(bytes.into()),
            None => builder,
        }
    };
    let mut state = State {
        pool: build().build().unwrap(),
        other: build().build().unwrap(),
        held: Vec::new(),
        foreign: 0,
    };
    input.operations.iter().take(512).for_each(|operation| state.apply(operation));
    state.check();
    // The pools end first, and what is out still holds what it held.
    let State { pool, other, held, .. } = state;
    drop((pool, other));
    held.iter().for_each(Held::check);
});
