//! The allocator and the mappings of this program, counted.
//!
//! The global allocator is the system's. `mmap` and `munmap` are the program's own, which the
//! linker prefers to the C library's; the C library itself goes on using its own. Anything a thread
//! does besides is done by these functions on its behalf, and so is counted and refused like the
//! rest.
#![expect(unsafe_code, reason = "is an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

thread_local! {
    /// Allocations, frees, mappings and unmappings of this thread so far.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    /// Whether this thread is to get no memory from the allocator.
    static NO_MEMORY: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread is to get no mappings.
    static NO_MAPPINGS: Cell<bool> = const { Cell::new(false) };
    /// What this thread is to run from within its next allocation.
    static FROM_WITHIN: Cell<Option<fn()>> = const { Cell::new(None) };
    /// Whether this thread is inside of the allocator.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// How often this thread entered the allocator while it was inside.
    static ENTERED_TWICE: Cell<u64> = const { Cell::new(0) };
}

/// Bytes that are allocated or mapped now, by all threads.
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// A layout from here on is mapped and not allocated: zeroed memory of several GiB for nothing.
const MAPPED_BYTES_MIN: usize = 1 << 30;

fn signed(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Counts a call into the allocator, and runs it.
fn within<T>(call: impl FnOnce() -> T) -> T {
    CALLS.set(CALLS.get() + 1);
    if INSIDE.replace(true) {
        ENTERED_TWICE.set(ENTERED_TWICE.get() + 1);
    }
    if let Some(run) = FROM_WITHIN.take() {
        run();
    }
    let result = call();
    INSIDE.set(false);
    result
}

// SAFETY: the system's allocator does the work, or a mapping that is as large; a null pointer is
// always a correct answer to an allocation.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        within(|| {
            if NO_MEMORY.get() {
                return null_mut();
            }
            LIVE_BYTES.fetch_add(signed(layout.size()), Relaxed);
            if layout.size() >= MAPPED_BYTES_MIN {
                return map_anywhere(layout.size());
            }
            // SAFETY: the caller's layout.
            unsafe { System.alloc(layout) }
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        let memory = unsafe { self.alloc(layout) };
        if !memory.is_null() && layout.size() < MAPPED_BYTES_MIN {
            // SAFETY: just allocated, with that size.
            unsafe { memory.write_bytes(0, layout.size()) };
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        within(|| {
            LIVE_BYTES.fetch_sub(signed(layout.size()), Relaxed);
            if layout.size() >= MAPPED_BYTES_MIN {
                // SAFETY: `alloc` mapped it, with that size.
                unsafe { libc::syscall(libc::SYS_munmap, memory, layout.size()) };
            } else {
                // SAFETY: `alloc` got it from there, with that layout.
                unsafe { System.dealloc(memory, layout) };
            }
        });
    }
}

fn map_anywhere(bytes: usize) -> *mut u8 {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping at an address of the kernel's choice.
    let result = unsafe { libc::syscall(libc::SYS_mmap, 0, bytes, protection, flags, -1, 0) };
    if result == -1 { null_mut() } else { result as *mut u8 }
}

/// The program's own `mmap`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    address: *mut libc::c_void,
    bytes: libc::size_t,
    protection: libc::c_int,
    flags: libc::c_int,
    file: libc::c_int,
    offset: libc::off_t,
) -> *mut libc::c_void {
    CALLS.set(CALLS.get() + 1);
    if NO_MAPPINGS.get() {
        return libc::MAP_FAILED;
    }
    LIVE_BYTES.fetch_add(signed(bytes), Relaxed);
    // SAFETY: what the caller asks.
    let result =
        unsafe { libc::syscall(libc::SYS_mmap, address, bytes, protection, flags, file, offset) };
    result as *mut libc::c_void
}

/// The same under the name that the standard library uses.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap64(
    address: *mut libc::c_void,
    bytes: libc::size_t,
    protection: libc::c_int,
    flags: libc::c_int,
    file: libc::c_int,
    offset: libc::off64_t,
) -> *mut libc::c_void {
    // SAFETY: what the caller asks.
    unsafe { mmap(address, bytes, protection, flags, file, offset) }
}

/// The program's own `munmap`.
///
/// # Safety
///
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(address: *mut libc::c_void, bytes: libc::size_t) -> libc::c_int {
    CALLS.set(CALLS.get() + 1);
    LIVE_BYTES.fetch_sub(signed(bytes), Relaxed);
    // SAFETY: what the caller asks.
    let result = unsafe { libc::syscall(libc::SYS_munmap, address, bytes) };
    if result == 0 { 0 } else { -1 }
}

/// How many allocations, frees, mappings and unmappings this thread makes meanwhile.
pub(crate) fn calls_of<T>(run: impl FnOnce() -> T) -> u64 {
    let before = CALLS.get();
    let result = run();
    let calls = CALLS.get() - before;
    drop(result);
    calls
}

/// Bytes that the whole program has allocated or mapped now.
pub(crate) fn live_bytes() -> i64 {
    LIVE_BYTES.load(Relaxed)
}

/// Runs while this thread gets no memory from the allocator. What runs must not panic.
pub(crate) fn without_memory<T>(run: impl FnOnce() -> T) -> T {
    NO_MEMORY.set(true);
    let result = run();
    NO_MEMORY.set(false);
    result
}

/// Runs while this thread gets no mappings. What runs must not panic.
pub(crate) fn without_mappings<T>(run: impl FnOnce() -> T) -> T {
    NO_MAPPINGS.set(true);
    let result = run();
    NO_MAPPINGS.set(false);
    result
}

/// Runs `run` with `inner` in the middle of its first allocation, and says how often this thread
/// entered the allocator a second time from there.
pub(crate) fn with_in_the_middle<T>(inner: fn(), run: impl FnOnce() -> T) -> (T, u64) {
    let before = ENTERED_TWICE.get();
    FROM_WITHIN.set(Some(inner));
    let result = run();
    assert!(FROM_WITHIN.take().is_none(), "there was an allocation to be in the middle of");
    (result, ENTERED_TWICE.get() - before)
}
