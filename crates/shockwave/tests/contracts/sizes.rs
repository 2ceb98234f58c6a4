//! Lengths at every edge: of a class, of all classes, of what a buffer can be, and of what a number
//! can say.

use std::panic::{AssertUnwindSafe, catch_unwind};

use shockwave::BufferPoolBuilder;

use crate::identities;

both_cells! {
    one_byte_above_a_class_is_the_next_class,
    any_ascending_set_of_1_to_32_classes_serves_each_length_by_the_smallest,
    reserving_more_than_there_can_be_is_refused_and_changes_nothing,
    a_length_of_4_gib_is_refused_with_the_limit,
    growth_keeps_the_bytes_through_every_class_and_beyond,
    growth_at_least_doubles,
}

/// What a panic said.
fn panic_of(run: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(run)).expect_err("a panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn one_byte_above_a_class_is_the_next_class(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let sizes: Vec<usize> = pool.class_sizes().collect();
    for pair in sizes.windows(2) {
        let mut buffer = pool.get(pair[0]);
        assert_eq!(buffer.capacity(), pair[0]);
        assert_eq!(pool.get(pair[0] + 1).capacity(), pair[1]);
        buffer.resize(pair[0], 1);
        assert_eq!(buffer.capacity(), pair[0], "what fits stays");
        buffer.push(2);
        assert_eq!((buffer.capacity(), buffer.len()), (pair[1], pair[0] + 1));
        assert_eq!((buffer[0], buffer[pair[0] - 1], buffer[pair[0]]), (1, 1, 2));
    }
    assert_eq!(pool.get(65_537).capacity(), 65_537);
    let mut last = pool.get(65_536);
    last.resize(65_537, 1);
    assert_eq!(last.capacity(), 2 * 65_536);
    drop(last);
    identities::check(&pool.metrics());
}

fn any_ascending_set_of_1_to_32_classes_serves_each_length_by_the_smallest(
    builder: BufferPoolBuilder,
) {
    let sets: [&[usize]; 6] = [
        &[64],
        &[16 << 20],
        &[1500, 9000],
        &[64, 65, 127, 128, 129, 1000, 1001],
        &std::array::from_fn::<usize, 32, _>(|i| 64 + i),
        &std::array::from_fn::<usize, 32, _>(|i| 1 << 10 << (i / 4) | (i % 4) << (i / 4 + 8)),
    ];
    for set in sets {
        let pool = builder.clone().classes(set).build().expect("a pool");
        assert_eq!(pool.class_sizes().collect::<Vec<_>>(), set);
        for size in set.iter().flat_map(|&size| [size - 1, size, size + 1]) {
            let expected = set.iter().copied().find(|&class| class >= size).unwrap_or(size);
            let mut buffer = pool.get(size);
            assert_eq!(buffer.capacity(), expected, "{size} in {set:?}");
            buffer.resize(size, 7);
            assert_eq!(buffer.capacity(), expected);
            pool.put_with_reset(buffer);
        }
        identities::check(&pool.metrics());
    }
    for bad in [&[][..], &[63], &[(16 << 20) + 1], &[4096, 2048], &[64, 64], &[64; 33]] {
        assert!(builder.clone().classes(bad).build().is_err_and(|error| error.is_classes()));
    }
}

fn reserving_more_than_there_can_be_is_refused_and_changes_nothing(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let sizes = [usize::MAX, usize::MAX - 5, usize::MAX / 2, isize::MAX as usize, 1 << 40];
    for capacity in [2048, 65_536, 70_000] {
        let mut buffer = pool.get(capacity);
        buffer.extend_from_slice(b"hello");
        let before = buffer.as_ptr();
        for additional in sizes {
            let refused = buffer.try_reserve(additional).expect_err("refused");
            assert!(refused.is_too_large() && !refused.is_out_of_memory());
            assert_eq!(refused.requested(), additional.saturating_add(5));
            assert!(panic_of(|| buffer.reserve(additional)).contains(&refused.limit().to_string()));
            let message = panic_of(|| buffer.resize(additional, 0));
            assert!(message.contains("4294967295"), "{message}");
        }
        let claim = std::iter::repeat_n(1_u8, usize::MAX);
        assert!(
            panic_of(|| buffer.extend(claim)).contains("never"),
            "a size hint is taken at its word"
        );
        assert_eq!(
            (buffer.as_ptr(), buffer.capacity(), &buffer[..]),
            (before, capacity, &b"hello"[..])
        );
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
}

#[cfg(target_pointer_width = "64")]
fn a_length_of_4_gib_is_refused_with_the_limit(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for size in [1_usize << 32, (1 << 32) + 1, 1 << 40, usize::MAX] {
        let refused = pool.try_get(size).expect_err("refused");
        assert!(refused.is_too_large());
        assert_eq!((refused.requested(), refused.limit()), (size, u32::MAX as usize));
        let message = refused.to_string();
        assert!(message.contains("4294967295") && message.contains(&size.to_string()), "{message}");
        assert_eq!(panic_of(|| drop(pool.get(size))), message);
        assert_eq!(panic_of(|| drop(pool.get_zeroed(size))), message);
    }
    assert_eq!(pool.metrics().refused, 12);
    assert_eq!(pool.metrics().oversize_allocated, 0);
}

#[cfg(not(target_pointer_width = "64"))]
fn a_length_of_4_gib_is_refused_with_the_limit(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    assert!(pool.try_get(usize::MAX).is_err());
}

fn growth_keeps_the_bytes_through_every_class_and_beyond(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(0);
    let mut expected = Vec::new();
    for step in 0_u32..4000 {
        let bytes: Vec<u8> = step.to_le_bytes().repeat(1 + step as usize % 37);
        buffer.extend_from_slice(&bytes);
        expected.extend_from_slice(&bytes);
        assert_eq!(buffer.len(), expected.len());
    }
    assert_eq!(buffer, expected[..]);
    assert_eq!(Vec::from(buffer), expected);
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.total_gets, 6, "one in each class on the way");
    assert_eq!((metrics.in_use_bytes, metrics.oversize_gets), (0, metrics.oversize_puts));
}

fn growth_at_least_doubles(builder: BufferPoolBuilder) {
    let pool = builder.classes(&[1000, 1100, 1200, 5000]).build().expect("a pool");
    let mut buffer = pool.get(1000);
    let mut moves = 0;
    for _ in 0..100_000 {
        let before = buffer.capacity();
        buffer.push(1);
        if buffer.capacity() != before {
            assert!(buffer.capacity() >= 2 * before, "{before} to {}", buffer.capacity());
            moves += 1;
        }
    }
    assert_eq!(moves, 6); // 5000, 10000, 20000, 40000, 80000, 160000
}
