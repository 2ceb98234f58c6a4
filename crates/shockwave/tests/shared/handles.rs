//! What handles show, how they are cut, and what becomes of the buffer behind them.

use std::ops::Bound::{Excluded, Unbounded};
use std::panic::{AssertUnwindSafe, catch_unwind};

use shockwave::{BufferPoolBuilder, Shared};

use crate::{check_at_rest, frozen};

both_cells! {
    clones_and_slices_show_the_same_memory,
    cuts_at_every_place_show_what_is_before_and_what_is_behind,
    ranges_out_of_bounds_panic_and_change_nothing,
    a_buffer_is_recovered_by_its_last_handle_alone,
    what_is_recovered_is_what_the_handle_showed,
    pinned_bytes_count_each_buffer_once_and_whole,
    no_class_counts_control_blocks,
    small_slices_are_copied_out_and_others_stay,
    oversize_and_empty_buffers_freeze_like_others,
    a_pool_of_32_classes_has_room_for_control_blocks,
}

fn clones_and_slices_show_the_same_memory(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let mut buffer = pool.get(100);
    buffer.extend_from_slice(b"0123456789");
    let address = buffer.as_ptr();
    let shared = buffer.freeze();
    let clone = shared.clone();
    let slice = shared.slice(3..7).slice(1..);
    assert_eq!((shared.as_ptr(), clone.as_ptr()), (address, address));
    assert_eq!(slice.as_ptr(), address.wrapping_add(4));
    assert_eq!((&shared[..], &clone[..]), (&b"0123456789"[..], &b"0123456789"[..]));
    drop((shared, clone));
    assert_eq!(slice, b"456");
    assert_eq!(pool.metrics().in_use_bytes, 2048);
    drop(slice);
    check_at_rest(&pool);
    assert_eq!(pool.metrics().pool(2048).unwrap().idle, 1, "it went home");
}

fn cuts_at_every_place_show_what_is_before_and_what_is_behind(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let bytes: Vec<u8> = (0..50).collect();
    let whole = frozen(&pool, &bytes);
    for at in 0..=50 {
        let (before, behind) = bytes.split_at(at);
        assert_eq!((&whole.slice(..at)[..], &whole.slice(at..)[..]), (before, behind));
        let mut back = whole.clone();
        let front = back.split_to(at);
        assert_eq!((&front[..], &back[..]), (before, behind));
        let mut front = whole.clone();
        let back = front.split_off(at);
        assert_eq!((&front[..], &back[..]), (before, behind));
        let (mut shortened, mut advanced) = (whole.clone(), whole.clone());
        shortened.truncate(at);
        shortened.truncate(at + 1);
        advanced.advance(at);
        assert_eq!((&shortened[..], &advanced[..]), (before, behind));
    }
    assert_eq!(whole.slice(1..=4), bytes[1..=4]);
    assert!(whole.is_unique());
    drop(whole);
    check_at_rest(&pool);
}

fn ranges_out_of_bounds_panic_and_change_nothing(builder: BufferPoolBuilder) {
    type Cut = fn(&mut Shared);
    let pool = builder.build().unwrap();
    let cuts: [Cut; 8] = [
        |shared| drop(shared.slice(..11)),
        |shared| drop(shared.slice(11..)),
        |shared| drop(shared.slice(std::ops::Range { start: 5, end: 4 })),
        |shared| drop(shared.slice(..=usize::MAX)),
        |shared| drop(shared.slice((Excluded(usize::MAX), Unbounded))),
        |shared| drop(shared.split_to(11)),
        |shared| drop(shared.split_off(usize::MAX)),
        |shared| shared.advance(11),
    ];
    let mut shared = frozen(&pool, b"0123456789");
    for cut in cuts {
        assert!(catch_unwind(AssertUnwindSafe(|| cut(&mut shared))).is_err());
        assert_eq!(shared, b"0123456789");
        assert!(shared.is_unique());
    }
}

fn a_buffer_is_recovered_by_its_last_handle_alone(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let shared = frozen(&pool, b"hello");
    let clone = shared.clone();
    assert!(!shared.is_unique() && !clone.is_unique());
    let shared = shared.try_into_mut().unwrap_err();
    assert_eq!(shared, b"hello");
    drop(clone);
    let mut buffer = shared.try_into_mut().unwrap();
    assert_eq!(pool.metrics().pinned_bytes, 0);
    assert_eq!(pool.metrics().in_use_bytes, 2048);
    buffer.extend_from_slice(b", world");
    assert_eq!(&buffer.freeze()[..], b"hello, world");
    check_at_rest(&pool);
}

fn what_is_recovered_is_what_the_handle_showed(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let bytes: Vec<u8> = (0..100).collect();
    for start in [0, 1, 40, 99, 100] {
        for end in [start, usize::midpoint(start, 100), 100] {
            let shared = frozen(&pool, &bytes);
            let address = shared.as_ptr();
            let slice = shared.slice(start..end);
            drop(shared);
            let buffer = slice.try_into_mut().unwrap();
            assert_eq!(&buffer[..], &bytes[start..end]);
            assert_eq!((buffer.as_ptr(), buffer.capacity()), (address, 2048));
        }
    }
    check_at_rest(&pool);
}

fn pinned_bytes_count_each_buffer_once_and_whole(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    assert_eq!(pool.metrics().pinned_bytes, 0);
    // More than a page of control blocks, and than a magazine.
    let mut held: Vec<_> = (0..200).map(|_| frozen(&pool, b"x")).collect();
    let slices: Vec<_> = held.iter().map(|shared| shared.slice(..1)).collect();
    assert_eq!(pool.metrics().pinned_bytes, 200 * 2048);
    let oversize = frozen(&pool, &vec![7; 70_000]);
    assert_eq!(oversize.slice(..3).pinned_bytes(), 70_000);
    assert_eq!(pool.metrics().pinned_bytes, 200 * 2048 + 70_000);
    pool.reset_metrics();
    assert_eq!(pool.metrics().pinned_bytes, 200 * 2048 + 70_000);
    drop(oversize);
    held.truncate(150);
    assert_eq!(pool.metrics().pinned_bytes, 200 * 2048, "slices pin");
    drop(held);
    drop(slices);
    assert_eq!(pool.metrics().pinned_bytes, 0);
    assert_eq!(pool.metrics().in_use_bytes, 0);
}

fn no_class_counts_control_blocks(builder: BufferPoolBuilder) {
    let pool = builder.classes(&[64, 4096]).build().unwrap();
    let held: Vec<_> = (0..300).map(|_| pool.get(4096).freeze()).collect();
    let metrics = pool.metrics();
    assert_eq!(metrics.pools.iter().map(|class| class.size).collect::<Vec<_>>(), [64, 4096]);
    assert_eq!((metrics.pools[0].gets, metrics.pools[0].created), (0, 0));
    assert_eq!((metrics.pools[1].gets, metrics.pools[1].created), (300, 300));
    assert_eq!((metrics.total_gets, metrics.in_use_bytes), (300, 300 * 4096));
    drop(held);
    check_at_rest(&pool);
}

fn small_slices_are_copied_out_and_others_stay(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let bytes: Vec<u8> = (0..=255).cycle().take(60_000).collect();
    let whole = frozen(&pool, &bytes);
    for (range, ratio, pinned) in [
        (0..10, 4, 2048),
        (9..5009, 4, 8192),
        (0..16_383, 4, 16_384),
        (0..16_384, 4, 65_536), // one part in four, no less
        (0..16_384, 3, 16_384),
        (0..33_000, 1, 65_536), // no smaller class holds it
        (0..32_000, 1, 32_768),
        (0..32_000, 0, 32_768),
        (7..7, 2, 2048),
        (0..1, usize::MAX, 65_536),
    ] {
        let slice = whole.slice(range.clone());
        let compact = slice.compact(ratio);
        assert_eq!(compact, bytes[range.clone()]);
        assert_eq!(compact.pinned_bytes(), pinned, "{range:?} by {ratio}");
        assert_eq!(compact.is_unique(), pinned != 65_536);
    }
    let small = frozen(&pool, b"x");
    assert_eq!(small.clone().compact(100).as_ptr(), small.as_ptr(), "there is no smaller class");
    drop((whole, small));
    check_at_rest(&pool);
}

fn oversize_and_empty_buffers_freeze_like_others(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let bytes = vec![9; 100_000];
    let shared = frozen(&pool, &bytes);
    let slice = shared.slice(99_990..);
    assert_eq!(pool.metrics().oversize_in_use_bytes, 100_000);
    drop(shared);
    assert_eq!(slice, [9; 10]);
    assert_eq!(slice.clone().compact(2).pinned_bytes(), 2048);
    let buffer = slice.try_into_mut().unwrap();
    assert_eq!((buffer.capacity(), &buffer[..]), (100_000, &[9; 10][..]));
    drop(buffer);
    assert_eq!(pool.metrics().oversize_in_use_bytes, 0);

    let empty = pool.get(100).freeze();
    assert!(empty.is_empty() && empty.slice(..).is_empty());
    assert_eq!(empty.pinned_bytes(), 2048);
    assert!(empty.try_into_mut().unwrap().is_empty());
    check_at_rest(&pool);
}

fn a_pool_of_32_classes_has_room_for_control_blocks(builder: BufferPoolBuilder) {
    let sizes: Vec<usize> = (1..=32).map(|i| i * 100).collect();
    let pool = builder.classes(&sizes).build().unwrap();
    for _ in 0..3 {
        let held: Vec<_> = sizes.iter().map(|&size| frozen(&pool, &vec![1; size])).collect();
        // In the granule that the end of the largest class splits: beyond it, and so of no class.
        let beyond = frozen(&pool, &[2; 3201]);
        assert_eq!(beyond.pinned_bytes(), 3201);
        let sum: usize = sizes.iter().sum();
        assert_eq!(pool.metrics().pinned_bytes, sum as u64 + 3201);
        assert!(held.iter().zip(&sizes).all(|(shared, &size)| shared.pinned_bytes() == size));
    }
    check_at_rest(&pool);
}
