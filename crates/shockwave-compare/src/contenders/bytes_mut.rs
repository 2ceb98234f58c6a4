//! `bytes::BytesMut::with_capacity`, on the program's allocator, which is the C library's.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use std::hint::black_box;

use bytes::BytesMut;

use crate::contender::Contender;

pub(crate) struct PlainBytesMut;

// SAFETY: an empty buffer's address is that of its spare room, which is at least what was asked
// for; one that was filled is asked for the address of what was written to it, and no more.
unsafe impl Contender for PlainBytesMut {
    type Buffer = BytesMut;

    fn attach() -> Self {
        Self
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> BytesMut {
        BytesMut::with_capacity(size)
    }

    #[inline(always)]
    fn address(buffer: &mut BytesMut) -> *mut u8 {
        if buffer.is_empty() {
            buffer.spare_capacity_mut().as_mut_ptr().cast()
        } else {
            buffer.as_mut_ptr()
        }
    }

    #[inline(always)]
    fn fill(buffer: &mut BytesMut, bytes: &[u8]) {
        buffer.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn share(&mut self, buffer: BytesMut) {
        let one = buffer.freeze();
        let other = black_box(one.clone());
        drop((one, other));
    }
}
