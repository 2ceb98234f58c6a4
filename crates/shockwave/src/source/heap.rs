//! The global allocator as a source.
#![expect(unsafe_code, reason = "calls the global allocator")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use super::Source;

/// A [`Source`] of memory from the program's global allocator, whichever that is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heap;

// SAFETY: the global allocator's contract is the trait's, and `alloc_zeroed` initializes.
unsafe impl Source for Heap {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        debug_assert!(layout.size() > 0);
        // SAFETY: a buffer has at least `CLASS_BYTES_MIN` bytes, so the layout is not of size zero.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(NonNull::slice_from_raw_parts(memory, layout.size()))
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller vouches that `memory` came from `allocate` with this layout.
        unsafe { dealloc(memory.as_ptr(), layout) }
    }
}
