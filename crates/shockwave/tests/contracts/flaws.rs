//! The ten flaws of the original pool, each turned into a promise.
//!
//! Number 5 is proven byte by byte in `clean`, number 6 besides by `compile_fail`, number 7 by
//! `allocator`, and number 10 under load in `metrics`.

use std::collections::BTreeSet;

use shockwave::BufferPoolBuilder;

use crate::pinned::{pin, pinned};
use crate::{cells_max, cpus, identities};

both_cells! {
    flaw_1_warm_up_of_n_leaves_n_idle_in_each_class_and_counts_in_no_hit_rate,
    flaw_2_bytes_reused_are_counted_and_efficiency_ends_at_100,
    flaw_3_a_buffer_put_into_another_pool_goes_home_and_counts_as_a_discard,
    flaw_4_what_enters_a_class_has_its_whole_capacity,
    flaw_5_put_with_reset_leaves_nothing_beyond_the_length,
    flaw_6_no_two_buffers_share_a_byte,
    flaw_8_threads_on_cpus_of_their_own_do_not_meet,
    flaw_9_what_was_warmed_up_stays_and_a_core_keeps_no_more_than_its_limit,
    flaw_10_a_reset_begins_the_counts_anew_and_leaves_the_buffers,
}

fn flaw_1_warm_up_of_n_leaves_n_idle_in_each_class_and_counts_in_no_hit_rate(
    builder: BufferPoolBuilder,
) {
    let pool = builder.build().expect("a pool");
    assert_eq!(pool.warmup(100), 600);
    let metrics = pool.metrics();
    identities::check(&metrics);
    for class in &metrics.pools {
        assert_eq!((class.idle, class.created, class.in_use), (100, 100, 0));
        assert_eq!((class.gets, class.puts, class.hits, class.misses), (0, 0, 0, 0));
    }
    assert!(metrics.global_hit_rate < f64::EPSILON);
    assert_eq!(pool.warmup(100), 0, "what is there is not made again");
    assert_eq!(pool.warmup_class(5000, 101), 1, "only the class that serves the size");
    assert_eq!(pool.warmup_class(1 << 20, 9), 0, "no class serves that size");

    // On one CPU: what a cell keeps, another one's thread does not find.
    let held = pinned(|| {
        pool.trim(); // all of it lies in depots from here
        (0..100).map(|_| pool.get(2048)).collect::<Vec<_>>()
    });
    let metrics = pool.metrics();
    assert_eq!((metrics.total_hits, metrics.total_misses), (100, 0));
    drop(held);
}

fn flaw_2_bytes_reused_are_counted_and_efficiency_ends_at_100(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let held: Vec<_> = (0..3).map(|_| pool.get(8192)).collect();
    let metrics = pool.metrics();
    assert_eq!((metrics.memory_allocated, metrics.memory_reused), (3 * 8192, 0));
    assert!(metrics.reuse_efficiency < f64::EPSILON);
    drop(held);
    pool.reset_metrics();

    pool.warmup_class(8192, 64);
    for _ in 0..1000 {
        drop(pool.get(8192));
    }
    let metrics = pool.metrics();
    assert_eq!(metrics.memory_allocated + metrics.memory_reused, 1000 * 8192);
    assert!(metrics.reuse_efficiency > 95.0 && metrics.reuse_efficiency <= 100.0, "{metrics}");
}

fn flaw_3_a_buffer_put_into_another_pool_goes_home_and_counts_as_a_discard(
    builder: BufferPoolBuilder,
) {
    let home = builder.clone().build().expect("a pool");
    let other = builder.classes(&[1000, 5000]).build().expect("a pool");
    other.put(home.get(4096));
    other.put_with_reset(home.get(4096));
    other.put(home.get(65_536)); // beyond the largest class of `other`
    other.put(other.get(10)); // its own: no discard

    let (home, other) = (home.metrics(), other.metrics());
    identities::check(&home);
    identities::check(&other);
    assert_eq!((home.total_puts, home.total_discards), (3, 0));
    assert_eq!((other.total_puts, other.total_discards), (1, 3));
    assert_eq!(other.pool(5000).map(|class| class.discards), Some(2));
}

fn flaw_4_what_enters_a_class_has_its_whole_capacity(builder: BufferPoolBuilder) {
    let pool = builder.clone().build().expect("a pool");
    let foreign = builder.classes(&[3000]).build().expect("a pool");
    for round in 0..100 {
        pool.put(pool.get(70_000)); // oversize
        pool.put(foreign.get(3000)); // of another pool, with a size between two classes
        let mut grown = pool.get(2048);
        grown.resize(70_000, 1); // out of its class
        pool.put(grown);
        let mut cut = pool.get(4096);
        cut.resize(4096, 2);
        cut.truncate(1);
        pool.put(cut);
        for size in [2048, 4096, 65_536] {
            assert_eq!(pool.get(size).capacity(), size, "in round {round}");
        }
    }
    identities::check(&pool.metrics());
    assert!(foreign.metrics().pools[0].idle > 0, "foreign buffers went home");
}

fn flaw_5_put_with_reset_leaves_nothing_beyond_the_length(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    pinned(|| {
        let mut buffer = pool.get(2048);
        buffer.extend_from_slice(&[0xab; 2048]);
        buffer.truncate(3);
        pool.put_with_reset(buffer);
        assert!(crate::clean::memory_of(&mut pool.get(2048)).iter().all(|&byte| byte == 0));
    });
}

fn flaw_6_no_two_buffers_share_a_byte(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut regions = BTreeSet::new();
    let mut held = Vec::new();
    for round in 0..500 {
        let buffer = pool.get(2048 << (round % 6));
        let start = buffer.as_ptr() as usize;
        assert_eq!(start % 64, 0, "buffers begin on a cache line");
        assert!(regions.insert((start, start + buffer.capacity())), "handed out twice");
        held.push(buffer);
        if round % 3 == 0 {
            let gone = held.swap_remove(round / 2 % held.len());
            let start = gone.as_ptr() as usize;
            assert!(regions.remove(&(start, start + gone.capacity())));
        }
    }
    for (before, after) in regions.iter().zip(regions.iter().skip(1)) {
        assert!(before.1 <= after.0, "{before:?} and {after:?} overlap");
    }
}

fn flaw_8_threads_on_cpus_of_their_own_do_not_meet(builder: BufferPoolBuilder) {
    // How fast is for benchmarks to say. That threads have nothing in common shows in the path that
    // their gets take: each its own cell, and the depot, whose lock they share, next to never.
    let pool = builder.build().expect("a pool");
    let cpus = cpus::allowed();
    std::thread::scope(|scope| {
        for &cpu in cpus.iter().take(4) {
            let pool = &pool;
            scope.spawn(move || {
                pin(cpu);
                for _ in 0..20_000 {
                    drop(pool.get(4096));
                }
            });
        }
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    let class = metrics.pool(4096).expect("the class");
    assert_eq!(class.gets, 20_000 * cpus.len().min(4) as u64);
    assert!(class.gets_cell * 10 > class.gets * 9, "{class:?}");
}

fn flaw_9_what_was_warmed_up_stays_and_a_core_keeps_no_more_than_its_limit(
    builder: BufferPoolBuilder,
) {
    let pool = builder.classes(&[4096]).per_core_bytes(8 * 4096).build().expect("a pool");
    pool.warmup(200);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200 {
                    drop((0..round % 20).map(|_| pool.get(4096)).collect::<Vec<_>>());
                }
            });
        }
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.pools[0].idle, metrics.total_misses), (200, 0), "nothing was lost or made");

    // All but what other CPUs keep to themselves can be had from this one.
    pinned(|| {
        let kept_elsewhere = 8 * (cells_max() - 1);
        let held: Vec<_> = (0..200 - kept_elsewhere.min(200)).map(|_| pool.get(4096)).collect();
        assert_eq!(pool.metrics().total_misses, 0, "after {} gets", held.len());
    });
}

fn flaw_10_a_reset_begins_the_counts_anew_and_leaves_the_buffers(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    pool.warmup(4);
    let held = (pool.get(2048), pool.get(2048), pool.get(100_000));
    drop(pool.get(2048));
    pool.reset_metrics();
    let metrics = pool.metrics();
    identities::check_at_any_time(&metrics);
    assert_eq!((metrics.total_gets, metrics.total_puts, metrics.total_hits), (0, 0, 0));
    assert_eq!((metrics.oversize_gets, metrics.oversize_allocated), (0, 0));
    assert_eq!(metrics.oversize_in_use_bytes, 100_000);
    let class = metrics.pool(2048).expect("the class");
    assert_eq!((class.in_use, class.created), (2, class.idle + 2));
    drop(held);
    let metrics = pool.metrics();
    assert_eq!((metrics.total_gets, metrics.total_puts, metrics.oversize_puts), (0, 2, 1));
}
