//! What AddressSanitizer is told: idle memory is poisoned, so that a use after return is reported
//! where it happens, as it would be after `free`.
//!
//! Compiled in by `--cfg shockwave_asan`, which `cargo xtask asan` sets; nothing at all otherwise.
#![cfg_attr(shockwave_asan, expect(unsafe_code, reason = "calls the sanitizer's run-time"))]

use std::ptr::NonNull;

#[cfg(shockwave_asan)]
unsafe extern "C" {
    fn __asan_poison_memory_region(address: *const u8, bytes: usize);
    fn __asan_unpoison_memory_region(address: *const u8, bytes: usize);
}

/// Says that nobody may touch this memory until [`unpoison`].
#[inline(always)]
#[cfg_attr(not(shockwave_asan), expect(unused_variables, reason = "nobody to tell"))]
pub(crate) fn poison(memory: NonNull<u8>, bytes: usize) {
    #[cfg(shockwave_asan)]
    // SAFETY: changes the sanitizer's shadow only; callers pass whole buffers of theirs.
    unsafe {
        __asan_poison_memory_region(memory.as_ptr(), bytes);
    }
}

/// Says that this memory may be touched again.
#[inline(always)]
#[cfg_attr(not(shockwave_asan), expect(unused_variables, reason = "nobody to tell"))]
pub(crate) fn unpoison(memory: NonNull<u8>, bytes: usize) {
    #[cfg(shockwave_asan)]
    // SAFETY: changes the sanitizer's shadow only; callers pass whole buffers of theirs.
    unsafe {
        __asan_unpoison_memory_region(memory.as_ptr(), bytes);
    }
}
