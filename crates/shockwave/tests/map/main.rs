//! The source of mapped spans: what it gives is zero and aligned, what it takes back goes to the
//! system, and where the system refuses, nothing is lost.
//!
//! `mmap` and `munmap` are this program's own, which the linker prefers to the C library's: they
//! count what each thread has mapped, and can refuse.
#![cfg(all(target_os = "linux", not(shockwave_asan)))]
#![expect(unsafe_code, reason = "is a user of the source, and maps memory")]

mod huge;
mod together;

use std::alloc::Layout;
use std::cell::Cell;
use std::collections::HashSet;
use std::ptr::NonNull;
use std::thread;

use shockwave::{BufferPool, Cells, Map, Source};

const PAGE: usize = 4096;

thread_local! {
    /// Bytes that this thread has mapped and not unmapped.
    static MAPPED: Cell<isize> = const { Cell::new(0) };
    /// Times that this thread has given pages back, or unmapped some.
    static GIVEN: Cell<usize> = const { Cell::new(0) };
    /// Whether this thread is to get no mappings.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut libc::c_void,
    bytes: libc::size_t,
    protection: libc::c_int,
    flags: libc::c_int,
    file: libc::c_int,
    offset: libc::off_t,
) -> *mut libc::c_void {
    if REFUSED.get() {
        return libc::MAP_FAILED;
    }
    MAPPED.set(MAPPED.get() + bytes.cast_signed());
    let number = libc::SYS_mmap;
    // SAFETY: the caller's arguments.
    let result = unsafe { libc::syscall(number, address, bytes, protection, flags, file, offset) };
    std::ptr::with_exposed_provenance_mut(usize::from_ne_bytes(result.to_ne_bytes()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(address: *mut libc::c_void, bytes: libc::size_t) -> libc::c_int {
    MAPPED.set(MAPPED.get() - bytes.cast_signed());
    GIVEN.set(GIVEN.get() + 1);
    // SAFETY: the caller's arguments.
    let result = unsafe { libc::syscall(libc::SYS_munmap, address, bytes) };
    i32::from(result != 0)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(
    address: *mut libc::c_void,
    bytes: libc::size_t,
    advice: libc::c_int,
) -> libc::c_int {
    GIVEN.set(GIVEN.get() + usize::from(advice == libc::MADV_DONTNEED));
    // SAFETY: the caller's arguments.
    let result = unsafe { libc::syscall(libc::SYS_madvise, address, bytes, advice) };
    i32::from(result != 0)
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, 64).expect("a layout")
}

/// A block of the source's.
fn taken(map: &Map, bytes: usize) -> NonNull<u8> {
    let memory = map.allocate(layout(bytes)).expect("memory");
    assert!(memory.len() >= bytes);
    memory.cast()
}

/// The bytes of a block.
fn bytes<'a>(memory: NonNull<u8>, bytes: usize) -> &'a mut [u8] {
    // SAFETY: tests ask for blocks that they have, one reference at a time.
    unsafe { std::slice::from_raw_parts_mut(memory.as_ptr(), bytes) }
}

/// Pages of a block that are resident.
fn resident(memory: NonNull<u8>, bytes: usize) -> usize {
    let mut pages = vec![0; bytes.div_ceil(PAGE)];
    // SAFETY: a mapping, and room for an answer for each of its pages.
    let result = unsafe { libc::mincore(memory.as_ptr().cast(), bytes, pages.as_mut_ptr()) };
    assert_eq!(result, 0, "asking for what is resident");
    pages.iter().filter(|&&page| page & 1 != 0).count()
}

/// Gives a block back.
fn free(map: &Map, memory: NonNull<u8>, bytes: usize) {
    // SAFETY: tests give back what they took, once.
    unsafe { map.deallocate(memory, layout(bytes)) };
}

#[test]
fn blocks_of_all_sizes_are_zero_aligned_and_apart() {
    for map in [Map::new(), Map::new().huge_pages(true), Map::new().prefault(true)] {
        let before = MAPPED.get();
        for size in [PAGE, 5000, 16_384, 65_536, 65_600, 262_144, 262_145, 600_000] {
            let all = |value: u8| vec![value; size];
            for round in 0..3 {
                let held: Vec<_> = (0..40).map(|_| taken(&map, size)).collect();
                assert_eq!(held.iter().collect::<HashSet<_>>().len(), 40);
                for (number, &block) in (1_u8..).zip(&held) {
                    assert!(block.as_ptr().addr().is_multiple_of(PAGE));
                    let bytes = bytes(block, size);
                    assert!(*bytes == all(0), "{size} in round {round}");
                    bytes.fill(number);
                }
                for (number, &block) in (1_u8..).zip(&held) {
                    assert!(*bytes(block, size) == all(number));
                }
                // First those in the middle, then the others.
                for i in (10..30).chain(0..10).chain(30..40) {
                    free(&map, held[i], size);
                }
                assert_eq!(MAPPED.get(), before, "all of it is unmapped, {size} in round {round}");
            }
        }
    }
}

#[test]
fn a_block_that_is_freed_holds_no_memory_while_its_span_lives() {
    const BYTES: usize = 65_536;
    let map = Map::new();
    let held: Vec<_> = (0..31).map(|_| taken(&map, BYTES)).collect();
    for &block in &held {
        assert_eq!(resident(block, BYTES), 0, "nothing is touched before its time");
        bytes(block, BYTES).fill(1);
        assert_eq!(resident(block, BYTES), 16);
    }
    let (kept, freed) = held.split_first().expect("blocks");
    for &block in freed {
        free(&map, block, BYTES);
    }
    assert!(freed.iter().all(|&block| resident(block, BYTES) == 0));
    assert_eq!(resident(*kept, BYTES), 16);

    let again: Vec<_> = freed.iter().map(|_| taken(&map, BYTES)).collect();
    assert_eq!(HashSet::<_>::from_iter(&again), freed.iter().collect(), "no second span");
    for &block in &again {
        assert!(bytes(block, BYTES).iter().all(|&byte| byte == 0));
        free(&map, block, BYTES);
    }
    free(&map, *kept, BYTES);
}

#[test]
fn resident_memory_falls_by_what_a_pool_that_ends_held() {
    /// Bytes that are resident in the whole process.
    fn resident_bytes() -> usize {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("the system's count");
        pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a count")
            * PAGE
    }
    // Other tests of this process hold far less than the margin.
    const HELD: usize = 256 << 20;
    const MARGIN: usize = 64 << 20;
    let pool = BufferPool::builder().source(Map::new()).build().expect("a pool");
    let before = resident_bytes();
    // Written to: zeros that come fresh from the source cost no memory until then.
    let full = |_| {
        let mut buffer = pool.get(65_536);
        buffer.resize(65_536, 1);
        buffer
    };
    let held: Vec<_> = (0..HELD / 65_536).map(full).collect();
    assert!(resident_bytes() > before + HELD - MARGIN);
    drop(held);
    drop(pool);
    assert!(resident_bytes() < before + MARGIN);
}

#[test]
fn prefault_makes_every_page_resident_at_once() {
    let map = Map::new().prefault(true);
    for size in [PAGE, 5000, 65_536, 1 << 20] {
        let block = taken(&map, size);
        assert_eq!(resident(block, size), size.div_ceil(PAGE));
        free(&map, block, size);
    }
}

#[test]
fn small_blocks_share_pages_and_are_zero_aligned_and_apart() {
    let map = Map::new();
    let before = MAPPED.get();
    for size in [1_usize, 64, 65, 100, 512, 1000, 1500, 2048] {
        let stride = size.next_multiple_of(64);
        for round in 0..3 {
            let held: Vec<_> = (0..2500).map(|_| taken(&map, size)).collect();
            let mut sorted: Vec<_> = held.iter().map(|block| block.as_ptr().addr()).collect();
            sorted.sort_unstable();
            assert!(sorted.iter().all(|start| start.is_multiple_of(64)));
            assert!(sorted.iter().all(|start| start % PAGE + size <= PAGE));
            assert!(sorted.windows(2).all(|two| two[1] - two[0] >= stride), "{size}");
            let pages: HashSet<_> = sorted.iter().map(|start| start / PAGE).collect();
            assert!(pages.len() <= 1 + 2500 / (PAGE / stride), "{size} in {} pages", pages.len());
            for (number, &block) in held.iter().enumerate() {
                let bytes = bytes(block, size);
                assert!(bytes.iter().all(|&byte| byte == 0), "{size} in round {round}");
                bytes.fill(u8::try_from(1 + number % 255).expect("a byte"));
            }
            for (number, &block) in held.iter().enumerate() {
                assert!(
                    bytes(block, size).iter().all(|&byte| usize::from(byte) == 1 + number % 255)
                );
            }
            // Every third first, which empties no page that has more than three, then all others.
            let (third, others): (Vec<_>, Vec<_>) = (0..2500).partition(|i| i % 3 == 0);
            for i in third.into_iter().chain(others) {
                free(&map, held[i], size);
            }
            assert_eq!(MAPPED.get(), before, "all of it is unmapped, {size} in round {round}");
        }
    }
}

#[test]
fn a_page_of_small_blocks_is_given_back_with_the_last_of_them() {
    let map = Map::new();
    let kept = taken(&map, 1024);
    let held: Vec<_> = (0..103).map(|_| taken(&map, 1024)).collect();
    for &block in &held {
        bytes(block, 1024).fill(1);
    }
    let page = |block: NonNull<u8>| block.as_ptr().map_addr(|address| address / PAGE * PAGE);
    let resident_at = |block| resident(NonNull::new(page(block)).expect("a page"), PAGE);
    let (last, first) = held.split_last().expect("blocks");
    for &block in first {
        free(&map, block, 1024);
    }
    assert_eq!(resident_at(*last), 1, "one is still taken");
    free(&map, *last, 1024);
    assert!(held[4..].iter().all(|&block| resident_at(block) == 0));
    bytes(kept, 1024).fill(1);
    assert_eq!(resident_at(kept), 1);
    // All are found again, and none twice.
    let again: HashSet<_> = (0..103).map(|_| taken(&map, 1024)).collect();
    assert_eq!(again, held.iter().copied().collect());
    for block in again {
        assert!(bytes(block, 1024).iter().all(|&byte| byte == 0));
        free(&map, block, 1024);
    }
    free(&map, kept, 1024);
}

#[test]
fn what_a_pool_trims_is_unmapped_whatever_its_size() {
    for cells in [Cells::Rseq, Cells::Locked] {
        let Ok(pool) = BufferPool::builder().cells(cells).build() else { continue };
        let fill = || drop((0..2000).map(|i| pool.get_zeroed(i * 30)).collect::<Vec<_>>());
        // Magazines, which stay, are made now.
        fill();
        pool.trim();
        let before = MAPPED.get();
        fill();
        let mapped = MAPPED.get() - before;
        assert!(mapped > 48 << 20, "{mapped}");
        assert!(pool.trim() > 48 << 20);
        assert_eq!(MAPPED.get(), before);
    }
}

#[test]
fn it_is_what_pools_have_by_default() {
    let before = MAPPED.get();
    let pool = BufferPool::new();
    let held: Vec<_> = [100, 4096, 65_536, 1 << 20].map(|size| pool.get_zeroed(size)).into();
    assert!(held.iter().skip(1).take(2).all(|buffer| buffer.as_ptr().addr().is_multiple_of(PAGE)));
    assert!(MAPPED.get() >= before + (7 << 20), "three spans and a mapping of its own");
    drop(held);
    assert_eq!(pool.trim(), (2 + 4 + 64) << 10);
    assert!(MAPPED.get() < before + (5 << 20), "cells, address space for 4 MiB, and magazines");
    drop(pool);
    assert_eq!(MAPPED.get(), before);
}

#[test]
fn where_mappings_are_refused_gets_are_too_and_nothing_is_lost() {
    for cells in [Cells::Rseq, Cells::Locked] {
        let builder = BufferPool::builder().cells(cells).source(Map::new());
        let Ok(pool) = builder.build() else { continue };
        let first = pool.get(65_536);
        REFUSED.set(true);
        // The span that is there serves thirty more.
        let mut held = Vec::new();
        let refused = loop {
            match pool.try_get(65_536) {
                Ok(buffer) => held.push(buffer),
                Err(refused) => break refused,
            }
        };
        assert!(refused.is_out_of_memory(), "{refused}");
        assert_eq!(held.len(), 30);
        assert!(pool.try_get(1 << 20).is_err_and(|refused| refused.is_out_of_memory()));
        assert_eq!(pool.metrics().refused, 2);
        drop(held.pop());
        held.push(pool.try_get(65_536).expect("the one that was dropped"));
        REFUSED.set(false);
        held.push(pool.get(65_536));
        assert_eq!(pool.metrics().in_use_bytes, 32 * 65_536);
        drop((first, held));
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}

#[test]
fn the_end_of_a_pool_unmaps_all_it_had() {
    for cells in [Cells::Rseq, Cells::Locked] {
        let before = MAPPED.get();
        let builder = BufferPool::builder().cells(cells).source(Map::new());
        let Ok(pool) = builder.build() else { continue };
        let held: Vec<_> = (0..600).map(|i| pool.get_zeroed(i * 200)).collect();
        assert!(MAPPED.get() > before + (16 << 20));
        drop(pool);
        drop(held);
        assert_eq!(MAPPED.get(), before);
    }
}

#[test]
fn threads_take_and_free_at_once() {
    let map = Map::new();
    thread::scope(|scope| {
        for mark in 1..=4_u8 {
            let map = &map;
            scope.spawn(move || {
                for round in 0..200 {
                    let step = 1 + (round * usize::from(mark)) % 70;
                    let size = if round % 2 == 0 { PAGE * step } else { 29 * step };
                    let held: Vec<_> = (0..10).map(|_| taken(map, size)).collect();
                    for &block in &held {
                        let bytes = bytes(block, size);
                        assert_eq!((bytes[0], bytes[size - 1]), (0, 0));
                        (bytes[0], bytes[size - 1]) = (mark, mark);
                    }
                    for &block in &held {
                        let bytes = bytes(block, size);
                        assert_eq!((bytes[0], bytes[size - 1]), (mark, mark));
                        free(map, block, size);
                    }
                }
            });
        }
    });
}

#[test]
fn a_child_can_map_whatever_its_parent_s_threads_were_at() {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    let pool = BufferPool::builder().classes(&[4096]).source(Map::new()).build().expect("a pool");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // Beyond the classes, so each get and put goes to the source.
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                drop(pool.get(8000));
            }
        });
        let ended: Vec<_> = (0..60)
            .map(|_| {
                // SAFETY: the child runs on with this thread alone, and ends without returning.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    // SAFETY: asks for a signal that ends this process if it comes to a standstill.
                    unsafe { libc::alarm(20) };
                    (0..10).for_each(|_| drop(pool.get(8000)));
                    // SAFETY: ends this process and runs nothing.
                    unsafe { libc::_exit(0) }
                }
                let mut status = 1;
                // SAFETY: the status is writable.
                let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
                (waited == pid, status)
            })
            .collect();
        stop.store(true, Relaxed);
        assert!(ended.iter().all(|&end| end == (true, 0)), "{ended:?}");
    });
}
