//! The loops that run while the clock does, one shape for all contenders.
//!
//! The size goes through `black_box`, so that no class is worked out ahead of the loop, and what
//! was got is hidden from the optimizer between its get and its put. Each loop is out of line: it
//! is compiled once for each contender, and nothing around it changes how.

use std::hint::black_box;

use crate::contender::{Contender, touch};
use crate::forms::RESET_BYTES;

/// Get, write a byte, put.
#[inline(never)]
pub(crate) fn at_once<C: Contender>(contender: &mut C, size: usize, operations: u64) {
    for _ in 0..operations {
        let mut buffer = contender.get(black_box(size));
        touch::<C>(&mut buffer);
        contender.put(buffer);
    }
}

/// As [`at_once`], with the handle stored and loaded between.
#[inline(never)]
pub(crate) fn moved<C: Contender>(contender: &mut C, size: usize, operations: u64) {
    for _ in 0..operations {
        let mut buffer = contender.get(black_box(size));
        touch::<C>(&mut buffer);
        contender.put(black_box(buffer));
    }
}

/// Gets `count` buffers, for which `held` has room, then puts them in the order in which they were
/// got.
#[inline(never)]
pub(crate) fn held<C: Contender>(
    contender: &mut C,
    size: usize,
    operations: u64,
    held: &mut Vec<C::Buffer>,
    count: u64,
) {
    for _ in 0..operations / count {
        for _ in 0..count {
            let mut buffer = contender.get(black_box(size));
            touch::<C>(&mut buffer);
            held.push(buffer);
        }
        for buffer in held.drain(..) {
            contender.put(buffer);
        }
    }
}

/// As [`at_once`], over a sequence of sizes.
#[inline(never)]
pub(crate) fn mixed<C: Contender>(contender: &mut C, sizes: &[usize; 256], operations: u64) {
    for operation in 0..operations {
        let size = sizes[operation as u8 as usize];
        let mut buffer = contender.get(black_box(size));
        touch::<C>(&mut buffer);
        contender.put(buffer);
    }
}

/// Get, write `text`, put it cleared.
#[inline(never)]
pub(crate) fn reset<C: Contender, const N: usize>(
    contender: &mut C,
    size: usize,
    text: &[u8; N],
    operations: u64,
) {
    for _ in 0..operations {
        let mut buffer = contender.get(black_box(size));
        C::fill(&mut buffer, black_box(text));
        contender.put_with_reset(buffer, N);
    }
}

/// Get, write `text`, put it as it is.
#[inline(never)]
pub(crate) fn filled<C: Contender, const N: usize>(
    contender: &mut C,
    size: usize,
    text: &[u8; N],
    operations: u64,
) {
    for _ in 0..operations {
        let mut buffer = contender.get(black_box(size));
        C::fill(&mut buffer, black_box(text));
        contender.put(buffer);
    }
}

/// Get, write a byte, share the buffer between two who both let go of it.
#[inline(never)]
pub(crate) fn shared<C: Contender>(contender: &mut C, size: usize, operations: u64) {
    for _ in 0..operations {
        let mut buffer = contender.get(black_box(size));
        C::fill(&mut buffer, black_box(&[1]));
        contender.share(buffer);
    }
}

/// Get zeros, write over all of them, put them as they are.
#[inline(never)]
pub(crate) fn zeroed<C: Contender>(contender: &mut C, text: &[u8; RESET_BYTES], operations: u64) {
    for _ in 0..operations {
        let mut buffer = contender.get_zeroed(black_box(RESET_BYTES));
        C::overwrite(&mut buffer, black_box(text));
        contender.put(buffer);
    }
}
