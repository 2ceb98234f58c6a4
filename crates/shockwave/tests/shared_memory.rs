//! What freezing asks of the system: nothing of the allocator, ever; a page at times, and an error
//! where there is none.
//!
//! This program counts what each thread asks of its allocator, and can refuse mappings. `mmap` is
//! the program's own, which the linker prefers to the C library's.
#![cfg(all(target_os = "linux", not(shockwave_asan)))]
#![expect(unsafe_code, reason = "is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shockwave::{Buffer, BufferPool, Cells, Shared};

#[path = "shared/pinned.rs"]
mod pinned;
use pinned::pinned;

thread_local! {
    /// Allocations and frees of this thread so far.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Mappings of this thread so far.
    static MAPPINGS: Cell<u64> = const { Cell::new(0) };
    /// Whether this thread is to get no mappings.
    static NO_MAPPINGS: Cell<bool> = const { Cell::new(false) };
}

struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: `alloc` got it from there, with that layout.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// The system call, counted, or refused.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut libc::c_void,
    bytes: libc::size_t,
    protection: libc::c_int,
    flags: libc::c_int,
    file: libc::c_int,
    offset: libc::off_t,
) -> *mut libc::c_void {
    MAPPINGS.set(MAPPINGS.get() + 1);
    if NO_MAPPINGS.get() {
        return libc::MAP_FAILED;
    }
    let number = libc::SYS_mmap;
    // SAFETY: the caller's arguments.
    let result = unsafe { libc::syscall(number, address, bytes, protection, flags, file, offset) };
    std::ptr::with_exposed_provenance_mut(usize::from_ne_bytes(result.to_ne_bytes()))
}

/// What a thread asks of the allocator and of the system while it runs this.
fn asked<T>(run: impl FnOnce() -> T) -> (T, u64, u64) {
    let (calls, mappings) = (CALLS.get(), MAPPINGS.get());
    let result = run();
    (result, CALLS.get() - calls, MAPPINGS.get() - mappings)
}

/// Pools of both kinds of cells, as far as the system has them.
fn pools() -> impl Iterator<Item = BufferPool> {
    let build = |cells| BufferPool::builder().cells(cells).build().ok();
    [Cells::Rseq, Cells::Locked].into_iter().filter_map(build)
}

/// Buffers with something in them.
fn buffers(pool: &BufferPool, count: usize) -> Vec<Buffer> {
    (0..count).map(|_| pool.get_zeroed(1000)).collect()
}

#[test]
fn nothing_that_is_done_with_a_frozen_buffer_calls_the_allocator() {
    pinned(|| {
        for pool in pools() {
            for round in 0..4 {
                let mut buffers = buffers(&pool, 500);
                let mut held: Vec<Shared> = Vec::with_capacity(2500);
                let ((), calls, mappings) = asked(|| {
                    while let Some(buffer) = buffers.pop() {
                        let mut shared = buffer.freeze();
                        held.push(shared.clone());
                        held.push(shared.slice(10..20));
                        held.push(shared.split_to(500));
                        held.push(shared.split_off(100));
                        held.push(shared);
                    }
                    held.truncate(1250);
                    while let Some(shared) = held.pop() {
                        drop(shared.try_into_mut());
                    }
                });
                assert_eq!(calls, 0, "in round {round}");
                assert_eq!(mappings > 0, round == 0, "{mappings} mappings in round {round}");
                assert_eq!(pool.metrics().in_use_bytes, 0);
            }
        }
    });
}

#[test]
fn the_last_handle_calls_no_allocator_on_another_thread() {
    for pool in pools() {
        let shared: Vec<_> = buffers(&pool, 300).into_iter().map(Buffer::freeze).collect();
        let clones = shared.clone();
        let drop_all = |mut handles: Vec<Shared>| {
            let ((), calls, _) = asked(|| handles.clear());
            calls
        };
        std::thread::scope(|scope| {
            let other = scope.spawn(move || drop_all(clones));
            assert_eq!(drop_all(shared), 0);
            assert_eq!(other.join().unwrap(), 0);
        });
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}

#[test]
fn freezing_without_memory_gives_the_buffer_back_and_harms_nothing() {
    for pool in pools() {
        let mut buffers = buffers(&pool, 500);
        NO_MAPPINGS.set(true);
        let mut buffer = buffers.pop().unwrap().try_freeze().unwrap_err();
        assert_eq!((&buffer[..], pool.metrics().pinned_bytes), (&[0; 1000][..], 0));
        buffer.push(1);
        let panic = catch_unwind(AssertUnwindSafe(|| buffer.freeze())).unwrap_err();
        assert!(panic.downcast::<&str>().unwrap().contains("no memory"));
        assert_eq!(pool.metrics().in_use_bytes, 499 * 2048, "the one that panicked went home");

        NO_MAPPINGS.set(false);
        let mut held = vec![buffers.pop().unwrap().freeze()];
        NO_MAPPINGS.set(true);
        // What was mapped for the first serves some others, and then there is an end.
        let refused = loop {
            match buffers.pop().unwrap().try_freeze() {
                Ok(shared) => held.push(shared),
                Err(buffer) => break buffer,
            }
        };
        assert!(held.len() > 1);
        assert_eq!(pool.metrics().pinned_bytes, held.len() as u64 * 2048);
        held.pop();
        held.push(refused.try_freeze().expect("one that was dropped serves again"));

        NO_MAPPINGS.set(false);
        held.extend(buffers.into_iter().map(Buffer::freeze));
        assert_eq!(held.len(), 498);
        drop(held);
        assert_eq!((pool.metrics().pinned_bytes, pool.metrics().in_use_bytes), (0, 0));
    }
}

#[cfg(feature = "bytes")]
#[test]
fn bytes_of_a_frozen_buffer_cost_one_allocation_and_their_clones_none() {
    use bytes::Bytes;

    for pool in pools() {
        let shared = pool.get_zeroed(1000).freeze();
        let (bytes, calls, _) = asked(|| Bytes::from(shared));
        assert_eq!(calls, 1);
        let (slice, calls, _) = asked(|| bytes.clone().slice(1..10));
        assert_eq!((slice.len(), calls), (9, 0));
        let ((), calls, _) = asked(|| drop((bytes, slice)));
        assert_eq!(calls, 1, "what was allocated is freed");
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}
