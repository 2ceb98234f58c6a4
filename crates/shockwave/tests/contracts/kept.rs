//! What the pool has in common with the Go pool whose names it keeps.

use shockwave::{
    BUFFER_SIZE_2KB, BUFFER_SIZE_4KB, BUFFER_SIZE_8KB, BUFFER_SIZE_16KB, BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB, BufferPoolBuilder,
};

use crate::identities;

both_cells! {
    a_length_of_0_to_2048_is_served_from_2_kib,
    each_length_is_served_by_the_smallest_class_that_holds_it,
    above_64_kib_a_buffer_is_exact_and_not_pooled,
    a_hit_rate_above_95_is_healthy_and_below_80_asks_about_sizes,
    metrics_are_shown_in_the_known_layout,
}

const CLASSES: [usize; 6] = [
    BUFFER_SIZE_2KB,
    BUFFER_SIZE_4KB,
    BUFFER_SIZE_8KB,
    BUFFER_SIZE_16KB,
    BUFFER_SIZE_32KB,
    BUFFER_SIZE_64KB,
];

#[test]
fn the_sizes_are_what_their_names_say() {
    assert_eq!(CLASSES, [2048, 4096, 8192, 16_384, 32_768, 65_536]);
}

fn a_length_of_0_to_2048_is_served_from_2_kib(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for size in 0..=2048 {
        assert_eq!(pool.get(size).capacity(), 2048);
    }
    assert_eq!(pool.metrics().pool(2048).map(|class| class.gets), Some(2049));
    assert_eq!(pool.metrics().total_gets, 2049);
}

fn each_length_is_served_by_the_smallest_class_that_holds_it(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    assert_eq!(pool.class_sizes().collect::<Vec<_>>(), CLASSES);
    for size in 0..=65_536 {
        let expected = CLASSES.into_iter().find(|&class| class >= size);
        assert_eq!(Some(pool.get(size).capacity()), expected, "for {size} bytes");
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    let gets: Vec<u64> = metrics.pools.iter().map(|class| class.gets).collect();
    assert_eq!(gets, [2049, 2048, 4096, 8192, 16_384, 32_768]);
}

fn above_64_kib_a_buffer_is_exact_and_not_pooled(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for (gets, size) in [65_537, 65_600, 100_000, 1 << 20, (3 << 20) + 1].into_iter().enumerate() {
        let mut buffer = pool.get(size);
        assert_eq!((buffer.len(), buffer.capacity()), (0, size));
        buffer.resize(size, 7);
        assert_eq!(pool.metrics().oversize_in_use_bytes, size as u64);
        pool.put(buffer);
        let metrics = pool.metrics();
        assert_eq!(
            (metrics.oversize_gets, metrics.oversize_puts),
            (gets as u64 + 1, gets as u64 + 1)
        );
        assert_eq!((metrics.oversize_in_use_bytes, metrics.idle_bytes), (0, 0));
        assert_eq!((metrics.total_gets, metrics.total_puts), (0, 0));
    }
}

fn a_hit_rate_above_95_is_healthy_and_below_80_asks_about_sizes(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    assert_eq!(pool.metrics().advice(), None);
    // Ten gets must make their buffers, and sixty find one that was warmed up.
    let mut held: Vec<_> = (0..10).map(|_| pool.get(1)).collect();
    assert!(pool.metrics().advice().is_some_and(|advice| advice.contains("sizes")));
    pool.warmup_class(1, 200);
    held.extend((0..60).map(|_| pool.get(1)));
    let metrics = pool.metrics();
    assert!((80.0..95.0).contains(&metrics.global_hit_rate), "{}", metrics.global_hit_rate);
    assert!(metrics.advice().is_some_and(|advice| advice.contains("warm up")));
    pool.reset_metrics();
    while pool.metrics().global_hit_rate < 95.0 {
        held.push(pool.get(1));
        held.clear();
    }
    assert_eq!(pool.metrics().advice(), Some("healthy"));
}

fn metrics_are_shown_in_the_known_layout(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    drop(pool.get(4096));
    let page = pool.metrics().to_string();
    for line in [
        "Global Hit Rate: 0.00%",
        "Total Gets: 1",
        "Total Puts: 1",
        "Memory Allocated: 0.00 MB",
        "Memory Reused: 0.00 MB",
        "Reuse Efficiency: 0.00%",
        "Per-Size Pool Metrics:",
        "  2KB: Gets=0, Puts=0, Hits=0, Misses=0, Hit Rate=0.00%, Discards=0",
        "  4KB: Gets=1, Puts=1, Hits=0, Misses=1, Hit Rate=0.00%, Discards=0",
    ] {
        assert!(page.lines().any(|shown| shown == line), "{line:?} is not in\n{page}");
    }
}
