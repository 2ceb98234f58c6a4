//! The C library's malloc; on most Linux systems glibc's.
#![expect(unsafe_code, reason = "calls malloc and free")]

use std::ptr::NonNull;

use super::heap::Heap;

pub(crate) struct System;

// SAFETY: malloc returns null, or `size` bytes that nobody else has until they are freed.
unsafe impl Heap for System {
    #[inline(always)]
    fn allocate(size: usize) -> *mut u8 {
        // SAFETY: malloc may be called with any size.
        unsafe { libc::malloc(size) }.cast()
    }

    #[inline(always)]
    unsafe fn free(data: NonNull<u8>, _size: usize) {
        // SAFETY: the caller promises that `data` came from malloc and is used no more.
        unsafe { libc::free(data.as_ptr().cast()) };
    }
}
