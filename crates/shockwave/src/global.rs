//! One pool for the whole program, and functions for those who want no more than that.

use std::io::Write;
use std::sync::OnceLock;

use crate::buffer::Buffer;
use crate::metrics::BufferPoolMetrics;
use crate::pool::BufferPool;

/// The program's own pool, with the default classes. Made on first use; never ends.
///
/// # Panics
///
/// On first use, as [`BufferPool::new`].
#[inline]
pub fn global() -> &'static BufferPool {
    static GLOBAL: OnceLock<BufferPool> = OnceLock::new();
    GLOBAL.get_or_init(BufferPool::new)
}

/// Takes a buffer from the [`global`] pool. See [`BufferPool::get`].
///
/// # Panics
///
/// As [`BufferPool::get`].
#[inline]
#[track_caller]
pub fn get_buffer(size: usize) -> Buffer {
    global().get(size)
}

/// Returns a buffer to the [`global`] pool, as dropping it does. See [`BufferPool::put`].
#[inline]
pub fn put_buffer(buffer: Buffer) {
    global().put(buffer);
}

/// Clears what was written to a buffer and returns it to the [`global`] pool. See
/// [`BufferPool::put_with_reset`].
#[inline]
pub fn put_buffer_with_reset(buffer: Buffer) {
    global().put_with_reset(buffer);
}

/// Makes `count` idle buffers in each class of the [`global`] pool. See [`BufferPool::warmup`].
#[expect(clippy::must_use_candidate, reason = "the buffers are what it is called for")]
pub fn warmup_buffer_pool(count: usize) -> usize {
    global().warmup(count)
}

/// The metrics of the [`global`] pool. See [`BufferPool::metrics`].
#[must_use]
pub fn buffer_pool_metrics() -> BufferPoolMetrics {
    global().metrics()
}

/// Prints the metrics of the [`global`] pool to standard output. Where that is closed, nobody
/// looks, and nothing happens.
pub fn print_buffer_pool_metrics() {
    let _ = writeln!(std::io::stdout(), "{}", buffer_pool_metrics());
}

/// Begins the counts of the [`global`] pool anew. See [`BufferPool::reset_metrics`].
pub fn reset_buffer_pool_metrics() {
    global().reset_metrics();
}
