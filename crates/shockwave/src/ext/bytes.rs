//! Feature `bytes`: a buffer is a [`BufMut`].
#![expect(unsafe_code, reason = "`BufMut` is an unsafe trait")]

use bytes::BufMut;
use bytes::buf::UninitSlice;

use crate::buffer::Buffer;
use crate::limits::BUFFER_BYTES_MAX;

/// Writes go to the end, and grow the buffer as
/// [`extend_from_slice`](Buffer::extend_from_slice) does.
///
/// ```
/// use bytes::BufMut;
///
/// let mut buffer = shockwave::get_buffer(64);
/// buffer.put_u16(0x1234);
/// buffer.put_slice(b"ab");
/// assert_eq!(&buffer[..], b"\x12\x34ab");
/// ```
// SAFETY: `chunk_mut` lends memory of the buffer right behind its length, `remaining_mut` counts no
// less than that, and `advance_mut` refuses to go beyond it.
unsafe impl BufMut for Buffer {
    /// Bytes that can be written before the largest buffer of all is full.
    #[inline]
    fn remaining_mut(&self) -> usize {
        BUFFER_BYTES_MAX - self.len()
    }

    /// Makes `count` bytes that were written to [`chunk_mut`](Self::chunk_mut) part of the buffer.
    ///
    /// # Panics
    ///
    /// If there was not that much room.
    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        let room = self.capacity() - self.len();
        assert!(count <= room, "cannot advance by {count} bytes: there is room for {room}");
        // SAFETY: within the capacity, and by the caller's word written.
        unsafe { self.set_len(self.len() + count) };
    }

    /// The spare room. Never empty: a full buffer grows first, for an empty chunk would read as the end
    /// of a stream to whoever reads into it.
    ///
    /// # Panics
    ///
    /// If the buffer is full and the pool refuses a larger one.
    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        self.reserve(1);
        UninitSlice::uninit(self.spare_capacity_mut())
    }

    #[inline]
    fn put_slice(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_bytes(&mut self, value: u8, count: usize) {
        let len = self.len().checked_add(count);
        self.resize(len.unwrap_or(usize::MAX), value);
    }
}
