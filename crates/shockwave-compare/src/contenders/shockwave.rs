//! This pool: with cells of either kind, and with one mode each turned on.
#![expect(unsafe_code, reason = "promises what a buffer's address points at")]

use std::hint::black_box;
use std::sync::OnceLock;

use shockwave::{Buffer, BufferPool, BufferPoolBuilder, Cells, Heap, Sampling};

use crate::contender::Contender;

/// Cells entered by restartable sequences.
pub(crate) const RSEQ: usize = 0;
/// Cells entered by try-locks.
pub(crate) const LOCKED: usize = 1;
/// As [`RSEQ`], with `zero_on_return`.
pub(crate) const ZEROING: usize = 2;
/// As [`RSEQ`], with one get in [`TRACKED_ONE_IN`] recorded.
pub(crate) const TRACKED: usize = 3;
/// As [`RSEQ`], with a budget that is far from used up.
pub(crate) const BUDGETED: usize = 4;
/// As [`RSEQ`], with memory from the heap, where buffers begin at no page.
pub(crate) const FROM_HEAP: usize = 5;

const KINDS: usize = 6;

/// How many gets one recorded get stands for.
pub(crate) const TRACKED_ONE_IN: u32 = 128;

/// A handle of the pool with the default classes, of a kind.
pub(crate) struct Shockwave<const KIND: usize> {
    pool: BufferPool,
}

fn builder(kind: usize) -> BufferPoolBuilder {
    let builder = BufferPool::builder();
    let builder = builder.cells(if kind == LOCKED { Cells::Locked } else { Cells::Rseq });
    match kind {
        ZEROING => builder.zero_on_return(true),
        TRACKED => builder.track(Sampling::one_in(TRACKED_ONE_IN)),
        BUDGETED => builder.budget(1 << 30),
        FROM_HEAP => builder.source(Heap),
        _ => builder,
    }
}

/// The one pool of each kind in this process, or why there is none.
fn pool(kind: usize) -> &'static Result<BufferPool, String> {
    static POOLS: [OnceLock<Result<BufferPool, String>>; KINDS] =
        [const { OnceLock::new() }; KINDS];
    POOLS[kind].get_or_init(|| builder(kind).build().map_err(|error| error.to_string()))
}

// SAFETY: `as_mut_ptr` points at the buffer's whole capacity, which is at least what was asked for,
// and a buffer is its holder's alone until it is dropped.
unsafe impl<const KIND: usize> Contender for Shockwave<KIND> {
    type Buffer = Buffer;

    fn missing() -> Option<String> {
        pool(KIND).as_ref().err().cloned()
    }

    fn attach() -> Self {
        match pool(KIND) {
            Ok(pool) => Self { pool: pool.clone() },
            Err(reason) => panic!("attached without asking whether it is missing: {reason}"),
        }
    }

    #[inline(always)]
    fn get(&mut self, size: usize) -> Buffer {
        self.pool.get(size)
    }

    #[inline(always)]
    fn get_zeroed(&mut self, size: usize) -> Buffer {
        self.pool.get_zeroed(size)
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
    fn overwrite(buffer: &mut Buffer, bytes: &[u8]) {
        buffer[..bytes.len()].copy_from_slice(bytes);
    }

    /// Where what was written is cleared, through the front door: a pool that cannot see what is
    /// written by address has to clear it all.
    #[inline(always)]
    fn write_byte(buffer: &mut Buffer) {
        if KIND == ZEROING {
            buffer.push(1);
            black_box(buffer.as_ptr());
            return;
        }
        let address = Self::address(buffer);
        // SAFETY: no get is for less than a byte, and the buffer is its holder's until it is put.
        unsafe { address.write_volatile(1) };
        black_box(address);
    }

    #[inline(always)]
    fn share(&mut self, buffer: Buffer) {
        let one = buffer.freeze();
        let other = black_box(one.clone());
        drop((one, other));
    }

    #[inline(always)]
    fn put_with_reset(&mut self, buffer: Buffer, _written: usize) {
        self.pool.put_with_reset(buffer);
    }
}
