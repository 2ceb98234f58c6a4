//! Random operations on frozen buffers, against vectors and reference counts of the standard
//! library.

use std::sync::Arc;

use shockwave::{BufferPoolBuilder, Shared};

use crate::{check_at_rest, frozen};

both_cells! {
    random_operations_do_what_they_do_to_counted_vectors,
}

/// Marsaglia's xorshift generator of 64 bits.
struct Random(u64);

impl Random {
    /// The next number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % end
    }
}

/// What a handle must be like: a part of a vector that others may have too.
#[derive(Clone)]
struct Expected {
    bytes: Arc<Vec<u8>>,
    start: usize,
    end: usize,
    capacity: usize,
}

fn random_operations_do_what_they_do_to_counted_vectors(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut held: Vec<(Shared, Expected)> = Vec::new();
    for step in 0..20_000 {
        if held.is_empty() || (held.len() < 300 && random.below(4) == 0) {
            let len = random.below(5000);
            let bytes: Vec<u8> =
                (0..len).map(|i| u8::try_from((i ^ step) & 0xff).unwrap()).collect();
            let capacity = len.next_power_of_two().max(2048);
            let shared = frozen(&pool, &bytes);
            held.push((shared, Expected { bytes: Arc::new(bytes), start: 0, end: len, capacity }));
        }
        let (mut shared, mut expected) = held.swap_remove(random.below(held.len()));
        let at = random.below(shared.len() + 1);
        match random.below(8) {
            0 => held.push((shared.clone(), expected.clone())),
            1 => {
                let to = at + random.below(shared.len() - at + 1);
                let slice = Expected {
                    start: expected.start + at,
                    end: expected.start + to,
                    ..expected.clone()
                };
                held.push((shared.slice(at..to), slice));
            }
            2 => {
                let front = Expected { end: expected.start + at, ..expected.clone() };
                held.push((shared.split_to(at), front));
                expected.start += at;
            }
            3 => {
                let back = Expected { start: expected.start + at, ..expected.clone() };
                held.push((shared.split_off(at), back));
                expected.end = expected.start + at;
            }
            4 => match shared.try_into_mut() {
                Ok(mut buffer) => {
                    assert_eq!(Arc::strong_count(&expected.bytes), 1);
                    let mut bytes = expected.bytes[expected.start..expected.end].to_vec();
                    assert_eq!(&buffer[..], &bytes[..]);
                    if bytes.len() < expected.capacity {
                        bytes.push(7);
                        buffer.push(7);
                    }
                    let end = bytes.len();
                    expected = Expected { bytes: Arc::new(bytes), start: 0, end, ..expected };
                    shared = buffer.freeze();
                }
                Err(back) => {
                    assert!(Arc::strong_count(&expected.bytes) > 1);
                    shared = back;
                }
            },
            _ => continue,
        }
        assert_eq!(shared, expected.bytes[expected.start..expected.end]);
        assert_eq!(shared.pinned_bytes(), expected.capacity);
        assert_eq!(shared.is_unique(), Arc::strong_count(&expected.bytes) == 1);
        held.push((shared, expected));
        if step % 500 == 0 {
            let mut buffers: Vec<_> =
                held.iter().map(|(_, e)| (Arc::as_ptr(&e.bytes), e.capacity)).collect();
            buffers.sort_unstable();
            buffers.dedup();
            let pinned: usize = buffers.iter().map(|&(_, capacity)| capacity).sum();
            assert_eq!(pool.metrics().pinned_bytes, pinned as u64);
            assert_eq!(pool.metrics().in_use_bytes, pinned as u64);
        }
    }
    drop(held);
    check_at_rest(&pool);
}
