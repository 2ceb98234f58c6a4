//! What nested calls leave to be done: buffers whose drop came at a bad moment, and those who wait
//! for what came back.
#![expect(unsafe_code, reason = "leaves buffers by their parts")]

use std::ptr::NonNull;

use super::Buffer;
use crate::later::Later;
use crate::life;
use crate::meta::Meta;
use crate::reentry::{self, Stay};

#[cfg(not(loom))]
thread_local! {
    /// Buffers whose drop was nested, and could not be carried out then. Each thread has its own,
    /// so that no other is half way through dropping what this one has dropped before.
    static LATER: Later = const { Later::new() };
}

#[cfg(loom)]
loom::thread_local! { static LATER: Later = Later::new(); }

/// Those that a thread could not settle itself, because it was in the middle of a fork.
static STRANDED: Later = Later::new();

/// Drops the buffers that wait, unless this thread is inside of a slow path itself. Says whether
/// there were any.
#[inline]
pub(crate) fn settle() -> bool {
    let none = LATER.with(Later::is_empty) && STRANDED.is_empty();
    let any = !none && !Stay::is_on();
    if any {
        settle_now();
    }
    any
}

/// What is to be done when a slow path has ended in which nested calls left something undone.
pub(crate) fn settle_debts() {
    settle();
    life::wake_owed();
}

/// Leaves the buffers that wait to the next slow path of whichever thread.
pub(crate) fn hand_debts_over() {
    LATER.with(|later| {
        // SAFETY: they are handed on as they were left.
        later.take_all(|data, meta| unsafe { STRANDED.push(data, meta) });
    });
}

#[cold]
fn settle_now() {
    // The parts of each buffer were left by its drop, for it to be dropped again.
    let again = |data, meta| drop(Buffer { data, meta }.awake());
    LATER.with(|later| later.take_all(again));
    STRANDED.take_all(again);
}

impl Buffer {
    /// Has a buffer wait that a nested call drops, until its thread is out of its slow path.
    ///
    /// # Safety
    ///
    /// The parts are those of a buffer that nobody has any more.
    pub(super) unsafe fn leave(data: NonNull<u8>, meta: Meta) {
        // SAFETY: the caller's word; the buffer is what keeps its pool.
        LATER.with(|later| unsafe { later.push(data, meta) });
        reentry::owe();
    }
}
