//! mimalloc, by `mi_malloc` and `mi_free`.
#![expect(unsafe_code, reason = "calls mimalloc")]

use std::ptr::NonNull;

use super::heap::Heap;

pub(crate) struct Mimalloc;

// SAFETY: mi_malloc returns null, or `size` bytes that nobody else has until they are freed.
unsafe impl Heap for Mimalloc {
    #[inline(always)]
    fn allocate(size: usize) -> *mut u8 {
        // SAFETY: mi_malloc may be called with any size.
        unsafe { libmimalloc_sys::mi_malloc(size) }.cast()
    }

    #[inline(always)]
    unsafe fn free(data: NonNull<u8>, _size: usize) {
        // SAFETY: the caller promises that `data` came from mi_malloc and is used no more.
        unsafe { libmimalloc_sys::mi_free(data.as_ptr().cast()) };
    }
}
