//! Buffers that hold zeros: how they are had for nothing where the memory is zero already.
#![expect(unsafe_code, reason = "looks at a whole buffer's memory")]

use super::Buffer;
use crate::engine::Engine;
use crate::verify::Verify;

impl Buffer {
    /// Takes a buffer with `len` zeros in it. Clears nothing where all of it is known to be zero:
    /// in a pool that clears what comes back, and in memory that comes fresh from the source.
    #[track_caller]
    pub(crate) fn take_zeroed(engine: &Engine, len: usize) -> Self {
        let mut buffer = Self::take(engine, len);
        if buffer.meta.is_zeroed() {
            debug_assert!(len <= buffer.capacity(), "a get gives at least what was asked");
            buffer.meta.set_len(len);
        } else {
            buffer.resize(len, 0);
        }
        buffer
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
