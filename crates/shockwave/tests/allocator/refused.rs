//! Where the system has no memory: errors and no harm, and everything is well once it has.

use shockwave::{Buffer, BufferPoolBuilder};

use crate::counted::{without_mappings, without_memory};
use crate::identities;
use crate::pinned::pinned;

both_cells! {
    a_get_without_memory_is_an_error_and_the_pool_lives_on,
    growth_without_memory_leaves_the_buffer_as_it_was,
    warm_up_without_memory_says_how_little_it_made,
    a_pool_without_mappings_for_its_tables_serves_and_frees,
    warm_up_without_mappings_claims_nothing_it_did_not_do,
    the_largest_buffer_of_all_cannot_grow,
}

fn a_get_without_memory_is_an_error_and_the_pool_lives_on(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for size in [1, 4096, 65_536, 65_537, 1 << 24] {
        let refused = without_memory(|| pool.try_get(size)).expect_err("no memory");
        assert!(refused.is_out_of_memory() && !refused.is_too_large());
        assert_eq!(refused.requested(), size);
        assert!(refused.to_string().contains(&size.to_string()));
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.refused, metrics.total_gets, metrics.oversize_gets), (5, 0, 0));

    pinned(|| {
        drop(pool.get(4096));
        assert!(without_memory(|| pool.try_get(4096)).is_ok(), "what is idle needs no memory");
    });
    identities::check(&pool.metrics());
}

fn growth_without_memory_leaves_the_buffer_as_it_was(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(2048);
    buffer.resize(2048, 7);
    let before = buffer.as_ptr();
    let refused = without_memory(|| buffer.try_reserve(1)).expect_err("no memory");
    assert!(refused.is_out_of_memory());
    assert_eq!((buffer.as_ptr(), buffer.capacity()), (before, 2048));
    assert_eq!(buffer, [7; 2048]);
    buffer.push(8);
    assert_eq!((buffer.len(), buffer.capacity()), (2049, 4096));
}

fn warm_up_without_memory_says_how_little_it_made(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    assert_eq!(without_memory(|| pool.warmup(10)), 0);
    assert_eq!(pool.metrics().idle_bytes, 0);
    assert_eq!(pool.warmup(10), 60);
    identities::check(&pool.metrics());
}

fn a_pool_without_mappings_for_its_tables_serves_and_frees(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut held: Vec<Buffer> = Vec::with_capacity(200);
    without_mappings(|| {
        for _ in 0..3 {
            held.extend((0..200).map(|_| pool.get(4096)));
            for buffer in &mut held {
                buffer.push(1);
            }
            held.clear(); // nowhere to keep them
        }
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.total_gets, metrics.total_misses), (600, 600));
    assert_eq!((metrics.in_use_bytes, metrics.idle_bytes), (0, 0));
    assert_eq!(metrics.pool(4096).map(|class| class.trimmed), Some(600));

    held.extend((0..200).map(|_| pool.get(4096)));
    held.clear();
    assert_eq!(pool.metrics().idle_bytes, 200 * 4096, "kept again, now that it can be");
    identities::check(&pool.metrics());
}

fn warm_up_without_mappings_claims_nothing_it_did_not_do(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let made = without_mappings(|| pool.warmup_class(4096, 10));
    let metrics = pool.metrics();
    let class = metrics.pool(4096).expect("the class");
    assert_eq!((class.idle, class.in_use), (made as u64, 0), "warm-up says it made {made}");
    identities::check(&metrics);
}

#[cfg(not(target_pointer_width = "64"))]
fn the_largest_buffer_of_all_cannot_grow(_: BufferPoolBuilder) {}

#[cfg(target_pointer_width = "64")]
fn the_largest_buffer_of_all_cannot_grow(builder: BufferPoolBuilder) {
    const LIMIT: usize = u32::MAX as usize;
    let pool = builder.build().expect("a pool");
    // Reserved and not touched, by this program's own allocator.
    let mut buffer = match pool.try_get(LIMIT) {
        Ok(buffer) => buffer,
        Err(refused) => {
            assert!(refused.is_out_of_memory(), "{refused}");
            return eprintln!("skipped: {refused}");
        }
    };
    assert_eq!(buffer.capacity(), LIMIT);
    buffer.extend_from_slice(b"at the front");
    buffer.reserve(LIMIT - buffer.len());
    assert_eq!(buffer.capacity(), LIMIT);
    let refused = buffer.try_reserve(LIMIT - buffer.len() + 1).expect_err("refused");
    assert!(refused.is_too_large());
    assert_eq!((refused.requested(), refused.limit()), (LIMIT + 1, LIMIT));
    assert_eq!(buffer, b"at the front");
    assert_eq!(pool.metrics().oversize_in_use_bytes, LIMIT as u64);
    drop(buffer);
    assert_eq!(pool.metrics().oversize_in_use_bytes, 0);
}
