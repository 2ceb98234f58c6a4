//! No pool at all: `Vec::with_capacity`, on the program's allocator, which is the C library's.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use crate::contender::Contender;

pub(crate) struct PlainVec;

// SAFETY: a vector's pointer is good for its capacity, which is at least what was asked for.
unsafe impl Contender for PlainVec {
    type Buffer = Vec<u8>;

    fn attach() -> Self {
        Self
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Vec<u8> {
        Vec::with_capacity(size)
    }

    #[inline(always)]
    fn get_zeroed(&mut self, size: usize) -> Vec<u8> {
        vec![0; size]
    }

    #[inline(always)]
    fn overwrite(buffer: &mut Vec<u8>, bytes: &[u8]) {
        buffer[..bytes.len()].copy_from_slice(bytes);
    }

    #[inline(always)]
    fn address(buffer: &mut Vec<u8>) -> *mut u8 {
        buffer.as_mut_ptr()
    }

    #[inline(always)]
    fn fill(buffer: &mut Vec<u8>, bytes: &[u8]) {
        buffer.extend_from_slice(bytes);
    }
}
