//! Pools with the default source, where that is mapped memory: no allocator is asked for a buffer,
//! and where mappings are refused, gets are.
#![cfg(all(target_os = "linux", not(shockwave_asan)))]

use shockwave::{Buffer, BufferPoolBuilder};

use crate::any_source;
use crate::counted::{calls_of, without_mappings, without_memory};
use crate::identities;
use crate::pinned::pinned;

/// Runs a test on either kind of cells. Not by `both_cells`, whose pools have another source.
fn on_both(test: impl Fn(BufferPoolBuilder)) {
    any_source::on_rseq(&test);
    any_source::on_locked(&test);
}

#[test]
fn buffers_are_made_without_the_allocator() {
    on_both(|builder| {
        let pool = builder.build().expect("a pool");
        let mut held: Vec<Buffer> = Vec::with_capacity(8);
        without_memory(|| held.extend([0, 3000, 65_536, 70_000, 1 << 20].map(|n| pool.get(n))));
        without_memory(|| held.clear());
        identities::check(&pool.metrics());
    });
}

#[test]
fn a_warm_pool_maps_nothing() {
    on_both(|builder| {
        let pool = builder.build().expect("a pool");
        pinned(|| {
            pool.warmup(70);
            let round = || pool.class_sizes().for_each(|size| drop(pool.get(size)));
            round();
            assert_eq!(calls_of(|| (0..1000).for_each(|_| round())), 0);
        });
    });
}

#[test]
fn refused_mappings_are_refused_gets_and_nothing_is_lost() {
    on_both(|builder| {
        let pool = builder.build().expect("a pool");
        let mut held: Vec<Buffer> = Vec::with_capacity(4000);
        held.extend(pool.class_sizes().map(|size| pool.get(size)));
        let (out_of_memory, refused) = without_mappings(|| {
            let mut refused = 0;
            let mut out_of_memory = true;
            for size in [1, 2048, 3000, 4096, 16_384, 65_536, 100_000, 1 << 20] {
                // What the spans have that are mapped, and no more.
                while let Ok(buffer) = pool.try_get(size).inspect_err(|error| {
                    out_of_memory &= error.is_out_of_memory();
                    refused += 1;
                }) {
                    if held.len() == held.capacity() {
                        break;
                    }
                    held.push(buffer);
                }
            }
            (out_of_memory, refused)
        });
        assert!(out_of_memory);
        assert_eq!(refused, 8, "each size is refused in the end");
        let metrics = pool.metrics();
        identities::check(&metrics);
        assert_eq!(metrics.refused, 8);
        let in_use: usize = held.iter().map(Buffer::capacity).sum();
        assert_eq!(metrics.in_use_bytes, in_use as u64);
        // Back, and served again.
        held.clear();
        held.extend([1, 65_536, 100_000, 1 << 20].map(|size| pool.get(size)));
        held.clear();
        identities::check(&pool.metrics());
        assert_eq!(pool.metrics().in_use_bytes, 0);
    });
}
