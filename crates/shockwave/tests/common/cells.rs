//! Runs a test on each way to enter a cell: by restartable sequences, and by try-locks.
#![expect(unsafe_code, reason = "asks the C library for its version")]

use shockwave::{BufferPool, BufferPoolBuilder, Cells};

/// Runs a test on cells that are entered by a try-lock.
pub(crate) fn on_locked(test: impl FnOnce(BufferPoolBuilder)) {
    test(BufferPool::builder().cells(Cells::Locked));
}

/// Runs a test on cells that are entered by restartable sequences. Says so where that cannot be,
/// and fails where it should be.
pub(crate) fn on_rseq(test: impl FnOnce(BufferPoolBuilder)) {
    let builder = BufferPool::builder().cells(Cells::Rseq);
    match builder.clone().build() {
        Ok(pool) => {
            assert_eq!(pool.cells(), Cells::Rseq);
            drop(pool);
            test(builder);
        }
        Err(error) if error.is_rseq_unavailable() && !system_has_rseq() => {
            eprintln!("skipped: {error}");
        }
        Err(error) => panic!("this system has restartable sequences, but: {error}"),
    }
}

/// Whether this system is one that the documentation promises restartable sequences on. Found
/// without asking for them: by the versions of the kernel and of the C library.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
pub(crate) fn system_has_rseq() -> bool {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    // SAFETY: asks for a string.
    let library = unsafe { libc::gnu_get_libc_version() };
    // SAFETY: it ends with a zero, and lives as long as the program.
    let library = unsafe { std::ffi::CStr::from_ptr(library) };
    let tunables = std::env::var("GLIBC_TUNABLES").unwrap_or_default();
    version(&kernel) >= (5, 10)
        && version(&library.to_string_lossy()) >= (2, 35)
        && !tunables.contains("glibc.pthread.rseq=0")
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
pub(crate) fn system_has_rseq() -> bool {
    false
}

/// The first two numbers of a version.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
fn version(text: &str) -> (u32, u32) {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}
