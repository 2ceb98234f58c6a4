//! A buffer's room: what is written to it, what is lent of it, and how it is scrubbed.
#![expect(unsafe_code, reason = "writes to memory by address")]

use std::mem::MaybeUninit;

use super::Buffer;

impl Buffer {
    /// The room beyond what was written, to be written to and then claimed by
    /// [`set_len`](Self::set_len). All of it counts as written for scrubbing.
    ///
    /// ```
    /// # let mut buffer = shockwave::BufferPool::new().get(100);
    /// buffer.spare_capacity_mut()[0].write(7);
    /// // SAFETY: one byte was written.
    /// unsafe { buffer.set_len(1) };
    /// assert_eq!(&buffer[..], [7]);
    /// ```
    #[inline]
    pub fn spare_capacity_mut(&mut self) -> &mut [MaybeUninit<u8>] {
        let (len, capacity) = (self.len(), self.capacity());
        self.meta.mark_dirty(capacity);
        // SAFETY: `len <= capacity`, so this points into the buffer or to its end.
        let spare = unsafe { self.data.as_ptr().add(len) };
        // SAFETY: the rest of the buffer, and this buffer's alone.
        unsafe { std::slice::from_raw_parts_mut(spare.cast(), capacity - len) }
    }

    /// The room beyond what was written, as bytes. They are initialized, and may hold what an
    /// earlier holder left: it is lent to code that overwrites, such as `Read::read`.
    #[inline]
    pub(crate) fn spare_bytes(&mut self) -> &mut [u8] {
        let spare = self.spare_capacity_mut();
        let (data, len) = (spare.as_mut_ptr().cast::<u8>(), spare.len());
        freeze(data, len);
        // SAFETY: as in `spare_capacity_mut`; initialized by the source, and by `freeze` if a
        // holder has made it uninitialized since, which `MaybeUninit` lets safe code do.
        unsafe { std::slice::from_raw_parts_mut(data, len) }
    }

    /// Bytes that fit beyond the length. Cost: three loads that wait for nothing.
    #[inline(always)]
    pub(super) fn room(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Copies bytes to the end.
    ///
    /// # Safety
    ///
    /// There is [`room`](Self::room) for them.
    #[inline(always)]
    pub(super) unsafe fn append(&mut self, bytes: &[u8]) {
        let len = self.len();
        debug_assert!(bytes.len() <= self.room(), "room was made");
        // SAFETY: `len <= capacity`, so this points into the buffer or to its end.
        let end = unsafe { self.data.as_ptr().add(len) };
        // SAFETY: the source is a slice, the target has room for it, and is this buffer's alone.
        unsafe { end.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        self.meta.add_len(bytes.len());
    }

    /// Fills up with `value` to a length of `len`, no less than the present one.
    ///
    /// # Panics
    ///
    /// If that does not fit; callers have reserved.
    pub(super) fn fill_to(&mut self, len: usize, value: u8) {
        let from = self.len();
        assert!(from <= len && len <= self.capacity(), "room was reserved");
        // SAFETY: `from <= capacity`, so this points into the buffer or to its end.
        let end = unsafe { self.data.as_ptr().add(from) };
        // SAFETY: the target has room, and is this buffer's alone.
        unsafe { end.write_bytes(value, len - from) };
        self.meta.set_len(len);
    }

    /// Makes `bytes` of the spare room part of the buffer: room that was lent by
    /// [`spare_bytes`](Self::spare_bytes) and written by the one it was lent to.
    ///
    /// # Panics
    ///
    /// If there is not that much.
    pub(super) fn claim(&mut self, bytes: usize) {
        let len = self.len();
        assert!(bytes <= self.capacity() - len, "room was lent");
        self.meta.set_len(len + bytes);
    }

    /// Clears what may have been written, in a way that the compiler cannot leave out. Forgets it
    /// too, so that to clear again costs nothing.
    pub(crate) fn scrub(&mut self) {
        let dirty = self.meta.dirty().min(self.capacity());
        // SAFETY: `dirty <= capacity` bytes, this buffer's alone.
        unsafe { self.data.as_ptr().write_bytes(0, dirty) };
        freeze(self.data.as_ptr(), dirty);
        self.meta.forget();
    }
}

/// Makes the compiler take `bytes` bytes at `data` for read and written with values of which it
/// knows nothing. Costs no instruction.
///
/// That makes stores before it necessary, which is how a scrub is kept; and it makes memory count
/// as initialized whatever it counted as before, since it has some value in the machine.
#[inline(always)]
fn freeze(data: *mut u8, bytes: usize) {
    #[cfg(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    ))]
    // SAFETY: no instruction at all. Claims to write to memory that the caller may write to.
    unsafe {
        std::arch::asm!("/* {data} {bytes} */", data = in(reg) data, bytes = in(reg) bytes, options(nostack, preserves_flags));
    }
    #[cfg(not(any(
        target_arch = "x86",
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "loongarch64"
    )))]
    for i in 0..bytes {
        // SAFETY: the caller may write to these bytes; this writes zeros, one by one.
        unsafe { data.add(i).write_volatile(0) };
    }
}
