//! Any set of classes, any lengths: each is served by the smallest class that holds it, as a walk
//! over the set would say, or the set is refused for a reason that it has.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shockwave::{BufferPool, Cells};

/// Lengths beyond this are only asked of the refusals, so that no run asks the system for
/// gigabytes.
const LENGTH_MAX: usize = 20 << 20;

#[derive(Debug, Arbitrary)]
struct Input {
    /// As they come, which is hardly ever a set that is accepted.
    raw: bool,
    /// How large the largest class may be, as powers of two of which the lesser counts: large ones
    /// take their time.
    scales: [u8; 2],
    sizes: Vec<u32>,
    lengths: Vec<u32>,
    per_core_bytes: u32,
    locked: bool,
}

/// What a set must be.
fn is_good(sizes: &[usize]) -> bool {
    (1..=32).contains(&sizes.len())
        && sizes.iter().all(|size| (64..=16 << 20).contains(size))
        && sizes.is_sorted_by(|before, after| before < after)
}

fuzz_target!(|input: Input| {
    let mut sizes: Vec<usize> = input.sizes.iter().take(40).map(|&size| size as usize).collect();
    if !input.raw {
        // Mostly sets that are accepted: in range, in order, each size once.
        sizes.truncate(32);
        let scale = input.scales.map(|scale| scale % 15).into_iter().min().unwrap_or(0);
        let largest = 1 << (10 + scale);
        sizes.iter_mut().for_each(|size| *size = 64 + *size % (largest - 63));
        sizes.sort_unstable();
        sizes.dedup();
    }
    let pool = BufferPool::builder()
        .classes(&sizes)
        .per_core_bytes(input.per_core_bytes as usize)
        .cells(if input.locked { Cells::Locked } else { Cells::Auto })
        .build();
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            assert!(error.is_classes() && !is_good(&sizes), "{error}: {sizes:?}");
            return;
        }
    };
    assert!(is_good(&sizes), "{sizes:?} was accepted");
    assert!(pool.class_sizes().eq(sizes.iter().copied()));
    assert!(pool.try_get(usize::MAX).is_err_and(|error| error.is_too_large()));

    // Both sides of every class's end, besides what was thought of.
    let ends = sizes.iter().flat_map(|&size| [size - 1, size, size + 1]);
    let limit = (2 * sizes[sizes.len() - 1]).min(LENGTH_MAX);
    let thought_of = input.lengths.iter().take(64).map(|&length| length as usize % limit);
    for length in ends.chain(thought_of) {
        let capacity = pool.get(length).capacity();
        match sizes.iter().find(|&&size| size >= length) {
            Some(&size) => assert_eq!(capacity, size, "{length} in {sizes:?}"),
            None => assert_eq!(capacity, length, "beyond the classes: exact"),
        }
    }
    let metrics = pool.metrics();
    assert_eq!((metrics.in_use_bytes, metrics.total_gets), (0, metrics.total_puts));
});
