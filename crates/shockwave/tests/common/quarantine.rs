//! Tests that fork do without the quarantine of `AddressSanitizer`: its lock is one that the
//! sanitizer does not hold over a fork, so a child that frees memory could wait for it, and for a
//! thread that is not there, for ever.
#![cfg(shockwave_asan)]
#![expect(unsafe_code, reason = "a function that the sanitizer finds by its name")]

/// The options that the sanitizer asks a program for.
// SAFETY: the sanitizer's name for it, and with its signature.
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const libc::c_char {
    c"quarantine_size_mb=0".as_ptr()
}
