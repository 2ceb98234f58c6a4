//! Buffers that hold zeros: how they are had for nothing where the memory is zero already.
#![expect(unsafe_code, reason = "looks at a whole buffer's memory")]

use super::Buffer;
use crate::engine::Engine;
use crate::verify::Verify;

impl Buffer {
    /// A buffer that was just got for `len` bytes, with that many zeros in it. Clears nothing where
    /// all of it is known to be zero: in a pool that clears what comes back, and in memory that
    /// comes fresh from the source.
    pub(crate) fn zeroed(mut self, len: usize) -> Self {
        if self.meta.is_zeroed() {
            debug_assert!(len <= self.capacity(), "a get gives at least what was asked");
            self.meta.set_len(len);
        } else {
            self.resize(len, 0);
        }
        self
    }

    /// Has a buffer that was idle looked at, in a pool that does so, as [`Verify::look`] does.
    #[inline]
    pub(super) fn verified(self, engine: &Engine) -> Self {
        let verify = &engine.modes.verify;
        if verify.hits() { self.verified_now(verify) } else { self }
    }

    #[cold]
    #[inline(never)]
    fn verified_now(self, verify: &Verify) -> Self {
        let capacity = self.capacity();
        // SAFETY: all of a buffer is initialized and its holder's alone; nothing else refers to it
        // yet.
        verify.look(unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), capacity) });
        self
    }
}
