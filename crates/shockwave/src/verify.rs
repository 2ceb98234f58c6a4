//! Verification: whether an idle buffer is still as clean as it was when it came back.
//!
//! In a pool that clears what comes back, every idle byte is zero. One that is not was written by
//! someone who had no buffer any more: through an address kept from before the put, by a device
//! that was still at it, or past the end of a neighbor.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::callback::Callback;
use crate::reentry::Stay;
use crate::sampling::Sampling;

/// An idle buffer that was written to. Told to
/// [`on_write_after_return`](crate::BufferPoolBuilder::on_write_after_return).
///
/// Its text names the place; the bytes themselves are nobody's business, and are cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WriteAfterReturn {
    /// The address of the buffer.
    pub address: usize,
    /// Bytes of the buffer.
    pub capacity: usize,
    /// Bytes before the first that is not zero, `0..capacity`.
    pub offset: usize,
    /// Bytes that are not zero, `1..=capacity`.
    pub bytes: usize,
}

impl fmt::Display for WriteAfterReturn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, capacity, offset, bytes } = self;
        write!(
            f,
            "{bytes} bytes from offset {offset} of the idle buffer of {capacity} bytes at {address:#x} were written after its return"
        )
    }
}

/// Whether and how a pool verifies, and what it found.
#[derive(Debug, Default)]
pub(crate) struct Verify {
    /// Which gets look; none by default.
    pub(crate) sampling: Option<Sampling>,
    /// Who is told.
    pub(crate) on_found: Option<Callback<WriteAfterReturn>>,
    /// Buffers that were found written to.
    found: AtomicU64,
}

impl Clone for Verify {
    /// The same way to verify, for a pool that has found nothing yet.
    fn clone(&self) -> Self {
        Self { sampling: self.sampling, on_found: self.on_found.clone(), found: AtomicU64::new(0) }
    }
}

impl Verify {
    /// Whether any get looks.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.sampling.is_some()
    }

    /// Buffers that were found written to.
    pub(crate) fn found(&self) -> u64 {
        self.found.load(Relaxed)
    }

    /// Whether the get that asks is one that looks.
    #[inline]
    pub(crate) fn hits(&self) -> bool {
        self.sampling.is_some_and(Sampling::hit)
    }

    /// Looks at a buffer that is taken, and clears what it finds: the one who takes it was promised
    /// zeros. Tells the program, unless that would be from within a slow path.
    pub(crate) fn look(&self, memory: &mut [u8]) {
        if is_zero(memory) {
            return;
        }
        let found = WriteAfterReturn {
            address: memory.as_ptr().addr(),
            capacity: memory.len(),
            offset: memory.iter().position(|&byte| byte != 0).unwrap_or(0),
            bytes: memory.iter().filter(|&&byte| byte != 0).count(),
        };
        memory.fill(0);
        self.found.fetch_add(1, Relaxed);
        let nested = Stay::begin().is_nested();
        if let Some(callback) = self.on_found.as_ref().filter(|_| !nested) {
            callback.call(&found);
        }
    }
}

/// Whether all bytes are zero. A block at a time without a branch, which compiles to vectors.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(256).all(|block| block.iter().fold(0, |any, byte| any | byte) == 0)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_is_found_and_cleared() {
        let mut memory = vec![0_u8; 1024];
        let verify = Verify { sampling: Some(Sampling::EACH), ..Verify::default() };
        verify.look(&mut memory);
        assert_eq!(verify.found(), 0);
        for at in [0, 1, 255, 256, 1023] {
            memory[at] = 1;
            assert!(!is_zero(&memory));
            verify.look(&mut memory);
            assert!(is_zero(&memory));
        }
        assert_eq!(verify.found(), 5);
    }
}
