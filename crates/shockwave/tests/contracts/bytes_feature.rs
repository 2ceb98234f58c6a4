//! Feature `bytes`: a buffer is a `BufMut` at every edge.
#![expect(unsafe_code, reason = "`advance_mut` is unsafe")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::BufMut;
use shockwave::BufferPoolBuilder;

both_cells! {
    advancing_beyond_the_room_panics_and_changes_nothing,
    the_room_lent_is_never_empty_and_claimed_exactly,
    puts_of_every_kind_grow_the_buffer,
}

fn advancing_beyond_the_room_panics_and_changes_nothing(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for count in [2044, 2048, 65_536, usize::MAX - 5, usize::MAX - 4, usize::MAX] {
        let mut buffer = pool.get(2048);
        buffer.put_slice(b"hello");
        // SAFETY: there is not that much room, so nothing is claimed; that it panics is what is
        // tested.
        let advance = AssertUnwindSafe(|| unsafe { buffer.advance_mut(count) });
        assert!(catch_unwind(advance).is_err(), "by {count}");
        assert_eq!(buffer, b"hello");
        let fill = AssertUnwindSafe(|| buffer.put_bytes(0, usize::MAX));
        assert!(catch_unwind(fill).is_err());
        assert_eq!(buffer, b"hello");
    }
}

fn the_room_lent_is_never_empty_and_claimed_exactly(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(2048);
    while buffer.len() < 70_000 {
        let room = buffer.chunk_mut();
        let count = room.len().min(1000);
        assert!(count > 0);
        room[..count].copy_from_slice(&[7; 1000][..count]);
        // SAFETY: just written.
        unsafe { buffer.advance_mut(count) };
    }
    assert!(buffer.iter().all(|&byte| byte == 7));
    assert_eq!(buffer.remaining_mut(), u32::MAX as usize - buffer.len());
}

fn puts_of_every_kind_grow_the_buffer(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(0);
    let mut expected = Vec::new();
    for number in 0..2000_u64 {
        buffer.put_u64(number);
        expected.put_u64(number);
        buffer.put_bytes(9, 3);
        expected.put_bytes(9, 3);
        buffer.put(&b"chain"[..]);
        expected.put(&b"chain"[..]);
    }
    assert_eq!(buffer, expected[..]);
}
