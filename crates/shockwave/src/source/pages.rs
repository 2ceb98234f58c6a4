//! Whole pages straight from the system, past every allocator.
//!
//! Two things must not go through `malloc`: the magazines, which are made on slow paths that may be
//! on their way out of a full cell in a signal handler, and the buffer of a get that was itself
//! interrupted inside of this crate's slow path. Both are rare; each costs one system call.
#![expect(unsafe_code, reason = "maps and unmaps memory")]

use std::ptr::NonNull;

/// Bytes of the smallest unit that is mapped. Where the system's page is larger, it rounds up.
pub(crate) const PAGE_BYTES: usize = 4096;

/// Maps at least `bytes` zeroed bytes, aligned to a page, or `None` where the system refuses.
#[cfg(all(unix, not(loom)))]
pub(crate) fn map(bytes: usize) -> Option<NonNull<u8>> {
    use std::ptr::null_mut;

    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new private mapping at an address of the kernel's choice touches no other memory.
    let memory = unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) };
    if memory == libc::MAP_FAILED { None } else { NonNull::new(memory.cast()) }
}

/// Unmaps what [`map`] gave.
///
/// # Safety
///
/// `memory` came from `map(bytes)`, and nobody uses it from here on.
#[cfg(all(unix, not(loom)))]
pub(crate) unsafe fn unmap(memory: NonNull<u8>, bytes: usize) {
    // SAFETY: the caller vouches for address, length and disuse.
    let result = unsafe { libc::munmap(memory.as_ptr().cast(), bytes) };
    debug_assert_eq!(result, 0, "unmapping a mapping of ours");
}

#[cfg(any(not(unix), loom))]
fn layout(bytes: usize) -> Option<std::alloc::Layout> {
    std::alloc::Layout::from_size_align(bytes, PAGE_BYTES).ok()
}

/// Without `mmap`: the global allocator, a page at a time.
#[cfg(any(not(unix), loom))]
pub(crate) fn map(bytes: usize) -> Option<NonNull<u8>> {
    // SAFETY: callers ask for at least one byte.
    NonNull::new(unsafe { std::alloc::alloc_zeroed(layout(bytes)?) })
}

/// Without `mmap`: gives back to the global allocator what [`map`] took.
///
/// # Safety
///
/// `memory` came from `map(bytes)`, and nobody uses it from here on.
#[cfg(any(not(unix), loom))]
pub(crate) unsafe fn unmap(memory: NonNull<u8>, bytes: usize) {
    if let Some(layout) = layout(bytes) {
        // SAFETY: the caller vouches for address, length and disuse.
        unsafe { std::alloc::dealloc(memory.as_ptr(), layout) }
    }
}
