//! This pool, once with cells entered by restartable sequences and once by try-locks.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use std::sync::OnceLock;

use shockwave::{Buffer, BufferPool, Cells};

use crate::contender::Contender;

/// A handle of the pool with the default classes. `LOCKED` chooses its cells.
pub(crate) struct Shockwave<const LOCKED: bool> {
    pool: BufferPool,
}

/// The one pool of each kind in this process, or why there is none.
fn pool(locked: bool) -> &'static Result<BufferPool, String> {
    static RSEQ: OnceLock<Result<BufferPool, String>> = OnceLock::new();
    static LOCKED: OnceLock<Result<BufferPool, String>> = OnceLock::new();
    let (pool, cells) = if locked { (&LOCKED, Cells::Locked) } else { (&RSEQ, Cells::Rseq) };
    pool.get_or_init(|| {
        BufferPool::builder().cells(cells).build().map_err(|error| error.to_string())
    })
}

// SAFETY: `as_mut_ptr` points at the buffer's whole capacity, which is at least what was asked for,
// and a buffer is its holder's alone until it is dropped.
unsafe impl<const LOCKED: bool> Contender for Shockwave<LOCKED> {
    type Buffer = Buffer;

    fn missing() -> Option<String> {
        pool(LOCKED).as_ref().err().cloned()
    }

    fn attach() -> Self {
        match pool(LOCKED) {
            Ok(pool) => Self { pool: pool.clone() },
            Err(reason) => panic!("attached without asking whether it is missing: {reason}"),
        }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Buffer {
        self.pool.get(size)
    }

    #[inline(always)]
    fn address(buffer: &mut Buffer) -> *mut u8 {
        buffer.as_mut_ptr()
    }

    #[inline(always)]
    fn fill(buffer: &mut Buffer, bytes: &[u8]) {
        buffer.extend_from_slice(bytes);
    }

    #[inline(always)]
    fn put_with_reset(&mut self, buffer: Buffer, _written: usize) {
        self.pool.put_with_reset(buffer);
    }
}
