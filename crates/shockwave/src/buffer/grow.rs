//! Writing to a buffer, and growing it.
#![expect(unsafe_code, reason = "writes where room was made")]

use super::Buffer;
use crate::engine::Turn;
use crate::error::GetError;
use crate::limits::BUFFER_BYTES_MAX;

impl Buffer {
    /// Makes room for `additional` bytes beyond the length, or says why there is none; the buffer
    /// then stays as it was.
    ///
    /// Room beyond the capacity means to move: to a buffer of the same pool at least twice as
    /// large, so that many small writes cost a copy of each byte or two in all. The old one goes
    /// back to its class scrubbed, since nobody could ask for that any more: `put_with_reset`
    /// leaves nothing behind.
    ///
    /// # Errors
    ///
    /// If the pool refuses a buffer of that size; see [`GetError`].
    #[inline]
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), GetError> {
        if additional <= self.room() { Ok(()) } else { self.grow(additional) }
    }

    /// Makes room for `additional` bytes beyond the length. See [`try_reserve`](Self::try_reserve).
    ///
    /// # Panics
    ///
    /// If the pool refuses a buffer of that size.
    #[inline]
    #[track_caller]
    pub fn reserve(&mut self, additional: usize) {
        if additional > self.room() {
            self.grow_or_panic(additional);
        }
    }

    #[cold]
    #[inline(never)]
    #[track_caller]
    fn grow_or_panic(&mut self, additional: usize) {
        if let Err(refused) = self.grow(additional) {
            refuse(refused);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) -> Result<(), GetError> {
        let needed = self.len().saturating_add(additional);
        if needed > BUFFER_BYTES_MAX {
            return Err(GetError::too_large(needed));
        }
        let doubled = self.capacity().saturating_mul(2).min(BUFFER_BYTES_MAX);
        let engine = self.engine();
        // If doubling is too much to ask, what is needed may not be, and nothing was refused.
        let mut larger = Self::take_for_growth(engine, doubled.max(needed))
            .or_else(|_| Self::take_slowly(engine, needed, Turn::Last))?;
        // SAFETY: what is needed includes what there is.
        unsafe { larger.append(self) };
        larger.inherit_record(self);
        if self.meta().scrubs() {
            larger.scrub_on_drop();
        }
        self.scrub();
        *self = larger;
        Ok(())
    }

    /// Copies bytes to the end, growing if they do not fit.
    ///
    /// # Panics
    ///
    /// If the pool refuses a larger buffer; see [`try_reserve`](Self::try_reserve).
    #[inline]
    #[track_caller]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        if bytes.len() > self.room() {
            self.grow_or_panic(bytes.len());
        }
        // SAFETY: there is room, or it was just made.
        unsafe { self.append(bytes) };
    }

    /// Adds one byte to the end, growing if it does not fit.
    ///
    /// # Panics
    ///
    /// As [`extend_from_slice`](Self::extend_from_slice).
    #[inline]
    #[track_caller]
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// Sets the length to `len`: forgets what is beyond it, or fills up with `value`.
    ///
    /// # Panics
    ///
    /// As [`extend_from_slice`](Self::extend_from_slice).
    #[track_caller]
    pub fn resize(&mut self, len: usize, value: u8) {
        let Some(additional) = len.checked_sub(self.len()) else { return self.truncate(len) };
        self.reserve(additional);
        self.fill_to(len, value);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
pub(crate) fn refuse(refused: GetError) -> ! {
    panic!("{refused}")
}
