//! Raw handles: buffers on the far side of a foreign interface, and what may come back from there.
//!
//! ```text
//!    Buffer ── into_raw ──▶ RawBuffer { data, handle } ──▶ C
//!                                         │ index, generation
//!                                         ▼
//!                            table:  generation 7, out:  data, meta       what is on loan
//!                                    generation 4, free
//! ```
//!
//! The far side may return a handle twice, keep one, mix two up, or make one up. Everything that
//! was known of the buffer stays here, in a slot of a table of the process, and a handle is no more
//! than a claim to it: the first return of the right generation gets the buffer, all others an
//! error.
#![expect(unsafe_code, reason = "makes buffers of what it recorded of them")]

use std::fmt;

use crate::buffer::Buffer;
use crate::loans::{self, Fault, Loan};
use crate::pool::BufferPool;

/// A buffer that was handed across a foreign interface. From [`Buffer::into_raw`].
///
/// Two words, laid out as in C: `struct { uint8_t *data; uint64_t handle; }`. `Copy`, since the far
/// side copies as it likes; only the first return of a handle counts.
///
/// ```
/// let pool = shockwave::BufferPool::new();
/// let raw = pool.get(4096).into_raw();
///
/// // SAFETY: on loan, so the memory is ours to write, up to the capacity.
/// unsafe { raw.data().write(7) };
///
/// let mut buffer = pool.from_raw(raw).unwrap();
/// // SAFETY: one byte was written.
/// unsafe { buffer.set_len(1) };
/// assert_eq!(&buffer[..], [7]);
///
/// assert!(pool.from_raw(raw).unwrap_err().is_double_return());
/// ```
///
/// A handle that is never returned is a buffer that is out for ever, and nothing worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(C)]
#[must_use = "a handle that is not returned is a buffer lost to its pool"]
pub struct RawBuffer {
    data: *mut u8,
    handle: u64,
}

// SAFETY: a claim, checked when it is made; the address is for its user to dereference or not.
unsafe impl Send for RawBuffer {}
// SAFETY: as above.
unsafe impl Sync for RawBuffer {}

impl RawBuffer {
    /// Puts together what came back over the interface in two pieces. Any two values will do: they
    /// are checked when the buffer is claimed.
    pub const fn from_parts(data: *mut u8, handle: u64) -> Self {
        Self { data, handle }
    }

    /// The address of the first byte. Good for reads and writes of the capacity that the buffer
    /// had, until the handle is returned.
    #[must_use]
    pub const fn data(&self) -> *mut u8 {
        self.data
    }

    /// The number by which the buffer is claimed. Never 0.
    #[must_use]
    pub const fn handle(&self) -> u64 {
        self.handle
    }

    /// Whether the buffer is on loan under this handle now: neither returned, nor made up. Not
    /// counted as an error. Cost: a few loads.
    #[must_use]
    pub fn is_live(&self) -> bool {
        loans::find(self.handle, self.data).is_ok()
    }

    /// Claims the buffer, as it was when it became a handle: with its length of then, and all of it
    /// counted as written for scrubbing. What the far side wrote beyond the length becomes part of
    /// it by [`set_len`](Buffer::set_len). Cost: two exchanges of a word.
    ///
    /// # Errors
    ///
    /// A [`RawError`] if this handle is not on loan. Nothing has changed then, and it was counted.
    pub fn try_into_buffer(self) -> Result<Buffer, RawError> {
        let loan = loans::claim(self.handle, self.data).map_err(RawError::counted)?;
        // SAFETY: `into_raw` gave up a buffer of these parts, and the table gave them to this claim
        // alone.
        Ok(unsafe { Buffer::from_parts(loan.data, loan.meta) })
    }
}

impl Buffer {
    /// Makes a handle for a foreign interface out of this buffer. It stays out, and keeps its
    /// pool's memory alive, until [`BufferPool::from_raw`] or [`RawBuffer::try_into_buffer`] claims
    /// it. All of it counts as written from here on. Not for signal handlers. Cost: one exchange of
    /// a word.
    ///
    /// # Panics
    ///
    /// If 16,777,216 handles are out already, or the system has no memory for their table.
    #[track_caller]
    pub fn into_raw(mut self) -> RawBuffer {
        let data = self.as_mut_ptr();
        let loan = || {
            let (data, meta) = self.into_parts();
            Loan { data, meta }
        };
        let Some(handle) = loans::lend(loan) else {
            panic!("no more raw handles: {} are out at most", loans::LOANS_MAX)
        };
        RawBuffer { data, handle }
    }
}

impl BufferPool {
    /// Claims the buffer of a handle, which must be of this pool; otherwise as
    /// [`RawBuffer::try_into_buffer`].
    ///
    /// # Errors
    ///
    /// A [`RawError`] if this handle is not on loan, or is another pool's; that one stays on loan.
    pub fn from_raw(&self, raw: RawBuffer) -> Result<Buffer, RawError> {
        let Loan { meta, .. } = loans::find(raw.handle, raw.data).map_err(RawError::counted)?;
        if meta.pool() != self.engine().meta.pool() {
            return Err(RawError::counted(Fault::Foreign));
        }
        raw.try_into_buffer()
    }
}

/// Why a raw handle was refused. Harmless in each case: no buffer has changed hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawError {
    fault: Fault,
}

impl RawError {
    fn counted(fault: Fault) -> Self {
        loans::count(fault);
        Self { fault }
    }

    /// Whether the handle was returned before, and its place in the table has not been used since.
    #[must_use]
    pub const fn is_double_return(&self) -> bool {
        matches!(self.fault, Fault::Returned)
    }

    /// Whether the handle was returned before, and its place is, or was, another buffer's since: a
    /// return that would have pulled the memory from under somebody else.
    #[must_use]
    pub const fn is_stale(&self) -> bool {
        matches!(self.fault, Fault::Stale)
    }

    /// Whether this is no handle at all, one with another buffer's address, or one of another pool.
    #[must_use]
    pub const fn is_foreign(&self) -> bool {
        matches!(self.fault, Fault::Foreign)
    }
}

impl fmt::Display for RawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.fault {
            Fault::Returned => "the raw handle was returned already",
            Fault::Stale => {
                "the raw handle was returned already, and its place is another buffer's since"
            }
            Fault::Foreign => "the raw handle is none of this pool's",
        })
    }
}

impl std::error::Error for RawError {}
