//! An owner's mark in a buffer's own memory, by which a buffer that is handed out twice is found.
#![expect(unsafe_code, reason = "marks memory that buffers do not show")]

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use shockwave::Buffer;

fn word(buffer: &mut Buffer) -> &AtomicU64 {
    #[expect(clippy::cast_ptr_alignment, reason = "buffers are aligned to 64 bytes")]
    let memory = buffer.as_mut_ptr().cast::<u64>();
    debug_assert!(memory.is_aligned());
    // SAFETY: aligned, within the buffer, whose bytes are all initialized. Atomic, since who else
    // holds the buffer is the question.
    unsafe { AtomicU64::from_ptr(memory) }
}

/// Marks a fresh buffer as `owner`'s, who is not 0. Says whether it was nobody's.
#[must_use]
pub(crate) fn claim(buffer: &mut Buffer, owner: u64) -> bool {
    word(buffer).swap(owner, SeqCst) == 0
}

/// Marks a buffer as nobody's. Says whether it was `owner`'s.
#[must_use]
pub(crate) fn disclaim(buffer: &mut Buffer, owner: u64) -> bool {
    word(buffer).swap(0, SeqCst) == owner
}
