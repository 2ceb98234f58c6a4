//! Feature `bytes`: a buffer is a [`BufMut`], and a frozen one a [`Buf`] that becomes [`Bytes`].
#![expect(unsafe_code, reason = "`BufMut` is an unsafe trait")]

use bytes::buf::UninitSlice;
use bytes::{Buf, BufMut, Bytes};

use crate::buffer::Buffer;
use crate::limits::BUFFER_BYTES_MAX;
use crate::shared::Shared;

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

    /// The spare room. Never empty: a full buffer grows first, for an empty chunk would read as the
    /// end of a stream to whoever reads into it.
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

/// Reads go from the front, and show less of the buffer as they go.
///
/// It is one chunk, so `chunks_vectored` fills one slice, and a [`chain`](Buf::chain) of several
/// fills one for each: head and body of a response in one vectored write, with nothing copied.
///
/// ```
/// use std::io::IoSlice;
/// use bytes::Buf;
///
/// let [mut head, mut body] = [shockwave::get_buffer(64), shockwave::get_buffer(64)];
/// head.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n");
/// body.extend_from_slice(b"hello");
///
/// let response = head.freeze().chain(body.freeze());
/// let mut slices = [IoSlice::new(&[]); 4];
/// assert_eq!(response.chunks_vectored(&mut slices), 2);
/// assert_eq!(&*slices[1], b"hello");
/// ```
impl Buf for Shared {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    /// As [`Shared::advance`], panic included.
    #[inline]
    fn advance(&mut self, count: usize) {
        Shared::advance(self, count);
    }

    /// The next `len` bytes as [`Bytes`] of the same buffer: copies none of them. Cost: the
    /// allocation of [`Bytes::from`].
    ///
    /// # Panics
    ///
    /// If there are not that many.
    #[inline]
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        self.split_to(len).into()
    }
}

impl From<Shared> for Bytes {
    /// The same bytes in the type that the ecosystem passes around: nothing is copied, and the
    /// buffer goes home when the last `Bytes` of it is dropped. Cost: the one allocation that
    /// [`Bytes::from_owner`] makes; its clones and slices make none. There is no way back.
    ///
    /// ```
    /// use bytes::Bytes;
    ///
    /// let pool = shockwave::BufferPool::new();
    /// let bytes = Bytes::from(pool.get_zeroed(1000).freeze());
    /// let slice = bytes.slice(..10);
    /// drop(bytes);
    /// assert_eq!(pool.metrics().pinned_bytes, 2048);
    /// drop(slice);
    /// assert_eq!(pool.metrics().pinned_bytes, 0);
    /// ```
    fn from(shared: Shared) -> Self {
        Self::from_owner(shared)
    }
}
