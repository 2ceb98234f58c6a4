//! jemalloc, by its fastest pair: `malloc`, and the sized `sdallocx`, which spares it a lookup.
#![expect(unsafe_code, reason = "calls jemalloc")]

use std::ptr::NonNull;

use super::heap::Heap;

pub(crate) struct Jemalloc;

// SAFETY: malloc returns null, or `size` bytes that nobody else has until they are freed.
unsafe impl Heap for Jemalloc {
    #[inline(always)]
    fn allocate(size: usize) -> *mut u8 {
        // SAFETY: malloc may be called with any size.
        unsafe { tikv_jemalloc_sys::malloc(size) }.cast()
    }

    #[inline(always)]
    unsafe fn free(data: NonNull<u8>, size: usize) {
        // SAFETY: the caller promises that `data` came from malloc with this size and is used no
        // more.
        unsafe { tikv_jemalloc_sys::sdallocx(data.as_ptr().cast(), size, 0) };
    }
}
