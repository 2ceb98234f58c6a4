//! An allocator that counts, for each thread by itself, what it passes on to the system's.
#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use shockwave::loadtest::Allocations;

/// The system's allocator, with its calls counted. By thread, so that counting is no contention,
/// and so that a worker can tell its own allocations from those of a progress bar.
#[derive(Debug, Clone, Copy, Default)]
pub struct CountingAllocator;

thread_local! {
    // Without a destructor and without lazy initialization, so that it allocates nothing itself,
    // and can be used while a thread begins and ends.
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// What this thread has allocated so far.
fn of_this_thread() -> Allocations {
    Allocations { count: COUNT.get(), bytes: BYTES.get() }
}

/// How to ask what a thread has allocated, if this program's allocator is one that counts.
pub(crate) fn reader() -> Option<fn() -> Allocations> {
    let before = of_this_thread();
    drop(black_box(Box::new(0_u64)));
    (of_this_thread() != before).then_some(of_this_thread)
}

fn count(bytes: usize) {
    COUNT.set(COUNT.get() + 1);
    BYTES.set(BYTES.get() + bytes as u64);
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size.saturating_sub(layout.size()));
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.realloc(memory, layout, new_size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.dealloc(memory, layout) }
    }
}
