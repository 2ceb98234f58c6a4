//! This pool behind a foreign interface: each buffer crosses it as a raw handle, and is written by
//! address, as C would.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use shockwave::RawBuffer;

use super::shockwave::{RSEQ, Shockwave};
use crate::contender::Contender;

/// The pool of [`Shockwave<RSEQ>`], whose buffers are lent under handles.
pub(crate) struct Handles {
    pool: Shockwave<RSEQ>,
}

// SAFETY: a handle that was not returned is good for reads and writes of its buffer's capacity,
// which is at least what was asked for, and only its holder returns it.
unsafe impl Contender for Handles {
    type Buffer = RawBuffer;

    fn missing() -> Option<String> {
        Shockwave::<RSEQ>::missing()
    }

    fn attach() -> Self {
        Self { pool: Shockwave::attach() }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> RawBuffer {
        self.pool.get(size).into_raw()
    }

    #[inline(always)]
    fn put(&mut self, raw: RawBuffer) {
        self.pool.put(claim(raw));
    }

    #[inline(always)]
    fn address(raw: &mut RawBuffer) -> *mut u8 {
        raw.data()
    }

    #[inline(always)]
    fn share(&mut self, raw: RawBuffer) {
        self.pool.share(claim(raw));
    }

    #[inline(always)]
    fn put_with_reset(&mut self, raw: RawBuffer, written: usize) {
        self.pool.put_with_reset(claim(raw), written);
    }
}

#[inline(always)]
fn claim(raw: RawBuffer) -> shockwave::Buffer {
    raw.try_into_buffer().unwrap_or_else(|error| panic!("a handle that was just lent: {error}"))
}
