//! What a contender offers to the loops: a get, a put, and the address of the first byte.
#![expect(unsafe_code, reason = "buffers are written by address, the same way for all contenders")]

use std::hint::black_box;
use std::sync::Arc;

/// One way to come by a buffer, as one thread sees it.
///
/// The loops are generic over this trait and are compiled once for each contender, so nothing is
/// called through a pointer while the clock runs. Whatever threads share, a pool or a heap, is
/// found by [`attach`](Self::attach).
///
/// # Safety
///
/// [`address`](Self::address) points at `size` bytes or more that may be written until the buffer
/// is put, and that nobody else has meanwhile, where `size` is what [`get`](Self::get) was asked
/// for.
pub(crate) unsafe trait Contender: Sized + 'static {
    /// What a get gives out. Dropping it puts it back, unless [`put`](Self::put) says otherwise.
    type Buffer: Send + 'static;

    /// Why this contender cannot take part here, if it cannot.
    fn missing() -> Option<String> {
        None
    }

    /// What the calling thread needs to get and to put.
    fn attach() -> Self;

    /// A buffer of at least `size` bytes.
    fn get(&mut self, size: usize) -> Self::Buffer;

    /// Takes a buffer back.
    #[inline(always)]
    fn put(&mut self, buffer: Self::Buffer) {
        drop(buffer);
    }

    /// Where the first byte is.
    fn address(buffer: &mut Self::Buffer) -> *mut u8;

    /// Writes all of `bytes` to the front, the way the contender's users do.
    #[inline(always)]
    fn fill(buffer: &mut Self::Buffer, bytes: &[u8]) {
        let address = Self::address(buffer);
        // SAFETY: the callers got the buffer for `bytes.len()` bytes, so by the trait's contract
        // there are as many at `address`, and nobody else has them: `bytes` is not among them.
        unsafe { address.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        black_box(address);
    }

    /// A buffer of `size` zeros. By hand where the contender has none to give.
    #[inline(always)]
    fn get_zeroed(&mut self, size: usize) -> Self::Buffer {
        let mut buffer = self.get(size);
        let address = Self::address(&mut buffer);
        // SAFETY: by the trait's contract there are `size` bytes at `address`.
        unsafe { address.write_bytes(0, size) };
        black_box(address);
        buffer
    }

    /// Writes `bytes` over the front of a buffer of as many zeros.
    #[inline(always)]
    fn overwrite(buffer: &mut Self::Buffer, bytes: &[u8]) {
        Self::fill(buffer, bytes);
    }

    /// Writes one byte to the front, where no byte was written before.
    #[inline(always)]
    fn write_byte(buffer: &mut Self::Buffer) {
        let address = Self::address(buffer);
        // SAFETY: no get is for less than a byte, and the buffer is its holder's until it is put.
        unsafe { address.write_volatile(1) };
        black_box(address);
    }

    /// Takes a buffer back and clears the first `written` bytes. By hand where the contender has no
    /// such operation.
    #[inline(always)]
    fn put_with_reset(&mut self, mut buffer: Self::Buffer, written: usize) {
        let address = Self::address(&mut buffer);
        // SAFETY: as in `fill`, whose bytes are now overwritten.
        unsafe { address.write_bytes(0, written) };
        // The optimizer may not leave the zeros out, although nobody reads them.
        black_box(address);
        self.put(buffer);
    }

    /// Shares a buffer between two holders, who both let go of it. By an `Arc` where buffers are
    /// not for sharing.
    #[inline(always)]
    fn share(&mut self, buffer: Self::Buffer) {
        let one = Arc::new(buffer);
        let other = black_box(Arc::clone(&one));
        drop(one);
        if let Some(buffer) = Arc::into_inner(other) {
            self.put(buffer);
        }
    }

    /// A buffer that another thread will put. Differs only for the floor, which has no way back.
    #[inline(always)]
    fn get_to_send(&mut self, size: usize) -> Self::Buffer {
        self.get(size)
    }

    /// Takes a buffer back that another thread got.
    #[inline(always)]
    fn put_received(&mut self, buffer: Self::Buffer) {
        self.put(buffer);
    }
}

/// Writes one byte to the front of a buffer. What happens to it then is hidden from the optimizer,
/// so that a get really ends before its put begins.
#[inline(always)]
pub(crate) fn touch<C: Contender>(buffer: &mut C::Buffer) {
    C::write_byte(buffer);
}
