//! Blocks that are given back together: those that lie side by side go back by one system call.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ptr::NonNull;

use shockwave::{BufferPool, Map, Source};

use crate::{GIVEN, MAPPED, PAGE, bytes, layout, resident, taken};

/// Gives blocks back together, and returns how often the system was asked.
fn free_all(map: &Map, blocks: &[NonNull<u8>], bytes: usize) -> usize {
    let before = GIVEN.get();
    // SAFETY: tests give back what they took, once.
    unsafe { map.deallocate_all(&mut blocks.to_vec(), layout(bytes)) };
    GIVEN.get() - before
}

#[test]
fn neighbors_that_are_freed_together_go_back_together() {
    let map = Map::new();
    let before = MAPPED.get();
    for (size, resident_each) in [(PAGE, 1), (10_000, 3), (65_536, 16)] {
        let mut held: Vec<_> = (0..31).map(|_| taken(&map, size)).collect();
        for &block in &held {
            bytes(block, size).fill(1);
        }
        // From the back and in two hands, as a depot might have them.
        held.sort_unstable_by_key(|block| (block.addr().get() / PAGE % 2, Reverse(*block)));
        let kept = *held.iter().min().expect("blocks");
        let freed: Vec<_> = held.iter().copied().filter(|&block| block != kept).collect();
        assert_eq!(free_all(&map, &freed, size), 1, "of {size}");
        assert!(freed.iter().all(|&block| resident(block, size) == 0));
        assert_eq!(resident(kept, size), resident_each);

        // With a gap in the middle it takes two, and one more for the span.
        let again: Vec<_> = freed.iter().map(|_| taken(&map, size)).collect();
        assert_eq!(HashSet::<_>::from_iter(&again), freed.iter().collect());
        assert!(again.iter().all(|&block| bytes(block, size).iter().all(|&byte| byte == 0)));
        let mut rest = [again, vec![kept]].concat();
        rest.sort_unstable();
        let middle = rest.swap_remove(15);
        assert_eq!(free_all(&map, &[middle], size), 1);
        assert_eq!(free_all(&map, &rest, size), 3, "of {size}");
        assert_eq!(MAPPED.get(), before);
    }
}

#[test]
fn small_blocks_and_large_ones_go_back_together_too() {
    let map = Map::new();
    let before = MAPPED.get();
    let small: Vec<_> = (0..301).map(|_| taken(&map, 1024)).collect();
    let other = taken(&map, 1024);
    for &block in &small {
        bytes(block, 1024).fill(1);
    }
    assert_eq!(free_all(&map, &small, 1024), 1, "75 pages, and one that is in use");
    let again: HashSet<_> = (0..301).map(|_| taken(&map, 1024)).collect();
    assert_eq!(again, small.iter().copied().collect());
    assert!(again.iter().all(|&block| bytes(block, 1024).iter().all(|&byte| byte == 0)));
    assert_eq!(free_all(&map, &[small, vec![other]].concat(), 1024), 2, "pages, and the span");

    let large: Vec<_> = (0..5).map(|_| taken(&map, 1 << 20)).collect();
    assert!(free_all(&map, &large, 1 << 20) <= 5, "where they lie is up to the system");
    assert_eq!(free_all(&map, &[], PAGE), 0);
    assert_eq!(MAPPED.get(), before);
}

#[test]
fn what_a_pool_trims_goes_back_many_at_once() {
    let pool = BufferPool::builder().classes(&[PAGE]).build().expect("a pool");
    drop((0..4000).map(|_| pool.get_zeroed(PAGE)).collect::<Vec<_>>());
    let before = GIVEN.get();
    assert_eq!(pool.trim(), 4000 * PAGE);
    let asked = GIVEN.get() - before;
    assert!(asked < 400, "{asked} system calls for 4000 buffers");
}
