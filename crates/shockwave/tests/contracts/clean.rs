//! No buffer shows what its last holder wrote, and what was to be cleared is gone from memory.
#![expect(unsafe_code, reason = "looks at memory that buffers do not show")]

use std::io::Read;

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::pinned::pinned;

both_cells! {
    a_fresh_buffer_shows_nothing_of_what_was_written_and_shortened,
    put_with_reset_clears_all_that_was_ever_written,
    scrub_on_drop_holds_through_every_way_to_go,
    a_buffer_that_is_not_reset_is_given_out_as_it_is,
    get_zeroed_is_zero_whatever_was_there,
    a_gap_in_the_length_is_never_opened_by_safe_code,
}

/// A way to write to a buffer of 4 KiB.
type Write = fn(&mut Buffer);
/// A way to be done with a buffer.
type Go = fn(&BufferPool, Buffer);

const SECRET: u8 = 0xa5;

/// All bytes of a buffer's memory, also those that it does not show.
pub(crate) fn memory_of(buffer: &mut Buffer) -> Vec<u8> {
    let (start, capacity) = (buffer.as_ptr(), buffer.capacity());
    // SAFETY: a buffer has `capacity` bytes, which are initialized, as pools promise of all memory.
    unsafe { std::slice::from_raw_parts(start, capacity) }.to_vec()
}

/// The memory that a pool of one idle buffer hands out next, on a thread that stays where it is.
fn next_memory(pool: &BufferPool, size: usize, expected: *const u8) -> Vec<u8> {
    let mut buffer = pool.get(size);
    assert!(buffer.is_empty());
    assert_eq!(buffer.as_ptr(), expected, "the buffer that was put last is the one that is got");
    memory_of(&mut buffer)
}

fn a_fresh_buffer_shows_nothing_of_what_was_written_and_shortened(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for size in [2048, 4096, 65_536] {
        for _ in 0..100 {
            let mut buffer = pool.get(size);
            assert!(buffer.is_empty() && buffer[..].is_empty());
            assert_eq!((buffer.first(), buffer.get(1)), (None, None));
            buffer.resize(size, SECRET);
            buffer.truncate(1);
            pool.put(buffer);

            let mut tail = pool.get(size);
            tail.extend_from_slice(b"ab");
            assert_eq!(&tail[..], b"ab");
            tail.resize(size, 0);
            assert!(tail[2..].iter().all(|&byte| byte == 0));
            tail.clear();
            assert!(tail.is_empty());
        }
    }
}

fn put_with_reset_clears_all_that_was_ever_written(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let ways: [(&str, Write); 9] = [
        ("in full", |buffer| buffer.resize(4096, SECRET)),
        ("truncated", |buffer| {
            buffer.resize(3000, SECRET);
            buffer.truncate(7);
        }),
        ("cleared", |buffer| {
            buffer.resize(4095, SECRET);
            buffer.clear();
        }),
        ("cleared and written shorter", |buffer| {
            buffer.resize(4000, SECRET);
            buffer.clear();
            buffer.resize(10, SECRET);
        }),
        ("in steps", |buffer| {
            for len in [1, 70, 65, 129, 2, 300, 0, 5] {
                buffer.resize(len, SECRET);
            }
        }),
        ("through set_len", |buffer| {
            buffer.resize(2000, SECRET);
            // SAFETY: shorter than what was written.
            unsafe { buffer.set_len(2) };
        }),
        ("to lent room", |buffer| {
            for byte in buffer.spare_capacity_mut() {
                byte.write(SECRET);
            }
        }),
        ("by a reader that then fails", |buffer| {
            assert!(buffer.read_from(&mut WritesAndFails).is_err());
            assert!(buffer.is_empty());
        }),
        ("in place", |buffer| {
            buffer.resize(1000, 0);
            buffer.iter_mut().for_each(|byte| *byte = SECRET);
            buffer.truncate(999);
        }),
    ];
    pinned(|| {
        for (way, write) in ways {
            let mut buffer = pool.get(4096);
            write(&mut buffer);
            let memory = buffer.as_ptr();
            pool.put_with_reset(buffer);
            let left = next_memory(&pool, 4096, memory);
            let secrets = left.iter().filter(|&&byte| byte != 0).count();
            assert_eq!(secrets, 0, "written {way}");
        }
    });
}

/// Fills all the room it is lent, and then says that it failed.
struct WritesAndFails;

impl Read for WritesAndFails {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        room.fill(SECRET);
        Err(std::io::Error::other("after writing"))
    }
}

fn scrub_on_drop_holds_through_every_way_to_go(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let secret = || {
        let mut buffer = pool.get(2048);
        buffer.scrub_on_drop();
        buffer.resize(1500, SECRET);
        buffer.truncate(4);
        buffer
    };
    let ways: [(&str, Go); 5] = [
        ("dropped", |_, buffer| drop(buffer)),
        ("put", BufferPool::put),
        ("copied out", |_, buffer| assert_eq!(buffer.into_vec(), [SECRET; 4])),
        ("outgrown", |_, mut buffer| buffer.resize(9000, SECRET)),
        ("dropped by a panic", |_, buffer| {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                let _held = buffer;
                std::panic::resume_unwind(Box::new("as a test"));
            }));
            assert!(result.is_err());
        }),
    ];
    pinned(|| {
        for (way, go) in ways {
            let buffer = secret();
            let memory = buffer.as_ptr();
            go(&pool, buffer);
            let left = next_memory(&pool, 2048, memory);
            assert!(left.iter().all(|&byte| byte == 0), "{way}");
        }
        // The larger buffer that took over keeps the promise of the one that was outgrown.
        let left = memory_of(&mut pool.get(16_384));
        assert!(left.iter().all(|&byte| byte == 0), "after growth");
    });
}

fn a_buffer_that_is_not_reset_is_given_out_as_it_is(builder: BufferPoolBuilder) {
    // Else the tests above could not fail.
    let pool = builder.build().expect("a pool");
    pinned(|| {
        let mut buffer = pool.get(2048);
        buffer.resize(2048, SECRET);
        let memory = buffer.as_ptr();
        drop(buffer);
        assert_eq!(next_memory(&pool, 2048, memory), [SECRET; 2048]);
    });
}

fn get_zeroed_is_zero_whatever_was_there(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for len in [0, 1, 2047, 2048, 2049, 65_536, 65_537, 200_000] {
        pool.get_zeroed(len).fill(SECRET);
        let buffer = pool.get_zeroed(len);
        assert_eq!(buffer.len(), len);
        assert!(buffer.iter().all(|&byte| byte == 0), "{len} bytes");
    }
}

fn a_gap_in_the_length_is_never_opened_by_safe_code(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut dirty = pool.get(4096);
    dirty.resize(4096, SECRET);
    drop(dirty);
    let mut buffer = pool.get(4096);
    buffer.resize(100, 1);
    buffer.truncate(50);
    buffer.resize(200, 2);
    buffer.truncate(1000); // longer than it is: nothing happens
    let expected: Vec<u8> = [[1; 50].as_slice(), &[2; 150]].concat();
    assert_eq!(buffer, expected[..]);
}
